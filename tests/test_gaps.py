"""Tables with gaps and categories, all the way: training, the verbs, files, the estimator and pages."""

import json

import numpy as np
import pytest

import narrows
from narrows.data.read import read
from narrows.errors import DataError
from narrows.metrics.evaluate import evaluate
from narrows.modelfile import load, save
from narrows.tasks.corrupt import corrupt
from narrows.tasks.encode import decode, encode
from narrows.tasks.mapping import Map, make_map
from narrows.tasks.reconstruct import denoise, reconstruct
from narrows.tasks.score import errors, variance_explained
from narrows.training.fit import Fit
from narrows.training.map_head import add_head, training_codes
from narrows.verbs.describe import describe_array
from narrows.view.colours import colour
from narrows.view.explorer.page import make_explorer
from narrows.view.report import run_report

KINDS = "n2 c3 n1 c2"
OPTIONS = {"scaling": f"columns({KINDS!r})", "checks": False, "device": "cpu"}
FAST = {"backbone": "dense(hidden=[])", "epochs": 2, "random_state": 0}


def mixed(seed=0, share=0.15):
    """Return 320 rows of KINDS that two numbers explain: with gaps, and complete."""
    random = np.random.default_rng(seed)
    first, second = random.normal(size=(2, 320))
    noise = 0.1 * random.normal(size=(3, 320))
    columns = [first + noise[0], 50 * second + noise[1], (first > 0.5) + (first > -0.5), first - second + noise[2]]
    whole = np.stack([*columns, second > 0], 1).astype(float)
    return np.where(random.random(whole.shape) < share, np.nan, whole), whole


@pytest.fixture(scope="module")
def fit():
    fit = Fit(
        read(mixed()[0]), scaling=f"columns({KINDS!r})", bottleneck="linear(3)", epochs=30, checks=False, device="cpu"
    )
    fit.run()
    return fit


@pytest.fixture(scope="module")
def model(fit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training.map_head.MAX_STEPS", 20)
        return add_head(fit.finish(), training_codes(fit.plan, fit.network))


def test_auto_says_that_gaps_cost_nothing_and_hides_cells():
    plan = Fit(read(mixed()[0]), epochs=1, device="cpu").plan
    assert plan.texts["scaling"] == "columns()"
    assert plan.texts["corruption"].startswith("hide(")
    assert any("gaps cost nothing" in note for note in plan.notes)
    assert Fit(read(mixed()[1]), epochs=1, device="cpu").plan.texts["scaling"] == "robust(tail=4.0)"


def test_gaps_are_filled_better_than_by_usual_values(model):
    holed, whole = mixed(seed=7)
    filled = reconstruct(model, holed)
    assert (filled.shape, filled.dtype) == (holed.shape, holed.dtype)
    assert np.isfinite(filled).all()
    assert np.array_equal(denoise(model, holed), filled)
    gaps = np.isnan(holed)
    for column in (0, 1, 3):
        own = gaps[:, column]
        wrong = np.square(filled[own, column] - whole[own, column]).mean()
        assert wrong < 0.7 * np.square(whole[own, column] - np.nanmean(holed[:, column])).mean()
    assert set(filled[:, 2]) <= {0, 1, 2}
    assert (filled[gaps[:, 4], 4] == whole[gaps[:, 4], 4]).mean() > 0.65


def test_codes_and_errors_are_finite_and_the_same_alone(model):
    holed, _ = mixed()
    codes = encode(model, holed)
    assert np.isfinite(codes).all()
    assert np.isfinite(errors(model, holed)).all()
    assert np.array_equal(encode(model, holed[5:6])[0], codes[5])
    assert np.array_equal(errors(model, holed[5:6])[0], errors(model, holed)[5])
    assert np.array_equal(decode(model, codes), reconstruct(model, holed))
    assert errors(model, np.full((1, 5), np.nan)).tolist() == [0.0]


def test_the_share_explained_is_a_mean_over_columns_of_what_is_observed(model):
    holed, whole = mixed()
    assert 0.5 < variance_explained(model, holed) <= 1
    assert variance_explained(model, whole) == pytest.approx(variance_explained(model, holed), abs=0.1)
    assert len(model.card.variances) == 5
    assert model.card.variances[1] == pytest.approx(np.nanvar(holed[:, 1]), rel=0.3)
    shares = np.bincount(holed[~np.isnan(holed[:, 2]), 2].astype(int)) / (~np.isnan(holed[:, 2])).sum()
    assert model.card.variances[2] == pytest.approx(1 - np.square(shares).sum(), abs=0.03)


def test_tables_stand_beside_pca_and_the_mean(model):
    holed, _ = mixed()
    tables = {table.title.split(",")[0].split(" of ")[0]: table for table in evaluate(model, holed, holed, "the rows")}
    found = {row[0]: row[2] for row in tables["Reconstruction"].rows}
    assert found["this model"] == pytest.approx(errors(model, holed).mean())
    assert 0 < found["this model"] < found["doing nothing: the mean"] < 1.5
    assert found["PCA"] < found["doing nothing: the mean"]
    columns = {row[0]: row[1:] for row in tables["Columns"].rows}
    assert columns["x2"][:3] == columns["x4"][:3] == ("category", "-", "-")
    assert columns["x1"][2] == pytest.approx(np.nanstd(holed[:, 1]), rel=0.05)
    assert all(share.endswith("%") for row in columns.values() for share in row[5:])
    answers = reconstruct(model, holed)
    known = ~np.isnan(holed[:, 2])
    assert columns["x2"][3] == f"{100 * (answers[known, 2] == holed[known, 2]).mean():.1f} %"
    assert columns["x2"][4] == f"{100 * np.unique_counts(holed[known, 2]).counts.max() / known.sum():.1f} %"
    assert columns["x1"][3:5] == ("-", "-")
    assert all(np.isfinite(row[-1]) for row in tables["The map"].rows)


def test_pca_with_all_numbers_explains_all(model):
    holed, _ = mixed()
    full = Fit(
        read(holed), scaling=f"columns({KINDS!r})", bottleneck="linear(6)", epochs=1, checks=False, device="cpu"
    ).run()
    assert full.card.metrics["pca_mse"] < 1e-6


def test_its_file_computes_the_same(model, tmp_path):
    holed, _ = mixed()
    save(tmp_path / "model.safetensors", model)
    loaded = load(tmp_path)
    assert loaded.network.texts["scaling"] == f"columns({KINDS!r})"
    assert np.array_equal(reconstruct(loaded, holed), reconstruct(model, holed))
    assert np.array_equal(errors(loaded, holed), errors(model, holed))


def test_pages_show_gaps_as_gaps(model):
    holed, _ = mixed()
    holed[:, 3] = np.nan
    page = make_explorer(model, make_map(model, read(holed)))
    about = json.loads(page.split('id="about">')[1].split("</script>")[0])
    assert about["decoder"][-1]["cells"] == [[0, 0], [1, 0], [5, 3], [2, 0], [3, 2]]
    assert np.isfinite([[column["mean"], column["deviation"]] for column in about["columns"]]).all()
    report = run_report(model, [], holed, x_name="test", reference=holed).html
    assert "Columns, the worst first" in report
    assert "nan" not in " ".join(part.split("<")[0] for part in report.split(">")[1:]).split()


@pytest.mark.parametrize(
    ("values", "names"), [([0, 1, np.nan, 1], ["0", "1", "gap"]), ([np.nan] * 4, ["gap"]), ([7, 7.5, 7, np.nan], [])]
)
def test_gaps_are_a_grey_group_of_their_own(values, names):
    x = np.array(values)[:, None]
    groups = colour(Map(np.zeros((4, 2)), np.zeros(4), x, columns=("a",)), "a").groups
    assert not names or [group.name for group in groups] == names
    assert np.array_equal(groups[-1].index, np.flatnonzero(np.isnan(x[:, 0])))
    assert sum(len(group.index) for group in groups) == 4


def test_a_test_split_with_gaps_is_left_out_where_training_has_none(tmp_path):
    holed, whole = mixed()
    np.savez(tmp_path / "a.npz", x_train=whole, x_test=holed)
    np.savez(tmp_path / "b.npz", x_train=holed, x_test=holed)
    samples = read(tmp_path / "a.npz")
    assert samples.test is None
    assert "a.npz:test holds gaps, NaN, however" in samples.notes[0]
    assert read(tmp_path / "b.npz").test is not None


def test_the_estimator_takes_gaps():
    holed, whole = mixed()
    model = narrows.Autoencoder(**FAST).fit(holed)
    assert model.bottleneck is None
    assert model.model_.network.texts["scaling"] == "columns()"
    for result in (model.transform(holed), model.reconstruct(holed), model.score_samples(holed)):
        assert np.isfinite(result).all()
    assert np.isfinite(model.score(holed))
    assert np.isfinite(model.inverse_transform(model.transform(holed))).all()
    assert model.reconstruct(whole).shape == whole.shape
    assert model.__sklearn_tags__().input_tags.allow_nan


def test_infinite_values_are_refused_by_a_sentence_and_so_is_nan_in_pictures():
    holed, _ = mixed()
    holed[3, 2] = np.inf
    with pytest.raises(DataError, match=r"1 value that is infinite, the first at \[3, 2\]"):
        read(holed)
    with pytest.raises(ValueError, match="infinity"):
        narrows.Autoencoder(**FAST).fit(holed)
    pictures = np.zeros((5, 8, 8))
    pictures[2, 1, 1] = np.nan
    with pytest.raises(DataError, match="NaN or infinite, the first at"):
        read(pictures)
    flat = pictures.reshape(5, 64)
    flat[0] = np.arange(64)
    with pytest.raises(DataError, match=r"the data hold NaN, gaps that the scaling standard\(\) does not take; "):
        narrows.Autoencoder(shape=(8, 8), **FAST).fit(flat)


def test_a_model_that_takes_no_gaps_says_so(table, table_model):
    holed = table.copy()
    holed[0, :2] = np.nan
    with pytest.raises(DataError, match=r"takes no gaps, however: the data hold 2 values that are NaN; fill them"):
        reconstruct(table_model, holed)
    with pytest.raises(DataError, match=r"gaps that the scaling standard\(\) does not take; take scaling='columns'"):
        Fit(read(holed), scaling="standard", epochs=1, device="cpu")


def test_a_table_of_gaps_alone_has_nothing_to_learn():
    with pytest.raises(DataError, match="gaps alone"):
        Fit(read(np.full((9, 3), np.nan)), device="cpu")
    constant = np.ones((9, 3))
    constant[2] = np.nan
    with pytest.raises(DataError, match=r"all values of the data are equal \(1\)"):
        Fit(read(constant), device="cpu")


def test_noise_makes_no_gaps_of_categories():
    x = np.random.default_rng(0).integers(0, 4, (200, 1)).astype(float)
    damaged, _ = corrupt(x, "gaussian(0.3)", 0, None, "c4")
    assert set(np.unique(damaged)) <= {0.0, 1.0, 2.0, 3.0}
    assert 0 < (damaged != x).sum() < 40


def test_corrupt_hides_cells():
    _, whole = mixed()
    damaged, units = corrupt(whole, "hide(0.3)")
    gaps = np.isnan(damaged)
    assert units == "columns()"
    assert 0.2 < gaps.mean() < 0.4
    np.testing.assert_allclose(damaged[~gaps], whole[~gaps], atol=1e-4)
    ages, _ = corrupt(np.arange(60, dtype=np.uint8).reshape(20, 3), "hide(0.5)")
    assert ages.dtype.kind == "f"
    assert np.isnan(ages).any()


def test_an_array_with_gaps_is_described():
    assert describe_array(np.array([1.0, np.nan, 3.0])) == "float64 (3,), min 1, max 3, 1 NaN"
    assert describe_array(np.array([np.nan])) == "float64 (1,), NaN alone"

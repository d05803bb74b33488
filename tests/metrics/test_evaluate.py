"""The tables: what they say must be what was measured, and the plain methods must be what they are called."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from narrows.data.read import read
from narrows.errors import DataError
from narrows.metrics import evaluate as module
from narrows.metrics.evaluate import (
    Components,
    components_needed,
    evaluate,
    fit_pca,
    measure,
    pca_curve,
    take,
    through,
)
from narrows.tasks.reconstruct import reconstruct
from narrows.tasks.score import errors
from narrows.tasks.units import as_samples
from narrows.training.fit import Fit


def model_of(x, **options):
    return Fit(read(x), epochs=1, device="cpu", **options).run()


def low_rank(rows, columns, rank):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns)) + 0.1 * rng.normal(size=(rows, columns))


def cell(table, row, column):
    found = next(cells for cells in table.rows if cells[0] == row)
    return found[table.columns.index(column)]


def test_a_models_mse_is_the_mean_of_its_errors(picture_model, pictures):
    passed = through(picture_model, pictures)
    np.testing.assert_allclose(passed.errors, errors(picture_model, pictures), rtol=1e-5)
    assert passed.x.shape == passed.restored.shape == (60, 72)


def test_the_tables_mse_is_that_of_reconstruct(table_model, table):
    first = evaluate(table_model, table, table, "the rows")[0]
    scale = table_model.network.scaling.scale.numpy()
    mse = np.square((reconstruct(table_model, table) - table) / scale).mean()
    assert cell(first, "this model", "MSE") == pytest.approx(mse, rel=1e-4)
    assert "the rows" in first.note


def test_pca_of_a_table_agrees_with_scikit_learn(table_model, table):
    components = fit_pca(table_model, table[:50])
    scale, offset = (getattr(table_model.network.scaling, name).numpy() for name in ("scale", "offset"))
    x = (table - offset) / scale
    pca = PCA(2).fit(x[:50])
    expected = np.square(pca.inverse_transform(pca.transform(x)) - x).mean()
    assert components.through(x, 2).mse == pytest.approx(expected, rel=1e-3)
    assert components.rows == 50


def test_pca_of_pictures_is_clamped_as_the_model_is(picture_model, pictures):
    x = pictures.reshape(60, -1) / 255
    pca = PCA(3).fit(x)
    expected = np.square(pca.inverse_transform(pca.transform(x)).clip(0, 1) - x).mean()
    table = evaluate(picture_model, pictures, pictures, "these")[0]
    assert cell(table, "PCA", "MSE") == pytest.approx(expected, rel=1e-4)
    assert "clamped" in table.note


@pytest.mark.parametrize(("rows", "found"), [(60, 59), (120, 119), (400, 64)])
def test_wide_samples_get_the_same_components_another_way(monkeypatch, rows, found):
    x = low_rank(rows, 300, 20)
    model = model_of(x, backbone="dense(hidden=[])", bottleneck="linear(4)")
    exact = fit_pca(model, x)
    monkeypatch.setattr(module, "DENSE_WIDTH", 10)
    wide = fit_pca(model, x)
    passed = through(model, x)
    assert len(exact.axes) == min(rows - 1, 300)
    assert len(wide.axes) == found
    np.testing.assert_allclose(wide.axes @ wide.axes.T, np.eye(found), atol=1e-4)
    for kept in (4, 20):
        assert wide.through(passed.x, kept).mse == pytest.approx(exact.through(passed.x, kept).mse, rel=0.01)


def test_what_is_measured_by_chunks_is_what_all_samples_at_once_say(monkeypatch, table_model, table):
    monkeypatch.setattr("narrows.tasks.units.CHUNK_VALUES", 1)  # 64 rows, then the 16 that are left
    components = fit_pca(table_model, table)
    measured = measure(table_model, as_samples(table_model, table)[0], components)
    passed = through(table_model, table)
    np.testing.assert_array_equal(measured.errors, passed.errors)
    np.testing.assert_allclose(measured.value_errors, passed.squares.mean(0, dtype=float))
    np.testing.assert_allclose(measured.mean, passed.x.mean(0, dtype=float), atol=1e-6)
    np.testing.assert_allclose(measured.variance, passed.x.var(0, dtype=float), rtol=1e-5)
    assert measured.mse_of(components.mean) == pytest.approx(np.square(passed.x - components.mean).mean(), rel=1e-5)
    assert measured.pca.mse == pytest.approx(components.through(passed.x, 2).mse, rel=1e-6)


def test_doing_nothing_answers_the_mean_of_the_reference(table_model, table):
    first = evaluate(table_model, table, table[:40], "the first rows")[0]
    scale = table_model.network.scaling.scale.numpy()
    expected = np.square((table - table[:40].mean(0)) / scale).mean()
    assert cell(first, "doing nothing: the mean", "MSE") == pytest.approx(expected, rel=1e-4)


def test_the_curve_is_the_error_of_every_number_of_components():
    x = low_rank(60, 7, 3)
    fitted = PCA().fit(x)
    components = Components(fitted.mean_, fitted.components_, 60)
    expected = [components.through(x, k).mse for k in range(8)]
    chunks = x[:50], x[50:]
    np.testing.assert_allclose(pca_curve(components, chunks, [*map(components.scores, chunks)]), expected, atol=1e-12)


def test_components_are_counted_with_clamping():
    x = np.clip(low_rank(80, 9, 5), 0, 1)
    fitted = PCA().fit(x)
    components = Components(fitted.mean_, fitted.components_, 80, limits=(0.0, 1.0))
    mses = [components.through(x, k).mse for k in range(10)]
    for target in (0.2, 0.1, 0.05, 0.01, 0.001):
        expected = next(k for k, mse in enumerate(mses) if mse <= target)
        assert components_needed(components, (x[:70], x[70:]), target) == expected


def test_components_that_do_not_suffice_are_not_counted():
    x = low_rank(30, 6, 6)
    fitted = PCA(2).fit(x)
    assert components_needed(Components(fitted.mean_, fitted.components_, 30), [x], 1e-6) is None


def test_a_model_that_is_pca_does_the_work_of_as_many_components():
    x = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    fit = Fit(read(x), backbone="dense(hidden=[]) + dense(hidden=[8])", device="cpu")
    model = fit.run()
    assert model.card.recipe["kept_step"] == 0
    assert "Its 2 numbers do the work of 2 PCA components" in evaluate(model, x, x, "the rows")[0].note


def test_a_reference_of_one_sample_leaves_pca_nothing_to_learn(table_model, table):
    first = evaluate(table_model, table, table[:1], "one row")[0]
    assert cell(first, "PCA", "numbers kept") == 0


def test_a_code_wider_than_the_data_keeps_as_many_components_as_there_are(table):
    model = model_of(table, backbone="dense(hidden=[])", bottleneck="linear(9)")
    first = evaluate(model, table, table, "the rows")[0]
    assert cell(first, "PCA", "numbers kept") == 5


def test_without_a_code_no_table_says_how_much_is_kept(pictures):
    model = model_of(pictures, backbone="unet(2)", bottleneck="linear(3)", corruption="gaussian(0.1)")
    first = evaluate(model, pictures, pictures, "the pictures")[0]
    assert first.columns == ("method", "MSE", "variance explained")
    assert [row[0] for row in first.rows] == ["this model", "doing nothing: the mean"]
    assert cell(first, "this model", "MSE") == pytest.approx(errors(model, pictures).mean(), rel=1e-4)
    assert "Code: none that holds a sample" in first.note
    assert "PCA" not in first.note


def test_columns_are_in_their_own_units_and_the_worst_comes_first(table_model, table):
    columns = evaluate(table_model, table, table, "the rows")[2]
    difference = reconstruct(table_model, table) - table
    for i in range(5):
        assert cell(columns, f"x{i}", "error") == pytest.approx(np.sqrt(np.square(difference[:, i]).mean()), rel=1e-3)
        assert cell(columns, f"x{i}", "spread") == pytest.approx(table[:, i].std(), rel=1e-3)
    shares = [row[1] / row[2] for row in columns.rows]
    assert shares == sorted(shares, reverse=True)


def test_a_constant_column_has_no_share_to_explain(table):
    x = np.column_stack([table, np.full(80, 7.0)])
    columns = evaluate(model_of(x, backbone="dense(hidden=[])", bottleneck="linear(2)"), x, x, "the rows")[2]
    assert cell(columns, "x5", "explained by this model") == "-"


def test_pictures_have_no_column_table(picture_model, pictures):
    titles = [table.title for table in evaluate(picture_model, pictures, pictures, "these")]
    assert titles == ["Reconstruction of 60 samples", "Error of single samples"]


def test_one_picture_alone_is_one_sample(picture_model, pictures):
    assert evaluate(picture_model, pictures[0], pictures, "these")[0].title == "Reconstruction of 1 sample"


def test_at_most_ten_thousand_samples_are_measured():
    x = np.arange(10_005)
    taken = take(x)
    assert len(taken) == 10_000
    assert (np.diff(taken) > 0).all()
    assert take(x[:10_000]).tolist() == list(range(10_000))


def test_data_of_another_shape_are_refused(picture_model, pictures):
    with pytest.raises(DataError, match="shape"):
        evaluate(picture_model, pictures[:, :5], pictures, "these")


def test_a_map_stands_beside_pcas_and_its_mse_is_of_two_numbers(table_model, table):
    labels = (table[:, 0] > np.median(table[:, 0])).astype(int)
    shown = evaluate(table_model, table, table, "these", labels)[-1]
    assert shown.title == "The map"
    assert shown.columns[1:] == ("1-NN", "5-NN", "trustworthiness", "continuity", "V-measure", "silhouette", "MSE")
    first = evaluate(table_model, table, table, "these")[0]
    for method in ("this model", "PCA"):
        assert cell(shown, method, "MSE") == pytest.approx(cell(first, method, "MSE"), rel=1e-4)
    assert float(cell(shown, "PCA", "trustworthiness")) > 0.9
    assert "among the other samples" in shown.note


def test_neighbours_on_a_map_are_training_samples_where_those_are_known(table):
    labels = np.arange(80) % 2
    model = model_of(table, backbone="dense(hidden=[])", bottleneck="linear(2)")
    shown = evaluate(model, table, table, "these", labels, labels)[-1]
    assert cell(shown, "this model", "1-NN") == "100.0 %"  # each is its own neighbour
    assert "among 80 samples of these" in shown.note
    without = evaluate(model, table, table, "these")[-1]
    assert without.columns == ("method", "trustworthiness", "continuity", "MSE")


def test_a_model_without_a_map_has_no_table_of_one(picture_model, pictures):
    assert "The map" not in [table.title for table in evaluate(picture_model, pictures, pictures, "these")]

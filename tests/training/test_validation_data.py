"""Validation data that a person gives are held out, measured and shown, and nothing is learned from them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.base import clone

import narrows
from narrows import Autoencoder, read
from narrows.cli import main
from narrows.data.samples import Samples
from narrows.errors import DataError, SpecError
from narrows.metrics.names import name_metrics
from narrows.modelfile import load
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.training.finished import find_examples
from narrows.training.fit import Fit
from narrows.training.map_head import training_codes
from narrows.training.plan import make_plan
from narrows.training.run import Run
from narrows.verbs.numbers import describe_training

FAST = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1, "device": "cpu"}
TEXTS = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1}


def rows(count, seed=0):
    x, y = np.random.default_rng(seed).normal(size=(2, count))
    return np.stack([x, y, x + y, x - y, x * y], 1)


def bars(count, size=12, seed=0):
    x = np.random.default_rng(seed).integers(0, 60, (count, size, size))
    x[np.arange(count), :, np.arange(count) % size] += 180
    return x.astype(np.uint8)


def plan_of(x, given, **options):
    return make_plan(read(x), validation_data=read(given), **{**FAST, **options})


def test_all_samples_are_trained_on_and_the_given_ones_are_measured():
    x, given = rows(60), rows(20, 1)
    fit = Fit(Samples(x), validation_data=Samples(given, origin="v.csv"), **FAST)
    assert "validation data: 20 samples of v.csv; nothing is learned from them" in fit.plan.notes
    model = fit.run()
    assert len(fit.plan.split.source) == model.card.recipe["train_samples"] == 60
    assert model.card.recipe["validation_samples"] == 20
    network = model.network
    expected = network.errors(torch.from_numpy(given)).mean().item()
    assert model.card.metrics["validation_mse"] == pytest.approx(expected)
    assert list(name_metrics(model))[1:] == ["validation data", "validation data, PCA with as many numbers"]
    assert training_codes(fit.plan, network).shape == (60, 2)


def test_the_page_is_about_them_even_beside_a_test_split():
    samples = replace(read("mnist"), x=read("mnist").x[:60], labels=None)
    given = replace(read("mnist:test"), x=bars(6, 28), labels=np.arange(6))
    fit = Fit(samples, validation_data=given, **FAST)
    fit.run()
    name, shown, reference = find_examples(fit.plan, fit.end)
    assert (name, len(reference)) == ("validation", 60)
    assert np.array_equal(shown.x, given.x)
    assert shown.labels.tolist() == list(range(6))


def test_nothing_is_learned_from_them_in_the_end_where_pca_is_kept():
    x = np.random.default_rng(0).normal(size=(80, 8))
    given = np.random.default_rng(1).normal(size=(20, 8)) + 50
    options = {"backbone": "dense(hidden=[]) + dense(hidden=[16], leak=0.1)", "epochs": 2, "device": "cpu"}
    fit = Fit(Samples(x), validation_data=Samples(given), **options)
    model = fit.run()
    assert model.card.recipe["kept_step"] == 0
    assert fit.end.kept.endswith("is surely better on the validation data")
    assert fit.end.held_out is fit.plan.split.held_out
    assert model.network is fit.training.network
    reached = model.network.reconstruct(torch.from_numpy(given)).detach()
    assert np.abs(reached.numpy() - given).mean() > 5


def test_few_samples_are_not_split_again_where_the_samples_that_choose_are_given():
    run = Run(plan_of(rows(90), rows(20, 1), epochs=2, backbone="auto"))
    assert not run.plan.checks
    while not run.is_finished:
        run.step()
    assert run.check is None


def test_a_run_that_is_stopped_goes_on_to_the_same_bits():
    plan = plan_of(rows(60), rows(20, 1), epochs=3)
    wanted, states = Run(plan), []
    while not wanted.is_finished:
        wanted.step()
        states.append(wanted.state_dict())
    run = Run(plan_of(rows(60), rows(20, 1), epochs=3))
    run.load_state_dict(states[len(states) // 2])
    while not run.is_finished:
        run.step()
    first, second = run.state_dict(), wanted.state_dict()
    weights = [name for name in first if name.startswith("network.")]
    assert weights
    assert all(torch.equal(first[name], second[name]) for name in weights)
    assert [row["val_mse"] for row in run.history] == [row["val_mse"] for row in wanted.history]


def test_the_fingerprint_tells_them_from_a_share_and_from_others():
    x, given = rows(60), rows(20, 1)
    plans = [plan_of(x, given), plan_of(x, given[:10]), plan_of(x, given + 1), make_plan(read(x), **FAST)]
    plans.append(make_plan(read(x), validation=0, **FAST))
    assert len({plan.fingerprint for plan in plans}) == len(plans)
    assert plans[0].fingerprint == plan_of(x.copy(), given.copy()).fingerprint


@pytest.mark.parametrize(
    ("x", "given", "options", "said"),
    [
        (rows(30), rows(9)[:, :4], {}, r"samples like those to train on, \(N, 5\), however: their shape is \(9, 4\)"),
        (bars(30), bars(9, 10), {}, r"\(N, 1, 12, 12\), however: their shape is \(9, 10, 10\)"),
        (bars(30), bars(9) / 255, {}, "of the type of the pictures to train on, uint8, however: they are float64"),
        (rows(30), np.full((9, 5), np.nan), {}, "the validation data hold NaN, gaps that the scaling"),
        (bars(9, 40), bars(3, 40)[..., None].repeat(3, 3), {"patch_size": 16}, "they have 3 channels, and those 1"),
    ],
)
def test_data_unlike_those_of_training_are_refused_in_a_sentence(x, given, options, said):
    with pytest.raises(DataError, match=said):
        plan_of(x, given, **options)


@pytest.mark.parametrize(
    ("columns", "found"), [(("a", "b", "c", "e", "d"), "'e' for 'd'"), (("a", "b", "c", "d"), "4, not 5")]
)
def test_other_columns_are_refused(columns, found):
    samples = Samples(rows(30), columns=tuple("abcde"))
    with pytest.raises(
        DataError, match=f"the columns of the table to train on, in its order, however: they .* {found}"
    ):
        make_plan(samples, validation_data=Samples(rows(9)[:, : len(columns)], columns=columns), **FAST)


def test_a_target_is_needed_where_the_samples_have_one():
    noisy, clean = bars(30), bars(30, seed=1)
    samples = read(noisy, target=clean)
    with pytest.raises(DataError, match="the samples have one and they have none"):
        make_plan(samples, validation_data=read(noisy[:5]), **FAST)
    with pytest.raises(DataError, match="they have one and the samples have none"):
        make_plan(read(noisy), validation_data=read(noisy[:5], target=clean[:5]), **FAST)
    plan = make_plan(samples, validation_data=read(noisy[:5], target=clean[:5]), **FAST)
    assert np.array_equal(plan.split.held_out.target[:, 0].numpy(), clean[:5])


def test_a_share_and_groups_beside_them_are_refused():
    with pytest.raises(SpecError, match=r"leave validation=0\.2 out"):
        plan_of(rows(30), rows(9), validation=0.2)
    with pytest.raises(SpecError, match="leave groups out"):
        make_plan(Samples(rows(30), groups=np.arange(30)), validation_data=Samples(rows(9)), **FAST)


def test_pictures_of_other_sizes_are_cut_as_those_of_training():
    plan = make_plan(read(bars(6, 40)), validation_data=read(bars(3, 30)), patch_size=16, **FAST)
    assert plan.split.held_out.x.shape[1:] == plan.split.source.shape == (1, 16, 16)
    smaller = make_plan(read(bars(6, 40)), validation_data=read(bars(3, 12)), patch_size=16, **FAST)
    assert smaller.split.held_out.x.shape == (3, 1, 16, 16)
    larger = make_plan(read(bars(30, 16)), validation_data=read(bars(3, 30)), patch_size=16, **FAST)
    assert larger.split.held_out.x.shape[1:] == (1, 16, 16)
    fit = Fit(read(bars(6, 40)), validation_data=read(bars(3, 30)), patch_size=16, **FAST)
    assert fit.run().card.recipe["validation_samples"] == 3
    assert find_examples(fit.plan, fit.end)[1].x.shape == (3, 16, 16)


def test_a_table_with_gaps_categories_and_ones_that_training_never_saw():
    table = Columns((Column("size"), Column("colour", "category", "string", ("red", "blue", "green"))))
    x = np.stack([rows(60)[:, 0], np.arange(60) % 3], 1)
    x[::7, 0] = np.nan
    given = np.array([[0.5, 1.0], [np.nan, 2.0], [0.1, -1.0]])
    samples, others = (Samples(values, columns=table.names, table=table) for values in (x, given))
    options = {**FAST, "scaling": "columns('n1 c3')", "bottleneck": "linear(2)"}
    model = Fit(samples, validation_data=others, **options).run()
    assert np.isfinite(model.card.metrics["validation_mse"])


def test_the_estimator_takes_them_in_fit_as_keras_does():
    x, given = rows(60), rows(20, 1)
    estimator = Autoencoder(random_state=0, **TEXTS)
    model = estimator.fit(x, validation_data=given)
    assert model.model_.card.recipe["validation_samples"] == 20
    assert model.history_[-1]["val_mse"] is not None
    assert set(clone(model).get_params()) == set(Autoencoder().get_params())
    with pytest.raises(DataError, match="it is a tuple of 2; give the samples alone"):
        estimator.fit(x, validation_data=(given, given))
    with pytest.raises(DataError, match=r"validation_data must be an array or Samples, .* narrows.read\('v.csv'\)"):
        estimator.fit(x, validation_data="v.csv")
    frame = pd.DataFrame(x, columns=list("abcde"))
    found = estimator.fit(frame, validation_data=frame[list("acbde")]).history_
    assert [row["val_mse"] for row in found] == [
        row["val_mse"] for row in estimator.fit(frame, validation_data=frame).history_
    ]
    with pytest.raises(DataError, match="must have the column 'b'"):
        estimator.fit(frame, validation_data=frame[list("acde")])
    pictures = bars(30).reshape(30, -1)
    flat = Autoencoder(shape=(12, 12), random_state=0, **TEXTS).fit(pictures, validation_data=pictures[:4])
    assert flat.model_.card.recipe["validation_samples"] == 4


def test_the_function_reads_them_as_it_reads_the_data(tmp_path):
    for name, count in (("pictures", 20), ("others", 5)):
        (tmp_path / name).mkdir()
        for i, picture in enumerate(bars(count, 24 if name == "pictures" else 30)):
            Image.fromarray(picture).save(tmp_path / name / f"{i:02}.png")
    options = {"size": 16, "backbone": "dense(hidden=[])", "preset": "tutorial-linear", "epochs": 1}
    notes = []
    model = narrows.train(
        tmp_path / "pictures", validation_data=tmp_path / "others", callback=notes.append, **options
    ).model_
    texts = [getattr(note, "text", "") for note in notes]
    assert "validation data: 5 samples of others; nothing is learned from them" in texts
    assert model.card.recipe["validation_data"] == "others"
    assert model.card.metrics["validation_mse"] > 0


def test_the_shell_has_the_flag_and_names_the_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", rows(60))
    np.save("v.npy", rows(20, 1))
    command = ["train", "x.npy", "--validation-data", "v.npy", "--epochs", "1", "--bottleneck", "linear(2)"]
    assert main([*command, "-o", "run"]) == 0
    said = capsys.readouterr()
    assert "validation data, PCA with as many numbers" in said.out + said.err
    assert load("run").card.recipe["validation_data"] == "v.npy"
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "20 validation samples" in page
    assert "validation share" not in page
    for more, flag in ((["--validation", "0.2"], "--validation 0.2"), (["--split-by", "lot"], "--split-by lot")):
        assert main([*command, *more, "-o", "other"]) == 2
        assert f"leave {flag} out" in capsys.readouterr().err
    assert main(["train", "x.npy", "--validation-data", ".", "-o", ".", "--overwrite"]) == 2


def test_what_was_measured_names_what_it_was_measured_on():
    fit = Fit(Samples(rows(60)), validation_data=Samples(rows(20, 1), origin="v.npy"), **FAST)
    data = describe_training(fit.run(), fit.training, fit.end)["data"]
    assert data["samples"] == 60
    assert {key: data["validation_data"][key] for key in ("origin", "samples")} == {"origin": "v.npy", "samples": 20}

"""The verbs as functions: what they return and write, and that they take arrays as the estimator does."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

import narrows
from narrows.errors import DataError
from narrows.modelfile import FILE_NAME
from narrows.verbs.events import Note


@pytest.fixture(scope="module")
def fitted(table):
    return narrows.train(table, backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=2, device="cpu")


@pytest.fixture(scope="module")
def denoiser(pictures):
    return narrows.train(pictures, preset="denoise", backbone="unet(2)", epochs=1, device="cpu")


def test_training_returns_a_fitted_estimator_and_writes_only_where_it_is_told(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = []
    estimator = narrows.train(table, epochs=1, backbone="dense", device="cpu", callback=said.append)
    assert estimator.transform(table).shape == (80, 2)
    assert estimator.history_
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""
    assert any(isinstance(event, Note) and event.text.startswith("scaling: ") for event in said)
    narrows.train(table, epochs=1, backbone="dense", device="cpu", output=tmp_path / "run")
    assert (tmp_path / "run" / FILE_NAME).exists()
    assert narrows.encode(tmp_path / "run", table).shape == (80, 2)


def test_functions_give_what_the_estimator_gives(fitted, table):
    codes = narrows.encode(fitted, table)
    assert np.array_equal(codes, fitted.transform(table).astype(np.float32))
    assert np.array_equal(narrows.decode(fitted, codes), fitted.inverse_transform(codes))
    assert np.array_equal(narrows.reconstruct(fitted, table), fitted.reconstruct(table))
    assert np.array_equal(narrows.denoise(fitted, table), fitted.denoise(table))
    mapped = narrows.map(fitted, table)
    assert np.array_equal(mapped.points, fitted.map(table))
    assert np.array_equal(mapped.errors, -fitted.score_samples(table))


def test_files_of_pictures_are_denoised_to_files(denoiser, pictures, tmp_path):
    assert np.array_equal(narrows.denoise(denoiser, pictures), denoiser.denoise(pictures))
    from PIL import Image

    (tmp_path / "noisy").mkdir()
    for i in range(3):
        Image.fromarray(pictures[i]).save(tmp_path / "noisy" / f"{i}.png")
    with pytest.raises(DataError, match="needs an output"):
        narrows.denoise(denoiser, tmp_path / "noisy")
    outcomes = narrows.denoise(denoiser, tmp_path / "noisy", output=tmp_path / "out")
    assert [outcome.name for outcome in outcomes] == ["0.png", "1.png", "2.png"]
    assert np.array_equal(narrows.read(tmp_path / "out").x, denoiser.denoise(pictures[:3]))


def test_tables_and_pages_are_made_without_a_word(denoiser, fitted, table, pictures, tmp_path, capsys):
    assert narrows.evaluate(fitted, table)[0].title.startswith("Reconstruction of 80 samples")
    (compared,) = narrows.evaluate(denoiser, pictures, corruption="gaussian(0.2)", most=4)
    assert "gaussian(0.2)" in compared.title
    assert narrows.report(fitted, table, output=tmp_path / "page.html") == tmp_path / "page.html"
    with pytest.raises(DataError, match="needs an output"):
        narrows.report(fitted, table)
    assert narrows.corrupt(pictures, "gaussian(0.1)").dtype == np.uint8
    assert capsys.readouterr().out == ""


def test_a_training_that_explodes_warns_and_returns_what_it_had(table, monkeypatch):
    from narrows.presets import PRESETS
    from narrows.recipe import Recipe

    monkeypatch.setitem(PRESETS, "wild", Recipe(optimizer="adamw(900.0)"))
    with pytest.warns(RuntimeWarning, match="training stops"):
        estimator = narrows.train(table * 1e3, preset="wild", scaling="standard", epochs=30, device="cpu")
    assert np.isfinite(estimator.transform(table)).all()


def test_a_missing_picture_is_a_warning(denoiser, pictures, tmp_path):
    from PIL import Image

    (tmp_path / "in").mkdir()
    Image.fromarray(pictures[0]).save(tmp_path / "in" / "good.png")
    (tmp_path / "in" / "broken.png").write_text("no picture")
    with pytest.warns(RuntimeWarning, match="some outputs are missing"):
        outcomes = narrows.denoise(denoiser, tmp_path / "in", output=tmp_path / "out")
    assert [bool(outcome.missing) for outcome in outcomes] == [True, False]


def test_what_was_given_to_train_is_what_a_clone_trains_with(table):
    estimator = narrows.train(table, backbone="dense", bottleneck="linear(2)", epochs=3, seed=7, device="cpu")
    again = clone(estimator).fit(table)
    assert np.array_equal(again.transform(table), estimator.transform(table))


def test_former_names_and_slips_are_answered(pictures, table):
    with pytest.warns(FutureWarning, match="crop is called patch_size now") as caught:
        narrows.train(np.tile(pictures, (1, 2, 2)), preset="denoise", backbone="unet(1)", epochs=1, crop=16)
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match="no option 'epoch'; did you mean 'epochs'"):
        narrows.train(table, epoch=1)
    with pytest.raises(narrows.SpecError, match=r"a model is a fitted Autoencoder.*NoneType"):
        narrows.encode(None, table)


def test_a_drawing_that_fails_does_not_cost_the_model(table, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError("a picture")

    monkeypatch.setattr("narrows.verbs.learn.run_report", fail)
    with pytest.warns(UserWarning, match="no page: ZeroDivisionError: a picture"):
        narrows.train(table, backbone="dense", epochs=1, device="cpu", output=tmp_path / "run")
    assert narrows.encode(tmp_path / "run", table).shape == (80, 2)
    assert not (tmp_path / "run" / "report.html").exists()


DOORS = {
    "big-endian": lambda x: x.astype(">f8"),
    "a tensor with a gradient": lambda x: torch.tensor(x, requires_grad=True),
    "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
}


@pytest.mark.parametrize("door", DOORS)
def test_arrays_of_every_kind_are_the_same_to_functions_and_estimator(fitted, table, door):
    x = DOORS[door](table)
    expected = fitted.transform(table)
    assert np.array_equal(fitted.transform(x), expected)
    assert np.array_equal(narrows.encode(fitted, x), expected.astype(np.float32))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.ma.masked_greater(np.ones((4, 5)) * np.arange(5), 3), "masked values"),
        (np.zeros(4, [("a", float), ("b", float)]), "records"),
    ],
    ids=["masked", "structured"],
)
def test_what_cannot_be_read_gets_one_answer(fitted, x, words):
    for use in (fitted.transform, fitted.fit, fitted.score_samples, lambda x: narrows.encode(fitted, x), narrows.read):
        with pytest.raises(DataError, match=words):
            use(x)


def test_names_of_verbs_are_there_and_hide_nothing():
    assert {"train", "denoise", "map"} <= set(dir(narrows))
    assert "map" not in narrows.__all__

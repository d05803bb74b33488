"""A model of patches, or one that tiles, takes photographs of its own training and others in every verb."""

import shlex

import numpy as np
import pytest
from PIL import Image
from restoring import model_of, opened

import narrows
from narrows import modelfile
from narrows.cli import main
from narrows.metrics.trial import make_trial
from narrows.tasks.reconstruct import denoise, reconstruct
from narrows.tasks.tiles import picture_errors
from narrows.verbs import restoring
from narrows.verbs.events import Counted, Note
from narrows.verbs.reading import read_as

SMALL = ["--bottleneck", "linear(4)", "--epochs", "1", "--max-steps", "3"]


def picture(height, width, seed=0, colour=False):
    rows, columns = np.mgrid[:height, :width]
    planes = [128 + 80 * np.sin(rows / (5 + i) + columns / (7 + seed)) for i in range(3 if colour else 1)]
    return np.stack(planes, -1).squeeze().astype(np.uint8)


def fill(folder, sizes, colour=False):
    folder.mkdir()
    for i, size in enumerate(sizes):
        Image.fromarray(picture(*size, i, colour)).save(folder / f"{i}.png")


@pytest.fixture(scope="module", params=["default", "unet(2)"])
def place(request, tmp_path_factory):
    """A folder with a model of patches, its photographs, and others: of two sizes, and one alone."""
    place, is_colour = tmp_path_factory.mktemp("place"), request.param == "default"
    fill(place / "photos", [(50, 70), (40, 64), (33, 35), (64, 32)], is_colour)
    fill(place / "others", [(40, 50), (70, 36)], is_colour)
    fill(place / "one", [(20, 45)], is_colour)
    backbone = ["--backbone", request.param] if request.param.startswith("unet") else []
    words = ["train", str(place / "photos"), "--patch-size", "32", *backbone, *SMALL, "-o", str(place / "run")]
    assert main(words) == 0
    return place


@pytest.fixture
def run(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(verb, data, *words):
        status = main([verb, str(place / "run"), str(place / data), *words])
        return status, capsys.readouterr().out

    return call


@pytest.mark.parametrize("data", ["photos", "one"])
def test_every_verb_takes_photographs_of_any_size(place, run, tmp_path, data):
    has_code = modelfile.load(place / "run").network.has_code
    for verb in ("reconstruct", "denoise"):
        assert run(verb, data, "-o", verb)[0] == 0
        for path in (place / data).iterdir():
            assert opened(tmp_path / verb / path.name).size == opened(path).size
    status, said = run("evaluate", data)
    assert status == 0
    assert "Reconstruction of" in said
    assert run("report", data, "-o", "page.html")[0] == 0
    if has_code:
        assert run("encode", data, "-o", "codes.npy")[0] == 0
        assert run("map", data, "-o", "map.csv")[0] == 0
    scores = narrows.load(place / "run").score_samples(place / data)
    assert scores.shape == (len(list((place / data).iterdir())),)
    assert (scores < 0).all()


def test_damage_is_measured_on_patches_too(place):
    samples = finish(read_as(modelfile.load(place / "run"), place / "others"))
    trial = make_trial(modelfile.load(place / "run"), samples.x, "gaussian(0.1)")
    assert trial.clean.shape[2:] == (32, 32)
    assert samples.names[:2] == ("0.png [0, 0]", "0.png [0, 18]")


def finish(events):
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


def test_a_note_says_how_many_patches_and_names_say_where(run, tmp_path):
    _, said = run("evaluate", "others")
    assert "note: pictures of another size, cut into 10 patches of 32x32" in said
    assert "Reconstruction of 10 samples" in said


def test_the_command_that_training_prints_next_works(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "photos", [(40, 30), (20, 33), (16, 16)])
    assert main(["train", "photos", "--patch-size", "16", *SMALL, "-o", "run"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: narrows ")]
    assert main(shlex.split(line.removeprefix("next: narrows "))) == 0


@pytest.mark.parametrize("shape", [(3, 40, 50), (40, 50), (3, 10, 12)])
def test_arrays_of_another_size_come_back_as_they_came(shape):
    x = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for model in (model_of(), model_of("conv(channels=[3])")):
        if model.network.backbone.tiling is None:
            model.card.recipe["patch_size"] = 16
        assert reconstruct(model, x).shape == shape
        assert np.array_equal(reconstruct(model, x), denoise(model, x))
        estimator = narrows.Autoencoder.of(model)
        pictures = x if x.ndim == 3 else x[np.newaxis]
        scores = estimator.score_samples(pictures)
        assert scores.shape == (len(pictures),)
        assert np.array_equal(scores, [estimator.score_samples(one[np.newaxis])[0] for one in pictures])


def test_an_error_of_a_picture_is_that_of_what_is_restored():
    model = model_of(dtype="float64", top=1.0)
    x = np.random.default_rng(0).random((40, 50))
    assert picture_errors(model, [x])[0] == pytest.approx(np.square(denoise(model, x) - x).mean(), rel=1e-4)


def test_patches_side_by_side_are_what_the_model_makes_of_each():
    model = model_of("conv(channels=[3])")
    model.card.recipe["patch_size"] = 16
    x = np.random.default_rng(0).integers(0, 256, (32, 40), np.uint8)
    restored = denoise(model, x)
    assert np.array_equal(restored[16:, :16], denoise(model, x[16:, :16]))
    assert np.array_equal(restored[:16, 32:], denoise(model, x[:16, 24:])[:, 8:])


def test_a_large_picture_counts_its_tiles_and_says_how_long_it_takes(tmp_path, monkeypatch):
    monkeypatch.setattr(restoring, "MANY_TILES", 2)
    monkeypatch.setattr(restoring, "LONG", 0.0)
    Image.fromarray(picture(1100, 1100)).save(tmp_path / "large.png")
    modelfile.save(tmp_path / "m.safetensors", model_of())
    events = []
    narrows.denoise(
        tmp_path / "m.safetensors", tmp_path / "large.png", output=tmp_path / "out.png", callback=events.append
    )
    counted = [event for event in events if isinstance(event, Counted) and event.text == "restoring large.png"]
    assert [event.done for event in counted] == list(range(1, counted[0].total + 1))
    (note,) = [i for i, event in enumerate(events) if isinstance(event, Note) and "megapixels" in event.text]
    assert events[note].text.startswith("large.png: 1 megapixels in 9 tiles, about 10 seconds")
    assert note < events.index(counted[2])

"""`denoise` says where data are unlike those of training, whatever noise is in them; so does a map of too few."""

import pytest

import narrows
from narrows.errors import DataError
from narrows.tasks.corrupt import corrupt
from narrows.training import map_head
from narrows.verbs.events import Note

X, TEST = narrows.read("mnist").x[:800], narrows.read("mnist:test").x[:60]


@pytest.fixture(scope="module")
def model():
    options = {"backbone": "dense(hidden=[])", "bottleneck": "linear(16)", "corruption": "gaussian(0.0, 0.5)"}
    return narrows.train(X, epochs=1, seed=0, **options)


def notes(model, x):
    events = []
    narrows.denoise(model, x, callback=events.append)
    return [event.text for event in events if isinstance(event, Note) and "unlike those of training" in event.text]


@pytest.mark.parametrize("damage", [None, "gaussian(0.25)"])
def test_inverted_pictures_are_unlike_those_of_training(model, damage):
    inverted = 255 - TEST
    (note,) = notes(model, inverted if damage is None else corrupt(inverted, damage)[0])
    assert note.startswith("note: more was changed than noise explains")


@pytest.mark.parametrize("damage", ["none", "gaussian(0.1)", "gaussian(0.5)", "salt_pepper(0.2)", "poisson(10)"])
def test_noise_alone_is_no_reason_for_a_note(model, damage):
    assert not notes(model, corrupt(TEST, damage)[0])


def test_too_few_samples_for_a_map_are_called_too_few(monkeypatch):
    def diverge(run):
        raise map_head.TrainingError("the loss is no longer finite")

    monkeypatch.setattr(map_head, "train", diverge)
    few = narrows.train(X[:18], backbone="dense(hidden=[])", bottleneck="linear(4)", preset="tutorial-linear", epochs=1)
    codes = few.transform(X[:18])
    with pytest.raises(DataError, match="18 samples are too few for a map of them; give more data"):
        map_head.add_head(few.model_, codes)

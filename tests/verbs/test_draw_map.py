"""The verb `map`: a model gets a map where it has none, and samples are converted and encoded once."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from narrows import read
from narrows.errors import DataError
from narrows.modelfile import FILE_NAME, load, save
from narrows.tasks import units
from narrows.tasks.encode import encode, encode_map
from narrows.tasks.score import errors
from narrows.training.fit import Fit
from narrows.verbs.events import Note, finish
from narrows.verbs.map import draw_map

DIGITS = load_digits().images[:300].astype(np.float32) / 16


@pytest.fixture(scope="module")
def trained():
    return Fit(read(DIGITS), backbone="dense(hidden=[])", bottleneck="linear(6)", epochs=2, device="cpu").run()


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """Return a folder with a model that has no map."""
    monkeypatch.setattr("narrows.training.map_head.MAX_STEPS", 20)
    save(tmp_path / FILE_NAME, trained)
    return tmp_path


def lines(events):
    said = []
    result = finish(events, said.append)
    return result.value, [event.text for event in said if isinstance(event, Note)]


def test_a_model_without_a_map_gets_one_which_is_kept(run):
    mapped, said = lines(draw_map(run, DIGITS))
    assert any("map: 2 numbers for 6" in line for line in said)
    assert np.array_equal(encode_map(load(run), DIGITS), mapped.points)


def test_a_map_that_cannot_be_kept_is_still_a_map(run, monkeypatch):
    def refuse(*_, **__):
        raise DataError("the disk is full")

    monkeypatch.setattr("narrows.modelfile.save", refuse)
    mapped, said = lines(draw_map(run, DIGITS))
    assert mapped.points.shape == (300, 2)
    assert any("this map is not kept: the disk is full" in line for line in said)


@pytest.mark.parametrize("name", ["map.html", "map.png", "map.csv"])
def test_samples_are_converted_once_and_encoded_once(run, trained, name, monkeypatch):
    convert, converted, encoded = units.to_samples, [], []
    monkeypatch.setattr(units, "to_samples", lambda x, *rest: converted.append(len(x)) or convert(x, *rest))
    monkeypatch.setattr("narrows.verbs.reading.modelfile.load", lambda path: trained)
    hook = trained.network.encoder.register_forward_hook(lambda module, inputs, output: encoded.append(len(inputs[0])))
    try:
        mapped, _ = lines(draw_map(run, DIGITS, output=run / name))
    finally:
        hook.remove()
    assert converted.count(len(DIGITS)) == 1
    assert len(DIGITS) <= sum(encoded) < 2 * len(DIGITS)  # in blocks, of which the last is filled up
    assert np.array_equal(mapped.errors, errors(trained, DIGITS))


def test_what_a_session_keeps_is_what_each_task_finds(trained, picture_model, pictures):
    from narrows.tasks.session import Session

    for model, x in ((trained, DIGITS), (picture_model, pictures)):
        session = Session(model, x)
        assert np.array_equal(session.errors, errors(model, x))
        assert np.array_equal(session.codes, encode(model, x))
        assert np.array_equal(session.first_errors(7), errors(model, x, most=7))

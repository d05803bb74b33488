"""Whatever reading changes in pictures is said in a line that counts them."""

import numpy as np
import pytest
from disk import gradient, put

from narrows.data.read import read


def test_a_default_size_says_what_vanishes(tmp_path):
    for i in range(3):
        put(tmp_path / f"{i}.png", gradient(600, 500))
    (note,) = read(tmp_path).notes
    assert note.endswith("; 3 pictures shrunk from 600x500 to 64x64: what is under 8 pixels vanishes")


def test_mixed_sizes_name_the_largest_and_count_those_that_grow(tmp_path):
    for i, size in enumerate([(300, 300), (200, 640), (40, 40)]):
        put(tmp_path / f"{i}.png", gradient(*size))
    (note,) = read(tmp_path).notes
    assert "2 pictures shrunk to 64x64, the largest from 300x300: what is under 5 pixels vanishes" in note
    assert "1 picture brought to 64x64 without shrinking" in note


@pytest.mark.parametrize(("fit", "least"), [("crop", 4), ("pad", 8), ("stretch", 8)])
def test_the_cost_goes_by_the_resize_mode(tmp_path, fit, least):
    put(tmp_path / "a.png", gradient(64, 128))
    (note,) = read(tmp_path, 16, resize_mode=fit).notes
    assert note == f"1 picture shrunk from 64x128 to 16x16: what is under {least} pixels vanishes"


def test_a_model_says_each_thing_that_its_reading_changes(tmp_path):
    put(tmp_path / "a.png", gradient(40, 40, 3))
    put(tmp_path / "b.png", gradient(20, 20).astype(np.uint16) * 257)
    reading = {"size": [20, 20], "fit": "crop", "colour": "grey", "depth": 8}
    notes = read(tmp_path, reading=reading).notes
    assert len(notes) == 3
    assert "1 picture shrunk from 40x40 to 20x20: what is under 2 pixels vanishes" in notes[0]
    assert notes[1].startswith("in colour: 1 of 2 pictures, read as grey")
    assert notes[2].startswith("of 16 bits: 1 of 2 pictures, read with 8")
    assert "grey: 1 of 2 pictures, read as RGB" in read(tmp_path, reading=reading | {"colour": "rgb"}).notes[1]


def test_grey_pictures_among_coloured_ones_are_counted(tmp_path):
    put(tmp_path / "a.png", gradient(20, 20, 3))
    put(tmp_path / "b.png", gradient(20, 20))
    for options in ({}, {"patch_size": 16}):
        assert read(tmp_path, **options).notes == ("grey: 1 of 2 pictures; all are read as RGB",)


def test_nothing_is_said_where_nothing_changes(tmp_path):
    put(tmp_path / "a.png", gradient(20, 20))
    samples = read(tmp_path)
    assert samples.notes == read(tmp_path, reading=samples.reading).notes == read(tmp_path, 20).notes == ()

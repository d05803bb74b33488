"""A few values that would make all others dark are named before training, with the way out."""

import numpy as np
import pytest

import narrows
from narrows.data.read import read
from narrows.training.plan import make_plan

RNG = np.random.default_rng(0)


def notes(x, **options):
    return [note for note in make_plan(read(x), **options).notes if note.startswith("note: values go from")]


def deep():
    return RNG.integers(0, 4096, (30, 16, 16)).astype(np.uint16)


def scan():
    x = RNG.integers(-1000, 3000, (30, 16, 16)).astype(np.int16)
    x[:, :3] = -3024
    return x


def spark():
    x = RNG.normal(size=(30, 16, 16)).astype(np.float32)
    x[3, 4, 5] = 1e6
    return x


def test_a_lone_pixel_padding_and_a_spark_are_named():
    lone = deep()
    lone[5, 5, 5] = 65535
    for x, ends in ((lone, "0 to 65535"), (scan(), "-3024 to 2999"), (spark(), "to 1e+06")):
        (note,) = notes(x)
        assert ends in note
        assert "take the scaling robust" in note


def test_pictures_that_fill_their_range_say_nothing():
    half = RNG.integers(0, 2, (30, 16, 16)).astype(np.uint16) * 65535
    for x in (deep(), RNG.normal(size=(30, 16, 16)), RNG.random((30, 16, 16)), half, read("mnist").x[:50]):
        assert not notes(x)
    assert not notes(scan(), scaling="robust")


@pytest.mark.parametrize("make", [deep, scan])
def test_the_way_out_learns_the_rest(make):
    x = make() // 2 + np.arange(16, dtype=make().dtype) * 60
    x[3, 4, 5] = np.iinfo(x.dtype).max
    options = {"backbone": "dense(hidden=[])", "bottleneck": "linear(4)", "epochs": 2, "seed": 0}
    assert np.isfinite(narrows.train(x, scaling="robust", **options).reconstruct(x)).all()

"""Users' arrays become samples and come back as they were."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.data.layout import LAYOUTS, Layout, to_samples
from narrows.errors import DataError

SIDES = st.integers(1, 5)


def numbered(*shape):
    return np.arange(math.prod(shape), dtype=np.int32).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "kind", "samples_shape"),
    [
        ((7, 5), "table", (7, 5)),
        ((7, 8, 9), "grey", (7, 1, 8, 9)),
        ((7, 8, 9, 3), "channels_last", (7, 3, 8, 9)),
        ((7, 8, 9, 1), "channels_last", (7, 1, 8, 9)),
        ((7, 3, 9, 4), "channels_last", (7, 4, 3, 9)),
        ((7, 1, 8, 9), "channels_first", (7, 1, 8, 9)),
    ],
)
def test_in_training_dimensions_decide(shape, kind, samples_shape):
    x = numbered(*shape)
    samples, layout = to_samples(x)
    assert layout.kind == kind
    assert samples.shape == samples_shape
    assert samples.dtype == x.dtype
    assert samples.flags.c_contiguous
    np.testing.assert_array_equal(layout.back(samples), x)


@pytest.mark.parametrize("shape", [(7,), (), (7, 8, 9, 3, 1), (7, 3, 8, 9), (7, 3, 8, 1), (7, 8, 9, 2), (7, 8, 9, 16)])
def test_in_training_other_shapes_are_refused(shape):
    with pytest.raises(DataError, match=r"\(N, H, W, C\).*however"):
        to_samples(numbered(*shape))


def test_channels_first_pictures_are_taken_where_the_model_tells_them():
    with pytest.raises(DataError, match='axes="NHWC" or axes="NCHW"'):
        to_samples(numbered(7, 3, 8, 9))
    x = numbered(7, 3, 8, 9)
    samples, layout = to_samples(x, (3, 8, 9))
    np.testing.assert_array_equal(samples, x)
    np.testing.assert_array_equal(layout.back(samples), x)


def test_empty_arrays_are_refused():
    with pytest.raises(DataError, match="at least one sample"):
        to_samples(np.zeros((0, 5)))
    with pytest.raises(DataError, match="at least one sample"):
        to_samples(np.zeros((0, 5)), shape=(5,))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((4, 8, 9), "grey"),
        ((8, 9), "one_grey"),
        ((4, 1, 8, 9), "channels_first"),
        ((4, 8, 9, 1), "channels_last"),
        ((8, 9, 1), "one_channels_last"),
        ((4, 72), "flat"),
        ((72,), "one_flat"),
    ],
)
def test_a_model_of_grey_pictures_decides(shape, kind):
    samples, layout = to_samples(numbered(*shape), (1, 8, 9))
    assert layout.kind == kind
    assert samples.shape == (1 if kind.startswith("one_") else 4, 1, 8, 9)
    np.testing.assert_array_equal(samples.ravel(), np.arange(samples.size))


@pytest.mark.parametrize("shape", [(4, 8, 9, 3), (8, 9, 3), (4, 216), (216,)])
def test_a_model_of_colour_pictures_reads_channels_last(shape):
    x = numbered(*shape)
    samples, layout = to_samples(x, (3, 8, 9))
    np.testing.assert_array_equal(samples, np.moveaxis(x.reshape(-1, 8, 9, 3), -1, 1))
    np.testing.assert_array_equal(layout.back(samples), x)


def test_a_model_of_tables_decides():
    assert to_samples(numbered(4, 5), (5,))[1].kind == "table"
    samples, layout = to_samples(numbered(5), (5,))
    assert samples.shape == (1, 5)
    assert layout.back(samples).shape == (5,)


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        ((4, 6), (5,)),
        ((6,), (5,)),
        ((4, 5, 5), (5,)),
        ((4, 9, 8), (1, 8, 9)),
        ((8, 9), (3, 8, 9)),
        ((1, 8, 9, 2), (1, 8, 9)),
    ],
)
def test_in_use_other_shapes_are_refused_and_named(shape, model):
    with pytest.raises(DataError) as caught:
        to_samples(numbered(*shape), model)
    assert str(shape) in str(caught.value)
    assert "(N, " in str(caught.value)


@given(st.data())
def test_every_arrangement_that_a_model_understands_comes_back(data):
    shape = data.draw(st.one_of(st.tuples(SIDES), st.tuples(SIDES, SIDES, SIDES)))
    n = data.draw(SIDES)
    kinds = ["table", "one_table"] if len(shape) == 1 else ["channels_last", "one_channels_last", "flat", "one_flat"]
    kinds += ["grey", "one_grey", "channels_first"] if len(shape) == 3 and shape[0] == 1 else []
    kind = data.draw(st.sampled_from(kinds))
    values = numbered(1 if kind.startswith("one_") else n, *shape)
    x = Layout(kind).back(values)
    samples, layout = to_samples(x, shape)
    assert samples.flags.c_contiguous
    assert samples.dtype == x.dtype
    np.testing.assert_array_equal(samples, values)
    back = layout.back(samples)
    assert back.shape == x.shape
    np.testing.assert_array_equal(back, x)


def test_layouts_are_a_closed_set():
    assert {Layout(kind).kind for kind in LAYOUTS} == set(LAYOUTS)
    for kind in ("gray", "", None, ["grey"]):
        with pytest.raises(DataError, match="there is no layout"):
            Layout(kind)

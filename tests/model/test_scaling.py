"""User's units to the model's and back: for every type, far from 0, and where a column never changes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from narrows.errors import DataError, SpecError
from narrows.model.network import as_tensor
from narrows.model.scaling import Robust, Standard, Unit
from narrows.model.scalings import SCALINGS, choose_scaling


def fitted(scaling, x):
    scaling.build(tuple(x.shape[1:]))
    scaling.fit(x.split(7))
    return scaling


def grey(values, dtype):
    return as_tensor(np.array(values, dtype).reshape(-1, 1, 1, 1))


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("shape", [(20, 3), (20, 1, 5, 4), (20, 3, 5, 4)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.float16, torch.float32, torch.float64])
def test_there_and_back(name, shape, dtype):
    if SCALINGS[name].tables_only and len(shape) > 2:
        return
    x = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 200).to(dtype)
    scaling = fitted(SCALINGS[name](), x)
    inside = scaling(x)
    assert inside.dtype == torch.float32
    assert inside.shape == x.shape
    back = scaling.back(inside)
    assert back.dtype == torch.float64
    assert torch.allclose(back, x.double(), rtol=0, atol=1e-4)
    if scaling.limits is not None:
        assert inside.min() >= scaling.limits[0]
        assert inside.max() <= scaling.limits[1]


@pytest.mark.parametrize("name", [name for name in SCALINGS if not SCALINGS[name].tables_only])
def test_every_byte_comes_back_as_it_was(name):
    x = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1)
    scaling = fitted(SCALINGS[name](), x)
    assert torch.equal(scaling.back(scaling(x)).round().to(torch.uint8), x)


@pytest.mark.parametrize(
    ("values", "dtype", "low", "high"),
    [
        ([3, 200], np.uint8, 0, 255),
        ([0, 1], np.bool_, 0, 1),
        ([0, 0], np.bool_, 0, 1),
        ([0, 4000], np.uint16, 0, 4095),
        ([0, 4095], np.uint16, 0, 4095),
        ([0, 4096], np.uint16, 0, 8191),
        ([7, 65535], np.uint16, 0, 65535),
        ([0, 0], np.uint16, 0, 1),
        ([5, 700], np.int32, 0, 1023),
        ([5, 2**31 - 1], np.int64, 0, 2**31 - 1),
        ([-5, 700], np.int32, -5, 700),
        ([0.0, 0.5], np.float32, 0, 1),
        ([0.2, 1.0], np.float64, 0, 1),
        ([0.0, 1.5], np.float32, 0, 1.5),
        ([-0.5, 0.5], np.float32, -0.5, 0.5),
        ([2.0, 2.0], np.float64, 2, 3),
    ],
)
def test_units_range(values, dtype, low, high):
    scaling = fitted(Unit(), grey(values, dtype))
    assert scaling.offset.item() == low
    assert (scaling.offset + scaling.scale).item() == high


def test_the_range_is_that_of_all_chunks_not_of_the_last():
    x = grey([0, 4000, *[3] * 20], np.uint16)
    assert fitted(Unit(), x).scale.item() == 4095
    assert fitted(Unit(), grey([-4.0, *[0] * 20, 4.0], np.float32)).scale.item() == 8


def test_units_output_is_bounded_as_it_says():
    logits = torch.tensor([[-9.0, 0.0, 9.0]])
    sigmoid, linear = Unit(), Unit(output="linear")
    assert torch.equal(sigmoid.activation(logits), logits.sigmoid())
    assert torch.equal(linear.train().activation(logits), logits)
    assert torch.equal(linear.eval().activation(logits), logits.clamp(0, 1))
    assert (sigmoid.has_sigmoid, linear.has_sigmoid) == (True, False)


@pytest.mark.parametrize("scaling", [Unit(), Unit(output="linear"), Standard()])
def test_unsquash_undoes_squash(scaling):
    value = torch.tensor([[0.1, 0.5, 0.9]])
    assert torch.allclose(scaling.activation(scaling.inverse_activation(value)), value, atol=1e-6)
    assert scaling.inverse_activation(torch.tensor([[0.0, 1.0]])).isfinite().all()


def test_standard_is_mean_0_and_deviation_1_per_column():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.normal(size=(500, 3)) * [1, 1e6, 1e-6] + [0, -3e7, 5])
    inside = fitted(Standard(), x)(x).double()
    assert inside.mean(0).abs().max() < 1e-6
    assert torch.allclose(inside.std(0, correction=0), torch.ones(3, dtype=torch.float64), atol=1e-6)


def test_standard_is_per_channel_of_pictures():
    x = torch.randn(30, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5, 9]).view(3, 1, 1)
    scaling = fitted(Standard(), x)
    assert scaling.scale.shape == (3, 1, 1)
    assert torch.allclose(scaling.scale.flatten(), x.double().std((0, 2, 3), correction=0), rtol=1e-9)
    assert torch.allclose(scaling.offset.flatten(), x.double().mean((0, 2, 3)), atol=1e-9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.integers(1, 9))
def test_moments_do_not_depend_on_the_chunks(values, chunk):
    x = torch.tensor(values, dtype=torch.float64).view(-1, 1)
    scaling = Standard()
    scaling.build((1,))
    scaling.fit(x.split(chunk))
    assert np.isclose(scaling.offset.item(), np.mean(values), rtol=1e-9, atol=1e-9)
    if np.std(values) > 1e-3:
        assert np.isclose(scaling.scale.item(), np.std(values), rtol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 3.0, -1e-3, 0.1, 1e9 + 0.1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_constant_column_gets_scale_1(constant, dtype):
    x = torch.full((1000, 2), constant, dtype=dtype)
    x[:, 1] = torch.arange(1000)
    scaling = fitted(Standard(), x)
    assert scaling.scale[0] == 1
    assert scaling(x)[:, 0].abs().max() < 1e-5
    assert np.isclose(scaling.scale[1], np.arange(1000).std())


def test_tables_far_from_0_keep_their_detail():
    x = 1e9 + torch.arange(100, dtype=torch.float64).view(100, 1) * 1e-3
    scaling = fitted(Standard(), x)
    assert torch.allclose(scaling.back(scaling(x)), x, rtol=0, atol=1e-7)
    assert len(scaling(x).unique()) == 100


def test_large_whole_numbers_keep_their_detail():
    x = torch.tensor([[2**40], [2**40 + 1], [2**40 + 2]])
    for scaling in (fitted(Standard(), x), fitted(Unit(), x - 2**40 - 1)):
        assert len(scaling(x - (0 if isinstance(scaling, Standard) else 2**40 + 1)).unique()) == 3


@pytest.mark.parametrize("scaling", [Unit(), Standard()])
def test_a_spread_beyond_64_bits_is_refused(scaling):
    with pytest.raises(DataError, match="spread is beyond"):
        fitted(scaling, torch.tensor([[1.7e308], [-1.7e308]], dtype=torch.float64))


def test_no_data_are_refused():
    with pytest.raises(SpecError, match="needs data"):
        Unit().fit([])


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.zeros((5, 1, 2, 2), np.uint8), "unit"),
        (np.zeros((5, 4), np.uint8), "robust"),
        (np.zeros((5, 4), np.bool_), "robust"),
        (np.zeros((5, 1, 2, 2), np.uint16), "unit"),
        (np.zeros((5, 1, 2, 2), np.int32), "unit"),
        (np.zeros((5, 4), np.int32), "robust"),
        (np.zeros((5, 4), np.float64), "robust"),
        (np.full((5, 1, 2, 2), 1.0), "unit"),
        (np.full((5, 1, 2, 2), 1.1), "standard"),
        (np.full((5, 1, 2, 2), -0.1, np.float32), "standard"),
    ],
)
def test_auto_decides_from_the_data_and_says_why(x, text):
    chosen, reason = choose_scaling(as_tensor(x))
    assert chosen.startswith(text)
    assert reason


def test_buffers_are_saved_and_double():
    state = fitted(Standard(), torch.rand(9, 3)).state_dict()
    assert {name: value.dtype for name, value in state.items()} == {"offset": torch.float64, "scale": torch.float64}


def test_robust_leaves_a_wild_value_and_keeps_the_range_of_the_others():
    rng = np.random.default_rng(0)
    usual = rng.normal(1, 0.1, 200)
    x = torch.from_numpy(np.append(usual, 1e6))[:, None]
    scaling = fitted(Robust(), x)
    inside = scaling(x).flatten()
    assert inside[:-1].std() == pytest.approx(1, abs=0.15)
    assert 10 < inside[-1] < 30
    assert torch.allclose(scaling.back(scaling(x)), x, rtol=1e-4)


def test_robust_is_linear_within_its_tail_and_rises_beyond_it():
    scaling = fitted(Robust(tail=2.0), torch.randn(500, 1, generator=torch.Generator().manual_seed(0)))
    z = torch.linspace(-6, 6, 121, dtype=torch.float64)
    inside = scaling((z * scaling.scale + scaling.offset)[:, None]).flatten()
    assert torch.allclose(inside[z.abs() <= 2].double(), z[z.abs() <= 2], atol=1e-5)
    assert (inside.diff() > 0).all()
    assert inside[-1] == pytest.approx(2 + np.log1p(4), abs=1e-5)


def test_robust_scales_a_column_of_rare_ones_by_its_deviation():
    x = torch.zeros(1000, 1)
    x[:5] = 1
    assert fitted(Robust(), x).scale.item() == pytest.approx(x.double().std(correction=0).item())


def test_far_columns_are_no_constants():
    x = (1e15 + 3 * torch.arange(300, dtype=torch.float64))[:, None]
    for scaling in (Standard(), Robust()):
        assert fitted(scaling, x).scale.item() == pytest.approx(3 * np.arange(300).std(), rel=0.02)


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_huge_values_stay_finite(name, dtype):
    scaling = fitted(SCALINGS[name](), torch.randn(50, 2, dtype=dtype))
    huge = torch.tensor([[1.0, 0.99], [-1.0, 1e-3]], dtype=dtype) * torch.finfo(dtype).max
    inside = scaling(huge)
    assert inside.square().isfinite().all()
    assert inside.abs().min() > 10


def test_the_range_takes_pictures_of_another_depth_full_range_to_full_range():
    ends = fitted(Unit(), grey([0, 4000], np.uint16)).user_range
    assert (ends.low, ends.high) == (0, 4095)
    assert ends.from_depth(grey([0, 51, 255], np.uint8), 255.0).flatten().tolist() == [0, 819, 4095]
    assert ends.to_depth(torch.tensor([0.0, 819.0, 4095.0]), 255.0).tolist() == [0, 51, 255]
    shifted = fitted(Unit(), grey([-1.5, 2.5], np.float32)).user_range
    assert shifted.from_depth(grey([False, True], np.bool_), 1.0).flatten().tolist() == [-1.5, 2.5]
    assert fitted(Standard(), torch.rand(9, 3)).user_range is None


@pytest.mark.parametrize("name", SCALINGS)
def test_a_deviation_comes_back_in_the_columns_own_units(name):
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * torch.tensor(
        [1, 50, 0.1]
    )
    scaling = fitted(SCALINGS[name](), x)
    inside = scaling(x).double().std(0, correction=0)
    assert torch.allclose(scaling.back_deviation(inside), x.std(0, correction=0), rtol=1e-5)


@pytest.mark.parametrize("scaling", [Unit(), Standard(), Robust(tail=1.0)])
def test_what_is_exported_is_enough_to_convert(scaling):
    x = torch.randn(100, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 50, 0.1]) + 7
    inside, numbers = fitted(scaling, x)(x), scaling.export()
    z = (x.double() - torch.tensor(numbers["offset"])) / torch.tensor(numbers["scale"])
    near = z.abs() <= numbers.get("tail", np.inf)
    assert torch.allclose(inside[near].double(), z[near], atol=1e-5)
    assert near.all() == ("tail" not in numbers)


def test_a_scale_that_no_data_give_is_refused():
    scaling = fitted(Standard(), torch.rand(9, 3))
    scaling.check()
    scaling.scale[1] = -1.0
    with pytest.raises(SpecError, match="a scale that is not positive"):
        scaling.check()

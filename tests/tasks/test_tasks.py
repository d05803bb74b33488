"""The tasks: results have the arrangement, depth and type of the input."""

import numpy as np
import pytest
import torch

from narrows import read
from narrows.errors import DataError, SpecError
from narrows.tasks.corrupt import corrupt
from narrows.tasks.encode import decode, decode_map, encode, encode_map
from narrows.tasks.reconstruct import denoise, learned_from_noisy, reconstruct, was_damaged
from narrows.tasks.score import errors, times_usual
from narrows.training.fit import Fit

DIGITS = read("mnist").x[:200]


def trained(x, **options):
    options = {"backbone": "dense(hidden=[])", "bottleneck": "linear(16)", "epochs": 3} | options
    return Fit(read(x), **options).run()


@pytest.fixture(scope="module")
def model():
    return trained(DIGITS)


def test_depths_are_mapped_full_range_to_full_range(model):
    deep = DIGITS.astype(np.uint16) * 257
    restored = reconstruct(model, deep)
    assert restored.dtype == np.uint16
    assert np.abs(restored / 257 - reconstruct(model, DIGITS)).max() <= 0.51


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_fractions_keep_their_type(dtype):
    x = (DIGITS / 255).astype(dtype)
    restored = reconstruct(trained(x), x)
    assert restored.dtype == dtype
    assert 0 <= restored.min() <= restored.max() <= 1


def test_other_whole_numbers_come_back_as_float64_in_their_range():
    x = DIGITS.astype(np.int64) * 16
    restored = reconstruct(trained(x), x)
    assert restored.dtype == np.float64
    assert 0 <= restored.min() <= restored.max() <= 4095


def test_truth_values_come_back_as_truth_values():
    x = DIGITS > 127
    restored = reconstruct(trained(x), x)
    assert restored.dtype == bool
    assert (restored == x).mean() > 0.8


def test_codes_alone_or_among_others_are_the_same_bits(model):
    together = encode(model, DIGITS)
    for i in (0, 63, 64, 199):
        assert np.array_equal(encode(model, DIGITS[i]), together[i : i + 1])
    assert np.array_equal(encode(model, DIGITS[7:150]), together[7:150])


def test_decoding_codes_is_reconstructing(model):
    assert np.array_equal(decode(model, encode(model, DIGITS)), reconstruct(model, DIGITS))
    assert np.array_equal(decode(model, encode(model, DIGITS[3])[0]), reconstruct(model, DIGITS[3:4]))


@pytest.mark.parametrize(
    "z",
    [np.zeros((2, 5)), np.zeros((2, 3, 16)), np.full((1, 16), np.nan), np.full((1, 16), 1e300), np.array([["a"] * 16])],
)
def test_codes_that_are_none_are_refused(model, z):
    with pytest.raises(DataError, match="code"):
        decode(model, z)


def test_a_code_of_two_numbers_is_the_map(table_model, table):
    points = encode_map(table_model, table)
    assert points.dtype == np.float32
    assert np.array_equal(points, encode(table_model, table))
    assert np.array_equal(encode_map(table_model, table[7]), points[7:8])
    assert np.array_equal(decode_map(table_model, points), decode(table_model, points))
    assert decode_map(table_model, points[3]).shape == (1, 5)


@pytest.mark.parametrize(
    "points", [np.zeros((2, 3)), np.zeros((2, 1, 2)), np.full((1, 2), np.inf), np.array([["a", "b"]]), np.zeros(0)]
)
def test_points_that_are_none_are_refused(table_model, points):
    with pytest.raises(DataError, match="points of the map"):
        decode_map(table_model, points)


def test_a_model_without_a_map_says_so(model, pictures):
    with pytest.raises(SpecError, match="its code has 16 numbers, and its file holds no map head"):
        encode_map(model, DIGITS)
    restoring = Fit(read(pictures), preset="denoise", backbone="unet(2)", epochs=1, device="cpu").run()
    for use, values in ((encode_map, pictures), (decode_map, np.zeros((1, 2)))):
        with pytest.raises(SpecError, match="connections round its bottleneck"):
            use(restoring, values)


def test_samples_of_another_shape_are_refused(model):
    with pytest.raises(DataError):
        reconstruct(model, np.zeros((3, 14, 14), np.uint8))


def test_unlike_data_have_errors_many_times_the_usual(model):
    usual, unlike = errors(model, DIGITS), errors(model, 255 - DIGITS)
    assert times_usual(model, usual) < 2
    assert times_usual(model, unlike) > 3
    assert usual.dtype == np.float64


def test_denoising_brings_digits_nearer_to_the_clean_ones():
    model = trained(DIGITS, corruption="gaussian(0.3)", epochs=40)
    noisy, _ = corrupt(DIGITS, "gaussian(0.3)", seed=1)
    before, after = (np.square(x / 255 - DIGITS / 255).mean() for x in (noisy, denoise(model, noisy)))
    assert after < 0.7 * before
    assert was_damaged(model)
    assert not was_damaged(trained(DIGITS, corruption="none", epochs=1))
    assert not was_damaged(trained(DIGITS, corruption="shift(0.05)", epochs=1))
    assert was_damaged(trained(DIGITS, corruption="shift(0.05) | gaussian(0.1)", epochs=1))
    for corruption, learned in (("gaussian(0.1)", False), ("blind_spots", True), ("gaussian(0.1) | blind_spots", True)):
        assert learned_from_noisy(trained(DIGITS, corruption=corruption, epochs=1)) == learned


def test_damage_repeats_with_its_seed_and_leaves_the_global_state():
    before = torch.get_rng_state()
    first, again, other = (corrupt(DIGITS, "gaussian(0.1) | mask(0.2)", seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_strength_of_damage_is_in_the_units_of_the_scaling():
    x = np.full((4, 64, 64), 128, np.uint8)
    x[0, 0, 0] = 0
    damaged, units = corrupt(x, "gaussian(0.08)")
    assert np.std(damaged.astype(float)) == pytest.approx(20.4, rel=0.03)
    table = np.random.default_rng(0).normal(5, 3, (5000, 2))
    damaged, units = corrupt(table, "gaussian(0.5)")
    assert np.std(damaged - table) == pytest.approx(1.5, rel=0.05)
    assert units == "robust(tail=4.0)"
    with pytest.raises(SpecError, match="did you mean 'gaussian'"):
        corrupt(x, "gausian(0.1)")

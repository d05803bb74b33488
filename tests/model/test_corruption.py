"""Damage: how strong it is, whose chance it is, and what stays within its range."""

import pytest
import torch
from parts import Holes

from narrows.errors import SpecError
from narrows.model.corruption import (
    BlindSpots,
    Blur,
    Chain,
    Clean,
    Corruption,
    Gaussian,
    Mask,
    Poisson,
    SaltPepper,
    Shift,
)
from narrows.model.network import damage
from narrows.model.scaling import Standard, Unit


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def unit(x, output="sigmoid"):
    scaling = Unit(output=output)
    scaling.build(tuple(x.shape[1:]))
    scaling.fit([x])
    return scaling


def test_clean_is_the_thing_itself():
    x = torch.rand(3, 2)
    assert Clean()(x, chance())[0] is x


def test_gaussian_has_the_deviation_that_it_names():
    noise = Gaussian(0.3)(torch.zeros(100, 1000), chance())[0]
    assert noise.std().item() == pytest.approx(0.3, rel=0.01)
    assert noise.mean().item() == pytest.approx(0, abs=0.005)


def test_gaussian_over_a_range_draws_one_strength_per_sample():
    noise = Gaussian(0.1, 0.5)(torch.zeros(500, 1, 30, 30), chance())[0]
    strengths = noise.flatten(1).std(1)
    assert strengths.min() > 0.08
    assert strengths.max() < 0.55
    assert strengths.mean().item() == pytest.approx(0.3, abs=0.02)
    assert strengths.std().item() == pytest.approx(0.4 / 12**0.5, rel=0.1)  # of a uniform draw


def test_gaussian_from_none_to_some_leaves_some_samples_nearly_clean():
    strengths = Gaussian(0.0, 0.1)(torch.zeros(500, 100), chance())[0].std(1)
    assert strengths.min() < 0.002


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_mask_hides_its_share(share):
    damaged = Mask(share, value=-2.0)(torch.ones(100, 1000), chance())[0]
    hidden = damaged == -2
    assert hidden.float().mean().item() == pytest.approx(share, abs=0.005)
    assert (damaged[~hidden] == 1).all()


def test_a_range_of_shares_draws_one_per_sample():
    for part in (Mask(0.2, 0.8), SaltPepper(0.2, 0.8, low=0.0, high=0.0)):
        shares = (part(torch.ones(500, 1, 20, 20), chance())[0] == 0).float().flatten(1).mean(1)
        assert shares.min() > 0.1
        assert shares.max() < 0.9
        assert shares.std().item() == pytest.approx(0.6 / 12**0.5, rel=0.1)  # of a uniform draw


def test_texts_of_earlier_files_mean_the_same_part():
    assert repr(Mask(0.25, value=0.5)) == "mask(0.25, value=0.5)"
    assert repr(SaltPepper(0.1)) == "salt_pepper(0.1, low=0.0, high=1.0)"
    assert repr(Mask(0.25, 0.5)) == "mask(0.25, 0.5, value=0.0)"


def test_counted_light_keeps_its_mean_and_its_variance_is_the_mean_over_the_peak():
    counted = Poisson(20.0)(torch.full((100, 1000), 0.6), chance())[0]
    assert counted.mean().item() == pytest.approx(0.6, rel=0.01)
    assert counted.var().item() == pytest.approx(0.6 / 20, rel=0.02)
    assert (counted * 20 - (counted * 20).round()).abs().max() < 1e-4


def test_nothing_comes_of_no_light():
    assert (Poisson(5.0)(torch.tensor([[0.0, -1.0]]), chance())[0] == 0).all()


def test_peaks_over_a_range_are_uniform_in_their_logarithm():
    counted = Poisson(10.0, 1000.0)(torch.full((800, 4000), 0.5), chance())[0]
    peaks = 0.5 / counted.var(1)
    assert peaks.log10().mean().item() == pytest.approx(2, abs=0.06)
    assert peaks.min() > 8
    assert peaks.max() < 1200


def test_blur_is_a_gaussian_of_its_width_that_keeps_the_light():
    x = torch.zeros(1, 2, 41, 51)
    x[..., 20, 25] = 1
    blurred = Blur(3.0)(x, chance())[0][0, 0]
    assert blurred.sum().item() == pytest.approx(1, abs=1e-4)
    distance = torch.arange(51.0) - 25
    assert (blurred.sum(0) * distance.square()).sum().sqrt().item() == pytest.approx(3, abs=0.01)
    assert torch.allclose(blurred[:, 10:41], blurred[:, 10:41].flip(0), atol=1e-7)
    flat = torch.full((2, 1, 5, 7), 0.3)
    assert torch.allclose(Blur(2.0)(flat, chance())[0], flat)
    assert torch.equal(Blur(0.0)(x, chance())[0], x)


def test_blur_over_a_range_draws_one_width_per_sample():
    x = torch.zeros(200, 1, 1, 61)
    x[..., 30] = 1
    heights = Blur(0.0, 4.0)(x, chance())[0].amax((1, 2, 3))
    assert heights.max() > 0.95
    assert heights.min().item() == pytest.approx(1 / (4 * (2 * torch.pi) ** 0.5), rel=0.05)


@pytest.mark.parametrize("size", [(9, 8), (3, 50), (40, 5)])
@pytest.mark.parametrize("reach", [1, 2])
def test_blind_spots_hold_a_neighbours_value_and_only_they_count(size, reach):
    height, width = size
    x = torch.arange(2.0 * height * width).view(1, 2, height, width).repeat(40, 1, 1, 1)
    damaged, weight = BlindSpots(0.3, reach=reach)(x, chance())
    assert torch.equal(damaged != x, weight == 1)
    assert weight.mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(weight[:, 0], weight[:, 1])
    assert torch.equal(damaged[:, 1] - damaged[:, 0], x[:, 1] - x[:, 0])  # the same neighbour in all channels
    moved = (damaged[:, 0] - x[:, 0])[weight[:, 0] == 1]
    rows = (moved / width).round()
    assert rows.abs().max() == reach
    assert (moved - rows * width).abs().max() == reach


@pytest.mark.parametrize("part", [Blur(), BlindSpots()])
def test_what_needs_neighbours_refuses_a_table(part):
    with pytest.raises(SpecError, match="for pictures, however the data are a table of 6 columns; take 'gaussian'"):
        part(torch.rand(3, 6), chance())


def test_salt_and_pepper_are_half_each():
    damaged = SaltPepper(0.2, low=-1.0, high=2.0)(torch.full((100, 1000), 0.5), chance())[0]
    assert (damaged == -1).float().mean().item() == pytest.approx(0.1, abs=0.005)
    assert (damaged == 2).float().mean().item() == pytest.approx(0.1, abs=0.005)
    assert (damaged == 0.5).float().mean().item() == pytest.approx(0.8, abs=0.01)


def test_a_chain_is_its_parts_in_order():
    x = torch.rand(4, 50)
    one = chance()
    by_hand = Gaussian(0.1)(Mask(0.5)(x, one)[0], one)[0]
    assert torch.equal(Chain(Mask(0.5), Gaussian(0.1))(x, chance())[0], by_hand)
    assert (Chain(Gaussian(0.1), Mask(1.0))(x, chance())[0] == 0).all()


def test_the_weights_of_a_chain_multiply():
    x = torch.rand(4, 50)
    one = chance()
    first, w1 = Holes(0.5, seen=0.5)(x, one)
    first, _ = Gaussian(0.1)(first, one)
    second, w2 = Holes(0.5, seen=0.25)(first, one)
    damaged, weight = Chain(Holes(0.5, seen=0.5), Gaussian(0.1), Holes(0.5, seen=0.25))(x, chance())
    assert torch.equal(damaged, second)
    assert torch.equal(weight, w1 * w2)
    assert weight.unique().tolist() == [0.125, 0.25, 0.5, 1.0]
    assert Chain(Gaussian(0.1), Mask())(x, chance())[1] is None
    assert torch.equal(Chain(Gaussian(0.0), Holes())(x, chance())[1], Holes()(x, after_normal(x))[1])


def after_normal(x):
    generator = chance()
    torch.randn(x.shape, generator=generator)
    return generator


def test_damaged_whole_numbers_stay_within_their_range_and_fractions_do_not():
    whole = torch.tensor([[0, 255] * 50], dtype=torch.uint8)
    fractions = whole / 255
    assert_range(damage(whole, unit(whole), Gaussian(0.5), chance())[1], inside=True)
    assert_range(damage(fractions, unit(fractions), Gaussian(0.5), chance())[1], inside=False)
    assert_range(damage(fractions, unit(fractions), Gaussian(0.5, clip=True), chance())[1], inside=True)
    assert_range(
        damage(fractions, unit(fractions), Chain(Gaussian(0.5, clip=True), Mask(0.0)), chance())[1], inside=True
    )


def assert_range(x, inside):
    assert (x.min() >= 0 and x.max() <= 1) == inside


def test_standardised_data_have_no_range_to_stay_in():
    x = torch.randint(0, 9, (50, 2), generator=chance())
    scaling = Standard()
    scaling.build((2,))
    scaling.fit([x])
    expected = scaling(x) + 5 * torch.randn(50, 2, generator=chance())
    assert torch.equal(damage(x, scaling, Gaussian(5.0, clip=True), chance())[1], expected)


def test_a_share_of_a_byte_pictures_range_is_in_model_units():
    x = torch.full((1, 1, 300, 300), 128, dtype=torch.uint8)
    scaling = unit(x)
    damaged = scaling.back(damage(x, scaling, Gaussian(0.08), chance())[1])
    assert damaged.std().item() == pytest.approx(20.4, rel=0.02)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Gaussian(-0.1),
        lambda: Gaussian(0.5, 0.1),
        lambda: Gaussian(0.1, clip=1),
        lambda: Mask(1.1),
        lambda: Mask(-0.1),
        lambda: Mask(0.5, value=float("nan")),
        lambda: SaltPepper(0.5, low=1.0, high=0.0),
        lambda: SaltPepper(2),
        lambda: SaltPepper(0.5, 0.4),
        lambda: Mask(0.5, 0.4),
        lambda: Poisson(0),
        lambda: Poisson(30, 10),
        lambda: Blur(-1),
        lambda: Blur(2, 1),
        lambda: BlindSpots(0),
        lambda: BlindSpots(reach=0),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(SpecError, match="however"):
        build()


def test_corruptions_share_one_type():
    assert all(
        issubclass(part, Corruption)
        for part in (Clean, Gaussian, Poisson, Blur, Mask, SaltPepper, BlindSpots, Chain, Holes)
    )


def test_shift_moves_all_channels_of_a_picture_together_and_at_most_its_share():
    x = torch.arange(40.0).view(1, 1, 5, 8) + torch.tensor([0.0, 100.0]).view(1, 2, 1, 1)
    moved, weight = Shift(0.2)(x.expand(300, -1, -1, -1), chance())  # a row, and two columns
    assert weight is None
    assert torch.equal(moved[:, 1], moved[:, 0] + 100)
    middles = moved[:, 0, 2, 4]
    steps = [8 * down + right for down in (-1, 0, 1) for right in (-2, -1, 0, 1, 2)]
    assert middles.unique().tolist() == sorted(20.0 + step for step in steps)


def test_shift_moves_the_share_of_the_pictures_that_its_chance_says():
    x = torch.rand(2000, 1, 9, 9)
    moved = Shift(0.2, chance=0.4)(x, chance())[0]
    share = (moved != x).flatten(1).any(1).double().mean().item()
    assert abs(share - 0.4 * 24 / 25) < 0.04  # one of the 25 shifts leaves a picture where it is
    assert torch.equal(Shift(0.2, chance=0)(x, chance())[0], x)


def test_shift_repeats_the_border_and_leaves_what_it_may_not_move():
    x = torch.rand(20, 1, 4, 4)
    assert torch.equal(Shift(0.0)(x, chance())[0], x)
    row = torch.arange(4.0).expand(50, 1, 1, 4)
    moved = {tuple(picture.flatten().int().tolist()) for picture in Shift(0.5)(row, chance())[0]}
    assert moved == {(0, 0, 0, 1), (0, 0, 1, 2), (0, 1, 2, 3), (1, 2, 3, 3), (2, 3, 3, 3)}

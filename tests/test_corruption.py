"""Damage: how strong it is, whose chance it is, and what stays within its range."""

import pytest
import torch
from parts import Holes

from narrows.errors import SpecError
from narrows.model.corruption import Chain, Clean, Corruption, Gaussian, Mask, SaltPepper
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
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(SpecError, match="however"):
        build()


def test_corruptions_share_one_type():
    assert all(issubclass(part, Corruption) for part in (Clean, Gaussian, Mask, SaltPepper, Chain, Holes))

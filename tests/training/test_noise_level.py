"""The level of the noise, told from noisy pictures alone."""

import numpy as np
import pytest

from narrows.training.noise_level import estimate_noise


def scene(size=96):
    rows, columns = np.mgrid[:size, :size]
    return 100 + 60 * np.sin(rows / 9) * np.cos(columns / 13) + 80 * (rows > columns)  # smooth, with an edge


@pytest.mark.parametrize("std", [2.0, 10.0, 40.0])
def test_the_level_is_found_beside_edges(std):
    noisy = scene() + np.random.default_rng(0).normal(0, std, (9, 96, 96))
    assert estimate_noise(noisy) == pytest.approx(std, rel=0.1)


def test_a_clean_picture_has_next_to_none():
    assert estimate_noise([scene()]) < 0.5


def test_a_few_noisy_pictures_do_not_speak_for_all_and_types_do_not_matter():
    noisy = (scene() + np.random.default_rng(0).normal(0, 10, (96, 96))).clip(0, 255).astype(np.uint8)
    assert estimate_noise([scene()] * 3 + [noisy]) < 0.5
    assert estimate_noise([noisy[None]]) == pytest.approx(10, rel=0.1)


def test_what_is_too_small_tells_nothing():
    assert estimate_noise([np.ones((2, 9)), np.ones((9, 1))]) == 0

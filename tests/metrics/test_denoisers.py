"""The plain denoisers: each must do what it is called, on grey and colour pictures of any size."""

import importlib.util

import numpy as np
import pytest
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from narrows.metrics import denoisers as filters
from narrows.metrics.denoisers import FILTERS, Noise

BY_NAME = {plain.name: plain for plain in FILTERS}


def noisy_squares(side=20, channels=1, std=0.1):
    """Return a picture (H, W, C) of bright squares, and the same with noise."""
    rng = np.random.default_rng(0)
    clean = np.full((side, side, channels), 0.2, np.float32)
    clean[side // 4 : side // 2, side // 4 : side // 2] = 0.9
    return clean, (clean + std * rng.normal(size=clean.shape)).astype(np.float32)


def mse(a, b):
    return float(np.square(a - b).mean())


@pytest.mark.parametrize("plain", FILTERS, ids=lambda plain: plain.name)
@pytest.mark.parametrize("shape", [(9, 8, 1), (7, 13, 3), (2, 2, 1)])
def test_every_setting_takes_pictures_of_any_size(plain, shape):
    picture = np.random.default_rng(0).random(shape).astype(np.float32).round(1)
    before = picture.copy()
    for setting in plain.settings():
        restored = plain.apply(picture, Noise(0.1, values=(0.0, 1.0)), **setting)
        assert restored.shape == shape
        assert np.isfinite(restored).all()
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("plain", [f for f in FILTERS if not f.impulse], ids=lambda plain: plain.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_best_setting_takes_noise_away(plain, channels):
    clean, noisy = noisy_squares(channels=channels)
    best = min(mse(plain.apply(noisy, Noise(0.1), **setting), clean) for setting in plain.settings())
    assert best < 0.8 * mse(noisy, clean)


@pytest.mark.parametrize("plain", FILTERS, ids=lambda plain: plain.name)
def test_flat_pictures_stay_as_they_are(plain):
    for level in (0.0, 0.5):
        flat = np.full((12, 12, 1), level, np.float32)
        for setting in plain.settings():
            restored = plain.apply(flat, Noise(0.1, values=(0.0, 1.0)), **setting)
            np.testing.assert_allclose(restored, flat, atol=1e-5)


def test_the_names_of_scikit_image_are_what_it_does():
    _, noisy = noisy_squares()
    grey, noise = noisy[..., 0], Noise(0.1)
    expected = denoise_tv_chambolle(grey, 0.05)
    np.testing.assert_allclose(filters.total_variation(noisy, noise, weight=0.5)[..., 0], expected, atol=1e-6)
    expected = denoise_nl_means(grey, 5, 4, h=0.08, sigma=0.1)
    found = filters.nonlocal_means(noisy, noise, patch=5, distance=4, h=0.8, std=1.0)
    np.testing.assert_allclose(found[..., 0], expected, atol=1e-6)
    expected = denoise_wavelet(grey, 0.05, "haar", method="VisuShrink")
    found = filters.wavelet(noisy, noise, method="VisuShrink", wavelet="haar", std=0.5)
    np.testing.assert_allclose(found[..., 0], expected, atol=1e-6)


def test_channels_do_not_mix_in_the_filters_that_work_on_each():
    _, noisy = noisy_squares(channels=3)
    for name in ("median", "Gaussian", "Wiener", "adaptive median", "closing", "mean of seen pixels", "inpainting"):
        plain, noise = BY_NAME[name], Noise(0.1, values=(0.0,))
        setting = next(iter(plain.settings()))
        alone = plain.apply(noisy[..., 1:2], noise, **setting)
        np.testing.assert_allclose(plain.apply(noisy, noise, **setting)[..., 1:2], alone, atol=1e-4)


def test_the_adaptive_median_takes_impulses_and_leaves_the_rest():
    clean = np.add.outer(np.arange(12), np.arange(12))[..., np.newaxis].astype(np.float32) / 40 + 0.2
    hit = clean.copy()
    hit[3, 3], hit[8, 5] = 0.0, 1.0
    restored = filters.adaptive_median(hit, Noise(0.1), size=5)
    changed = np.abs(restored - hit)[..., 0] > 0
    assert changed[3, 3]
    assert changed[8, 5]
    assert np.abs(restored - clean)[3, 3] < 0.05
    assert changed[2:-2, 2:-2].sum() == 2


def test_hidden_pixels_are_filled_from_seen_ones():
    clean = np.add.outer(np.arange(12), np.arange(12))[..., np.newaxis].astype(np.float32) / 40 + 0.2
    hidden = np.random.default_rng(0).random(clean.shape) < 0.4
    damaged, noise = np.where(hidden, 0, clean).astype(np.float32), Noise(0.3, values=(0.0,))
    for restored in (
        filters.inpainting(damaged, noise, seen=1),
        filters.mean_of_seen(damaged, noise, std=1.0, seen=1),
    ):
        assert mse(restored, clean) < 0.05 * mse(damaged, clean)
        np.testing.assert_array_equal(restored[~hidden], clean[~hidden])


def test_black_ground_is_told_from_hidden_pixels_by_its_neighbours():
    picture = np.zeros((9, 9, 1), np.float32)
    picture[:, 6:] = 0.5
    picture[4, 7] = 0.0
    found = filters.find_hidden(picture, Noise(0.1, values=(0.0,)), seen=4)
    assert np.argwhere(found[..., 0]).tolist() == [[4, 7]]


def test_without_scikit_image_the_filters_of_scipy_are_left(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    left = [plain.name for plain in FILTERS if plain.is_installed]
    assert left == ["median", "Gaussian", "Wiener", "adaptive median", "closing", "mean of seen pixels"]


def test_the_median_in_numpy_is_that_of_scipy():
    x = np.random.default_rng(0).random((2, 3, 5, 6))
    expected = [filters.median(np.moveaxis(picture, 0, -1), Noise(0.1), size=3, times=1) for picture in x]
    np.testing.assert_array_equal(filters.median_3x3(x), np.moveaxis(expected, -1, 1))

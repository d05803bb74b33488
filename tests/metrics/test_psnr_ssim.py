"""The measures must be those that others call PSNR and SSIM."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from narrows.errors import DataError
from narrows.metrics.psnr_ssim import psnr, ssim

WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0}


def pairs(shape, data_range):
    """Return pictures of a smooth and a rough part, and the same with noise that differs from one to the next."""
    rng = np.random.default_rng(0)
    clean = rng.random(shape)
    clean[..., : shape[-1] // 2] = 0.3
    strength = np.linspace(0.01, 0.5, shape[0]).reshape(-1, 1, 1, 1)
    return (clean + strength * rng.normal(size=shape)) * data_range, clean * data_range


@pytest.mark.parametrize("data_range", [1.0, 255.0])
@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (3, 3, 11, 40)])
def test_both_agree_with_scikit_image_picture_by_picture(shape, data_range):
    noisy, clean = pairs(shape, data_range)
    expected = [peak_signal_noise_ratio(b, a, data_range=data_range) for a, b in zip(noisy, clean, strict=True)]
    np.testing.assert_allclose(psnr(noisy, clean, data_range), expected)
    expected = [structural_similarity(a, b, data_range=data_range, **WANG) for a, b in zip(noisy, clean, strict=True)]
    np.testing.assert_allclose(ssim(noisy, clean, data_range), expected, atol=1e-12)


def test_many_pictures_are_measured_as_each_alone(monkeypatch):
    noisy, clean = pairs((7, 1, 12, 12), 1.0)
    together = psnr(noisy, clean), ssim(noisy, clean)
    monkeypatch.setattr("narrows.metrics.psnr_ssim.CHUNK_VALUES", 300)  # two pictures, and one that is left
    np.testing.assert_array_equal(psnr(noisy, clean), together[0])
    np.testing.assert_allclose(ssim(noisy, clean), together[1], rtol=1e-12)


def test_a_large_picture_is_measured_strip_by_strip(monkeypatch):
    noisy, clean = pairs((2, 3, 50, 14), 1.0)
    together, seen, real = (psnr(noisy, clean), ssim(noisy, clean)), [], np.array
    monkeypatch.setattr("narrows.metrics.psnr_ssim.CHUNK_VALUES", 3 * 14 * 8)
    monkeypatch.setattr(np, "array", lambda *args: seen.append(real(*args)) or seen[-1])
    apart = psnr(noisy, clean), ssim(noisy, clean)
    np.testing.assert_allclose(apart, together, rtol=1e-12)
    assert {x.shape[2] for x in seen} == {8, 2, 18}  # the last strips: 50 - 6 * 8 rows, and of SSIM's 40 the last 8


def test_bytes_do_not_wrap_round_and_equals_are_infinitely_good():
    black, white = np.zeros((1, 1, 11, 11), np.uint8), np.full((1, 1, 11, 11), 255, np.uint8)
    assert psnr(black, white, 255).tolist() == [0.0]
    assert psnr(white, white, 255).tolist() == [math.inf]
    assert ssim(white, white, 255).tolist() == [1.0]
    assert ssim(black, white, 255)[0] < 0.001


def test_pictures_of_other_shapes_are_refused():
    x = np.zeros((2, 1, 12, 12))
    with pytest.raises(DataError, match=r"one shape, however: these are \(2, 1, 12, 12\) and \(1, 1, 12, 12\)"):
        psnr(x, x[:1])
    with pytest.raises(DataError, match="one shape"):
        psnr(x[0], x[0])
    with pytest.raises(DataError, match="11x11"):
        ssim(x[..., :10], x[..., :10])

"""The table of denoising: the same damage for all, settings chosen on training data, and words that are true."""

import numpy as np
import pytest

from narrows.data.read import read
from narrows.errors import DataError, SpecError
from narrows.metrics import comparison as module
from narrows.metrics.comparison import Comparison, choose_pictures, choose_setting, run_filter
from narrows.metrics.denoisers import FILTERS, Filter, Noise
from narrows.metrics.psnr_ssim import psnr
from narrows.metrics.trial import Trial, make_trial
from narrows.tasks.reconstruct import denoise
from narrows.training.fit import Fit

FAST = [plain for plain in FILTERS if plain.name in ("median", "Gaussian", "closing")]


def names(comparison):
    return [score.method for score in comparison.run()]


@pytest.fixture(scope="module")
def bars():
    """Return 40 byte pictures of 16x14 with a bright bar each."""
    x = np.random.default_rng(0).integers(0, 60, (40, 16, 14))
    x[np.arange(40), :, np.arange(40) % 14] += 180
    return x.astype(np.uint8)


@pytest.fixture(scope="module")
def bars_model(bars):
    return Fit(
        read(bars), backbone="conv(channels=[4])", bottleneck="linear(5)", corruption="gaussian(0.2)", epochs=2
    ).run()


def test_all_methods_restore_the_same_damaged_pictures(bars_model, bars):
    seen = []
    spy = Filter("spy", lambda picture, noise: seen.append(picture) or picture)
    comparison = Comparison({"this model": bars_model}, bars[:6], bars, "gaussian(0.2)", filters=[spy])
    scores = {score.method: score for score in comparison.run()}
    assert list(scores) == ["doing nothing", "spy", "this model"]
    assert len(comparison) == 3
    np.testing.assert_array_equal(np.moveaxis(np.stack(seen[-6:]), -1, 1), comparison.trial.damaged)
    np.testing.assert_array_equal(scores["spy"].psnr, scores["doing nothing"].psnr)
    np.testing.assert_array_equal(scores["spy"].ssim, scores["doing nothing"].ssim)


def test_the_models_row_is_what_denoise_makes(bars_model, bars):
    x = bars / 255
    model = Fit(read(x), backbone="conv(channels=[4])", bottleneck="linear(5)", epochs=1).run()
    comparison = Comparison({"a": model}, x, x, "gaussian(0.2)", filters=[])
    restored = denoise(model, comparison.trial.damaged[:, 0])
    expected = psnr(restored[:, np.newaxis], x[:, np.newaxis])
    np.testing.assert_allclose(comparison.run()[-1].psnr, expected, rtol=1e-5)
    assert comparison.scores[-1].mean_psnr == pytest.approx(expected.mean(), rel=1e-5)


def test_bytes_are_clipped_and_fractions_are_clipped_apart(bars_model, bars):
    clipped = Comparison({"a": bars_model}, bars, bars, "gaussian(0.5)", filters=FAST)
    assert names(clipped) == ["doing nothing", "median", "Gaussian", "a"]
    assert clipped.trial.damaged.min() == 0
    assert clipped.trial.damaged.max() == 1
    assert "are clipped" in clipped.table("these").note
    x = bars / 255
    model = Fit(read(x), backbone="conv(channels=[4])", bottleneck="linear(5)", epochs=1).run()
    free = Comparison({"a": model}, x, x, "gaussian(0.5)", filters=FAST)
    assert names(free) == ["doing nothing", "clipping only", "median", "Gaussian", "a"]
    assert free.trial.damaged.min() < 0
    assert free.scores[1].mean_psnr > free.scores[0].mean_psnr
    assert "are not clipped" in free.table("these").note


def test_settings_are_chosen_on_the_reference_and_never_on_what_is_measured(bars_model, bars):
    flat = np.full((20, 16, 14), 100, np.uint8)  # of which a wide Gaussian makes most
    (gaussian,) = [plain for plain in FILTERS if plain.name == "Gaussian"]
    for reference, wide in ((flat, True), (bars, False)):
        score = Comparison({"a": bars_model}, bars, reference, "gaussian(0.3)", filters=[gaussian]).run()[1]
        assert (score.setting == "std 2.0") == wide


def test_of_all_settings_the_best_on_all_learned_pictures_wins(monkeypatch, bars):
    monkeypatch.setattr(module, "FIRST", 3)
    monkeypatch.setattr(module, "FINALISTS", 2)
    clean = bars[:, np.newaxis].astype(np.float32) / 255
    damaged = clean + 0.2 * np.random.default_rng(0).normal(size=clean.shape).astype(np.float32)
    learning = Trial(clean, damaged, (0.0, 1.0), False, Noise(0.2))
    mix = Filter("mix", lambda picture, noise, share: share * picture, {"share": (0.0, 0.7, 0.9, 1.0, 1.5)})
    chosen = choose_setting(mix, learning)

    def rate(setting, count):
        restored = learning.clamp(run_filter(mix, setting, damaged[:count], learning.noise))
        return psnr(restored, clean[:count]).mean()

    finalists = sorted(mix.settings(), key=lambda setting: -rate(setting, 3))[:2]
    assert chosen == max(finalists, key=lambda setting: rate(setting, 40))


def test_filters_for_impulses_are_tried_on_impulses_only(bars_model, bars):
    for corruption, found in (("gaussian(0.1)", False), ("salt_pepper(0.2)", True), ("mask(0.5)", True)):
        comparison = Comparison({"a": bars_model}, bars[:4], bars, corruption, filters=FAST)
        assert ("closing" in names(comparison)) == found
    assert make_trial(bars_model, bars, "mask(0.5)").noise.values == (0.0,)
    assert make_trial(bars_model, bars, "salt_pepper(0.5)").noise.values == (0.0, 1.0)


def test_a_seed_repeats_the_damage(bars_model, bars):
    first, again, other = (make_trial(bars_model, bars, "gaussian(0.1)", seed).damaged for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_a_filter_is_told_how_strong_the_damage_is(bars_model, bars):
    x = np.full((200, 16, 14), 128, np.uint8)
    assert make_trial(bars_model, x, "gaussian(0.1)").noise.std == pytest.approx(0.1, rel=0.02)


def test_pictures_of_another_size_and_depth_are_damaged_in_the_models_units(bars):
    model = Fit(read(bars), backbone="conv(channels=[4], grid=True)", bottleneck="linear(2)", epochs=1).run()
    x = np.random.default_rng(0).integers(0, 256, (3, 20, 21), dtype=np.uint8)
    trials = [make_trial(model, pictures, "gaussian(0.1)") for pictures in (x, x.astype(np.uint16) * 257)]
    np.testing.assert_allclose(trials[1].clean, trials[0].clean, atol=1e-6)
    np.testing.assert_allclose(trials[1].damaged, trials[0].damaged, atol=1e-6)
    assert Comparison({"a": model}, x.astype(np.uint16) * 257, bars, "gaussian(0.1)", filters=[]).run()[
        -1
    ].psnr.shape == (3,)


def test_small_pictures_have_no_ssim_and_colour_ones_one(picture_model, pictures):
    comparison = Comparison({"a": picture_model}, pictures, pictures, "gaussian(0.1)", filters=[])
    comparison.run()
    assert [row[-1] for row in comparison.table("these").rows] == ["-", "-"]
    x = np.random.default_rng(0).integers(0, 256, (20, 12, 13, 3), dtype=np.uint8)
    model = Fit(read(x), backbone="conv(channels=[4])", bottleneck="linear(5)", epochs=1).run()
    comparison = Comparison({"a": model}, x, x, "gaussian(0.1)", filters=FAST)
    for score in comparison.run():
        assert score.shown.shape == (10, 3, 12, 13)
        assert score.ssim.shape == (20,)


def test_the_note_says_what_is_left_out_and_what_brings_it(monkeypatch, bars_model, bars):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    comparison = Comparison({"a": bars_model}, bars, bars, "gaussian(0.1)")
    assert "non-local means" not in names(comparison)
    note = comparison.table("these").note
    assert 'Left out: total variation, wavelet, non-local means; pip install "narrows[baselines]" brings' in note
    assert "best on 40 pictures of these" in note


def test_of_many_pictures_a_thousand_are_measured_and_fewer_of_large_ones():
    assert len(choose_pictures(np.zeros((1200, 2, 2)))) == 1000
    assert len(choose_pictures(np.zeros((1200, 2, 2)), most=1100)) == 1100
    assert len(choose_pictures(np.zeros((9, 512, 1024)))) == 2
    assert len(choose_pictures(np.zeros((5, 2, 2)))) == 5
    large = np.zeros((40, 256, 256))
    assert len(module.choose(large, module.LEARNED, module.LEARNED_VALUES)) == 4
    assert len(module.choose(large, module.LEARNED, module.LEARNED_VALUES, module.LEARNED_SIDE)) == 16


def test_large_pictures_are_cropped_to_their_middle_for_the_choice(bars_model):
    clean = np.arange(300.0 * 10).reshape(1, 1, 10, 300)
    cropped = Trial(clean, clean, None, False, Noise(0.1)).cropped(128)
    np.testing.assert_array_equal(cropped.clean, clean[..., 86:214])


def test_tables_and_what_is_no_corruption_are_refused(table_model, table, picture_model, pictures):
    with pytest.raises(DataError, match="measures of pictures"):
        Comparison({"a": table_model}, table, table, "gaussian(0.1)")
    with pytest.raises(SpecError, match="corruption"):
        Comparison({"a": picture_model}, pictures, pictures, "fog(0.1)")

"""Learning from noisy pictures alone: the noise is like the one that was seen, and pixels are used in the end."""

import numpy as np
import pytest
import torch
from torch import Generator

from narrows.data.read import read
from narrows.data.stream import Stream
from narrows.model.network import Network
from narrows.training.fit import Fit
from narrows.training.self_distillation import Restorations, SeenNoise

VALUES = 200_000


def chance(seed=0):
    return Generator().manual_seed(seed)


def waves(n=60):
    rows, columns = np.mgrid[:20, :20]
    clean = np.stack([0.5 + 0.3 * np.sin(rows / (4 + i % 5) + columns / (9 - i % 3)) for i in range(n)])
    return clean, clean + np.random.default_rng(0).normal(0, 0.2, clean.shape)


def test_noise_is_as_strong_as_it_was_at_that_brightness():
    clean = torch.rand(VALUES, generator=chance())
    noise = SeenNoise.measure(torch.poisson(100 * clean, generator=chance(1)) / 100, clean)
    for level in (0.2, 0.8):
        noisy = noise.add(torch.full((20_000,), level), chance(2))
        assert noisy.mean() == pytest.approx(level, abs=0.01)
        assert noisy.std() == pytest.approx((level / 100) ** 0.5, rel=0.1)


def test_noise_that_was_cut_off_is_known_from_the_other_side_and_cut_off_again():
    clean = torch.where(torch.rand(VALUES, generator=chance()) < 0.8, 0.0, 255.0)
    seen = (clean + 60 * torch.randn(VALUES, generator=chance(1))).clamp(0, 255).to(torch.uint8)
    noise = SeenNoise.measure(seen, clean)
    for value in (0.0, 128.0, 255.0):
        noisy = noise.add(torch.full((100, 200), value), chance(2))
        assert noisy.shape == (100, 200)
        assert noisy.std() == pytest.approx((value + 60 * torch.randn(VALUES)).clamp(0, 255).std().item(), rel=0.05)


def test_errors_of_the_restoration_between_dark_and_bright_count_little():
    clean = torch.where(torch.rand(VALUES, generator=chance()) < 0.8, 0.0, 1.0)
    restored = torch.where(torch.rand(VALUES, generator=chance(1)) < 0.05, 0.5, clean)
    noise = SeenNoise.measure((clean + 0.2 * torch.randn(VALUES, generator=chance(2))).clamp(0, 1), restored)
    assert noise.level**0.5 == pytest.approx(0.2, rel=0.15)
    assert noise.add(torch.full((20_000,), 0.5), chance(3)).std() == pytest.approx(0.2, rel=0.15)


def test_a_batch_is_restored_and_made_noisy_anew_by_the_teacher_as_it_was():
    texts = {"bottleneck": "linear(2)", "corruption": "blind_spots", "loss": "mse", "scaling": "unit(output='linear')"}
    teacher = Network.from_texts((1, 8, 8), backbone="unet(2)", **texts)
    x = torch.randint(0, 256, (30, 1, 8, 8), generator=chance(), dtype=torch.uint8)
    teacher.scaling.fit([x])
    restorations = Restorations.by(teacher, Stream(x, batch_size=7))
    wanted = teacher.eval().reconstruct(x)
    with torch.no_grad():
        next(teacher.parameters()).add_(1.0)
    generator = chance()
    batches = [restorations.take(index, generator) for index in restorations.epoch(generator)]
    assert [len(batch.x) for batch in batches] == [7, 7, 7, 7, 2]
    targets = torch.cat([batch.target for batch in batches])
    assert torch.allclose(targets.flatten(1).sort(0).values, wanted.flatten(1).sort(0).values, atol=1e-3)
    assert all(batch.x.min() >= 0 and batch.x.max() <= 255 for batch in batches)


def test_both_parts_are_one_training_and_the_file_says_blind_spots():
    clean, noisy = waves(40)
    fit = Fit(read(noisy), self_supervised=True, backbone="unet(2)", epochs=10)
    steps = [progress.step for progress in fit]
    assert steps == sorted(set(steps))
    assert (fit.training.last.step, fit.training.last.steps) == (fit.training.budget.steps, fit.training.budget.steps)
    model = fit.finish()
    assert model.network.texts["corruption"].startswith("blind_spots")
    assert model.card.recipe["self_supervised"]
    by_hand = Fit(read(noisy), self_supervised=True, backbone="unet(2)", corruption="blind_spots")
    assert not by_hand.plan.is_self_supervised
    assert not any("made noisy anew" in note for note in by_hand.plan.notes)
    assert not Fit(read(clean), preset="denoise", backbone="unet(2)").plan.is_self_supervised


def test_the_second_part_takes_what_time_the_first_one_left():
    _, noisy = waves()
    fit = Fit(read(noisy), self_supervised=True, backbone="unet(2)", max_seconds=1.0, epochs=10**6)
    blind = list(fit)
    assert fit.training.budget.was_cut
    assert fit.training.budget.steps == blind[-1].step
    epochs = [progress.epoch for progress in blind if progress.epoch_ends]
    assert epochs == sorted(set(epochs))

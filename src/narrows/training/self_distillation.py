"""Learning from noisy samples alone, in two parts: by blind spots, and then from the network's own restorations.

Blind spots hide a pixel, so that a network cannot copy its noise; but a noisy pixel is also the best hint at its own
clean value. So the network that they trained restores the samples, noise as strong as theirs is added to the restored
ones, and from these pairs of noisy and clean samples the network learns to use every pixel. After Zhang et al., "IDR:
Self-Supervised Image Denoising via Iterative Data Refinement", 2022.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Generator, Tensor

from narrows.data.stream import Stream, take
from narrows.model.corruption import Clean
from narrows.model.inference import BLOCK_ROWS
from narrows.model.loss import MSE
from narrows.model.network import Network
from narrows.training.loop import Budget, Progress, train
from narrows.training.noise_level import NORMAL_MEDIAN

BLIND_SHARE = 0.4  # of the budget that goes to blind spots
SEEN_VALUES = 2**20  # noisy values that the noise is measured on
BRIGHTNESS_GROUPS = 64  # of these values, by their restored brightness; the noise is measured in each


class SeenNoise:
    """Normal noise like that of given samples: its variance is a linear function of the brightness, as a camera's.

    After Foi et al., "Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", 2008. The
    line is fitted to groups of values of about the same restored brightness. The variance of a group comes from the
    median of its noise, on the side where the range does not cut it off. The fit is robust to groups that were restored
    badly, which lie between dark and bright. Noisy values are clamped to the range of the given ones.

    Parameters
    ----------
    noisy, restored : the same values before and after restoration, of any shape.

    Attributes
    ----------
    slope, level : of the line: the variance at a value v is slope * v + level, or 0 where that is less.

    Examples
    --------
    >>> clean = torch.linspace(0, 1, 100_000)
    >>> noise = SeenNoise((clean + 0.1 * torch.randn(100_000)).clamp(0, 1), clean)
    >>> round(noise.level**0.5, 2), round(abs(noise.slope), 2)
    (0.1, 0.0)
    """

    def __init__(self, noisy: Tensor, restored: Tensor) -> None:
        restored, order = restored.flatten().double().sort()
        noisy = noisy.flatten()[order].double()
        self.range = noisy.min().item(), noisy.max().item()
        groups = zip(noisy.tensor_split(BRIGHTNESS_GROUPS), restored.tensor_split(BRIGHTNESS_GROUPS), strict=True)
        middle = sum(self.range) / 2
        measured = torch.stack(
            [torch.stack((clean.mean(), _variance(noise - clean, middle - clean.mean()))) for noise, clean in groups]
        )
        brightness, variance = measured.T.cpu()
        self.slope = _slope(brightness, variance)
        self.level = (variance - self.slope * brightness).median().item()

    def add(self, clean: Tensor, generator: Generator) -> Tensor:
        """Return `clean` values with noise added, within the range of the given ones; `generator` is on the CPU."""
        std = (self.slope * clean + self.level).clamp_min(0).sqrt()
        return (clean + std * torch.randn(clean.shape, generator=generator).to(std)).clamp(*self.range)


class Restorations:
    """Batches of a stream's samples as a network restores them, and of the same with new noise.

    Parameters
    ----------
    stream : of noisy samples alone.
    teacher : the network that restores them; a copy of it is used.
    seed : of the choice of samples that the noise is measured on.
    """

    def __init__(self, stream: Stream, teacher: Network, seed: int = 0) -> None:
        self.stream = stream
        self.teacher = copy.deepcopy(teacher).eval()
        generator, visits = Generator().manual_seed(seed), stream.source.visits
        some = visits[torch.randperm(len(visits), generator=generator)[: max(1, SEEN_VALUES // teacher.values)]]
        noisy = take(stream.source, None, some, generator)["x"].to(stream.device)
        self.noise = SeenNoise(noisy, torch.cat([self._restore(rows) for rows in noisy.split(BLOCK_ROWS)]))

    def __len__(self) -> int:
        """Return the samples of an epoch."""
        return len(self.stream)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return self.stream.steps_per_epoch

    def batches(self, generator: Generator) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch of pairs: `x` noisy and `target` restored, in user's units."""
        for batch in self.stream.batches(generator):
            yield self.pair(batch["x"], generator)

    def pair(self, noisy: Tensor, generator: Generator) -> dict[str, Tensor]:
        """Return samples (N, C, *grid) restored as `target`, and these with new noise as `x`."""
        restored = self._restore(noisy)
        return {"x": self.noise.add(restored, generator), "target": restored}

    @torch.no_grad()
    def _restore(self, noisy: Tensor) -> Tensor:
        return self.teacher.reconstruct(noisy)


def train_twice(
    network: Network,
    stream: Stream,
    budget: Budget,
    *,
    validation: Mapping[str, Tensor] | None = None,
    seed: int = 0,
    **options: Any,
) -> Iterator[Progress]:
    """Train `network` with its own corruption, then on `Restorations`, yielding the progress in both together.

    In the second part the validation error is that of held-out pairs.

    Parameters
    ----------
    budget : of both parts; its `steps` are set as the second part goes on.
    validation, seed, options : as `train` takes them.
    """
    first = Budget(max(1, round(BLIND_SHARE * budget.steps)), BLIND_SHARE * budget.max_seconds, budget.spent)
    for progress in train(network, stream, first, validation=validation, seed=seed, **options):
        last = replace(progress, steps=round(progress.steps / BLIND_SHARE))
        yield last
    restorations = Restorations(stream, network, seed)
    pairs = validation and restorations.pair(validation["x"], Generator().manual_seed(seed))
    rest = Budget(max(1, budget.requested - last.step), budget.max_seconds, budget.spent + last.seconds)
    for progress in train(
        network.with_objective(Clean(), MSE()), restorations, rest, validation=pairs, seed=seed, **options
    ):
        budget.steps = last.step + progress.steps
        yield _after(last, progress)


def _after(last: Progress, progress: Progress) -> Progress:
    """Return the progress in both parts, from `progress` in the second part and `last` of the first."""
    return replace(
        progress,
        step=last.step + progress.step,
        steps=last.step + progress.steps,
        epoch=last.epoch + progress.epoch,
        seconds=last.seconds + progress.seconds,
        samples=last.samples + progress.samples,
    )


def _variance(noise: Tensor, upwards: Tensor) -> Tensor:
    """Return the variance of a group's noise, by its values above 0 if `upwards` is positive, else by those below."""
    side = noise[noise > 0] if upwards > 0 else -noise[noise < 0]
    return (side.median() / NORMAL_MEDIAN).square() if len(side) else noise.new_zeros(())


def _slope(x: Tensor, y: Tensor) -> float:
    """Return the slope of a line through points (n,): the median over all pairs, each as often as they are far apart.

    Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968, with the weights of Jaeckel,
    "Estimating Regression Coefficients by Minimizing the Dispersion of the Residuals", 1972.

    Examples
    --------
    >>> _slope(torch.arange(5.0), torch.tensor([1.0, 3.0, 5.0, 7.0, 90.0])), _slope(torch.ones(4), torch.rand(4))
    (2.0, 0.0)
    """
    first, second = torch.triu_indices(len(x), len(x), 1)
    apart, higher = (x[second] - x[first]).abs(), (y[second] - y[first]) * (x[second] - x[first]).sign()
    slopes, order = (higher / apart.clamp_min(1e-12)).sort()
    weights = apart[order].cumsum(0)
    return slopes[torch.searchsorted(weights, weights[-1] / 2)].item() if weights[-1] > 0 else 0.0

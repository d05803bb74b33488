"""Learning from noisy samples alone, in two parts: by blind spots, and then from the network's own restorations.

Blind spots keep a network from copying a pixel's noise by hiding the pixel, which says most of what it should be. So
what they have taught becomes the lesson: restored samples, made as noisy as the given ones, are pairs of noisy and
clean, from which the network learns to use every pixel. After Zhang et al., "IDR: Self-Supervised Image Denoising via
Iterative Data Refinement", 2022.
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
from narrows.model.loss import MSE
from narrows.model.network import BLOCK_ROWS, Network
from narrows.training.loop import Budget, Progress, train

BLIND = 0.4  # share of the budget that goes to blind spots
SEEN_VALUES = 2**20  # noisy values that new noise is drawn from
GROUPS = 64  # of these, by how bright they were restored: the noise's strength is told in each
NORMAL = 0.6745  # the median of |N(0, 1)|


class SeenNoise:
    """Normal noise like that of noisy samples: its variance is a line over the brightness, as that of a camera's is.

    After Foi et al., "Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", 2008. The
    line goes through groups of values that were restored alike; in each the noise is told by its median, on the side
    where the range does not cut it off. Groups that were restored badly, between dark and bright, bend it little. What
    is drawn is clamped to the values that were seen.

    Parameters
    ----------
    noisy, restored : values of the same places, of any shape.

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
        self.ends = noisy.min().item(), noisy.max().item()
        groups = zip(noisy.tensor_split(GROUPS), restored.tensor_split(GROUPS), strict=True)
        middle = sum(self.ends) / 2
        found = torch.stack(
            [torch.stack((clean.mean(), _variance(noise - clean, middle - clean.mean()))) for noise, clean in groups]
        )
        brightness, variance = found.T.cpu()
        self.slope = _slope(brightness, variance)
        self.level = (variance - self.slope * brightness).median().item()

    def add(self, clean: Tensor, generator: Generator) -> Tensor:
        """Return values as noisy as those that were seen, within their ends; `generator` is on the CPU."""
        std = (self.slope * clean + self.level).clamp_min(0).sqrt()
        return (clean + std * torch.randn(clean.shape, generator=generator).to(std)).clamp(*self.ends)


class Restorations(Stream):
    """The samples of a stream as a network restores them, and the same made noisy anew.

    Parameters
    ----------
    stream : of noisy samples alone.
    teacher : what restores them; it is not changed.
    seed : of the choice of samples that the noise is taken from.
    """

    def __init__(self, stream: Stream, teacher: Network, seed: int = 0) -> None:
        super().__init__(stream.source, stream.batch_size, stream.shuffle, None, stream.device)
        self.teacher = copy.deepcopy(teacher).eval()
        chance, visits = Generator().manual_seed(seed), self.source.visits
        some = visits[torch.randperm(len(visits), generator=chance)[: max(1, SEEN_VALUES // teacher.values)]]
        noisy = take(self.source, None, some, chance)["x"].to(self.device)
        self.noise = SeenNoise(noisy, torch.cat([self._restore(rows) for rows in noisy.split(BLOCK_ROWS)]))

    def batches(self, generator: Generator) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch of pairs: `x` noisy and `target` restored, in user's units."""
        for batch in super().batches(generator):
            yield self.pair(batch["x"], generator)

    def pair(self, noisy: Tensor, generator: Generator) -> dict[str, Tensor]:
        """Return samples (N, C, *grid) restored as `target`, and that made noisy anew as `x`."""
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
    """Train `network` by its own corruption, then on `Restorations`, yielding where it stands in both together.

    In the second part the validation error is that of held-out pairs.

    Parameters
    ----------
    budget : of both parts; its `steps` are set to those that were done.
    validation, seed, options : as `train` takes them.
    """
    first = Budget(max(1, round(BLIND * budget.steps)), BLIND * budget.max_seconds, budget.spent)
    for progress in train(network, stream, first, validation=validation, seed=seed, **options):
        last = replace(progress, steps=round(progress.steps / BLIND))
        yield last
    lessons = Restorations(stream, network, seed)
    pairs = validation and lessons.pair(validation["x"], Generator().manual_seed(seed))
    rest = Budget(max(1, budget.requested - last.step), budget.max_seconds, budget.spent + last.seconds)
    for progress in train(
        network.with_objective(Clean(), MSE()), lessons, rest, validation=pairs, seed=seed, **options
    ):
        budget.steps = last.step + progress.steps
        yield _after(last, progress)


def _after(last: Progress, progress: Progress) -> Progress:
    """Return where training stands in all, from where it stands after `last`."""
    return replace(
        progress,
        step=last.step + progress.step,
        steps=last.step + progress.steps,
        epoch=last.epoch + progress.epoch,
        seconds=last.seconds + progress.seconds,
        samples=last.samples + progress.samples,
    )


def _variance(noise: Tensor, upwards: Tensor) -> Tensor:
    """Return the variance of a group's noise, from what lies above 0 where `upwards` is positive, else from below."""
    side = noise[noise > 0] if upwards > 0 else -noise[noise < 0]
    return (side.median() / NORMAL).square() if len(side) else noise.new_zeros(())


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

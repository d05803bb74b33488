"""Learning from noisy samples alone, in two parts: by blind spots, and then from the network's own restorations.

Blind spots hide a pixel, so that a network cannot copy its noise; but a noisy pixel is also the best hint at its own
clean value. So the network that they trained restores the samples, noise as strong as theirs is added to the restored
ones, and from these pairs of noisy and clean samples the network learns to use every pixel. After Zhang et al., "IDR:
Self-Supervised Image Denoising via Iterative Data Refinement", 2022.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Generator, Tensor

from narrows.batch import Batch
from narrows.data.stream import Stream, take
from narrows.model.corruption import Clean
from narrows.model.inference import rows_at_once
from narrows.model.loss import MSE
from narrows.model.network import Network
from narrows.training.clock import Budget
from narrows.training.loop import Progress
from narrows.training.noise_level import NORMAL_MEDIAN
from narrows.training.phase import Phase
from narrows.training.state import State, part, prefixed
from narrows.training.validation import Validation

BLIND_SHARE = 0.4  # of the budget that goes to blind spots
SEEN_VALUES = 2**20  # noisy values that the noise is measured on
BRIGHTNESS_GROUPS = 64  # of these values, by their restored brightness; the noise is measured in each


@dataclass(frozen=True)
class SeenNoise:
    """Normal noise like that of given samples: its variance is a linear function of the brightness, as a camera's.

    Attributes
    ----------
    slope, level : of the line: the variance at a value v is slope * v + level, or 0 where that is less.
    low, high : the range that noisy values are clamped to.

    Examples
    --------
    >>> clean = torch.linspace(0, 1, 100_000)
    >>> noise = SeenNoise.measure((clean + 0.1 * torch.randn(100_000)).clamp(0, 1), clean)
    >>> round(noise.level**0.5, 2), round(abs(noise.slope), 2)
    (0.1, 0.0)
    """

    slope: float
    level: float
    low: float
    high: float

    @classmethod
    def measure(cls, noisy: Tensor, restored: Tensor) -> SeenNoise:
        """Return the noise of values `noisy`, of any shape, that are `restored` to others.

        After Foi et al., "Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", 2008.
        The line is fitted to groups of values of about the same restored brightness. The variance of a group comes from
        the median of its noise, on the side where the range does not cut it off. The fit is robust to groups that were
        restored badly, which lie between dark and bright. The range is that of the given values.
        """
        restored, order = restored.flatten().double().sort()
        noisy = noisy.flatten()[order].double()
        low, high = noisy.min().item(), noisy.max().item()
        groups = zip(noisy.tensor_split(BRIGHTNESS_GROUPS), restored.tensor_split(BRIGHTNESS_GROUPS), strict=True)
        middle = (low + high) / 2
        measured = torch.stack(
            [torch.stack((clean.mean(), _variance(noise - clean, middle - clean.mean()))) for noise, clean in groups]
        )
        brightness, variance = measured.T.cpu()
        slope = _slope(brightness, variance)
        return cls(slope, (variance - slope * brightness).median().item(), low, high)

    def add(self, clean: Tensor, generator: Generator) -> Tensor:
        """Return `clean` values with noise added, within the range; `generator` is on the CPU."""
        std = (self.slope * clean + self.level).clamp_min(0).sqrt()
        return (clean + std * torch.randn(clean.shape, generator=generator).to(std)).clamp(self.low, self.high)


class Restorations:
    """Batches of a stream's samples as a network restores them, and of the same with new noise.

    Parameters
    ----------
    stream : of noisy samples alone.
    teacher : the network that restores them, which nothing changes.
    noise : what is added to the restored samples.
    """

    def __init__(self, stream: Stream, teacher: Network, noise: SeenNoise) -> None:
        self.stream, self.teacher, self.noise = stream, teacher.eval(), noise

    @classmethod
    def by(cls, network: Network, stream: Stream, seed: int = 0) -> Restorations:
        """Return the restorations by a copy of `network`; `seed` is of the choice of samples that show the noise."""
        teacher = copy.deepcopy(network).eval()
        generator, visits = Generator().manual_seed(seed), stream.source.visits
        some = visits[torch.randperm(len(visits), generator=generator)[: max(1, SEEN_VALUES // teacher.values)]]
        noisy = take(stream.source, None, some, generator).x.to(stream.device)
        restored = torch.cat([_restore(teacher, rows) for rows in noisy.split(rows_at_once(teacher.values))])
        return cls(stream, teacher, SeenNoise.measure(noisy, restored))

    def __len__(self) -> int:
        """Return the samples of an epoch."""
        return len(self.stream)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return self.stream.steps_per_epoch

    def epoch(self, generator: Generator) -> tuple[Tensor, ...]:
        """Return the indices of every batch of one epoch."""
        return self.stream.epoch(generator)

    def take(self, index: Tensor, generator: Generator) -> Batch:
        """Return the batch of `index`, as `pair` makes it."""
        return self.pair(self.stream.take(index, generator).x, generator)

    def pair(self, noisy: Tensor, generator: Generator) -> Batch:
        """Return samples (N, C, *grid) restored as the target, and these with new noise as `x`."""
        restored = _restore(self.teacher, noisy)
        return Batch(self.noise.add(restored, generator), restored)

    def state_dict(self) -> State:
        """Return the teacher's weights and the noise."""
        return prefixed("teacher", self.teacher.state_dict()) | prefixed("noise", asdict(self.noise))

    @classmethod
    def from_state(cls, state: State, network: Network, stream: Stream) -> Restorations:
        """Return the restorations of a `state_dict`; `network` has the teacher's parts."""
        teacher = copy.deepcopy(network)
        teacher.load_state_dict(part("teacher", state))
        return cls(stream, teacher, SeenNoise(**part("noise", state)))


class SelfDistillation:
    """A network trained with its own corruption, and then on `Restorations`; the progress is in both together.

    In the second part the validation error is that of held-out pairs.

    Parameters
    ----------
    budget : of both parts; its `steps` are set as the second part goes on.
    held_out : a batch of samples for validation, or None.
    options : optimizer, schedule, seed, bfloat16 and part_size, as `Phase` takes them.
    """

    def __init__(
        self, network: Network, stream: Stream, budget: Budget, held_out: Batch | None, seed: int, **options: Any
    ) -> None:
        self.network, self.stream, self.budget = network, stream, budget
        self.held_out, self.seed, self.options = held_out, seed, options | {"seed": seed}
        self.restorations: Restorations | None = None
        self.last: Progress | None = None  # of the first part
        first = Budget(max(1, round(BLIND_SHARE * budget.steps)), BLIND_SHARE * budget.max_seconds, budget.spent)
        validation = held_out and Validation(held_out, seed)
        self.phase = Phase(network, stream, first, validation=validation, **self.options)
        self.is_closed = False

    @property
    def is_finished(self) -> bool:
        """Whether no step is left to take."""
        return self.is_closed or (self.restorations is not None and self.phase.is_finished)

    def step(self) -> Progress | None:
        """Take one step; return the progress where it was measured after this step."""
        progress = self.phase.step()
        if self.restorations is not None:
            return progress and self._after_first(progress)
        if progress is not None:
            self.last = progress = replace(progress, steps=round(progress.steps / BLIND_SHARE))
        if self.phase.is_finished:
            self._begin_second(Restorations.by(self.network, self.stream, self.seed))
        return progress

    def close(self) -> None:
        """End it, now or where it is finished."""
        self.phase.close()
        self.is_closed = True

    def state_dict(self) -> State:
        """Return all that changes from step to step, beside the network's weights."""
        state = prefixed("phase", self.phase.state_dict()) | {"is_closed": self.is_closed}
        state |= prefixed("last", self.last.state_dict()) if self.last else {}
        return state | (prefixed("restorations", self.restorations.state_dict()) if self.restorations else {})

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`; the network's weights are loaded beside."""
        last, restorations = part("last", state), part("restorations", state)
        self.last = Progress.from_state(last) if last else None
        if restorations:
            self._begin_second(Restorations.from_state(restorations, self.network, self.stream))
        self.phase.load_state_dict(part("phase", state))
        self.is_closed = bool(state["is_closed"])

    def _begin_second(self, restorations: Restorations) -> None:
        """Go on to the second part, with what is left of the budget."""
        assert self.last is not None  # the last step of a phase has a progress
        self.restorations = restorations
        pairs = self.held_out and restorations.pair(self.held_out.x, Generator().manual_seed(self.seed))
        steps = max(1, self.budget.requested - self.last.step)
        rest = Budget(steps, self.budget.max_seconds, self.budget.spent + self.last.seconds)
        network = self.network.with_objective(Clean(), MSE())
        validation = pairs and Validation(pairs, self.seed)
        self.phase = Phase(network, restorations, rest, validation=validation, **self.options)

    def _after_first(self, progress: Progress) -> Progress:
        """Return the progress in both parts, from that in the second one."""
        last = self.last
        assert last is not None
        self.budget.steps = last.step + progress.steps
        return replace(
            progress,
            step=last.step + progress.step,
            steps=last.step + progress.steps,
            epoch=last.epoch + progress.epoch,
            seconds=last.seconds + progress.seconds,
            samples=last.samples + progress.samples,
        )


@torch.no_grad()
def _restore(teacher: Network, noisy: Tensor) -> Tensor:
    return teacher.reconstruct(noisy)


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

"""Optimizers, and how their rate follows the share of the steps done."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch

from narrows.spec import Part, check_number


class Optimizer(Part, ABC):
    """A recipe for a torch optimizer; `rate` is its highest learning rate."""

    rate: float

    @abstractmethod
    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return the optimizer of `parameters`."""


class Adam(Optimizer):
    """Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.

    Parameters
    ----------
    rate : the highest learning rate.

    Examples
    --------
    >>> Adam(0.002)
    adam(0.002)
    """

    def __init__(self, rate: float = 1e-3) -> None:
        self.rate = check_number("rate", rate, 0)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return torch's Adam, fused into one pass over the weights."""
        return torch.optim.Adam(parameters, lr=self.rate, fused=True)


class AdamW(Optimizer):
    """Adam with decoupled weight decay: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Parameters
    ----------
    rate : the highest learning rate.
    weight_decay : share of every weight taken away per step, times the rate.

    Examples
    --------
    >>> AdamW(0.002)
    adamw(0.002, weight_decay=0.01)
    """

    def __init__(self, rate: float = 1e-3, *, weight_decay: float = 0.01) -> None:
        self.rate = check_number("rate", rate, 0)
        self.weight_decay = check_number("weight_decay", weight_decay, 0)

    def build(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return torch's AdamW, fused into one pass over the weights."""
        return torch.optim.AdamW(parameters, lr=self.rate, weight_decay=self.weight_decay, fused=True)


class Schedule(Part, ABC):
    """The rate as a share of its highest, over the share of the steps done."""

    ends = True  # whether it ends near 0, so that stopping early would waste it

    @abstractmethod
    def factor(self, done: float) -> float:
        """Return the share of the highest rate after the share `done` of the steps, both in [0, 1]."""


class OneCycle(Schedule):
    """Rises and falls along half cosines: Smith and Topin, "Super-Convergence", 2018.

    Parameters
    ----------
    warmup : the share of the steps that rise, from 1/25 of the highest rate; the rest falls to 1/1000 of it.

    Examples
    --------
    >>> [round(OneCycle(warmup=0.25).factor(done), 3) for done in (0, 0.25, 1)]
    [0.04, 1.0, 0.001]
    """

    spelling = "one_cycle"

    def __init__(self, *, warmup: float = 0.15) -> None:
        self.warmup = check_number("warmup", warmup, 0.001, 0.999)

    def factor(self, done: float) -> float:
        """Return the share of the highest rate at `done`."""
        if done < self.warmup:
            return _half_cosine(1 / 25, 1.0, done / self.warmup)
        return _half_cosine(1.0, 1e-3, (done - self.warmup) / (1 - self.warmup))


class Cosine(Schedule):
    """Falls along half a cosine: Loshchilov and Hutter, "SGDR", 2017, without restarts.

    Examples
    --------
    >>> Cosine().factor(0.5)
    0.5
    """

    def factor(self, done: float) -> float:
        """Return the share of the highest rate at `done`."""
        return _half_cosine(1.0, 0.0, done)


class Constant(Schedule):
    """Keeps the rate; training may stop early.

    Examples
    --------
    >>> Constant().factor(0.9)
    1.0
    """

    ends = False

    def factor(self, done: float) -> float:
        """Return 1."""
        return 1.0


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW}
SCHEDULES: dict[str, type[Schedule]] = {"one_cycle": OneCycle, "cosine": Cosine, "constant": Constant}

"""More trainings on other parts of few samples, where one validation share cannot say whether PCA is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from narrows.errors import TrainingError
from narrows.model.network import Network
from narrows.training.loop import Progress
from narrows.training.snapshots import Snapshots
from narrows.training.state import State, part, prefixed

MAX_SAMPLES = 500  # more take long to train on again
MAX_WEIGHTS = 500_000  # the same of a network
ENOUGH_ERRORS = 50  # samples of a validation share that say it
REPEATS, SEED_STEP = 3, 1_000_003  # trainings on other parts, and between their seeds
TRAININGS = REPEATS + 1  # beside the first: these, and one on all samples


class OtherRun(Protocol):
    """What a `CrossCheck` trains: a `Run` on other parts."""

    network: Network
    snapshots: Snapshots | None

    @property
    def is_finished(self) -> bool:
        """Whether no step is left to take."""

    def step(self) -> Progress | None:
        """Take one step."""

    def state_dict(self) -> State:
        """Return all that changes from step to step."""

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`."""


def is_due(snapshots: Snapshots, samples: int) -> bool:
    """Return whether a training on `samples` that ended as `snapshots` say should be checked.

    Where nothing learned is better than the start in the mean, further trainings could hardly make it sure.
    """
    network, is_close = snapshots.network, snapshots.kept_step in (0, snapshots.last_step)
    weights = sum(p.numel() for p in network.parameters())
    is_small = len(snapshots.start_errors) < ENOUGH_ERRORS and samples <= MAX_SAMPLES and weights <= MAX_WEIGHTS
    return is_close and is_small and network.backbone.starts_as_pca and snapshots.is_promising


class CrossCheck:
    """Trainings on other parts, by all of whose errors the weights of the first one are chosen anew.

    The errors of the start and of the end of each training join those of the first validation share. Where the weights
    that are then chosen are learned ones, a last training learns from all samples. A training that fails ends the
    check, and what was chosen before stays. It also ends where what is learned is not even better than the start in the
    mean of all errors so far.

    Parameters
    ----------
    snapshots : of the first training.
    first : the last progress of the first training.
    seed : of the first training.
    train_again : begins a training with `seed=` and maybe `validation=`, and returns it.

    Attributes
    ----------
    weights : those of the last training once it is finished, else None.
    """

    def __init__(self, snapshots: Snapshots, first: Progress, seed: int, train_again: Callable[..., OtherRun]) -> None:
        self.snapshots, self.first, self.seed, self.train_again = snapshots, first, seed, train_again
        self.weights: dict[str, Tensor] | None = None
        self.is_finished = False
        self._begin(1)

    def step(self) -> Progress | None:
        """Take one step of the training that it is at; return the progress in all trainings."""
        number = self.number
        try:
            progress = self.run.step()
            if self.run.is_finished:
                self._end()
        except TrainingError:
            self.is_finished = True
            return None
        return progress and _overall(progress, self.first, number)

    def state_dict(self) -> State:
        """Return all that changes from step to step."""
        return {"number": self.number, "is_finished": self.is_finished} | prefixed("run", self.run.state_dict())

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`."""
        self._begin(int(state["number"]))
        self.run.load_state_dict(part("run", state))
        self.is_finished = bool(state["is_finished"])

    def _begin(self, number: int) -> None:
        """Begin the training of a number, from 1; the last one is on all samples."""
        self.number = number
        is_last = number == TRAININGS
        changes = {"validation": 0} if is_last else {}
        seed = self.seed if is_last else (self.seed + number * SEED_STEP) % 2**63
        self.run = self.train_again(seed=seed, **changes)

    def _end(self) -> None:
        """Learn from the training that has ended, and begin the next one."""
        if self.number == TRAININGS:
            self.weights, self.is_finished = self.run.network.state_dict(), True
            return
        assert self.run.snapshots is not None  # as the first training had some
        self.snapshots.join(self.run.snapshots)
        if self.number < REPEATS and self.snapshots.is_promising:
            self._begin(self.number + 1)
            return
        self.snapshots.choose()
        if self.snapshots.kept_step:
            self._begin(TRAININGS)
        else:
            self.is_finished = True


def _overall(progress: Progress, first: Progress, before: int) -> Progress:
    """Return the progress in all trainings, from that in one which comes after `before` others."""
    done, steps = before * progress.steps + progress.step, (1 + TRAININGS) * progress.steps
    seen, seconds = first.samples * before + progress.samples, first.seconds * before + progress.seconds
    return replace(progress, step=done, steps=steps, samples=seen, seconds=seconds, epoch_ends=False, val_mse=None)

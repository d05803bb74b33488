"""How long to train: steps, and a cap on the seconds that cuts them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from torch import Tensor

from narrows.training.state import State

EARLY_SHARE = 0.5  # of the cap: where so much is spent before MEASURED_STEPS, the speed of fewer steps says it
WARM_STEPS = 5  # the first ones are slow: caches fill, kernels are chosen
MEASURED_STEPS = 20  # after these, the speed since WARM_STEPS says whether the budget fits into max_seconds


@dataclass
class Budget:
    """How long to train.

    Parameters
    ----------
    steps : steps in all; the learning rate follows the share of them that is done.
    max_seconds : a cap. Where the speed of the first 20 steps says that `steps` take longer, they are cut, and then set
        anew every 50 steps of the first epoch and after every epoch, as the first steps say little of a long run. Where
        half of the cap is spent before, they are cut after each step.
    spent : seconds of the cap that were spent before the first step, on setting the weights.

    Attributes
    ----------
    requested : the steps before that cut.
    """

    steps: int
    max_seconds: float = math.inf
    spent: float = 0.0
    requested: int = field(init=False)

    def __post_init__(self) -> None:
        self.requested = self.steps

    @property
    def was_cut(self) -> bool:
        """Whether `max_seconds` took steps away."""
        return self.steps < self.requested

    def cut(self, done: int, seconds: float, seconds_per_step: float) -> None:
        """Set `steps`, at most `requested`, to what fits into `max_seconds` after `done` steps in `seconds`."""
        left = (self.max_seconds - self.spent - seconds) / max(seconds_per_step, 1e-9)
        self.steps = max(done, min(self.requested, done + int(min(left, self.requested))))

    def state_dict(self) -> State:
        """Return what changes in training."""
        return {"steps": self.steps, "spent": self.spent}

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`."""
        self.steps, self.spent = int(state["steps"]), float(state["spent"])


class Clock:
    """The times of a training, and the cuts of its budget that follow from them.

    Parameters
    ----------
    budget : which is cut.
    validation_share : what an epoch's validation costs, in seconds per second of its steps.
    """

    def __init__(self, budget: Budget, validation_share: float) -> None:
        self.budget, self.validation_share = budget, validation_share
        self.start()

    def start(self) -> None:
        """Begin to count."""
        self.began = self.warm = self.row_began = time.perf_counter()

    def after_step(self, step: int, squares: Tensor) -> None:
        """Note when the first steps are done, and cut the budget once the speed is known."""
        if step == WARM_STEPS:
            self.warm = _now(squares)
        is_known = step == MEASURED_STEPS and self.budget.max_seconds < math.inf
        if is_known or (step < MEASURED_STEPS and self._is_late()):
            self._cut(step, _now(squares), self.validation_share)

    def after_reading(self, step: int, epoch: int, epoch_ends: bool) -> tuple[float, float]:
        """Return the seconds since the start and since the last row of the history; a row ends with `epoch_ends`.

        Where the budget was cut, its steps are set anew: in the first epoch, and after every epoch.
        """
        now = time.perf_counter()
        if self.budget.was_cut and step < self.budget.steps and (epoch_ends or epoch == 1):
            self._cut(step, now, 0 if epoch_ends else self.validation_share)  # after an epoch, `now` includes it
        seconds = now - self.began, now - self.row_began
        self.row_began = now if epoch_ends else self.row_began
        return seconds

    def state_dict(self) -> State:
        """Return the times, in seconds."""
        now = time.perf_counter()
        return {name: now - getattr(self, name) for name in ("began", "warm", "row_began")}

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`, as if no time had passed since."""
        now = time.perf_counter()
        self.began, self.warm, self.row_began = (now - float(state[name]) for name in ("began", "warm", "row_began"))

    def _is_late(self) -> bool:
        """Whether much of the cap is spent, as far as is known without making the device wait."""
        spent = self.budget.spent + time.perf_counter() - self.began
        return spent > EARLY_SHARE * self.budget.max_seconds

    def _cut(self, step: int, now: float, validation_share: float) -> None:
        since, steps = (self.warm, step - WARM_STEPS) if step > WARM_STEPS else (self.began, step)
        self.budget.cut(step, now - self.began, (1 + validation_share) * (now - since) / steps)


def _now(squares: Tensor) -> float:
    """Return the clock once the device has done its work."""
    squares.item()
    return time.perf_counter()

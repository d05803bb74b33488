"""A training under way: all that changes in it, which can be written down and gone on with."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor

from narrows.data.source import Chunks
from narrows.data.stream import Stream
from narrows.errors import TrainingError
from narrows.model.bottleneck import PositionedBottleneck
from narrows.model.settings import default_settings
from narrows.training.choose import MIN_SECONDS
from narrows.training.clock import Budget
from narrows.training.cross_check import TRAININGS, CrossCheck, is_due
from narrows.training.loop import Progress
from narrows.training.phase import Phase
from narrows.training.plan import Plan
from narrows.training.prepare import build_network, find_target_positions, set_weights
from narrows.training.self_distillation import SelfDistillation
from narrows.training.snapshots import Snapshots
from narrows.training.state import State, part, prefixed
from narrows.training.validation import Validation

History = list[dict[str, float | None]]
COLUMNS = ("epoch", "train_mse", "val_mse", "seconds")  # of the history


class Run:
    """A training under way, step by step.

    The first step also sets the weights by the samples, which takes seconds for large data. Between two steps the whole
    state can be taken by `state_dict` and loaded into another run of the same plan, which then ends with the same bits,
    unless the cap on seconds cuts it. A step that Ctrl-C interrupts may be half done: the run can be finished or go on,
    though not to the same bits.

    Parameters
    ----------
    plan : what is trained, and how.

    Attributes
    ----------
    network : the network, in training.
    budget : the steps, as far as the cap on seconds has not cut them.
    history : a dict per epoch that was measured, 40 at most: epoch, train_mse, val_mse, seconds since the one before.
    last : the last progress, None before.
    snapshots : the weights that the network can end with, None where it ends with the last ones.
    retrained : weights that were learned from all samples after a `CrossCheck`, else None.

    Examples
    --------
    >>> import numpy as np
    >>> from narrows.data.read import read
    >>> from narrows.training.loop import train
    >>> from narrows.training.plan import make_plan
    >>> plan = make_plan(read(np.random.default_rng(0).normal(size=(64, 4))), epochs=3, checks=False)
    >>> first, second = Run(plan), Run(plan)
    >>> for _ in range(5):
    ...     _ = first.step()
    >>> second.load_state_dict(first.state_dict())
    >>> [[progress.step for progress in train(run)][-1] for run in (first, second)]
    [24, 24]
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        with default_settings():
            self.network = build_network(plan.split.source.shape, plan.texts, plan.seed, plan.device)
        self.budget = Budget(plan.steps, plan.max_seconds)
        self.history: History = []
        self.last: Progress | None = None
        self.snapshots: Snapshots | None = None
        self.retrained: dict[str, Tensor] | None = None
        self.positions: Tensor | None = None  # of the codes, where the bottleneck has some
        self.main: Phase | SelfDistillation | None = None  # None before the start
        self.check: CrossCheck | None = None
        self.is_closed = False

    @property
    def is_finished(self) -> bool:
        """Whether no step is left to take."""
        is_done = self.main is not None and self.main.is_finished and (self.check is None or self.check.is_finished)
        return self.is_closed or is_done

    @default_settings()
    def start(self) -> None:
        """Fit the scaling and set the weights by the samples; the first step does it where nobody did."""
        plan, (source, target) = self.plan, (self.plan.split.source, self.plan.split.target)
        began = time.perf_counter()
        self.network.scaling.fit(Chunks(source.chunks))
        if not plan.as_published:
            set_weights(self.network, source, target, plan.seed, plan.max_seconds)
        self.positions = find_target_positions(self.network, source, plan.seed)
        self.budget.spent = time.perf_counter() - began
        self.main = self._first_training()

    @default_settings()
    def step(self) -> Progress | None:
        """Take one step; return the progress where it was measured after this step.

        Raises TrainingError when the loss is no longer finite, the network then holds the last good weights; and where
        it is finished, as a further step would change the network of a model.
        """
        if self.is_finished:
            raise TrainingError(
                "a run that is finished has no step left; begin another one, maybe of a plan with more epochs"
            )
        if self.main is None:
            self.start()
        if self.check is not None:
            progress = self.check.step()
            self.retrained = self.check.weights
            return progress
        assert self.main is not None
        progress = self._record(self.main.step())
        if self.main.is_finished and self.plan.checks:
            self._begin_check()
        return progress

    @default_settings()
    def close(self) -> None:
        """End it, now or where it is finished; the network gets the weights that validation chooses."""
        if self.main is None:
            self.start()
        assert self.main is not None
        self.main.close()
        self.is_closed = True

    @default_settings()
    def state_dict(self) -> State:
        """Return a copy of all that changes from step to step, as a flat dict of tensors and numbers."""
        state: State = {"plan": self.plan.fingerprint, "is_closed": self.is_closed}
        state |= prefixed("network", self.network.state_dict())
        state["history"] = torch.tensor(
            [[math.nan if row[name] is None else row[name] for name in COLUMNS] for row in self.history],
            dtype=torch.float64,
        ).reshape(-1, len(COLUMNS))
        state |= prefixed("last", self.last.state_dict()) if self.last else {}
        state |= prefixed("budget", self.budget.state_dict())
        bottleneck = self.network.bottleneck
        if self.positions is not None and isinstance(bottleneck, PositionedBottleneck):
            state |= {"positions": self.positions, "positions_weight": bottleneck.weight}
        state |= prefixed("main", self.main.state_dict()) if self.main else {}
        state |= prefixed("check", self.check.state_dict()) if self.check else {}
        state |= prefixed("retrained", self.retrained) if self.retrained else {}
        return {name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in state.items()}

    @default_settings()
    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict` of a run of the same plan, in this process or another.

        Raises TrainingError for the state of another plan.
        """
        if state.get("plan") != self.plan.fingerprint:
            raise TrainingError(
                "a run goes on from a state of its own plan, however this one is of another; make the plan of as many "
                "samples and with the same options as then"
            )
        self.is_closed = bool(state["is_closed"])
        self.network.load_state_dict(part("network", state))
        rows = state["history"].tolist()
        self.history = [dict(zip(COLUMNS, (None if math.isnan(x) else x for x in row), strict=True)) for row in rows]
        last, main, check = part("last", state), part("main", state), part("check", state)
        self.last = Progress.from_state(last) if last else None
        self.budget.load_state_dict(part("budget", state))
        self.positions = state.get("positions")
        bottleneck = self.network.bottleneck
        if self.positions is not None and isinstance(bottleneck, PositionedBottleneck):
            bottleneck.weight = float(state["positions_weight"])
        self.retrained = part("retrained", state) or None
        self.main = self.snapshots = self.check = None
        if main:
            self.main = self._first_training()
            self.main.load_state_dict(main)
        if check:
            self.check = self._other_trainings()
            self.check.load_state_dict(check)

    def _first_training(self) -> Phase | SelfDistillation:
        """Return the training itself, once the weights are set."""
        plan, network, split = self.plan, self.network, self.plan.split
        stream = Stream(split.source, plan.batch_size, not plan.as_published, split.target, plan.device, self.positions)
        options: dict[str, Any] = {"optimizer": plan.optimizer, "schedule": plan.schedule}
        options |= {"bfloat16": plan.bfloat16, "part_size": plan.part_size}
        if plan.is_self_supervised:
            return SelfDistillation(network, stream, self.budget, split.held_out, plan.seed, **options)
        has_positions = isinstance(network.bottleneck, PositionedBottleneck)  # of these the MSE tells too little
        if not (plan.as_published or has_positions):
            self.snapshots = Snapshots(network)
        validation = split.held_out and Validation(split.held_out, plan.seed if plan.undoes_damage else None)
        return Phase(
            network, stream, self.budget, validation=validation, snapshots=self.snapshots, seed=plan.seed, **options
        )

    def _begin_check(self) -> None:
        """Train again on other parts where that is due and there is time for it, see `CrossCheck`."""
        if self.last is None or self.snapshots is None or not is_due(self.snapshots, len(self.plan.whole[0])):
            return
        if self._seconds_left() >= TRAININGS * max(self.last.seconds, MIN_SECONDS):
            self.check = self._other_trainings()

    def _other_trainings(self) -> CrossCheck:
        left = self._seconds_left()
        cap = None if left == math.inf else left / TRAININGS

        def train_again(**changes: Any) -> Run:
            return Run(self.plan.again(max_seconds=cap, **changes))

        assert self.snapshots is not None and self.last is not None  # noqa: PT018, there is something to check
        return CrossCheck(self.snapshots, self.last, self.plan.seed, train_again)

    def _seconds_left(self) -> float:
        return self.budget.max_seconds - self.budget.spent - (0 if self.last is None else self.last.seconds)

    def _record(self, progress: Progress | None) -> Progress | None:
        """Keep the progress, and a row of the history where an epoch ends."""
        if progress is not None:
            self.last = progress
            if progress.epoch_ends:
                row = {"epoch": progress.epoch, "train_mse": progress.train_mse, "val_mse": progress.val_mse}
                self.history.append(row | {"seconds": progress.epoch_seconds})
        return progress

"""The training loop, a generator of Progress."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Generator, Tensor

from narrows.errors import TrainingError
from narrows.model.network import Network
from narrows.training.optim import Optimizer, Schedule, Steps
from narrows.training.snapshots import Snapshots, thin, validate

READ_EVERY = 50  # steps between two readings of the loss: each one makes the device wait
WARM_STEPS = 5  # the first ones are slow: caches fill, kernels are chosen
MEASURED_STEPS = 20  # after these, the speed since WARM_STEPS says whether the budget fits into max_seconds
ROWS = 40  # of the history at most: of more epochs, some are measured


class Batches(Protocol):
    """What `train` takes: batches epoch by epoch, such as a `narrows.data.stream.Stream`."""

    def __len__(self) -> int:
        """Return the samples of an epoch."""

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""

    def batches(self, generator: Generator) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch of batches for `network(**batch)`; `generator` is on the CPU."""


@dataclass
class Budget:
    """How long to train.

    Parameters
    ----------
    steps : steps in all; the learning rate follows the share of them that is done.
    max_seconds : a cap. Where the speed of the first 20 steps says that `steps` take longer, they are cut, and then set
        anew every 50 steps of the first epoch and after every epoch, as the first steps say little of a long run.
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


@dataclass(frozen=True)
class Progress:
    """What was done and measured so far. Between two of these the network is usable.

    Attributes
    ----------
    step, steps : steps done, of how many.
    epoch : the epoch that this step belongs to, from 1.
    seconds : wall clock since training began.
    samples : samples seen since training began.
    train_mse : mean squared error per value in model's units, over the epoch's samples so far, each measured in the
        step that learned from it.
    val_mse : the same over the validation share after an epoch; None before its end or without such a share.
    epoch_ends : whether this is the last step of an epoch that is measured, a row of the history: every epoch, or of
        more than 40 some at equal distances, and the last one.
    epoch_seconds : wall clock since the row before, or since training began, measuring included.
    """

    step: int
    steps: int
    epoch: int
    seconds: float
    samples: int
    train_mse: float
    val_mse: float | None
    epoch_ends: bool
    epoch_seconds: float


@dataclass
class State:
    """All that a run carries from step to step, beside the network's weights.

    `order` draws the batches (on the CPU), `generator` draws damage and random codes (on the device).
    """

    optimizer: Steps
    order: Generator
    generator: Generator
    step: int = 0
    epoch: int = 0
    samples: int = 0


def train(
    network: Network,
    stream: Batches,
    budget: Budget,
    *,
    optimizer: Optimizer,
    schedule: Schedule,
    validation: Mapping[str, Tensor] | None = None,
    validates_damaged: bool = True,
    snapshots: Snapshots | None = None,
    seed: int = 0,
    bfloat16: bool = False,
) -> Iterator[Progress]:
    """Train `network` on `stream` until the budget is spent, yielding the progress.

    Parameters
    ----------
    network : on the device of the stream; its weights change in place.
    validation : a batch of samples as the stream's, `x` (n, C, *grid) and maybe `target`; measured after every epoch
        without random codes.
    validates_damaged : whether they are damaged for that, always by the same seed: True where the network shall learn
        to undo the damage, False where the damage only prevents overfitting.
    snapshots : of `network`; where given, the network ends with the weights that they choose, also when the caller
        stops iterating early.
    seed : of the batches' order, the damage and random codes; torch's global random state is left alone.
    bfloat16 : multiply matrices in numbers of 16 bits in the steps, see `has_fast_bfloat16`; the weights, the loss and
        all that is measured keep 32.

    Raises
    ------
    TrainingError : when the loss is no longer finite; the network then holds the last good weights.

    Examples
    --------
    >>> from narrows.data.stream import Stream
    >>> from narrows.training.optim import Adam, OneCycle
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)",
    ...     corruption="none", loss="mse", scaling="standard")
    >>> stream = Stream(torch.eye(4), batch_size=2)
    >>> rows = list(train(network, stream, Budget(6), optimizer=Adam(), schedule=OneCycle()))
    >>> [row.epoch for row in rows if row.epoch_ends]
    [1, 2, 3]
    """
    chooses = snapshots is not None and bool(validation)
    stops_early = not schedule.ends and validation is not None
    order, generator = Generator().manual_seed(seed), Generator(network.device).manual_seed(seed)
    run = _Run(
        network,
        stream,
        budget,
        schedule,
        optimizer.rate,
        state=State(optimizer.build(network.parameters()), order, generator),
        validation=validation,
        damage_seed=seed if validates_damaged else None,
        kept=Snapshots(network) if snapshots is None else snapshots,
        clock=_Clock(budget, _validation_share(stream, validation)),
        autocast=torch.autocast(network.device.type, torch.bfloat16, enabled=bfloat16),
    )
    state, kept = run.state, run.kept
    if chooses:
        kept.keep_start(run.errors(rows=thin))
    try:
        while state.step < budget.steps and not (stops_early and kept.are_stale(state.epoch)):
            state.epoch += 1
            yield from _epoch(run)
    except TrainingError:
        kept.last_step = state.step  # the weights are chosen from what was measured before
        raise
    finally:
        if chooses and state.step:
            _choose(run, prefer_last=not stops_early)
    if stops_early and not chooses:
        kept.restore_best()


class _Clock:
    """The times of one run, and the cuts of its budget that follow from them.

    `validation_share` is what an epoch's validation costs, in seconds per second of its steps.
    """

    def __init__(self, budget: Budget, validation_share: float) -> None:
        self.budget, self.validation_share = budget, validation_share
        self.began = self.warm = self.row_began = time.perf_counter()

    def after_step(self, step: int, squares: Tensor) -> None:
        """Note when the first steps are done, and cut the budget once the speed is known."""
        if step == WARM_STEPS:
            self.warm = _now(squares)
        if step == MEASURED_STEPS and self.budget.max_seconds < math.inf:
            self._cut(step, _now(squares), self.validation_share)

    def after_reading(self, state: State, now: float, epoch_ends: bool) -> None:
        """Set the steps anew where they were cut: in the first epoch, and after every epoch."""
        if self.budget.was_cut and state.step < self.budget.steps and (epoch_ends or state.epoch == 1):
            share = 0 if epoch_ends else self.validation_share  # after an epoch, `now` includes its validation
            self._cut(state.step, now, share)

    def _cut(self, step: int, now: float, validation_share: float) -> None:
        seconds_per_step = (1 + validation_share) * (now - self.warm) / (step - WARM_STEPS)
        self.budget.cut(step, now - self.began, seconds_per_step)


@dataclass
class _Run:
    """What the epochs of one training share."""

    network: Network
    stream: Batches
    budget: Budget
    schedule: Schedule
    rate: float
    state: State
    validation: Mapping[str, Tensor] | None
    damage_seed: int | None
    kept: Snapshots
    clock: _Clock
    autocast: torch.autocast

    def errors(self, rows: Callable[[Tensor], Tensor] = lambda x: x) -> Tensor:
        """Return the errors (n,) of the validation share, or of those `rows` of it."""
        share = {key: rows(x) for key, x in (self.validation or {}).items()}
        return validate(self.network, seed=self.damage_seed, **share)


def _epoch(run: _Run) -> Iterator[Progress]:
    """Train for one epoch, or to the end of the budget."""
    network, budget, state, clock = run.network, run.budget, run.state, run.clock
    squares, seen = torch.zeros((), dtype=torch.float64, device=network.device), 0
    network.train()
    for batch in run.stream.batches(state.order):
        rate = run.rate * run.schedule.factor(state.step / budget.steps)
        squares += _step(network, batch, state, rate, run.autocast)
        seen += len(batch["x"])
        clock.after_step(state.step, squares)
        is_whole = seen == len(run.stream) and state.epoch % _row_every(budget, run.stream, run.schedule) == 0
        epoch_ends = state.step >= budget.steps or is_whole
        if epoch_ends or state.step % READ_EVERY == 0:
            yield _read(run, squares.item() / seen, epoch_ends)
            network.train()  # the caller may have used it
        if state.step >= budget.steps:
            break


def _choose(run: _Run, prefer_last: bool) -> None:
    """Choose the weights that the network ends with, after measuring the last ones where the caller stopped early."""
    state, kept = run.state, run.kept
    if state.step > kept.last_step:
        kept.keep_good(state.step)
        kept.keep_best(state.step, state.epoch, run.errors())
    kept.choose(prefer_last)


def _read(run: _Run, train_mse: float, epoch_ends: bool) -> Progress:
    """Keep the weights as they are, measure the validation share where an epoch ends, and return the progress."""
    budget, state, clock, val_mse = run.budget, run.state, run.clock, None
    run.kept.keep_good(state.step, train_mse)
    if epoch_ends and run.validation is not None:
        errors = run.errors()
        run.kept.keep_best(state.step, state.epoch, errors)
        val_mse = errors.mean().item()
    now = time.perf_counter()
    clock.after_reading(state, now, epoch_ends)
    progress = Progress(
        step=state.step,
        steps=budget.steps,
        epoch=state.epoch,
        seconds=now - clock.began,
        samples=state.samples,
        train_mse=train_mse,
        val_mse=val_mse,
        epoch_ends=epoch_ends,
        epoch_seconds=now - clock.row_began,
    )
    clock.row_began = now if epoch_ends else clock.row_began
    return progress


def _row_every(budget: Budget, stream: Batches, schedule: Schedule) -> int:
    """Return after how many epochs one is measured: each one where the schedule does not say when it ends."""
    return -(-budget.steps // (ROWS * stream.steps_per_epoch)) if schedule.ends else 1


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices of bfloat16 in hardware: two to three times as fast as of float32.

    Examples
    --------
    >>> isinstance(has_fast_bfloat16(torch.device("cpu")), bool)
    True
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu.get_capabilities().get("avx512_bf16", False)


def _step(network: Network, batch: dict[str, Tensor], state: State, rate: float, products: torch.autocast) -> Tensor:
    """Take one step and return the sum of the batch's MSE, still on the device."""
    with products:
        cost = network(**batch, generator=state.generator)
    network.zero_grad(set_to_none=True)
    cost.total.mean().backward()
    state.optimizer.step(rate)
    state.step += 1
    state.samples += len(batch["x"])
    return cost.mse.sum()


def _validation_share(stream: Batches, validation: Mapping[str, Tensor] | None) -> float:
    """Return what an epoch's validation costs, in seconds per second of its steps (a forward pass is a third)."""
    return 0 if validation is None else len(validation["x"]) / (3 * len(stream))


def _now(squares: Tensor) -> float:
    """Return the clock once the device has done its work."""
    squares.item()
    return time.perf_counter()

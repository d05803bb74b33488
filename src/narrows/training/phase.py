"""One objective, one source of batches, one optimizer: all that a training carries from step to step."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Generator, Tensor

from narrows.batch import Batch
from narrows.errors import TrainingError
from narrows.model.network import Network
from narrows.training.clock import Budget, Clock
from narrows.training.loop import Progress
from narrows.training.optim import Optimizer, Schedule
from narrows.training.snapshots import Snapshots, thin
from narrows.training.state import State, numbered, part, prefixed
from narrows.training.validation import Validation

READ_EVERY = 50  # steps between two readings of the loss: each one makes the device wait
ROWS = 40  # of the history at most: of more epochs, some are measured


class Batches(Protocol):
    """Where a phase takes its batches from, such as a `narrows.data.stream.Stream`."""

    def __len__(self) -> int:
        """Return the samples of an epoch."""

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""

    def epoch(self, generator: Generator) -> tuple[Tensor, ...]:
        """Return the indices of every batch of one epoch; `generator`, on the CPU, draws their order."""

    def take(self, index: Tensor, generator: Generator) -> Batch:
        """Return the batch of `index`; `generator`, on the CPU, draws what is random in it."""


class Phase:
    """A network in training on one source of batches, step by step, until the budget is spent.

    Parameters
    ----------
    network : on the device of the batches; its weights change in place.
    batches : what it learns from.
    budget : how long.
    validation : measured after every epoch; a constant rate stops early by it.
    snapshots : of `network`; where given, the network ends with the weights that they choose by `validation`.
    seed : of the batches' order, the damage and random codes; torch's global random state is left alone.
    bfloat16 : multiply matrices in numbers of 16 bits in the steps, see `has_fast_bfloat16`; the weights, the loss and
        all that is measured keep 32.
    part_size : samples of a batch that are learned from at once, where all take too much memory; the gradients of the
        parts add up to that of the batch, and each part gets damage of its own.

    Attributes
    ----------
    steps, epochs, samples : done, begun and seen so far.
    """

    def __init__(
        self,
        network: Network,
        batches: Batches,
        budget: Budget,
        *,
        optimizer: Optimizer,
        schedule: Schedule,
        validation: Validation | None = None,
        snapshots: Snapshots | None = None,
        seed: int = 0,
        bfloat16: bool = False,
        part_size: int | None = None,
    ) -> None:
        self.network, self.batches, self.budget = network, batches, budget
        self.schedule, self.rate, self.optimizer = schedule, optimizer.rate, optimizer.build(network.parameters())
        self.validation, self.part_size = validation, part_size
        self.chooses = snapshots is not None and validation is not None
        self.snapshots = Snapshots(network) if snapshots is None else snapshots
        self.stops_early = not schedule.ends and validation is not None
        self.clock = Clock(budget, 0.0 if validation is None else validation.share_of_epoch(len(batches)))
        # within autocast of the caller's own, the cache would keep weights in 16 bits from step to step
        self.autocast = torch.autocast(network.device.type, torch.bfloat16, enabled=bfloat16, cache_enabled=False)
        self.order, self.generator = Generator().manual_seed(seed), Generator(network.device).manual_seed(seed)
        self.epoch_order = self.order.get_state()  # as it was before the epoch's order was drawn
        self.indices: tuple[Tensor, ...] = ()  # of the epoch's batches
        self.position = self.seen = 0  # batches and samples of the epoch so far
        self.squares = torch.zeros((), dtype=torch.float64, device=network.device)  # the sum of their MSE
        self.steps = self.epochs = self.samples = 0
        self.is_closed = False
        self.was_read = True  # whether whoever iterates had the network since the last step

    @property
    def is_finished(self) -> bool:
        """Whether no step is left to take."""
        is_stale = self.stops_early and self._is_between_epochs and self.snapshots.are_stale(self.epochs)
        return self.is_closed or is_stale or self.steps >= self.budget.steps

    @property
    def _is_between_epochs(self) -> bool:
        return self.position == len(self.indices)

    def step(self) -> Progress | None:
        """Take one step; return the progress every 50 steps and at the end of an epoch that is measured.

        Raises TrainingError when the loss is no longer finite; the network then holds the last good weights.
        """
        if self.steps == 0:
            self._start()
        if self._is_between_epochs:
            self._begin_epoch()
        self._learn(self.indices[self.position])
        self.position += 1
        self.clock.after_step(self.steps, self.squares)
        is_row = self._is_between_epochs and self.epochs % self._row_every() == 0
        epoch_ends = is_row or self.steps >= self.budget.steps
        progress = self._read(epoch_ends) if epoch_ends or self.steps % READ_EVERY == 0 else None
        if self.is_finished:
            self.close()
        return progress

    def close(self) -> None:
        """End it, now or where it is finished; the network gets the weights that validation chooses."""
        if self.is_closed:
            return
        is_whole, self.is_closed = self.is_finished, True
        if self.chooses and self.steps:
            self._choose()
        elif self.stops_early and is_whole:
            self.snapshots.restore_best()

    def state_dict(self) -> State:
        """Return all that changes from step to step, beside the network's weights."""
        names = ("steps", "epochs", "samples", "position", "seen", "is_closed", "squares", "epoch_order")
        state: State = {name: getattr(self, name) for name in names}
        state |= {"order": self.order.get_state(), "generator": self.generator.get_state()}
        state |= prefixed("optimizer", numbered(self.optimizer.remembered()))
        state |= prefixed("clock", self.clock.state_dict()) | prefixed("budget", self.budget.state_dict())
        return state | prefixed("snapshots", self.snapshots.state_dict())

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict` of the same phase; the network's weights are loaded beside."""
        self.steps, self.epochs, self.samples = (int(state[name]) for name in ("steps", "epochs", "samples"))
        self.position, self.seen, self.is_closed = int(state["position"]), int(state["seen"]), bool(state["is_closed"])
        self.squares.copy_(state["squares"])
        self.epoch_order = state["epoch_order"]
        self.order.set_state(self.epoch_order)
        self.indices = self.batches.epoch(self.order) if self.epochs else ()
        self.order.set_state(state["order"])
        self.generator.set_state(state["generator"])
        for i, tensor in enumerate(self.optimizer.remembered()):
            tensor.copy_(state[f"optimizer.{i}"])
        self.clock.load_state_dict(part("clock", state))
        self.budget.load_state_dict(part("budget", state))
        self.snapshots.load_state_dict(part("snapshots", state))

    def _start(self) -> None:
        """Measure the start, before the first step."""
        self.clock.start()
        if self.chooses and self.validation is not None:
            self.snapshots.keep_start(self.validation.errors(self.network, rows=thin))

    def _begin_epoch(self) -> None:
        self.epoch_order = self.order.get_state()
        self.indices = self.batches.epoch(self.order)
        self.position = self.seen = 0
        self.squares.zero_()
        self.epochs += 1

    def _learn(self, index: Tensor) -> None:
        """Change the weights by the gradient of the mean cost of a batch, the samples of `index`."""
        if self.was_read or not self.network.training:  # it may have been used since
            self.network.train()
            self.was_read = False
        count = len(index)
        self.network.zero_grad(set_to_none=True)
        for part_index in index.split(self.part_size or count):
            batch = self.batches.take(part_index, self.order)
            with self.autocast:
                cost = self.network(batch, self.generator)
            total = cost.total.mean() if len(part_index) == count else cost.total.sum() / count
            total.backward()
            self.squares += cost.mse.sum()
        self.optimizer.step(self.rate * self.schedule.factor(self.steps / self.budget.steps))
        self.steps += 1
        self.samples += count
        self.seen += count

    def _read(self, epoch_ends: bool) -> Progress:
        """Keep the weights as they are, measure the validation share where an epoch ends, and return the progress."""
        train_mse, val_mse = self.squares.item() / self.seen, None
        self.was_read = True
        try:
            self.snapshots.keep_good(self.steps, train_mse)
            if epoch_ends and self.validation is not None:
                errors = self.validation.errors(self.network)
                self.snapshots.keep_best(self.steps, self.epochs, errors)
                val_mse = errors.mean().item()
        except TrainingError:
            self.snapshots.last_step = self.steps  # the weights are chosen from what was measured before
            self.close()
            raise
        seconds, row_seconds = self.clock.after_reading(self.steps, self.epochs, epoch_ends)
        return Progress(
            step=self.steps,
            steps=self.budget.steps,
            epoch=self.epochs,
            seconds=seconds,
            samples=self.samples,
            train_mse=train_mse,
            val_mse=val_mse,
            epoch_ends=epoch_ends,
            epoch_seconds=row_seconds,
        )

    def _choose(self) -> None:
        """Choose the weights that the network ends with, after measuring the last ones where it was stopped early."""
        if self.validation is not None and self.steps > self.snapshots.last_step:
            self.snapshots.keep_good(self.steps)
            self.snapshots.keep_best(self.steps, self.epochs, self.validation.errors(self.network))
        self.snapshots.choose(prefer_last=not self.stops_early)

    def _row_every(self) -> int:
        """Return after how many epochs one is measured: each one where the schedule does not say when it ends."""
        return -(-self.budget.steps // (ROWS * self.batches.steps_per_epoch)) if self.schedule.ends else 1


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

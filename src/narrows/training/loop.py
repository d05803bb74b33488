"""The training loop, a generator of Progress."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol

from narrows.training.state import State


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
        step that learned from it; over the hidden values alone where a corruption such as `blind_spots` weights these.
    val_mse : the same over the validation share after an epoch, over all values; None before its end or without such a
        share.
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

    def state_dict(self) -> State:
        """Return the numbers by their names, without those that are None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_state(cls, state: State) -> Progress:
        """Return the progress of a `state_dict`."""
        values: dict[str, Any] = {"val_mse": None, **state}
        return cls(**values)


class Trainable(Protocol):
    """What `train` trains: a `Run`, or a `Phase` of one."""

    @property
    def is_finished(self) -> bool:
        """Whether no step is left to take."""

    def step(self) -> Progress | None:
        """Take one step; return the progress where it was measured after this step."""


def train(run: Trainable) -> Iterator[Progress]:
    """Take all steps of `run`, yielding the progress; whoever iterates may stop after any of it and go on later.

    Raises TrainingError when the loss is no longer finite; the network then holds the last good weights.

    Examples
    --------
    >>> import torch
    >>> from narrows.data.stream import Stream
    >>> from narrows.model.network import Network
    >>> from narrows.training.clock import Budget
    >>> from narrows.training.optim import Adam, OneCycle
    >>> from narrows.training.phase import Phase
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)",
    ...     corruption="none", loss="mse", scaling="standard")
    >>> stream = Stream(torch.eye(4), batch_size=2)
    >>> phase = Phase(network, stream, Budget(6), optimizer=Adam(), schedule=OneCycle())
    >>> [progress.epoch for progress in train(phase) if progress.epoch_ends]
    [1, 2, 3]
    """
    while not run.is_finished:
        progress = run.step()
        if progress is not None:
            yield progress

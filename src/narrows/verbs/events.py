"""What a verb yields while it works: lines for a person, how far it is, tables, and at last its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from narrows.metrics.table import Table
from narrows.training.loop import Progress


@dataclass(frozen=True)
class Note:
    """A line that a person should see.

    Attributes
    ----------
    is_error : whether something went wrong, so that the line belongs to the errors.
    """

    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Working:
    """Something begins that takes a while and cannot say how far it is; the next event ends it."""

    text: str


@dataclass(frozen=True)
class Counted:
    """How many of several things are done."""

    text: str
    done: int
    total: int


@dataclass(frozen=True)
class Result:
    """What a verb made, its last event.

    Attributes
    ----------
    value : what the verb is for, such as an array or a trained model.
    status : the exit status: 0, all that was asked for is there; 1, some outputs are missing, each named in a note;
        130, stopped by the person.
    """

    value: Any
    status: int = 0


Event = Note | Working | Counted | Progress | Table | Result
Events = Iterator[Event]


def finish(events: Events, callback: Callable[[Event], object] | None = None) -> Result:
    """Run a verb to its end and return its result; `callback` is given every event before it.

    Examples
    --------
    >>> finish(iter([Note("reading"), Result(3)]), callback=print).value
    Note(text='reading', is_error=False)
    3
    """
    for event in events:
        if isinstance(event, Result):
            return event
        if callback is not None:
            callback(event)
    raise AssertionError("a verb ends with its result")

"""The events that a verb yields: lines for a person, progress, tables, and last its result."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from narrows.model.settings import default_settings

if TYPE_CHECKING:
    from narrows.metrics.table import Table
    from narrows.training.loop import Progress


@dataclass(frozen=True)
class Note:
    """A line that a person should see.

    Attributes
    ----------
    text : the line.
    is_error : whether it reports an error.
    is_warning : whether whoever calls from Python is warned.
    """

    text: str
    is_error: bool = False
    is_warning: bool = False


@dataclass(frozen=True)
class Working:
    """A step without progress begins; the next event ends it."""

    text: str


@dataclass(frozen=True)
class Counted:
    """Progress in a known number of pieces: `done` of `total`."""

    text: str
    done: int
    total: int


@dataclass(frozen=True)
class Result:
    """The result of a verb, its last event.

    Attributes
    ----------
    value : such as an array or a trained model.
    status : the exit status: 0, all that was asked for is there; 1, some outputs are missing, each named in a note;
        130, stopped by the person.
    """

    value: Any
    status: int = 0


Event: TypeAlias = "Note | Working | Counted | Progress | Table | Result"
Events: TypeAlias = "Generator[Event, None, None]"


def finish(events: Events, callback: Callable[[Event], object] | None = None) -> Result:
    """Run a verb to its end and return its result; `callback` is given every event before it.

    Examples
    --------
    >>> finish(iter([Note("reading"), Result(3)]), callback=print).value
    Note(text='reading', is_error=False, is_warning=False)
    3
    """
    while True:
        with default_settings():  # not while the callback is at work
            event = next(events)
        if isinstance(event, Result):
            return event
        if callback is not None:
            callback(event)

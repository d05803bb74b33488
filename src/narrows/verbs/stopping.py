"""Being stopped by Ctrl-C or by the system, without losing what was done."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP
AGAIN = 1.0  # seconds; a signal that comes sooner is the same one, which some senders send to a whole group too
_blocks: list[list[int]] = []  # of `held_back` that are under way: what came meanwhile


class Terminated(KeyboardInterrupt):
    """The system ends the process, which has some seconds left."""


@contextmanager
def terminations() -> Iterator[list[int]]:
    """Raise `Terminated` at SIGTERM and SIGHUP, where Ctrl-C would raise KeyboardInterrupt.

    Yields the list of the signals that came. A signal that the process ignores stays ignored, and other threads than
    the main one, where Python has no signals, are left alone.

    Examples
    --------
    >>> with terminations() as came:
    ...     try:
    ...         signal.raise_signal(signal.SIGTERM)
    ...     except KeyboardInterrupt:
    ...         print("some seconds left")
    some seconds left
    >>> came == [signal.SIGTERM]
    True
    """
    came: list[int] = []
    last = -AGAIN

    def end(number: int, _: FrameType | None) -> None:
        nonlocal last
        came.append(number)
        is_new, last = time.monotonic() - last >= AGAIN, time.monotonic()
        if _blocks:
            _blocks[-1].append(number)
        elif is_new:
            raise Terminated

    handlers = {number: end for number in ENDS if _is_main() and signal.getsignal(number) == signal.SIG_DFL}
    with _handling(handlers):
        yield came


@contextmanager
def held_back() -> Iterator[list[int]]:
    """Hold back Ctrl-C and `Terminated` in a block of some seconds that must come to its end; yield what came.

    Examples
    --------
    >>> with held_back() as came:
    ...     pass  # what must not be cut
    >>> came
    []
    """
    came: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        came.append(number)

    if not _is_main():  # where no signal comes
        yield came
        return
    with _handling({signal.SIGINT: hold} if callable(signal.getsignal(signal.SIGINT)) else {}):
        _blocks.append(came)
        try:
            yield came
        finally:
            _blocks.pop()


@contextmanager
def _handling(handlers: Mapping[int, Callable[[int, FrameType | None], Any]]) -> Iterator[None]:
    """Set handlers by signal, and put the former ones back."""
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()

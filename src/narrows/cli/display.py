"""Showing the events of a verb: progress bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from narrows.cli.printing import print_table, visible
from narrows.cli.wording import for_shell

if TYPE_CHECKING:
    from rich.console import Console

    from narrows.training.loop import Progress
    from narrows.verbs.events import Counted, Event, Events, Note, Working

Value = TypeVar("Value")


def show(events: Events, console: Console | None = None) -> int:
    """Show all events of a verb and return the exit status; Ctrl-C is raised inside the verb."""
    from narrows.verbs.events import Result

    with Display(console) as display:
        event = next(events)
        while not isinstance(event, Result):
            try:
                display.show(event)
            except KeyboardInterrupt as stop:
                event = events.throw(stop)
            else:
                event = next(events)
        return event.status


def drain(events: Generator[Event, None, Value], console: Console | None = None) -> Value:
    """Show all events of a generator and return its value."""
    with Display(console) as display:
        while True:
            try:
                display.show(next(events))
            except StopIteration as end:
                return end.value


class Display:
    """Shows events; on a terminal, a progress bar or a status line stays until the next event of another kind."""

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console

        self.console = console or Console(highlight=False)
        self.live = ExitStack()  # the progress bar or the status line
        self.kind = ""
        self.bar: Any = None

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def show(self, event: Event) -> None:
        """Show one event."""
        from narrows.verbs.events import Counted, Note, Working

        if isinstance(event, Note):
            self._make_room()
            _print_note(event)
        elif isinstance(event, Counted):
            self._show_count(event)
        elif isinstance(event, Working):
            self._show_working(event)
        else:
            self._show_rest(event)

    def _show_rest(self, event: Event) -> None:
        """Show a table or a step of training; apart, since only verbs that yield these have imported their types."""
        from narrows.metrics.table import Table
        from narrows.training.loop import Progress

        if isinstance(event, Progress):
            self._show_step(event)
        elif isinstance(event, Table):
            self._make_room()
            print_table(event)

    def _make_room(self) -> None:
        """End a bar or a word on the terminal; lines are printed above a bar that counts."""
        if self.kind != "counting":
            self._end()

    def _show_working(self, working: Working) -> None:
        self._end()
        if self.console.is_terminal:
            self.kind = "working"
            self.live.enter_context(self.console.status(working.text))

    def _show_step(self, step: Progress) -> None:
        if not self.console.is_terminal:
            if step.epoch_ends:
                self.console.print(describe_epoch(step), soft_wrap=True)
            return
        if self.kind != "training":
            self._begin_training()
        speed = step.samples / max(step.seconds, 1e-9)
        note = f"MSE {step.train_mse:.5f}  {speed:,.0f} samples/s"
        self.bar.update(0, completed=step.step, total=step.steps, epoch=step.epoch, note=note)
        if step.epoch_ends:
            self.bar.console.print(describe_epoch(step))

    def _begin_training(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
        ]
        self._begin("training", Progress(*columns, TimeRemainingColumn(), console=self.console, transient=True))
        self.bar.add_task("", total=None, epoch=1, note="")

    def _show_count(self, count: Counted) -> None:
        if not self.console.is_terminal or count.total == 1:
            self._end()
            return
        if self.kind != "counting":
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
            self._begin("counting", Progress(*columns, console=self.console, transient=True))
            self.bar.add_task(count.text, total=count.total)
        self.bar.update(0, description=count.text, completed=count.done, total=count.total)
        if count.done == count.total:
            self._end()

    def _begin(self, kind: str, bar: Any) -> None:
        self._end()
        self.kind, self.bar = kind, self.live.enter_context(bar)

    def _end(self) -> None:
        self.live.close()
        self.live, self.kind = ExitStack(), ""


def _print_note(note: Note) -> None:
    if note.is_error:
        print(f"narrows: {visible(for_shell(note.text))}", file=sys.stderr)
    else:
        print(visible(for_shell(note.text)))


def describe_epoch(step: Progress) -> str:
    """Return a line about the epoch that `step` ends.

    Examples
    --------
    >>> from narrows.training.loop import Progress
    >>> describe_epoch(Progress(10, 20, 1, 1.0, 100, 0.25, None, True, 1.0))
    'epoch   1  train MSE 0.250000  1.0 s'
    """
    val = "" if step.val_mse is None else f"  validation MSE {step.val_mse:.6f}"
    return f"epoch {step.epoch:>3}  train MSE {step.train_mse:.6f}{val}  {step.epoch_seconds:.1f} s"

"""What the shell shows: training as it goes, arrays in a line, tables."""

from __future__ import annotations

import inspect
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from narrows.metrics.comparison import Comparison
    from narrows.metrics.evaluate import Table
    from narrows.modelfile import Model
    from narrows.training.fit import Fit
    from narrows.training.loop import Progress as Step

Done = TypeVar("Done")


def show(fit: Fit, console: Console | None = None) -> None:
    """Train `fit` to its end: a bar on a terminal, elsewhere one plain line per epoch."""
    from rich.console import Console

    console = console or Console(highlight=False)
    if not console.is_terminal:
        for step in fit:
            if step.epoch_ends:
                console.print(describe_epoch(step), soft_wrap=True)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
    ]
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None, epoch=1, note="")
        began = time.perf_counter()
        for step in fit:
            speed = step.samples / max(time.perf_counter() - began, 1e-9)
            note = f"MSE {step.train_mse:.5f}  {speed:,.0f} samples/s"
            bar.update(task, completed=step.step, total=step.steps, epoch=step.epoch, note=note)
            if step.epoch_ends:
                bar.console.print(describe_epoch(step))


def follow(work: Iterable[Done], count: int, title: str, console: Console | None = None) -> Iterator[Done]:
    """Yield the `count` results of `work` as they come, with a bar over several on a terminal.

    Examples
    --------
    >>> list(follow(map(abs, [-1, -2]), 2, "measuring"))
    [1, 2]
    """
    from rich.console import Console

    console = console or Console(highlight=False)
    if not console.is_terminal or count == 1:
        yield from work
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=console, transient=True) as bar:
        yield from bar.track(work, count, description=title)


def show_scores(comparison: Comparison, console: Console | None = None) -> None:
    """Measure all methods of `comparison`; a bar over them on a terminal, as filters are slow."""
    for _ in follow(comparison, len(comparison), comparison.corruption, console):
        pass


def describe_epoch(step: Step) -> str:
    """Return one line about an epoch that ended.

    Examples
    --------
    >>> from narrows.training.loop import Progress
    >>> describe_epoch(Progress(10, 20, 1, 1.0, 100, 0.25, None, True, 1.0))
    'epoch   1  train MSE 0.250000  1.0 s'
    """
    val = "" if step.val_mse is None else f"  validation MSE {step.val_mse:.6f}"
    return f"epoch {step.epoch:>3}  train MSE {step.train_mse:.6f}{val}  {step.epoch_seconds:.1f} s"


def describe_array(x: np.ndarray) -> str:
    """Return an array's type, shape and ends in a line.

    Examples
    --------
    >>> import numpy as np
    >>> describe_array(np.array([[1, 2]], np.uint8))
    'uint8 (1, 2), min 1, max 2'
    """
    return f"{x.dtype} {x.shape}, min {x.min().item():.6g}, max {x.max().item():.6g}"


def describe_map(model: Model) -> str:
    """Return a line about a model's map head."""
    head, recipe = model.head, model.card.recipe
    if head is None:
        return "none"
    parts = f"{head.texts['backbone']} x {head.texts['bottleneck']}"
    fitted = f"on {recipe['map_samples']:,} samples in {recipe['map_seconds']:.1f} s" if "map_samples" in recipe else ""
    return f"2 numbers for {model.network.code_size:,}, {parts} {fitted}".rstrip()


@contextmanager
def working(word: str, console: Console | None = None) -> Iterator[None]:
    """Say on a terminal what is being done, until it is.

    Examples
    --------
    >>> with working("thinking"):
    ...     pass
    """
    from rich.console import Console

    console = console or Console(highlight=False)
    if not console.is_terminal:
        yield
        return
    with console.status(word):
        yield


def print_table(table: Table) -> None:
    """Print a table with its title and note."""
    print(f"\n{table.title}")
    print_rows(table.columns, [[f"{v:.6f}" if isinstance(v, float) else v for v in row] for row in table.rows])
    if table.note:
        print(textwrap.fill(table.note, 100))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their columns, the first to the left, the others to the right.

    Examples
    --------
    >>> print_rows(("layer", "size"), [("in", 784)])
      layer  size
      in      784
    """
    texts = [list(columns), *[list(map(str, row)) for row in rows]]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for first, *rest in texts:
        cells = [first.ljust(widths[0]), *[cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True)]]
        print("  " + "  ".join(cells))


def signature(part: Callable[..., Any]) -> str:
    """Return the arguments of a part as a person writes them.

    Examples
    --------
    >>> from narrows.model.bottleneck import Sparse
    >>> signature(Sparse)
    '(size=128, k=16)'
    """
    parameters = [p for p in inspect.signature(part).parameters.values() if p.default is not p.empty]
    defaults = {p.name: list(p.default) if isinstance(p.default, tuple) else p.default for p in parameters}
    return "(" + ", ".join(f"{name}={default!r}" for name, default in defaults.items()) + ")"

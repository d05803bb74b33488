"""Training as a person watches it: a bar on a terminal, one plain line per epoch elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from narrows.train.fit import Fit
from narrows.train.loop import Progress as Step


def show(fit: Fit, console: Console | None = None) -> None:
    """Train `fit` to its end and show how it goes; whatever it raises passes through."""
    console = console or Console(highlight=False)
    if not console.is_terminal:
        for step in fit:
            if step.epoch_ends:
                console.print(describe_epoch(step), soft_wrap=True)
        return
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


def describe_epoch(step: Step) -> str:
    """Return one line about an epoch that ended.

    Examples
    --------
    >>> describe_epoch(Step(10, 20, 1, 1.0, 100, 0.25, None, True, 1.0))
    'epoch   1  train MSE 0.250000  1.0 s'
    """
    val = "" if step.val_mse is None else f"  validation MSE {step.val_mse:.6f}"
    return f"epoch {step.epoch:>3}  train MSE {step.train_mse:.6f}{val}  {step.epoch_seconds:.1f} s"

"""The verb `train`: from data to a model, its map head, a page about it and a run folder."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narrows.data.samples import Samples
from narrows.errors import NarrowsError, TrainingError
from narrows.files import refuse_existing
from narrows.modelfile import Model
from narrows.presets import find_preset
from narrows.runfolder import write_run
from narrows.training.fit import Fit
from narrows.training.map_head import add_default_head, comes_with_head
from narrows.verbs.describe import describe_map, describe_metrics
from narrows.verbs.events import Event, Events, Note, Result, Working
from narrows.verbs.numbers import METRICS_FILE, as_json, describe_training
from narrows.verbs.reading import Location, read_data
from narrows.view.page import Report
from narrows.view.report import run_report


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of training.

    Attributes
    ----------
    model : the network, its card and its map head.
    fit : the finished training.
    folder : the run folder, None where nothing was written.
    """

    model: Model
    fit: Fit
    folder: Path | None


def train(
    data: Any = "mnist",
    *,
    output: Location | Callable[[str], Path] | None = None,
    overwrite: bool = False,
    size: Any = None,
    resize_mode: str | None = None,
    patch_size: int | None = None,
    target: Any = None,
    labels: Any = None,
    preset: str | None = None,
    self_supervised: bool = False,
    **options: Any,
) -> Events:
    """Train an autoencoder and write a run folder; the result is `Trained`.

    Parameters
    ----------
    data, size, resize_mode, patch_size, target, labels : as `read` takes them.
    output : the run folder, or what names it by the data's short name, as `next_folder` does; None writes nothing.
    options : as `Fit` takes them.

    Raises DataError for data that cannot be read or learned from, and where `output` exists and `overwrite` is False;
    SpecError for a part or option that is not valid.
    """
    if isinstance(output, str | Path):
        refuse_existing(output, overwrite)
    if patch_size is None and size is None and resize_mode is None and (preset is not None or self_supervised):
        patch_size = find_preset(preset or "denoise").patch_size
    samples = yield from read_data(
        data, size=size, resize_mode=resize_mode, labels=labels, patch_size=patch_size, target=target
    )
    named = output(samples.origin) if callable(output) else output
    folder = None if named is None else Path(named)
    yield Working("looking at the samples")
    training = Fit(samples, preset=preset, patch_size=patch_size, self_supervised=self_supervised, **options)
    yield from (Note(note) for note in training.notes)
    status = yield from run(training)
    model = training.finish()
    if comes_with_head(training):
        model = yield from add_map(training, model)
    has_page = False
    if folder is not None:
        has_page = yield from write_folder(folder, model, training, overwrite)
    yield from (Note(line) for line in describe_metrics(model))
    if training.kept:
        yield Note(f"note: {training.kept}")
    yield from (Note(f"note: {line}", is_warning=True) for line in training.warnings)
    if cut := _describe_cut(training):
        yield Note(cut)
    if folder is not None:
        yield Note(f"{folder}: model.safetensors, history.csv, {METRICS_FILE}{', report.html' if has_page else ''}")
        if isinstance(data, str | Path):
            yield Note(_next_command(model, samples, data, folder))
    yield Result(Trained(model, training, folder), status)


def run(training: Fit) -> Generator[Event, None, int]:
    """Train to the end and return an exit status; Ctrl-C and a TrainingError stop it, and the model so far is kept."""
    try:
        yield from training
    except KeyboardInterrupt:
        if training.last is None:  # no step was taken
            raise
        yield Note("stopped early; the model as it is now is kept", is_warning=True)
    except TrainingError as error:
        if training.last is None:
            raise
        yield Note(str(error), is_error=True)
        return 1
    return 0


def add_map(training: Fit, model: Model) -> Generator[Event, None, Model]:
    """Return the model with a map head, or without one where fitting it fails."""
    try:
        yield Working("fitting the map")
        model = add_default_head(training, model)
        yield Note(f"map: {describe_map(model)}")
    except KeyboardInterrupt:
        yield Note("stopped early; the model is kept, without a map")
    except NarrowsError as error:
        yield Note(f"no map: {error}")
    return model


def write_folder(folder: Path, model: Model, training: Fit, overwrite: bool) -> Generator[Event, None, bool]:
    """Write the model, its history and a page; return whether the page is there, which may not cost the model."""
    try:
        page: Report | None = _make_page(model, training)
    except KeyboardInterrupt:
        page = None
        yield Note("stopped early; the model is kept, without a page")
    except Exception as error:
        page = None
        yield Note(f"no page: {type(error).__name__}: {error}", is_warning=True)
    files = {METRICS_FILE: as_json(describe_training(model, training))} | ({} if page is None else page.files)
    write_run(folder, model, training.history, files, overwrite)
    return page is not None


def _make_page(model: Model, training: Fit) -> Report:
    """Return the page on samples that training did not see, where there are any."""
    name, shown, reference = training.examples()
    return run_report(
        model,
        training.history,
        shown.x,
        x_name=name,
        reference=reference,
        names=shown.names,
        labels=shown.labels,
        skipped=training.samples.skipped,
    )


def next_folder(origin: str) -> Path:
    """Return runs/NAME for data of a short name, or runs/NAME-2 and so on where that exists.

    Examples
    --------
    >>> next_folder("no-such-run:train")
    PosixPath('runs/no-such-run')
    """
    name = Path(origin.split(":")[0]).stem or "run"
    folder, number = Path("runs") / name, 2
    while folder.exists():
        folder, number = Path("runs") / f"{name}-{number}", number + 1
    return folder


def _describe_cut(training: Fit) -> str:
    """Return a line where the cap on seconds ended training early, else ""."""
    budget, last = training.budget, training.last
    if not budget.was_cut or last is None:
        return ""
    enough = budget.max_seconds * budget.requested / last.steps * 1.1
    return (
        f"the cap of {budget.max_seconds:g} s cut training to {last.steps:,} of {budget.requested:,} steps, so "
        f"this run does not repeat bit for bit; to train them all, add --max-seconds {enough:.0f}"
    )


def _next_command(model: Model, samples: Samples, data: Location, folder: Path) -> str:
    verb = "reconstruct" if model.network.has_code else "denoise"
    ending = "" if samples.reading else ".npy" if samples.columns is None else ".csv"
    run, shown = (shlex.quote(str(text)) for text in (folder, samples.test or data))
    return f"next: narrows {verb} {run} {shown} -o out{ending}"

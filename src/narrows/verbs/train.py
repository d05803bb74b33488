"""The verb `train`: from data to a model, its map head, a page about it and a run folder."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from narrows.data.places import are_paths
from narrows.data.read import CHOICES, SHARED
from narrows.data.samples import Samples
from narrows.files import check_folder, find_paths, refuse_inputs
from narrows.modelfile import Model
from narrows.training.plan import make_plan
from narrows.training.resolve import choose_preset, find_recipe
from narrows.training.run import Run
from narrows.training.validation_data import refuse_beside
from narrows.verbs.describe import describe_metrics, shell_word
from narrows.verbs.events import Event, Events, Note, Result, Working
from narrows.verbs.learn import learn, write_folder
from narrows.verbs.numbers import METRICS_FILE
from narrows.verbs.reading import Location, read_data


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
    split_by: str | None = None,
    validation_data: Any = None,
    preset: str | None = None,
    self_supervised: bool = False,
    **options: Any,
) -> Events:
    """Train an autoencoder and write a run folder; the result is `Learned`.

    Parameters
    ----------
    data, size, resize_mode, patch_size, target, labels, split_by : as `read` takes them.
    validation_data : samples that are held out in place of a share, read as `data` are.
    output : the run folder, or what names it by the data's short name, as `next_folder` does; None writes nothing.
    options : as `make_plan` takes them, and options of `read` that all verbs share, such as `axes`.

    Raises DataError for data that cannot be read or learned from, and where `output` exists and `overwrite` is False;
    SpecError for a part or option that is not valid.
    """
    if isinstance(output, str | Path):
        refuse_inputs(output, [path for path in find_paths([data, target, validation_data]) if Path(path).is_dir()])
        check_folder(output, overwrite)
    if validation_data is not None:
        refuse_beside(options.get("validation"), None if split_by is None else f"split_by={split_by!r}")
    chosen = choose_preset(preset, self_supervised, target is not None, options)
    if patch_size is None and size is None and resize_mode is None and chosen is not None:
        patch_size = find_recipe(chosen, as_published=False).patch_size
    reading = {name: options.pop(name) for name in SHARED if name in options}
    samples = yield from read_data(
        data,
        size=size,
        resize_mode=resize_mode,
        labels=labels,
        patch_size=patch_size,
        target=target,
        split_by=split_by,
        **reading,
    )
    named = output(samples.origin) if callable(output) else output
    folder = None if named is None else Path(named)
    if callable(output) and folder is not None:
        check_folder(folder, overwrite)
    if validation_data is not None:
        options["validation_data"] = yield from _read_alike(validation_data, samples, patch_size=patch_size, **reading)
    yield Working("looking at the samples")
    plan = make_plan(samples, preset, patch_size=patch_size, self_supervised=self_supervised, **options)
    yield from (Note(note) for note in plan.notes)
    learned = yield from learn(plan)
    model, run, end = learned.model, learned.run, learned.end
    has_page = False
    if folder is not None:
        has_page = yield from write_folder(folder, learned, overwrite)
    yield from (Note(line) for line in describe_metrics(model))
    if end.kept:
        yield Note(f"note: {end.kept}")
    yield from (Note(f"note: {line}", is_warning=True) for line in end.warnings)
    if cut := _describe_cut(run):
        yield Note(cut)
    if folder is not None:
        yield Note(f"{folder}: model.safetensors, history.csv, {METRICS_FILE}{', report.html' if has_page else ''}")
        if are_paths(data):
            yield Note(_next_command(model, samples, data, folder))
    yield Result(learned, learned.status)


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


def _read_alike(data: Any, samples: Samples, **reading: Any) -> Generator[Event, None, Samples]:
    """Read validation data as the training data were read; the columns of a table are found by their names."""
    known = {name: value for name, value in reading.items() if name not in CHOICES}
    return (yield from read_data(data, reading=samples.reading or None, model_columns=samples.table, **known))


def _describe_cut(run: Run) -> str:
    """Return a line where the cap on seconds ended training early, else ""."""
    budget, last = run.budget, run.last
    if not budget.was_cut or last is None:
        return ""
    enough = budget.max_seconds * budget.requested / last.steps * 1.1
    return (
        f"the cap of {budget.max_seconds:g} s cut training to {last.steps:,} of {budget.requested:,} steps, so "
        f"this run does not repeat bit for bit; to train them all, add --max-seconds {enough:.0f}"
    )


def _next_command(model: Model, samples: Samples, data: Any, folder: Path) -> str:
    verb = "reconstruct" if model.network.has_code else "denoise"
    ending = "" if samples.reading else ".npy" if samples.columns is None else ".csv"
    words = [samples.test] if samples.test else data if isinstance(data, list | tuple) else [data]
    shown = " ".join(map(shell_word, (folder, *words)))
    return f"next: narrows {verb} {shown} -o out{ending}"

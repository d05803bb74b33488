"""What `train` and `demo` share: a planned training, its map head, a page about it, and the run folder."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from narrows.errors import NarrowsError, TrainingError
from narrows.modelfile import Model
from narrows.runfolder import write_run
from narrows.training.finished import Finished, find_examples, finish
from narrows.training.loop import train
from narrows.training.map_head import add_default_head, gets_map
from narrows.training.plan import Plan
from narrows.training.run import Run
from narrows.verbs.describe import describe_map
from narrows.verbs.events import Event, Note, Working
from narrows.verbs.numbers import METRICS_FILE, as_json, describe_training
from narrows.verbs.stopping import Terminated, held_back
from narrows.view.page import Report
from narrows.view.report import run_report

NO_MAP = "stopped early; the model is kept, without a map"


@dataclass(frozen=True, eq=False)
class Learned:
    """A training that has ended.

    Attributes
    ----------
    model : the network, its card and its map head.
    run : the training's history and its plan.
    end : what people are told of it.
    status : 0, or 1 where it failed on the way.
    """

    model: Model
    run: Run
    end: Finished
    status: int


def learn(plan: Plan, with_map: bool | None = None) -> Generator[Event, None, Learned]:
    """Train to the end of a plan, and fit a map head where `with_map`; None fits one where `gets_map` says so.

    Ctrl-C, the system's SIGTERM and a TrainingError stop the training, and the model so far is kept.
    """
    run, note = Run(plan), None
    try:
        yield from train(run)
    except (KeyboardInterrupt, TrainingError) as error:
        if run.last is None:  # no step was read
            raise
        with_map = gets_map(run) if with_map is None else with_map
        note = _describe_stop(error, with_map)
        with_map = with_map and not isinstance(error, Terminated)
    with held_back() as came:
        if note is not None:
            yield note
        end = finish(run)
    with_map = gets_map(run) if with_map is None else with_map
    if with_map and came:
        yield Note(NO_MAP)
        with_map = False
    model = (yield from _add_map(run, end)) if with_map else end.model
    return Learned(model, run, end, int(note is not None and note.is_error))


def _describe_stop(error: BaseException, with_map: bool) -> Note:
    """Return the line about what stopped the training."""
    if isinstance(error, TrainingError):
        return Note(str(error), is_error=True)
    without = ", without a map" if with_map and isinstance(error, Terminated) else ""
    return Note(f"stopped early; the model as it is now is kept{without}", is_warning=True)


def write_folder(folder: Path, learned: Learned, overwrite: bool) -> Generator[Event, None, bool]:
    """Write the model, its history and a page; return whether the page is there, which may not cost the model."""
    try:
        page: Report | None = _make_page(learned)
    except KeyboardInterrupt:
        page = None
        yield Note("stopped early; the model is kept, without a page")
    except Exception as error:
        page = None
        yield Note(f"no page: {type(error).__name__}: {error}", is_warning=True)
    metrics = as_json(describe_training(learned.model, learned.run, learned.end))
    files = {METRICS_FILE: metrics} | ({} if page is None else page.files)
    with held_back():
        write_run(folder, learned.model, learned.run.history, files, overwrite)
    return page is not None


def _add_map(run: Run, end: Finished) -> Generator[Event, None, Model]:
    """Return the model with a map head, or without one where fitting it fails."""
    model = end.model
    try:
        yield Working("fitting the map")
        model = add_default_head(run, end)
        yield Note(f"map: {describe_map(model)}")
    except KeyboardInterrupt:
        yield Note(NO_MAP)
    except NarrowsError as error:
        yield Note(f"no map: {error}")
    return model


def _make_page(learned: Learned) -> Report:
    """Return the page on samples that training did not see, where there are any."""
    plan = learned.run.plan
    name, shown, reference = find_examples(plan, learned.end)
    return run_report(
        learned.model,
        learned.run.history,
        shown.x,
        x_name=name,
        reference=reference,
        names=shown.names,
        labels=shown.labels,
        skipped=plan.samples.skipped,
    )

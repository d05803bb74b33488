"""Restoring in pieces: each is read, restored, written, and compared with the clean one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from traceback import clear_frames

import numpy as np

from narrows.data.image_formats import reason_of
from narrows.files import OutputError
from narrows.metrics.likeness import Likeness, measure_likeness
from narrows.modelfile import Model
from narrows.tasks.depths import find_depth
from narrows.tasks.reconstruct import is_flat
from narrows.tasks.score import UNUSUAL, times_unexplained
from narrows.tasks.tiles import Restoring
from narrows.verbs.events import Counted, Event, Events, Note, Result

MANY_TILES = 16  # of a picture, from which they are counted
TIMED_TILES = 2  # by which the time of all is told
LONG = 20.0  # seconds, from which a line says so beforehand


class Job(ABC):
    """One noisy picture or array that is to be restored.

    Attributes
    ----------
    name : of a picture within its folder, or of an array, to show.
    """

    name: str

    @abstractmethod
    def read(self, model: Model) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the noisy values, and notes on them."""

    @abstractmethod
    def restore(self, model: Model, noisy: np.ndarray) -> Generator[Event, None, np.ndarray]:
        """Yield progress and return the restored values, in the arrangement and type of the noisy ones."""

    @abstractmethod
    def write(self, restored: np.ndarray, overwrite: bool) -> None:
        """Write the restored values, where there is an output."""

    @abstractmethod
    def read_clean(self) -> np.ndarray | None:
        """Return the clean values, in the arrangement and type of the noisy ones; None where there are none."""

    @abstractmethod
    def write_sheet(
        self, model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None, overwrite: bool
    ) -> None:
        """Write noisy, restored and difference side by side, where a comparison is wanted."""

    @abstractmethod
    def close(self) -> None:
        """Release the values that were read."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of one job.

    Attributes
    ----------
    name : the job's.
    missing : which output is missing and why; "" where none is.
    written : whether it was restored, and written where there is an output.
    notes : lines on how it was restored.
    likeness : PSNR and SSIM beside the clean values, None where there are none.
    error : what went wrong, None for nothing.
    """

    name: str
    missing: str = ""
    written: bool = False
    notes: tuple[str, ...] = ()
    likeness: Likeness | None = None
    error: Exception | None = None

    @property
    def full(self) -> str:
        """Why no other output can be written either, since their place is full; "" where it is not."""
        return _reason(self.error) if isinstance(self.error, OutputError) and self.error.is_full else ""


class Source(ABC):
    """The data to restore, as one job or many.

    Attributes
    ----------
    jobs : one for each picture or array.
    notes : lines to show beforehand.
    goes_on : whether to continue with the other jobs where one fails.
    """

    jobs: Sequence[Job]
    notes: tuple[str, ...] = ()
    goes_on = False

    def settle(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Return the outcomes as they are once no job follows: a file of several pages may be missing by then."""
        return outcomes

    @abstractmethod
    def finish(self, outcomes: Sequence[Outcome]) -> Events:
        """Yield lines on the outcomes, and the result; raise DataError where nothing was restored."""


def restore_tiles(model: Model, noisy: np.ndarray, name: str) -> Generator[Event, None, np.ndarray]:
    """Yield how many tiles of a large picture are done, and return it restored.

    A line says beforehand how long it will take, by the time of its first tiles.
    """
    restoring = Restoring(model, noisy, find_depth(model, noisy, restores=True))
    total = len(restoring)
    began = time.perf_counter()
    for done in restoring:
        if total < MANY_TILES:
            continue
        if done == TIMED_TILES:
            seconds = (time.perf_counter() - began) / done * total
            if seconds >= LONG:
                pixels = restoring.source[:, 0].size / 1e6
                yield Note(f"{name}: {pixels:.0f} megapixels in {total:,} tiles, {describe_duration(seconds)}")
        yield Counted(f"restoring {name}", done, total)
    return restoring.result


def describe_duration(seconds: float) -> str:
    """Return a duration in words.

    >>> describe_duration(42), describe_duration(540), describe_duration(9000)
    ('about 40 seconds', 'about 9 minutes', 'about 2.5 hours')
    """
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    return f"about {seconds / 60:.0f} minutes" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def restore_all(model: Model, source: Source, overwrite: bool) -> Events:
    """Restore all jobs of a source and yield its lines and its result; Ctrl-C keeps what is done.

    Raises the error of a job where its source does not go on.
    """
    yield from (Note(note) for note in source.notes)
    outcomes: list[Outcome] = []
    said: set[str] = set()  # a note is shown once, whatever the number of pictures that it holds for
    try:
        yield Counted("restoring", 0, len(source.jobs))
        for job in source.jobs:
            outcome = yield from restore(model, job, overwrite)
            if outcome.error is not None and not source.goes_on:
                raise outcome.error
            yield from (Note(f"note: {note}") for note in outcome.notes if note not in said)
            said.update(outcome.notes)
            if outcome.missing:
                yield Note(f"{'incomplete' if outcome.written else 'skipped'} {outcome.name}: {outcome.missing}")
            outcomes.append(outcome)
            yield Counted("restoring", len(outcomes), len(source.jobs))
            if outcome.full:
                break
        for job in source.jobs[len(outcomes) :]:
            outcomes.append(Outcome(job.name, outcome.full, error=outcome.error))
            yield Note(f"skipped {job.name}: {outcome.full}")
    except KeyboardInterrupt:
        if not source.goes_on:
            raise
        outcomes = list(source.settle(outcomes))
        written = sum(outcome.written for outcome in outcomes)
        yield Note(
            f"stopped; {written} of {len(source.jobs)} pictures are restored; --skip-existing goes on with the others",
            is_error=True,
        )
        yield Result(outcomes, 130)
        return
    yield from source.finish(source.settle(outcomes))


def restore(model: Model, job: Job, overwrite: bool = False) -> Generator[Event, None, Outcome]:
    """Read, restore, write and compare one job; an error becomes part of the outcome."""
    try:
        return (yield from _restore(model, job, overwrite))
    finally:
        job.close()


def _restore(model: Model, job: Job, overwrite: bool) -> Generator[Event, None, Outcome]:
    try:
        noisy, notes = job.read(model)
        restored = yield from job.restore(model, noisy)
        job.write(restored, overwrite)
        notes = (*notes, *_note_on_data(model, noisy, restored))
    except Exception as error:  # Pillow's decoders and encoders raise about seven classes of error
        return Outcome(job.name, _reason(error), error=_light(error))
    try:
        clean = job.read_clean()
        likeness = None if clean is None else measure_likeness(model, noisy, restored, clean)
        job.write_sheet(model, noisy, restored, clean, overwrite)
    except Exception as error:
        missing = f"restored, but not compared: {_reason(error)}"
        return Outcome(job.name, missing, True, notes, error=_light(error))
    return Outcome(job.name, "", True, notes, likeness)


def _note_on_data(model: Model, noisy: np.ndarray, restored: np.ndarray) -> tuple[str, ...]:
    """Return a note where more was changed than noise explains."""
    times = None if is_flat(model, noisy) else times_unexplained(model, noisy, restored)
    if times is None or times < UNUSUAL:
        return ()
    return (
        "more was changed than noise explains, so these data are unlike those of training (a light background, another "
        "scale?) and the results may be poor",
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OutputError):
        return f"cannot be written: {error.reason}"
    return "it is too large for the memory that is free" if isinstance(error, MemoryError) else reason_of(error)


def _light(error: Exception) -> Exception:
    """Return the error without the values that were worked on, which its traceback holds."""
    clear_frames(error.__traceback__)
    return error

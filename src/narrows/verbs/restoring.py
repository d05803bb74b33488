"""One thing to restore, whatever it comes from: read, restored, written, and compared with the clean one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from narrows.data.image_formats import reason_of
from narrows.metrics.likeness import Likeness, measure_likeness
from narrows.modelfile import Model
from narrows.verbs.events import Events


class Job(ABC):
    """Something noisy that is to be restored.

    Attributes
    ----------
    name : of a picture within its folder, or of an array, to show.
    """

    name: str

    @abstractmethod
    def read(self, model: Model) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the noisy values, and what a person should know of them."""

    @abstractmethod
    def restore(self, model: Model, noisy: np.ndarray) -> np.ndarray:
        """Return the values restored, in their own arrangement and type."""

    @abstractmethod
    def write(self, restored: np.ndarray, overwrite: bool) -> None:
        """Write what was restored, where it is to be written."""

    @abstractmethod
    def read_clean(self) -> np.ndarray | None:
        """Return the clean values, arranged and typed as the noisy ones; None where there are none."""

    @abstractmethod
    def write_sheet(
        self, model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None, overwrite: bool
    ) -> None:
        """Write noisy, restored and difference side by side, where that is asked for."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the values that were read."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one job.

    Attributes
    ----------
    name : the job's.
    missing : what was asked for and is not there, with the reason; "" where all is.
    written : whether it was restored, and written where it was to be.
    notes : what a person should know.
    likeness : to the clean values, where there are some.
    error : what went wrong, None where nothing did.
    """

    name: str
    missing: str = ""
    written: bool = False
    notes: tuple[str, ...] = ()
    likeness: Likeness | None = None
    error: Exception | None = None


class Source(ABC):
    """What is to be restored, in one piece or in many.

    Attributes
    ----------
    jobs : one for each piece.
    notes : what a person should know beforehand.
    goes_on : whether the others are restored where one cannot be.
    """

    jobs: Sequence[Job]
    notes: tuple[str, ...] = ()
    goes_on = False

    @abstractmethod
    def finish(self, outcomes: Sequence[Outcome]) -> Events:
        """Say what became of all jobs, and yield the result; raise DataError where nothing was restored."""


def restore(model: Model, job: Job, overwrite: bool = False) -> Outcome:
    """Do a job and write what it asks for; what goes wrong is told in the outcome."""
    try:
        return _restore(model, job, overwrite)
    finally:
        job.close()


def _restore(model: Model, job: Job, overwrite: bool) -> Outcome:
    try:
        noisy, notes = job.read(model)
        restored = job.restore(model, noisy)
        job.write(restored, overwrite)
    except Exception as error:  # Pillow's decoders and encoders raise about seven classes of error
        return Outcome(job.name, _reason(error), error=_light(error))
    try:
        clean = job.read_clean()
        likeness = None if clean is None else measure_likeness(model, noisy, restored, clean)
        job.write_sheet(model, noisy, restored, clean, overwrite)
    except Exception as error:
        missing = f"restored, but not compared: {reason_of(error)}"
        return Outcome(job.name, missing, True, notes, error=_light(error))
    return Outcome(job.name, "", True, notes, likeness)


def _reason(error: Exception) -> str:
    return "it is too large for the memory that is free" if isinstance(error, MemoryError) else reason_of(error)


def _light(error: Exception) -> Exception:
    """Return the error without its traceback, which would keep the values that were worked on."""
    return error.with_traceback(None)

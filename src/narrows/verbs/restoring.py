"""Restoring in pieces: each is read, restored, written, and compared with the clean one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from traceback import clear_frames

import numpy as np

from narrows.data.image_formats import reason_of
from narrows.files import OutputError
from narrows.metrics.likeness import Likeness, measure_likeness
from narrows.modelfile import Model
from narrows.verbs.events import Events


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
    def restore(self, model: Model, noisy: np.ndarray) -> np.ndarray:
        """Return the restored values, in the arrangement and type of the noisy ones."""

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


def restore(model: Model, job: Job, overwrite: bool = False) -> Outcome:
    """Read, restore, write and compare one job; an error becomes part of the outcome."""
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
        missing = f"restored, but not compared: {_reason(error)}"
        return Outcome(job.name, missing, True, notes, error=_light(error))
    return Outcome(job.name, "", True, notes, likeness)


def _reason(error: Exception) -> str:
    if isinstance(error, OutputError):
        return f"cannot be written: {error.reason}"
    return "it is too large for the memory that is free" if isinstance(error, MemoryError) else reason_of(error)


def _light(error: Exception) -> Exception:
    """Return the error without the values that were worked on, which its traceback holds."""
    clear_frames(error.__traceback__)
    return error

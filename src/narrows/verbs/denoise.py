"""The verb `denoise`, for files of pictures, one by one at their own size, and for arrays."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.layout import to_pictures
from narrows.data.matching import match_names
from narrows.data.places import open_place
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.data.write import check_suits
from narrows.errors import DataError
from narrows.files import refuse_existing, refuse_inputs
from narrows.metrics.data_range import find_range
from narrows.metrics.likeness import likeness_table
from narrows.modelfile import Model
from narrows.tasks.depths import find_depth
from narrows.tasks.reconstruct import denoise as restore_array
from narrows.tasks.reconstruct import is_flat, learned_to_restore
from narrows.tasks.tiles import note_on_channels, takes_any_size
from narrows.verbs.events import Event, Events, Note, Result
from narrows.verbs.pictures import Pictures
from narrows.verbs.reading import (
    Location,
    are_files_of_any_size,
    as_written,
    describe_written,
    open_model,
    read_data,
    reading_of,
    write_like,
)
from narrows.verbs.restoring import Job, Outcome, Source, restore_all, restore_tiles
from narrows.view.sheets import write_sheets


def denoise(
    model: Model | Location,
    data: Any,
    *,
    output: Location | None = None,
    compare: Location | None = None,
    clean: Any = None,
    overwrite: bool = False,
    skip_existing: bool = False,
    **reading: Any,
) -> Events:
    """Restore noisy data; the result is an array, or for files of pictures an `Outcome` for each.

    Parameters
    ----------
    output : the file or folder of the result; needed for files of pictures, which are written one by one.
    compare : the file or folder for pictures of noisy, restored and difference side by side; None writes none.
    clean : the clean picture, folder or array, for PSNR and SSIM.
    skip_existing : keep files of pictures that are there already, and write the others; to go on where it was stopped.
    reading : options of `read` that all verbs share, such as `axes`.

    Raises DataError for data that cannot be restored, and where an output exists and `overwrite` is False.
    """
    model = open_model(model)
    if not learned_to_restore(model):
        yield Note(
            "note: this model never saw noise in training; --corruption 'gaussian(0.0, 0.5)' trains one that did"
        )
    with ExitStack() as places:  # a zip of pictures is unpacked until the verb ends
        source = yield from _open(places, model, data, output, compare, clean, reading, overwrite, skip_existing)
        yield from restore_all(model, source, overwrite)


def _open(
    places: ExitStack,
    model: Model,
    data: Any,
    output: Location | None,
    compare: Location | None,
    clean: Any,
    reading: Mapping[str, Any],
    overwrite: bool,
    skip_existing: bool,
) -> Generator[Event, None, Source]:
    """Return the source: files at their own size where the model takes pictures of any size, else an array."""
    if are_files_of_any_size(model, data):
        place = places.enter_context(open_place(data))
        if reading.get("axes") is not None:
            raise DataError(f"axes are for arrays, however: {str(data)!r} is files of pictures; leave them out")
        if output is None:
            raise DataError(f"files of pictures are restored to files, so {str(data)!r} needs an output; name one")
        sheets, truth = (None if name is None else Path(name) for name in (compare, clean))
        pages = reading.get("pages") or "all"
        return Pictures(place, Path(output), sheets, truth, overwrite, skip_existing, pages)
    if skip_existing:
        raise DataError(
            "skipping what exists is for files of pictures that are restored one by one, by a model that takes any "
            "size, however these data are restored in one piece; leave it out"
        )
    for path in (output, compare):
        if path is not None:
            refuse_existing(path, overwrite)
            refuse_inputs(path, data, clean)
    known = reading_of(model, reading)
    samples = yield from read_data(data, **known)
    if any("shrunk" in note for note in samples.notes):
        height, width = model.network.shape[1:]
        yield Note(
            f"note: this model restores pictures of {height}x{width} alone, so these come back that small; one of the "
            f"preset denoise keeps their size"
        )
    if output is not None:
        check_suits(output, as_written(output, samples, samples.x))  # before the work: the result has the data's type
    return Array(samples, output, compare, None if clean is None else _read_clean(clean, samples, known))


@dataclass(eq=False)
class ArrayJob(Job):
    """An array, or pictures that were resized to the model's size.

    Attributes
    ----------
    samples : as they were read.
    output, compare : the files or folders of the result and of the sheets, None for none.
    clean : the clean samples, arranged like the noisy ones, None where there are none.
    restored : the result of `restore`, None before.
    """

    name: str
    samples: Samples
    output: Location | None
    compare: Location | None
    clean: np.ndarray | None
    restored: np.ndarray | None = None

    def read(self, model: Model) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the array, and notes on its colours and its depth."""
        x, any_size = self.samples.x, takes_any_size(model)
        colours = note_on_channels(model, to_pictures(x)[0].shape[1]) if any_size else ""
        return x, tuple(filter(None, (colours, find_depth(model, x, restores=any_size).note)))

    def restore(self, model: Model, noisy: np.ndarray) -> Generator[Event, None, np.ndarray]:
        """Yield progress, return the restored array, and keep it."""
        any_size = takes_any_size(model) and not is_flat(model, noisy)
        tiles = restore_tiles(model, noisy, self.name)
        self.restored = (yield from tiles) if any_size else restore_array(model, noisy)
        return self.restored

    def write(self, restored: np.ndarray, overwrite: bool) -> None:
        """Write the array to `output`, where there is one."""
        if self.output is not None:
            write_like(self.output, self.samples, restored, overwrite)

    def read_clean(self) -> np.ndarray | None:
        """Return the clean samples."""
        return self.clean

    def write_sheet(
        self, model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None, overwrite: bool
    ) -> None:
        """Write a sheet per picture, where `compare` is given."""
        if self.compare is not None:
            data_range = find_range(model, noisy)
            write_sheets(Path(self.compare), noisy, restored, clean, self.samples.names, data_range, overwrite)

    def close(self) -> None:
        """Do nothing: the samples are the caller's."""


class Array(Source):
    """An array, restored in one piece."""

    def __init__(
        self, samples: Samples, output: Location | None, compare: Location | None, clean: np.ndarray | None
    ) -> None:
        self.samples, self.output = samples, output
        self.jobs: Sequence[ArrayJob] = [ArrayJob(samples.origin, samples, output, compare, clean)]

    def finish(self, outcomes: Sequence[Outcome]) -> Events:
        """Yield PSNR and SSIM where there are clean samples; the result is the array."""
        (outcome,) = outcomes
        (job,) = self.jobs
        restored = job.restored
        assert restored is not None, "nothing went wrong"
        if outcome.likeness is not None:
            yield likeness_table(self.samples.names or (), [outcome.likeness])
        if self.output is not None:
            yield Note(f"{self.output}: {describe_written(self.output, self.samples, restored)}")
        yield Result(self.samples.back(restored), int(bool(self.samples.skipped)))


def _read_clean(clean: Any, samples: Samples, reading: Mapping[str, Any]) -> np.ndarray:
    """Return the clean samples in the order of the noisy ones; raise a DataError where one is missing."""
    truth = read(clean, **{**reading, "reading": samples.reading or None, "model_columns": samples.table})
    x = truth.x
    if samples.names is not None and truth.names is not None and samples.names != truth.names:
        matched, index = match_names(samples.names, truth.names), {name: i for i, name in enumerate(truth.names)}
        lacking = [name for name in samples.names if name not in matched]
        if lacking:
            raise DataError(f"there is no clean picture {lacking[0]!r} in {truth.origin}")
        x = x[[index[matched[name]] for name in samples.names]]
    if x.shape != samples.x.shape or x.dtype != samples.x.dtype:
        raise DataError(
            f"the clean data must be like the noisy ones, {samples.x.dtype} {samples.x.shape}, however: {truth.origin} "
            f"is {x.dtype} {x.shape}"
        )
    return x

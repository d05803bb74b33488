"""Reading models and data for the verbs, with notes on them."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from narrows import modelfile
from narrows.data.axes import ModelAxes
from narrows.data.crops import Crops, cut
from narrows.data.layout import Layout
from narrows.data.named import NAMED
from narrows.data.places import are_paths, find_place
from narrows.data.read import are_pictures, names_arrays, read
from narrows.data.samples import Samples
from narrows.data.write import write
from narrows.modelfile import Model
from narrows.tables.columns import named, unnamed
from narrows.tables.write import WRITERS
from narrows.tasks.depths import find_depth
from narrows.tasks.score import UNUSUAL, times_usual
from narrows.tasks.session import Session
from narrows.tasks.tiles import is_other_size, keeps_size
from narrows.verbs.describe import count, describe_array
from narrows.verbs.events import Event, Note

Location = str | Path  # of a file or a folder
CHECKED = 512  # the first samples, enough to tell whether data are like those of training


class Reference(NamedTuple):
    """The data that plain methods learn from.

    Attributes
    ----------
    x : in the user's layout, units and type.
    name : for the notes of tables.
    labels : those of `x` where the measured data are its test split or it was named, else None.
    is_own : whether it is the very data measured, as the training data are not known.
    """

    x: np.ndarray
    name: str
    labels: np.ndarray | None
    is_own: bool = False


def open_model(model: Model | Location) -> Model:
    """Return `model` itself, or the model of that file or run folder; raises ModelFileError where it is not valid."""
    return model if isinstance(model, Model) else modelfile.load(model)


def read_data(data: Any, **options: Any) -> Generator[Event, None, Samples]:
    """Read samples, and yield the reader's notes and what was skipped.

    Raises DataError for data that cannot be read.
    """
    samples = read(data, **options)
    yield from (Note(note) for note in samples.notes)
    yield from (Note(f"skipped {name}: {reason}") for name, reason in samples.skipped)
    if samples.skipped:
        used, skipped = len(samples.x), len(samples.skipped)
        yield Note(f"{used:,} used + {skipped:,} skipped = {used + skipped:,}")
    return samples


def read_as(model: Model, data: Any, *, labels: Any = None, **reading: Any) -> Generator[Event, None, Samples]:
    """Read data in the way of the model's training data.

    Pictures of another size than the model's are cut into patches of its own, where it takes any size.

    Raises DataError for data that cannot be read.
    """
    options: dict[str, Any] = reading_of(model, reading) | {"labels": labels}
    if are_files_of_any_size(model, data):
        options["patch_size"] = max(model.network.shape[1:])
    samples = yield from read_data(data, **options)
    has_sizes = isinstance(samples.x, Crops)
    if not has_sizes and not is_other_size(model, samples.x):
        return samples
    patches = cut_into_patches(model, samples)
    if len(patches.x) > len(samples.x) or not has_sizes:
        _, height, width = model.network.shape
        yield Note(f"note: pictures of another size, cut into {len(patches.x):,} patches of {height}x{width}")
    return patches


def are_files_of_any_size(model: Model, data: Any) -> bool:
    """Return whether data are files of pictures that the model takes at their own size."""
    if not (keeps_size(model) and are_paths(data)) or names_arrays(data):
        return False
    return are_pictures(find_place(data))


def cut_into_patches(model: Model, samples: Samples) -> Samples:
    """Return pictures of any size as samples of the model's own: patches, named by their picture and their place."""
    _, height, width = model.network.shape
    crops = cut(samples.x, (height, width))
    values, places = crops.patches()
    layout = Layout("grey" if values.shape[1] == 1 else "channels_last")
    index = [i for i, *_ in places]
    counts = np.bincount(index)
    names = None
    if samples.names is not None:
        names = tuple(samples.names[i] + (f" [{top}, {left}]" if counts[i] > 1 else "") for i, top, left in places)
    labels = None if samples.labels is None else samples.labels[index]
    return replace(samples, x=layout.back(values.numpy()), names=names, labels=labels)


def read_for(
    model: Model, data: Any, *, labels: Any = None, measures_all: bool = False, **reading: Any
) -> Generator[Event, None, tuple[Samples, Session]]:
    """Read data in the way of the model's training data, and yield a note where they differ much from these.

    Parameters
    ----------
    measures_all : whether the verb needs the error of every sample; then all are computed in one pass.
    reading : options of `read` that all verbs share, such as `axes`.

    Raises DataError for data that the model does not take.
    """
    samples = yield from read_as(model, data, labels=labels, **reading)
    return samples, (yield from start_session(model, samples, measures_all))


def start_session(model: Model, samples: Samples, measures_all: bool = False) -> Generator[Event, None, Session]:
    """Return a session, and yield notes on the samples' range and where they differ much from those of training."""
    if note := find_depth(model, samples.x).note:
        yield Note(f"note: {note}")
    session = Session(model, samples.x)
    errors = session.errors[:CHECKED] if measures_all else session.first_errors(CHECKED)
    times = times_usual(model, errors)
    if times is not None and times >= UNUSUAL:
        yield Note(
            f"note: the error on {samples.origin} is {times:.0f} times the usual, so these data are unlike those of "
            f"training (a light background, another scale?) and the results may be poor"
        )
    return session


def reading_of(model: Model, reading: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of `read`: those that a person names, else those of the model's training data."""
    known = {
        "reading": model.card.reading or None,
        "axes": ModelAxes(model.card.layout, model.network.shape),
        "model_columns": model.card.table or named(model.card.columns or unnamed(math.prod(model.network.shape))),
    }
    return known | {name: value for name, value in reading.items() if value is not None}


def write_like(output: Location, samples: Samples, result: np.ndarray, overwrite: bool) -> None:
    """Write a result like `samples.x`: pictures to a folder, a table as the one that was read, all else as it came.

    Raises DataError where the output exists, or does not suit the result.
    """
    table = samples.as_table(result) if _becomes_table(output, samples) else None
    names = samples.columns if samples.columns is not None else samples.names
    write(output, as_written(output, samples, result), names=names, overwrite=overwrite, table=table)


def _becomes_table(output: Location, samples: Samples) -> bool:
    """Return whether a result like `samples.x` goes to `output` as a table like the one that was read."""
    return samples.beside is not None and Path(output).suffix.lower() in WRITERS


def describe_written(output: Location, samples: Samples, result: np.ndarray) -> str:
    """Return what a file like `samples` holds: the size of a table, whose values are of many kinds, else the values."""
    if samples.beside is not None and _becomes_table(output, samples):
        return f"{count(len(result), 'row')}, {count(len(samples.beside.found), 'column')}"
    return describe_array(as_written(output, samples, result))


def as_written(output: Location, samples: Samples, result: np.ndarray) -> np.ndarray:
    """Return a result like `samples.x` as it goes to `output`: pictures for a folder, else arranged as it came."""
    return samples.arrange(result) if Path(output).suffix else result


def find_reference(model: Model, samples: Samples, given: Samples | None = None) -> Reference:
    """Return what plain methods learn from: the data `given`, the training data where known by name, or `samples`.

    Parameters
    ----------
    samples : the data that are measured.
    given : the training data, named by a person and read as the model reads; None for none.
    """
    if given is not None:
        return Reference(given.x, given.origin, given.labels)
    if model.card.origin in NAMED:
        known = read(model.card.origin)
        return Reference(known.x, model.card.origin, known.labels if samples.origin == known.test else None)
    return Reference(samples.x, f"{samples.origin}, the very data measured, which favours it", None, is_own=True)

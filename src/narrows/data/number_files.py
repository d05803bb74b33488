"""Files of arrays: .npy, .npz with its labels and splits, and IDX."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.arrays import as_numbers, pick_array, read_arrays
from narrows.data.labels import as_labels, with_labels
from narrows.data.npz_names import SPLITS, find_key
from narrows.data.samples import Samples
from narrows.errors import DataError


def read_number_file(path: Path, name: str, split: str | None = None) -> Samples:
    """Return the samples of a .npy, .npz or IDX file; a `y` in it that holds no labels is left out with a note.

    split : "train" or "test", the arrays of that name in a .npz file; None takes those of no split, or of training.

    Raises DataError for a file that is none of these, or damaged.
    """
    arrays = read_arrays(path, name, ("x",), split)
    samples = Samples(as_numbers(pick_array(arrays, "x", name, split), name))
    if find_key(arrays, "y", split) is not None:
        samples = _with_own_labels(samples, path, name, split)
    key, other = find_key(arrays, "x"), find_key(arrays, "x", "test")
    return samples if split or other is None else _with_test(samples, path, name, key, other)


def find_split(source: Any) -> tuple[Path, str] | None:
    """Return the file and the split that "data.npz:test" names; None for any other source.

    >>> find_split("no-such-file.npz:test") is None
    True
    """
    path, _, split = os.fspath(source).rpartition(":") if isinstance(source, str | os.PathLike) else ("", "", "")
    named = split in SPLITS and path.lower().endswith(".npz")
    return (Path(path), split) if named and Path(path).is_file() and not Path(source).exists() else None


def check_values(samples: Samples, name: str) -> None:
    """Raise a DataError if there is no value, or one that is infinite or, in pictures, NaN; it says where."""
    x = samples.x
    if x.ndim == 0:
        raise DataError(f"{name} must be an array of samples, however: it is a single number")
    if x.size == 0:
        raise DataError(f"{name} must hold at least one sample with one value, however: its shape is {x.shape}")
    if x.dtype.kind != "f":
        return
    is_table = x.ndim <= 2
    bad = np.isinf(x) if is_table else ~np.isfinite(x)  # NaN is a gap of a table
    if bad.any():
        first = np.unravel_index(bad.argmax(), x.shape)
        where = f"at [{', '.join(map(str, first))}]"
        if samples.columns is not None:
            where = f"in row {first[0] + 1} of column {samples.columns[first[1]]!r}"
        values = "1 value that is" if bad.sum() == 1 else f"{bad.sum()} values that are"
        what = "infinite" if is_table else "NaN or infinite"
        raise DataError(f"{name} holds {values} {what}, the first {where}; remove or fill them")


def _with_own_labels(samples: Samples, path: Path, name: str, split: str | None) -> Samples:
    """Return samples with the labels of their .npz file, or a note where these are none."""
    try:
        labels = as_labels(pick_array(read_arrays(path, name, ("y",), split), "y", name, split), "y")
    except DataError as error:
        return replace(samples, notes=(*samples.notes, f"left out: {error}"))
    return with_labels(samples, labels, f"y of {name}")


def _with_test(samples: Samples, path: Path, name: str, key: str | None, other: str) -> Samples:
    """Return samples that name their test split, another array of the file, or a note where that is unlike them."""
    named = f"{path}:test"
    try:
        test = read_number_file(path, name, "test")
        check_values(test, named)
        if _has_gaps(test.x) and not _has_gaps(samples.x):  # a model that has seen none may take none
            raise DataError(f"{named} holds gaps, NaN, however {key} holds none; fill them")
    except DataError as error:
        return replace(samples, notes=(*samples.notes, f"left out: {error}"))
    if (test.x.shape[1:], test.x.dtype) != (samples.x.shape[1:], samples.x.dtype):
        line = f"left out: {other}, {test.x.dtype} {test.x.shape}, is unlike {key}, {samples.x.dtype} {samples.x.shape}"
        return replace(samples, notes=(*samples.notes, line))
    line = f"{key} is read, {len(samples.x):,} samples; {named} names the {len(test.x):,} of {other}"
    return replace(samples, notes=(*samples.notes, line), test=named)


def _has_gaps(x: np.ndarray) -> bool:
    return x.dtype.kind == "f" and bool(np.isnan(x).any())

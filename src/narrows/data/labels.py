"""Labels: one integer or text per sample, given as values or as a file."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.arrays import as_array, holds_arrays, pick_array, read_arrays
from narrows.data.samples import Samples
from narrows.data.tables import is_number
from narrows.data.unreadable import explain_unknown, is_pickle, read_guarded
from narrows.errors import DataError


def read_labels(labels: Any) -> np.ndarray:
    """Return labels (N,), int64 or texts, from values or from the path of a file.

    Parameters
    ----------
    labels : an array or a list; or the path of .npy, .npz (its `y`, or its only array), IDX, a .csv of one column
        (its first line is a header unless it is a number), or a file of one text per line.

    Raises
    ------
    DataError : if it cannot be read or holds anything but one column of integers or texts.

    Examples
    --------
    >>> read_labels([1.0, 0.0, 2.0])
    array([1, 0, 2])
    """
    if not isinstance(labels, str | os.PathLike):
        return as_labels(labels, "labels")
    path, name = Path(labels), os.fspath(labels)
    if not path.is_file():
        raise DataError(f"there is no file of labels {name!r}")
    with open(path, "rb") as file:
        head = file.read(8)
    if holds_arrays(head):
        return as_labels(pick_array(read_arrays(path, name), "y", name), name)
    if not head or is_pickle(head):
        raise DataError(explain_unknown(head, path, name))
    return as_labels(read_guarded(_read_column, path, name), name)


def as_labels(values: Any, name: str) -> np.ndarray:
    """Return values as labels (N,): int64 where all are whole numbers, or texts of whole numbers, else texts.

    Raises
    ------
    DataError : if they are not one column, or hold fractions or other things.

    Examples
    --------
    >>> as_labels(["1", "2"], "labels"), as_labels(["1", "b"], "labels").tolist()
    (array([1, 2]), ['1', 'b'])
    """
    y = as_array(values, name)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim == 1 and y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "replace")
    if y.ndim == 1 and y.dtype.kind in "OT":
        y = as_array(y.tolist(), name)
    if y.ndim == 1 and y.dtype.kind == "U":
        return y.astype(np.int64) if all(map(_is_whole, y)) else y
    whole = y.dtype.kind in "biu" or (y.dtype.kind == "f" and bool((np.isfinite(y) & (y == np.round(y))).all()))
    if y.ndim != 1 or not whole:
        raise DataError(f"{name} must be one column of whole numbers or texts, however: {y.dtype} of shape {y.shape}")
    return y.astype(np.int64)


def with_labels(samples: Samples, labels: np.ndarray, name: str) -> Samples:
    """Return the samples with these labels; a DataError if there is not one per sample.

    >>> with_labels(Samples(np.zeros((2, 3))), np.array([4, 5]), "labels").labels
    array([4, 5])
    """
    if len(labels) != len(samples.x):
        raise DataError(f"{name} must be one per sample, however: {len(labels)} labels, {len(samples.x)} samples")
    return replace(samples, labels=labels)


def _read_column(path: Path, name: str) -> list[str]:
    """Return the texts of one column; the first line of a .csv is its header unless it is a number."""
    text = path.read_text(encoding="utf-8-sig").rstrip()
    table = path.suffix.lower() == ".csv"
    rows = list(csv.reader(text.splitlines())) if table else [[line] for line in text.splitlines()]
    if any(len(row) > 1 for row in rows):
        raise DataError(f"{name} must hold one column of labels, however: it has {max(map(len, rows))}")
    column = [row[0].strip() if row else "" for row in rows]
    return column[1:] if table and column and not is_number(column[0]) else column


def _is_whole(text: str) -> bool:
    return len(text) < 18 and text.isascii() and text.removeprefix("-").isdigit()

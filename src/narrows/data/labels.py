"""Labels: one integer or text per sample, or none, given as values or as a file."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.arrays import as_array, holds_arrays, pick_array, read_arrays
from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.unreadable import explain_unknown, is_pickle, one_line, read_guarded

TEXTS, INTEGERS = (str, bytes), (int, np.integer, np.bool_)
NUMBERS = (*INTEGERS, float, np.floating)
LARGEST = 2**63 - 1  # the largest integer of 64 bits
OWN_SPELLING = re.compile(r"0|-?[1-9][0-9]*")


def read_labels(labels: Any) -> np.ndarray:
    """Return labels (N,), whole numbers or texts, from values or from the path of a file.

    Parameters
    ----------
    labels : an array, a list or a pandas column; or the path of .npy, .npz (its `y`, or its only array), IDX, a .csv
        of one column (its first line is a header unless it is a number), or a file of one text per line. An empty line
        is a sample that is not labelled.

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
    """Return values as labels (N,): whole numbers where all are such or are texts of such, else texts.

    Texts are numbers only where each is that number's own spelling: "01" and "1" stay two texts. None, NaN, pandas.NA,
    masked values and empty texts are samples that are not labelled: the array is masked there.

    Raises
    ------
    DataError : if they are not one column, or hold fractions or other things.

    Examples
    --------
    >>> as_labels(["1", "2"], "labels"), as_labels(["01", "1"], "labels").tolist()
    (array([1, 2]), ['01', '1'])
    >>> as_labels(["a", None, "b"], "labels").tolist()
    ['a', None, 'b']
    """
    column = _as_column(values, name)
    if column.dtype.kind in "biu":
        return column.astype(np.int64 if column.dtype != np.uint64 or column.max(initial=0) <= LARGEST else np.uint64)
    known = column[~find_gaps(column)].tolist()
    found = _as_whole(known) if all(isinstance(v, NUMBERS) for v in known) else _as_texts(known)
    if found is None:
        row, value = next((i, v) for i, v in enumerate(column) if not _is_gap(v) and not _may_be_label(v))
        raise _not_labels(name, f"row {row + 1} is {str(value)[:40]!r}")
    if len(known) == len(column):
        return found
    labels = np.ma.masked_all(len(column), found.dtype)
    labels[~find_gaps(column)] = found
    return labels


def with_labels(samples: Samples, labels: np.ndarray, name: str) -> Samples:
    """Return the samples with these labels, and a note where some are not labelled.

    Raises a DataError if there is not one per sample; those that are missing at the end, such as empty lines of a file,
    may be too many.

    >>> with_labels(Samples(np.zeros((2, 3))), np.array([4, 5]), "labels").labels
    array([4, 5])
    """
    count, notes = len(samples.x), samples.notes
    if len(labels) > count and np.ma.getmaskarray(labels)[count:].all():
        notes += (f"note: {name} end in {len(labels) - count:,} empty lines more than there are samples; left out",)
        labels = labels[:count]
    if len(labels) != count:
        way = "give every sample one, empty where it is not labelled (the first line of a .csv is its header)"
        raise DataError(f"{name} must be one per sample, however: {len(labels)} labels, {count} samples; {way}")
    gaps = int(np.ma.getmaskarray(labels).sum())
    if gaps:
        notes += (f"note: {gaps:,} of {count:,} samples are not labelled (an empty label); maps draw them grey",)
    return replace(samples, labels=labels if gaps < count else None, notes=notes)


def group_labels(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different labels in their order, and the place (N,) of each sample's label among them; -1 for none.

    >>> kinds, own = group_labels(as_labels(["b", None, "a", "b"], "labels"))
    >>> kinds.tolist(), own.tolist()
    (['a', 'b'], [1, -1, 0, 1])
    """
    known = ~np.ma.getmaskarray(labels)
    own = np.full(len(labels), -1)
    kinds, own[known] = np.unique(np.asarray(labels[known]), return_inverse=True)
    return kinds, own


def _as_column(values: Any, name: str) -> np.ndarray:
    """Return values as an array (N,), of objects unless it holds whole numbers."""
    y = values
    if not isinstance(values, np.ndarray):
        is_tensor = type(values).__module__.partition(".")[0] == "torch"
        try:
            y = as_array(values, name) if is_tensor else np.asarray(values, dtype=object)
        except (ValueError, TypeError) as error:
            raise _not_labels(name, one_line(error)) from None
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or y.dtype.kind not in "biufUSTO":
        raise _not_labels(name, f"{y.dtype} of shape {y.shape}")
    gaps = np.ma.getmaskarray(y)
    if y.dtype.kind in "biu" and not gaps.any():
        return np.asarray(y)
    column = np.asarray(y).astype(object)
    column[gaps] = None
    return column


def find_gaps(column: np.ndarray) -> np.ndarray:
    """Return which values (N,) stand for none.

    >>> find_gaps(np.array(["a", None, "", np.nan], object)).tolist()
    [False, True, True, True]
    """
    return np.array([_is_gap(value) for value in column], bool)


def _is_gap(value: Any) -> bool:
    """Return whether a value stands for none; pandas.NA, which equals nothing, is told by its name."""
    if isinstance(value, TEXTS):
        return not value.strip()
    if isinstance(value, NUMBERS):
        return bool(value != value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _may_be_label(value: Any) -> bool:
    whole = isinstance(value, NUMBERS) and not isinstance(value, INTEGERS)
    return isinstance(value, TEXTS + INTEGERS) or (whole and abs(value) <= LARGEST and value == np.round(value))


def _as_whole(values: list[Any]) -> np.ndarray | None:
    """Return numbers as integers, as texts where no integer type has them all; None where one is a fraction."""
    if not all(map(_may_be_label, values)):
        return None
    numbers = [int(value) for value in values]
    if all(-LARGEST - 1 <= number <= LARGEST for number in numbers):
        return np.array(numbers, np.int64)
    if all(0 <= number < 2**64 for number in numbers):
        return np.array(numbers, np.uint64)
    return np.array([str(number) for number in numbers])


def _as_texts(values: list[Any]) -> np.ndarray | None:
    """Return texts, as integers where each is one's own spelling; numbers among them become texts."""
    if not all(isinstance(value, TEXTS + NUMBERS) for value in values):
        return None
    texts = [v.decode("utf-8", "backslashreplace") if isinstance(v, bytes) else str(v) for v in values]
    return np.array([int(text) for text in texts], np.int64) if all(map(_is_whole, texts)) else np.array(texts)


def _is_whole(text: str) -> bool:
    """Return whether a text is the spelling of an integer of 64 bits."""
    return len(text) <= 20 and bool(OWN_SPELLING.fullmatch(text)) and abs(int(text)) <= LARGEST


def _not_labels(name: str, found: str) -> DataError:
    return DataError(f"{name} must be one column of whole numbers or texts, however: {found}")


def _read_column(path: Path, name: str) -> list[str]:
    """Return the texts of one column, "" for an empty line; the first line of a .csv is its header unless a number."""
    if path.suffix.lower() != ".csv":
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        return lines if lines[-1] else lines[:-1]
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    if any(len(row) > 1 for row in rows):
        raise DataError(f"{name} must hold one column of labels, however: it has {max(map(len, rows))}")
    column = [row[0] if row else "" for row in rows]
    return column[1:] if column and not _is_number(column[0]) else column


def _is_number(text: str) -> bool:
    """Return whether Python reads a text as a float."""
    try:
        float(text)
    except ValueError:
        return False
    return True

"""Tables in .csv and .tsv files: a line of column names, then rows of numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from narrows.errors import DataError
from narrows.tables.formulas import from_cell
from narrows.unreadable import read_guarded

GAPS = {"", "na", "n/a", "nan", "null", "none", "?"}  # cells that stand for a missing value, in lower case


def read_table(path: Path, name: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the column names and the rows (N, D) as float64; `name` stands for the file in messages.

    Values are separated by whichever of comma, semicolon and tab is the most frequent in the first line. A first column
    that holds names, as `read_row_names` says, is left out.

    Raises
    ------
    DataError : if there are no column names, or a row or a cell is not as it must be; it says which.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("width;height\\n1;2.5\\n3;4\\n")
    >>> read_table(path, "a.csv")
    (('width', 'height'), array([[1. , 2.5],
           [3. , 4. ]]))
    """
    return read_guarded(_read_csv, path, name)


def read_row_names(path: Path, name: str) -> tuple[str, ...] | None:
    """Return the texts of a table's first column where that is called "name", as `encode` writes it; else None.

    Raises DataError for a file that cannot be read.
    """
    return read_guarded(_find_row_names, path, name)


def is_number(text: str) -> bool:
    """Return whether Python reads a text as a float.

    >>> is_number("1e-3"), is_number("width")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_csv(path: Path, name: str) -> tuple[tuple[str, ...], np.ndarray]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        if not first.strip():
            raise DataError(f"{name} must begin with a line of column names, however: it is empty")
        separator = max(",;\t", key=first.count)
        columns = next(csv.reader([first], delimiter=separator))
        columns = [from_cell(column.strip()) or f"column {i}" for i, column in enumerate(columns, 1)]
        if all(map(is_number, columns)):
            raise DataError(f"{name} must begin with a line of column names, however: its first line is numbers")
        named = _find_row_names(path, name) is not None
        start, used = file.tell(), range(1, len(columns)) if named else None
        columns = columns[1:] if named else columns
        try:
            values = np.loadtxt(file, delimiter=separator, ndmin=2, comments=None, quotechar='"', usecols=used)
            if values.size and values.shape[1] != len(columns):
                raise ValueError("rows longer or shorter than the header")
            if np.isnan(values).any():  # of all spellings of a gap the one that is read as a number
                raise ValueError("a gap")
        except ValueError:
            file.seek(start)
            rows = (row[named:] for row in csv.reader(file, delimiter=separator))
            raise DataError(_explain(rows, columns, name)) from None
    return tuple(columns), values.reshape(-1, len(columns))


def _find_row_names(path: Path, name: str) -> tuple[str, ...] | None:
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        separator = max(",;\t", key=first.count)
        if first.partition(separator)[0].strip(' "\n\r') != "name":
            return None
        names = tuple(row[0] for row in csv.reader(file, delimiter=separator) if row)
    return None if all(map(is_number, names)) else names


def _explain(rows: Iterable[list[str]], columns: list[str], name: str) -> str:
    """Return a sentence on the first row of another length, or the first cell that is no number."""
    for number, row in enumerate(filter(None, rows), 1):
        if len(row) != len(columns):
            return f"{name} must have {len(columns)} values in each row, however: row {number} has {len(row)}"
        for column, cell in zip(columns, row, strict=True):
            if cell.strip().lower() in GAPS:
                return f"{name} has a gap in row {number} of column {column!r}; fill it or remove the row or column"
            if not is_number(cell):
                return f"{name} must hold numbers, however: column {column!r} has the text {cell[:40]!r}; remove it"
    return f"{name} cannot be read as a table of numbers"

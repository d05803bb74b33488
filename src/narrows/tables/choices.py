"""What a person asks of a table's columns: their kinds, those that are left out, the labels."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from narrows.errors import DataError, did_you_mean
from narrows.tables.column import KINDS
from narrows.tables.formulas import from_cell

DROP = "drop"
ALLOWED = (*KINDS, DROP)
ENDINGS = (".csv", ".tsv", ".txt")  # of a file that says what is asked


@dataclass(frozen=True)
class Choices:
    """What is asked of columns.

    Attributes
    ----------
    kinds : of columns by their names, one of KINDS or DROP.
    ids : columns that are not learned and come along.
    label : the column that holds the labels.
    split_by : the column whose rows of one value stay together when samples are held out.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    label: str | None = None
    split_by: str | None = None

    def check(self, names: tuple[str, ...], name: str) -> None:
        """Raise a DataError for a column that is not among a table's names."""
        for column in (*self.kinds, *self.ids, self.label, self.split_by):
            if column is not None and column not in names:
                raise DataError(f"{name} has no column {column!r}; {did_you_mean(column, names)}")


def read_choices(
    columns: Any = None, id_column: Any = None, label_column: str | None = None, split_by: str | None = None
) -> Choices:
    """Return what is asked of columns.

    Parameters
    ----------
    columns : "age:number, 'Weight, kg':number, name:drop", a dict, or the path of a file with the columns `name` and
        `kind`, as `narrows info FILE -o columns.csv` writes it.
    id_column : a name, or several.

    Raises DataError for a text or file that cannot be read, and a kind that there is not.

    Examples
    --------
    >>> read_choices("age:number, 'Weight, kg':integer, name:drop").kinds
    {'age': 'number', 'Weight, kg': 'integer', 'name': 'drop'}
    """
    ids = () if id_column is None else (id_column,) if isinstance(id_column, str) else tuple(id_column)
    kinds = _read_kinds(columns)
    for column, kind in kinds.items():
        if kind not in ALLOWED:
            raise DataError(f"a column is one of {', '.join(ALLOWED)}, however: {column!r} is {kind!r}")
    return Choices(kinds, ids, label_column, split_by)


def _read_kinds(columns: Any) -> dict[str, str]:
    if columns is None:
        return {}
    if isinstance(columns, Mapping):
        return {str(column): str(kind) for column, kind in columns.items()}
    if isinstance(columns, os.PathLike) or Path(columns).suffix.lower() in ENDINGS:
        return _read_file(Path(columns))
    return dict(_split(item) for item in _cut(columns))


def _read_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise DataError(f"there is no file of columns {os.fspath(path)!r}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"name", "kind"} <= set(rows[0]):
        raise DataError(
            f"{path} must have the columns name and kind; `narrows info FILE -o columns.csv` writes such one"
        )
    return {from_cell(row["name"]): row["kind"].strip() for row in rows if (row["kind"] or "").strip()}


def _cut(text: str) -> list[str]:
    """Return the items between commas that stand outside of quotes."""
    items, quote = [""], ""
    for sign in text:
        if sign == "," and not quote:
            items.append("")
            continue
        items[-1] += sign
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and not items[-1][:-1].strip():
            quote = sign
    return [item.strip() for item in items if item.strip()]


def _split(item: str) -> tuple[str, str]:
    column, colon, kind = item.rpartition(":")
    column = column.strip()
    if not colon or not column:
        raise DataError(f"columns are written as 'age:number, name:drop', however: {item!r}")
    if len(column) > 1 and column[0] == column[-1] and column[0] in "'\"":
        column = column[1:-1].replace(2 * column[0], column[0])
    return column, kind.strip()

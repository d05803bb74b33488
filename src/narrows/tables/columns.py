"""The columns that a model learns of a table: numbers for all cells, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.errors import DataError, did_you_mean
from narrows.tables.arrow import as_array, release_memory
from narrows.tables.cell_values import decode_cells
from narrows.tables.column import OTHER, UNITS_PER_SECOND, UNSEEN, Column, is_text
from narrows.tables.table_file import RawTable
from narrows.tables.text_columns import convert, encode_texts

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 5  # of columns that are missing
TOGETHER, BLOCK = 4, 2**14  # columns and rows that are written at a time: one value a row would miss every cache


@dataclass(frozen=True)
class Columns:
    """The columns that a model learns, in its order, and what else it must know to read a table like its own.

    Attributes
    ----------
    items : the columns.
    label : the name of the column that holds labels.
    beside : the names of other columns that are not learned and come along.
    gaps : texts that stand for a gap, beside the usual ones.

    `encode` makes numbers of a table: a number or an integer is itself, a boolean 0 or 1, a time the seconds since 1970
    (of a time of day: since midnight), a category its position among the categories, UNSEEN where it is not among them;
    a gap is NaN. `decode` goes back.

    Examples
    --------
    >>> import pyarrow
    >>> from narrows.tables.table_file import read_frame
    >>> columns = Columns((Column("colour", "category", "string", ("blue", "red")), Column("n", "integer", "int64")))
    >>> x = columns.encode(read_frame(pyarrow.table({"n": [1, None], "colour": ["red", "green"]}), "the frame"), "it")
    >>> x.tolist()
    [[1.0, 1.0], [-1.0, nan]]
    >>> columns.decode([[0.2, 1.6]]).to_pylist()
    [{'colour': 'blue', 'n': 2}]
    >>> columns.runs
    'c2 n1'
    """

    items: tuple[Column, ...]
    label: str | None = None
    beside: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(column.name for column in self.items)

    @property
    def runs(self) -> str | None:
        """The kinds as the scaling `columns` takes them, "n13 c5"; None where all are numbers, and times are such."""
        sizes = [_size(column) for column in self.items]
        if not any(sizes):
            return None
        groups = ((size, len(list(same))) for size, same in groupby(sizes))
        return " ".join(f"c{size}{'' if n == 1 else f'*{n}'}" if size else f"n{n}" for size, n in groups)

    def named_as(self, raw: RawTable, name: str) -> Columns:
        """Return the columns with the names of a table where the model's have none, x0, x1, ...; else as they are.

        Raises DataError for a table of more or fewer columns than such a model's.
        """
        if self.names != unnamed(len(self.items)) or set(self.names) & set(raw.names):
            return self
        if len(raw.names) != len(self.items):
            raise DataError(
                f"{name} must have {len(self.items)} columns, as the model learned them without names, however: it has "
                f"{len(raw.names)}"
            )
        items = tuple(replace(column, name=own) for column, own in zip(self.items, raw.names, strict=True))
        return replace(self, items=items)

    def find(self, raw: RawTable, name: str) -> list[int]:
        """Return the position in a table of each column, found by its name; a DataError names one that is missing."""
        places = {column: i for i, column in enumerate(raw.names)}
        missing = [column for column in self.names if column not in places]
        if len(missing) == 1:
            hint = did_you_mean(missing[0], raw.names) if len(raw.names) < 100 else "look at its names"
            raise DataError(f"{name} must have the column {missing[0]!r}, which the model learned, however: {hint}")
        if missing:
            more = f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else ""
            raise DataError(
                f"{name} must have the columns {', '.join(map(repr, missing[:SHOWN]))}{more}, which the model learned; "
                f"look at its names, its delimiter and whether it has a line of names"
            )
        return [places[column] for column in self.names]

    def encode(self, raw: RawTable, name: str, dtype: Any = np.float64) -> np.ndarray:
        """Return the numbers (N, D) of a table, whose columns may lie in another order and beside others.

        Raises DataError for a column that is missing, or holds values of another kind.
        """
        x = np.empty((raw.rows, len(self.items)), dtype)
        places = self.find(raw, name)
        for first in range(0, len(places), TOGETHER):
            several = slice(first, first + TOGETHER)
            self._encode_into(x[:, several], raw, places[several], self.items[several], name)
            release_memory()
        return x

    def _encode_into(
        self, x: np.ndarray, raw: RawTable, places: Sequence[int], items: Sequence[Column], name: str
    ) -> None:
        arrays = [_numbers(raw.column(i), column, name) for i, column in zip(places, items, strict=True)]
        for start in range(0, raw.rows, BLOCK):
            rows = slice(start, start + BLOCK)
            x[rows] = np.stack([array[rows] for array in arrays], 1)

    def refuse_others(self, own: Columns, name: str) -> None:
        """Raise a DataError where a table was read with columns of its own whose numbers do not mean what these do."""
        learned = [_meaning(column) for column in self.items]
        if self.names != unnamed(len(self.items)) and [_meaning(column) for column in own.items] != learned:
            raise DataError(
                f"{name} must be read with the columns and categories that the model learned, however: it was read "
                f"with its own; give the file or the frame itself"
            )

    def count_unseen(self, x: np.ndarray) -> dict[str, int]:
        """Return for each column with cells of UNSEEN categories how many of them there are in encoded `x`."""
        counts = find_unseen(self, x).sum(0)
        return {column: int(count) for column, count in zip(self.names, counts, strict=True) if count}

    def decode(self, values: Any) -> pa.Table:
        """Return a table of numbers (N, D): integers and times are rounded, categories are those of the nearest number.

        NaN and UNSEEN become gaps.
        """
        import pyarrow as pa

        x = np.asarray(values)
        columns = []
        for j, column in enumerate(self.items):
            numbers = x[:, j] if x.dtype.kind in "iu" else x[:, j].astype(np.float64)
            empty = np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(len(numbers), bool)
            columns.append(decode_cells(column, numbers, empty))
        return pa.Table.from_arrays(columns, list(self.names))


def _size(column: Column) -> int:
    """Return how many values a column of categories or truth values has, 0 for numbers."""
    return 2 if column.kind == "boolean" else len(column.categories)


def _meaning(column: Column) -> tuple[Any, ...]:
    """Return what tells whether the same numbers stand for the same cells."""
    return column.name, column.categories, column.kind if column.kind in ("time", "boolean") else ""


def find_unseen(columns: Columns, x: np.ndarray) -> np.ndarray:
    """Return where encoded `x` (N, D) holds categories that the columns do not know, booleans (N, D).

    >>> find_unseen(Columns((Column("n"), Column("c", "category"))), np.array([[UNSEEN, UNSEEN]])).tolist()
    [[False, True]]
    """
    return (x == UNSEEN) & np.array([column.kind == "category" for column in columns.items])


def unnamed(count: int) -> tuple[str, ...]:
    """Return the names that columns without names get.

    >>> unnamed(2)
    ('x0', 'x1')
    """
    return tuple(f"x{i}" for i in range(count))


def named(names: Sequence[str]) -> Columns:
    """Return columns of numbers of these names.

    >>> named(["a"]).items
    (Column(name='a', kind='number', dtype='double', categories=(), missing=0.0, step=0.0, order=''),)
    """
    return Columns(tuple(map(Column, names)))


def _numbers(values: pa.ChunkedArray, column: Column, name: str) -> np.ndarray:
    """Return cells as numbers (N,), NaN for gaps."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        if column.kind == "category":
            return _positions(as_texts(values), column.categories)
        values = as_kind(values, column.kind, column.order)
        if column.kind == "time":
            if is_text(values.type) or not (pa.types.is_temporal(values.type) or values.null_count == len(values)):
                raise pa.ArrowInvalid("no times")
            return seconds(values)
        if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or values.type == pa.bool_()):
            values = values.cast(pa.float64())
        return as_array(values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        text = next((t for t in pc.drop_null(values).slice(0, 1).to_pylist()), "")
        raise DataError(
            f"{name} must hold {column.kind} values in column {column.name!r}, as the model learned it, however: "
            f"{str(text)[:40]!r}"
        ) from None


def as_kind(values: pa.ChunkedArray, kind: str, order: str = "") -> pa.ChunkedArray:
    """Return cells in a type of a kind: texts are read, 20230623 as a time is a day, numbers but 0 are true.

    order : how times are written, see `Column`.

    >>> import pyarrow
    >>> as_kind(pyarrow.chunked_array([[20230623]]), "time").to_pylist()
    [datetime.date(2023, 6, 23)]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    whole = pa.types.is_integer(values.type)
    if is_text(values.type) or (whole and kind == "time"):
        return convert(as_texts(values), kind=kind, order=order).values
    if kind == "boolean" and (whole or pa.types.is_floating(values.type)):
        return pc.not_equal(values, 0)
    return values


def _positions(texts: pa.ChunkedArray, categories: Sequence[str]) -> np.ndarray:
    """Return the position of each text among the categories, float64 (N,)."""
    places = {text: float(i) for i, text in enumerate(categories)}
    different, cells = encode_texts(texts)
    unseen = places.get(OTHER, UNSEEN)
    return np.array([*(places.get(text, unseen) for text in different), np.nan])[cells]


def as_texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells as the texts of categories.

    >>> import pyarrow
    >>> as_texts(pyarrow.chunked_array([[1, None]])).to_pylist()
    ['1', None]
    """
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values.cast(pa.string())


def seconds(values: pa.ChunkedArray) -> np.ndarray:
    """Return times as seconds since 1970, or since midnight, NaN for gaps.

    >>> import datetime, pyarrow
    >>> seconds(pyarrow.chunked_array([[datetime.date(1970, 1, 2)]]))
    array([86400.])
    """
    import pyarrow as pa

    if values.null_count == len(values):
        return np.full(len(values), np.nan)
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("s"))
    whole = values.cast(pa.int32() if values.type in (pa.time32("s"), pa.time32("ms")) else pa.int64())
    return as_array(whole) / UNITS_PER_SECOND[values.type.unit]

"""Tables as they lie in files and frames: named Arrow columns, read one at a time."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows.errors import DataError
from narrows.memory import check_memory
from narrows.tables.cells import parse_number
from narrows.tables.column import is_text
from narrows.tables.dialect import find_dialect
from narrows.tables.formulas import from_cell
from narrows.tables.rows import read_columns, read_numbers
from narrows.tables.text_columns import convert
from narrows.tables.text_file import PACKED, list_members, read_text
from narrows.unreadable import one_line

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = (".csv", ".tsv", ".txt", ".data")
ENDINGS = (*TEXTS, ".parquet", ".feather", ".arrow", ".jsonl")
ELSEWHERE = {  # files that are tables too -> how to get there
    (
        ".xlsx",
        ".xls",
        ".ods",
    ): "a workbook, which is not read; save the sheet as CSV, or give the frame of pandas.read_excel in Python",
    (
        ".db",
        ".sqlite",
        ".sqlite3",
    ): "a database, which is not read; export a query as CSV, or give the frame of pandas.read_sql in Python",
}
MOST_BRACKETS = 1_000  # that a line of JSON opens; of very many, one inside the other, the process would die
FRAMES = {"DataFrame", "LazyFrame", "Table", "RecordBatch"}
LIBRARIES = {"pandas", "polars", "pyarrow", "modin", "cudf", "dask", "duckdb", "ibis"}


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table whose columns have types, each read when it is asked for.

    Attributes
    ----------
    names : of the columns, all different.
    rows : the number of rows.
    column : returns the column of a position.
    given : the names as they lie in a file: one may stand twice, or be empty.
    unnamed : positions of columns that had no name.
    index : names of columns that the file itself calls the index of its rows.
    orders : of columns of times in texts, how these are written, see `Column`.
    is_typed : whether the types are the file's own, not found in texts.
    back : makes a frame of the kind that came of an Arrow table of the same columns; None for files.
    notes : lines that a person should see.
    """

    names: tuple[str, ...]
    rows: int
    column: Callable[[int], pa.ChunkedArray]
    given: tuple[str, ...]
    unnamed: frozenset[int] = frozenset()
    index: frozenset[str] = frozenset()
    orders: Mapping[str, str] = field(default_factory=dict)
    is_typed: bool = True
    back: Callable[[pa.Table], Any] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextOptions:
    """How a table of text is read; None and () find it.

    Attributes
    ----------
    delimiter : between cells, " " for runs of spaces.
    header : whether there is a line of column names.
    encoding : a name that Python knows.
    na_values : texts that stand for a gap, beside NA, N/A, NaN, null, None, ? and nothing.
    skip_bad_lines : leave out rows of another length.
    kinds : of columns by their names, where they are asked for.
    orders : how the times of columns are written where a model knows it, by their names.
    """

    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None
    na_values: tuple[str, ...] = ()
    skip_bad_lines: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)


def is_table(path: Path) -> bool:
    """Return whether a path is a table by its ending, in lower or upper case; of a zip, by those of its files.

    >>> is_table(Path("a.CSV.gz")), is_table(Path("a.npy"))
    (True, False)
    """
    name = path.name.lower()
    if name.endswith(PACKED):
        inner = Path(name[: name.rindex(".")])
        return inner.suffix in TEXTS or (name.endswith(".zip") and _holds_tables(path))
    return path.suffix.lower() in (*ENDINGS, *(ending for endings in ELSEWHERE for ending in endings))


def is_frame(values: Any) -> bool:
    """Return whether a value is a frame: of pandas, polars, pyarrow and others.

    >>> import pyarrow
    >>> is_frame(pyarrow.table({"a": [1]})), is_frame([[1]])
    (True, False)
    """
    return any(c.__name__ in FRAMES and c.__module__.partition(".")[0] in LIBRARIES for c in type(values).__mro__)


def read_table_file(path: Path, name: str, options: TextOptions) -> RawTable:
    r"""Return the table of a file; `name` stands for it in messages.

    Raises DataError for a file that holds no table, or one of another kind.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("width;height\n1;2.5\n3;4\n")
    >>> raw = read_table_file(path, "a.csv", TextOptions())
    >>> raw.names, raw.column(1).to_pylist()
    (('width', 'height'), [2.5, 4.0])
    """
    ending = path.suffix.lower()
    for endings, way_out in ELSEWHERE.items():
        if ending in endings:
            raise DataError(f"{name} is {way_out}")
    if ending == ".parquet":
        return _read_parquet(path, name)
    if ending in (".feather", ".arrow"):
        return _of_arrow(_read_feather(path), name)
    if ending == ".jsonl":
        return _read_json_lines(path, name)
    return _read_text_table(path, name, options)


def read_frame(frame: Any, name: str) -> RawTable:
    """Return the table of a frame.

    Raises DataError for columns of one name, and one whose values are of several types.

    Examples
    --------
    >>> import pyarrow
    >>> read_frame(pyarrow.table({"a": [1, 2]}), "the frame").names
    ('a',)
    """
    import narwhals
    import narwhals.exceptions
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatch):
        raw = read_frame(pa.Table.from_batches([frame]), name)
        return replace(raw, back=lambda result: _as_batch(result, frame.schema))
    try:
        known = narwhals.from_native(frame)
        if isinstance(known, narwhals.LazyFrame):
            known = known.collect()
        index = narwhals.maybe_get_index(known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names that are no texts come back as they were
            table = narwhals.from_native(_with_times(frame)).to_arrow() if index is not None else known.to_arrow()
    except (pa.ArrowException, narwhals.exceptions.NarwhalsError, TypeError, ValueError) as error:
        raise DataError(f"{name} holds what is no table of single values: {one_line(error)}; convert it") from None

    def back(result: pa.Table) -> Any:
        if isinstance(frame, pa.Table):
            return _with_schema(result, frame.schema)
        places = [str(i) for i in range(result.num_columns)]  # libraries refuse or change some names
        made = narwhals.from_arrow(result.rename_columns(places), backend=known.implementation)
        if index is None:
            made = made.rename(dict(zip(places, known.columns, strict=True)))
            return _with_types(made, known.schema, narwhals.col).to_native()
        return _with_pandas_types(made.to_native(), frame)

    if index is not None:  # pandas keeps it beside the columns
        table = table.select(list(range(len(known.columns))))
    return _of_arrow(table, name, back)


def _as_batch(result: pa.Table, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    whole = _with_schema(result, schema).combine_chunks()
    return pa.record_batch([column.combine_chunks() for column in whole.columns], schema=whole.schema)


def _with_schema(result: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return an Arrow table with the types of another, column by column, where its values allow this."""
    import pyarrow as pa

    for i, field_ in enumerate(schema):
        with suppress(Exception):  # gaps do not go into what must have none
            values = result.column(i)
            if pa.types.is_dictionary(field_.type) and not pa.types.is_dictionary(values.type):
                values = values.cast(field_.type.value_type).dictionary_encode()
            if field_.nullable or not values.null_count:
                result = result.set_column(i, field_, values.cast(field_.type))
    return result.replace_schema_metadata(schema.metadata)


def with_gaps(raw: RawTable, na_values: Sequence[str]) -> RawTable:
    """Return a table of typed columns with gaps in place of some values, named by their texts.

    >>> import pyarrow
    >>> with_gaps(read_frame(pyarrow.table({"a": [1, -999]}), "the frame"), ["-999"]).column(0).to_pylist()
    [1, None]
    """
    import pyarrow.compute as pc

    numbers = [number.value for number in map(parse_number, na_values) if number is not None]

    def column(i: int) -> pa.ChunkedArray:
        import pyarrow as pa

        values = raw.column(i)
        if is_text(values.type):
            found = pa.array([value.strip() for value in na_values], values.type)
            return pc.if_else(pc.is_in(values, value_set=found), None, values)
        if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            return values
        for number in numbers:
            values = pc.if_else(pc.equal(values, number), None, values)
        return values

    return replace(raw, column=column)


def _with_types(made: Any, schema: Mapping[str, Any], column: Callable[[str], Any]) -> Any:
    """Return a frame with the types of another, column by column, where its values allow this."""
    for name, dtype in schema.items():
        if name in made.columns and made.schema[name] != dtype:
            with suppress(Exception):  # whatever a library raises, the values stay right
                made = made.with_columns(column(name).cast(dtype))
    return made


def _with_times(frame: Any) -> Any:
    """Return a frame of pandas with the beginnings of periods in place of these."""
    periods = [i for i, dtype in enumerate(frame.dtypes) if str(dtype).startswith("period[")]
    if periods:
        frame = frame.copy(deep=False)
        for i in periods:
            frame.isetitem(i, frame.iloc[:, i].dt.to_timestamp())
    return frame


def _with_pandas_types(made: Any, frame: Any) -> Any:
    """Return a frame of pandas with the index, names and types of another one."""
    for name, dtype in zip(made.columns, frame.dtypes, strict=True):
        if made[name].dtype != dtype:
            with suppress(Exception):  # gaps do not go into integers
                made[name] = made[name].astype(dtype)
    made.index, made.columns = frame.index, frame.columns
    return made


def _holds_tables(path: Path) -> bool:
    """Return whether a zip holds tables of text."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = list_members(archive)
    except (OSError, zipfile.BadZipFile):
        return False
    return bool(members) and all(Path(info.filename).suffix.lower() in TEXTS for info in members)


def _read_text_table(path: Path, name: str, options: TextOptions) -> RawTable:
    text = read_text(path, name, options.encoding)
    if not text.data or text.data.isspace():
        raise DataError(f"{name} must hold a table, however: it is empty")
    dialect = find_dialect(text.data, name, options.delimiter, options.header)
    written = tuple(from_cell(column.strip()) for column in dialect.names or ("",) * dialect.width)
    names, unnamed, notes = _distinct(written, name)
    given = written if dialect.names else names
    notes = (*text.notes, *dialect.notes, *notes)
    asks_numbers = {"number", "integer"}.issuperset(options.kinds.values())
    if not options.na_values and asks_numbers and (numbers := read_numbers(text, dialect)) is not None:
        return RawTable(names, len(numbers[0]), numbers.__getitem__, given, unnamed, is_typed=False, notes=notes)
    texts = read_columns(text, dialect, name, options.skip_bad_lines)
    values, found = _convert_all(texts.columns, names, dialect.decimal, options, name)
    notes = (*notes, *texts.notes, *found.describe())
    return RawTable(
        names, len(values[0]), values.__getitem__, given, unnamed, orders=found.orders, is_typed=False, notes=notes
    )


def _convert_all(
    texts: list[Any], names: Sequence[str], decimal: str, options: TextOptions, name: str
) -> tuple[list[pa.ChunkedArray], _Found]:
    """Return columns with types, and what was unusual; the texts are emptied, column by column."""
    found, values = _Found(name), []
    for i, column in enumerate(names):
        kind, order = options.kinds.get(column), options.orders.get(column, "")
        converted = convert(texts[i], decimal, options.na_values, kind, order)
        texts[i] = None  # its memory is free for the next one's numbers
        found.add(column, converted, decimal)
        values.append(converted.values)
    return values, found


class _Found:
    """What was unusual in columns of text, as lines in which columns alike stand together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.examples: dict[str, list[str]] = {}  # line -> columns
        self.strays: list[str] = []
        self.codes: list[str] = []
        self.orders: dict[str, str] = {}

    def add(self, column: str, converted: Any, decimal: str) -> None:
        if converted.example is not None and not (decimal == "," and "," in converted.example[0]):
            text, value = converted.example
            kind = "".join(sorted(set(text) - set("0123456789"))) + value.strip("0123456789")
            self.examples.setdefault(kind, []).append(f"{column!r} ({text!r} is read as {value})")
        if converted.strays is not None:
            count, text = converted.strays
            self.strays.append(f"{count:,} in {column!r}, such as {text[:40]!r}")
        if converted.code is not None:
            self.codes.append(f"{column!r} (such as {converted.code!r})")
        if converted.order:
            self.orders[column] = converted.order

    def describe(self) -> tuple[str, ...]:
        kinds = [_and_more(columns, 1) for columns in self.examples.values()]
        lines = [f"{self.name}: read as numbers or times: {_and_more(kinds, 8)}"] if kinds else []
        if self.strays:
            lines.append(
                f"{self.name}: cells that are not of their column's kind count as gaps: {_and_more(self.strays)}"
            )
        if self.codes:
            lines.append(f"{self.name}: digits that begin with 0 or + are texts: {_and_more(self.codes)}")
        return tuple(lines)


def _and_more(words: Sequence[str], most: int = 3) -> str:
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def _distinct(names: Sequence[str], name: str) -> tuple[tuple[str, ...], frozenset[int], tuple[str, ...]]:
    """Return names that are all different, the positions of those without a name, and lines on what was renamed."""
    names = [" ".join(column.split()) for column in names]
    unnamed = frozenset(i for i, column in enumerate(names) if not column.strip())
    taken = set(names)
    used: set[str] = set()
    result, repeated = [], []
    for i, column in enumerate(names):
        unique, number = (column, 2) if column.strip() else (f"column {i + 1}", 2)
        while unique in used or (unique != column and unique in taken):
            unique, number = f"{column or 'column'} ({number})", number + 1
        if column in used:
            repeated.append(f"{column!r}, column {i + 1}, is {unique!r} here")
        used.add(unique)
        result.append(unique)
    notes = (f"{name}: columns of one name: {_and_more(repeated)}",) if repeated else ()
    return tuple(result), unnamed, notes


def _read_parquet(path: Path, name: str) -> RawTable:
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(path)
    schema, rows = file.schema_arrow, file.metadata.num_rows
    names, unnamed, notes = _distinct(schema.names, name)
    check_memory(8 * rows * len(names), name)
    if notes:
        return _of_arrow(file.read(), name)
    index = _own_index(schema)
    return RawTable(names, rows, lambda i: file.read(columns=[names[i]]).column(0), names, unnamed, index, notes=notes)


def _read_feather(path: Path) -> pa.Table:
    import pyarrow.feather
    import pyarrow.ipc

    try:
        return pyarrow.feather.read_table(path)
    except pyarrow.ArrowInvalid:  # a stream
        with pyarrow.OSFile(str(path)) as file:
            return pyarrow.ipc.open_stream(file).read_all()


def _read_json_lines(path: Path, name: str) -> RawTable:
    import pyarrow as pa
    import pyarrow.json

    data = read_text(path, name).data
    if not data.strip():
        raise DataError(f"{name} must hold a table, however: it is empty")
    if _count_brackets(data) > MOST_BRACKETS and max(map(_count_brackets, data.splitlines())) > MOST_BRACKETS:
        raise DataError(f"{name} must hold one value in each cell, however: a line of it opens too many brackets")
    return _of_arrow(pyarrow.json.read_json(pa.BufferReader(data)), name)


def _count_brackets(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")


def _of_arrow(table: pa.Table, name: str, back: Callable[[pa.Table], Any] | None = None) -> RawTable:
    names, unnamed, notes = _distinct(table.column_names, name)
    return RawTable(
        names,
        table.num_rows,
        table.column,
        tuple(table.column_names),
        unnamed,
        _own_index(table.schema),
        back=back,
        notes=notes,
    )


def _own_index(schema: pa.Schema) -> frozenset[str]:
    """Return the columns that pandas wrote as the index of its rows."""
    try:
        written = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        return frozenset(column for column in written.get("index_columns", ()) if isinstance(column, str))
    except (ValueError, AttributeError, TypeError):
        return frozenset()

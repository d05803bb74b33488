"""The cells of a table of text, all as texts, whatever they mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from narrows.errors import DataError
from narrows.tables.dialect import Dialect, is_comment, split_rows
from narrows.tables.text_file import Text

if TYPE_CHECKING:
    import pyarrow as pa

END = "\0"  # no text holds one
BLOCK = 2**20  # bytes that are read at a time
# bytes as what they are in a number: 0 or + as 0, another digit as 1, a point or minus as ".", anything else as " "
PARTS = bytes(48 if b in b"0+" else 49 if b in b"123456789" else 46 if b in b".-eE" else 32 for b in range(256))


class TextColumns(NamedTuple):
    """The columns of a table as texts, and lines that a person should see."""

    columns: list[pa.ChunkedArray]
    notes: tuple[str, ...] = ()


def read_columns(text: Text, dialect: Dialect, name: str, skip_bad_lines: bool = False) -> TextColumns:
    r"""Return the columns of a table of text; `name` stands for it in messages.

    Parameters
    ----------
    skip_bad_lines : leave out rows of another length, which are refused otherwise.

    Raises DataError for a row of another length, with its line.

    Examples
    --------
    >>> from narrows.tables.dialect import find_dialect
    >>> text = Text(b"a;b\n1;'2;3'\n")
    >>> [column.to_pylist() for column in read_columns(text, find_dialect(text.data, "a.csv"), "a.csv").columns]
    [['1'], ['2;3']]
    """
    columns = _by_pyarrow(text.data, dialect)
    return _by_csv(text.data, dialect, name, skip_bad_lines) if columns is None else TextColumns(columns)


def read_numbers(text: Text, dialect: Dialect) -> list[pa.ChunkedArray] | None:
    """Return the columns of a table of plain numbers as float64 or int64; None where a cell is anything else.

    This is twice as fast as texts that become numbers, and gives the same ones.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = _by_pyarrow(text.data, dialect, are_numbers=True) if dialect.is_numeric else None
    if columns is None or any(column.type not in (pa.float64(), pa.int64()) for column in columns):
        return None
    has_whole = any(column.type == pa.int64() for column in columns)
    if (has_whole or b"+" in text.data) and _may_hold_codes(text.data, dialect.start):
        return None
    gaps = (pc.any(pc.is_nan(column)).as_py() for column in columns if column.type == pa.float64())
    return None if any(gaps) else columns


def _begins_a_line(data: bytes, sign: str, start: int) -> bool:
    return any(data.find(end + sign.encode(), max(start - 1, 0)) >= 0 for end in (b"\n", b"\r"))


def _may_hold_codes(data: bytes, start: int) -> bool:
    """Return whether a number begins with 0 and a digit, or with +.

    >>> _may_hold_codes(b"0.5,10,1e-05", 0), _may_hold_codes(b"7,01234", 0)
    (False, True)
    """
    for first in range(start, len(data), BLOCK):
        block = data[first - 1 : first + BLOCK + 1] if first else b"\n" + data[: BLOCK + 1]
        parts = block.translate(PARTS)
        if b" 00" in parts or b" 01" in parts:
            return True
    return False


def _by_pyarrow(data: bytes, dialect: Dialect, are_numbers: bool = False) -> list[pa.ChunkedArray] | None:
    """Return the columns by pyarrow's fast reader; None where it may not read as the csv module does, or fails."""
    import pyarrow as pa

    quote = dialect.quote.encode()
    quoted = quote in data
    if quoted and data.count(quote, dialect.start) % 2:  # one may be without its end
        return None
    spaced = quoted and dialect.delimiter.encode() + b" " + quote in data
    commented = dialect.comment and _begins_a_line(data, dialect.comment, dialect.start)
    if dialect.delimiter == " " or not dialect.delimiter.isascii() or dialect.ends or spaced or commented:
        return None
    try:
        rows = pa.py_buffer(memoryview(data)[dialect.start :])
        return _read_plain(rows, dialect.width, dialect.delimiter, dialect.quote, quoted, are_numbers=are_numbers)
    except pa.ArrowInvalid:  # rows of another length, or a cell larger than a block
        return None


def _read_plain(
    rows: pa.Buffer,
    width: int,
    delimiter: str = ",",
    quote: str = '"',
    quoted: bool = True,
    longest: int = 0,
    are_numbers: bool = False,
) -> Any:
    import pyarrow as pa
    import pyarrow.csv

    names = [str(i) for i in range(width)]
    if not rows.size:
        return [pa.chunked_array([], pa.string()) for _ in names]
    read = pyarrow.csv.ReadOptions(column_names=names, block_size=max(BLOCK, 2 * longest))
    cut = pyarrow.csv.ParseOptions(delimiter=delimiter, quote_char=quote, newlines_in_values=quoted)
    types = None if are_numbers else dict.fromkeys(names, pa.string())
    cells = pyarrow.csv.ConvertOptions(
        check_utf8=False, column_types=types, null_values=[], strings_can_be_null=False, true_values=[], false_values=[]
    )
    return pyarrow.csv.read_csv(pa.BufferReader(rows), read, cut, cells).columns


def _by_csv(data: bytes, dialect: Dialect, name: str, skip_bad_lines: bool) -> TextColumns:
    """Return the columns by the csv module, which writes the rows anew for pyarrow."""
    import pyarrow as pa

    rows = _Rows(data, dialect, name, skip_bad_lines)
    plain = io.BytesIO()
    text = io.TextIOWrapper(plain, "utf-8", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    longest = max((writer.writerow(row) for row in rows), default=0)
    return TextColumns(
        _read_plain(pa.py_buffer(plain.getbuffer()), dialect.width, longest=4 * longest), rows.describe()
    )


def _count(width: int) -> str:
    return "1 value" if width == 1 else f"{width:,} values"


class _Rows:
    """The rows of a table by the csv module, without comment lines and those of another length, which are counted."""

    def __init__(self, data: bytes, dialect: Dialect, name: str, skip_bad_lines: bool) -> None:
        self.data, self.dialect, self.name, self.skip = data, dialect, name, skip_bad_lines
        self.comments = 0
        self.bad: list[int] = []  # their lines

    def __iter__(self) -> Iterator[list[str]]:
        dialect, width = self.dialect, self.dialect.width
        lines = io.TextIOWrapper(io.BytesIO(memoryview(self.data)[dialect.start :]), "utf-8", newline="")
        reader = split_rows(chain(lines, [END]), dialect.delimiter, dialect.quote)
        line = dialect.start_line
        try:
            for row in reader:
                if row == [END]:
                    return
                if row and row[-1].endswith(END):
                    raise csv.Error("a quote has no end")
                line = dialect.start_line + reader.line_num  # type: ignore[attr-defined]
                if dialect.ends and len(row) == width + dialect.ends and not any(map(str.strip, row[width:])):
                    del row[width:]
                if len(row) == width and not (dialect.comment and row[0].lstrip().startswith(dialect.comment)):
                    yield row
                elif row and row != [""]:
                    self._leave_out(row, line)
        except csv.Error as error:
            raise DataError(f"{self.name} cannot be read after line {line}: {error}; mend the quotes there") from None

    def _leave_out(self, row: list[str], line: int) -> None:
        if is_comment(row):
            self.comments += 1
            return
        self.bad.append(line)
        if not self.skip:
            raise DataError(
                f"{self.name} must have {_count(self.dialect.width)} in each row, however: line {line} has {len(row)}; "
                f"mend it, or leave such rows out by on_bad_lines='skip'"
            )

    def describe(self) -> tuple[str, ...]:
        """Return lines on what was left out."""
        notes = []
        if self.comments:
            notes.append(f"{self.name}: comment lines among the rows that are left out: {self.comments:,}")
        if self.bad:
            shown = ", ".join(map(str, self.bad[:5])) + (", ..." if len(self.bad) > 5 else "")
            notes.append(f"{self.name}: rows of another length that are left out: {len(self.bad):,}, in line {shown}")
        return tuple(notes)

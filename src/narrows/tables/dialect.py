"""How a table of text is written: delimiter, quotes, comments, names of columns and decimal sign."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from narrows.errors import DataError
from narrows.tables.cells import NO_VALUE, ORDERS, is_gap, parse_number, parse_time

SAMPLE, LINES = 2**18, 20  # bytes that tell the dialect, and at least so many lines
ROWS = 200  # of these, at most, that are looked at
DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "spaces"}  # the first wins a tie
COMMENTS = ("#", "%", "//")
MOST_HEADERS = 5  # lines of column names
VALUES = 0.9  # share of values among the cells of a column that makes a text above it a name
# a cell between them; one alone may guard a formula
APOSTROPHES = re.compile(r"^'[^'\n]*'[,;|\t ]|([,;|\t ])'[^'\n]*'(\1|\s*$)")
# cells that show that a row was not cut where it should be
UNCUT = re.compile(r"""^\s*['"]|['"]\s*$|^\s*[\d.+-]\S*(\s+[\d.+-]\S*){2,}\s*$""")
ONLY_COMMA = re.compile(r"[+-]?(0,\d+|\d+,(\d{1,2}|\d{4,})|\d{1,3}(\.\d{3})+,\d+)")  # numbers with a decimal comma
ONLY_POINT = re.compile(r"[+-]?(0?\.\d+|\d+\.(\d{1,2}|\d{4,})|\d{1,3}(,\d{3})+\.\d+)")


@dataclass(frozen=True)
class Dialect:
    """How a table of text is written.

    Attributes
    ----------
    delimiter : between cells; " " stands for any run of spaces and tabs.
    quote : around cells.
    names : of the columns, "" for one without a name; None where there is no line of names.
    width : the number of columns.
    start, start_line : where the rows begin, bytes and lines.
    ends : how many delimiters that begin no column rows end with.
    comment : what lines of comments begin with, where there are some above the table; "" for none.
    decimal : the decimal sign, "." or ",".
    is_numeric : whether all cells of the first rows are plain numbers.
    notes : lines that a person should see.
    """

    delimiter: str
    quote: str
    names: tuple[str, ...] | None
    width: int
    start: int
    start_line: int
    ends: int
    decimal: str
    is_numeric: bool
    comment: str = ""
    notes: tuple[str, ...] = ()


def find_dialect(data: bytes, name: str, delimiter: str | None = None, header: bool | None = None) -> Dialect:
    r"""Return how a table of text in UTF-8 is written, as its first rows tell; `name` stands for it in messages.

    Parameters
    ----------
    delimiter : one character, " " for runs of spaces; None finds it.
    header : whether there is a line of names; None finds it.

    Raises DataError for a table without a row.

    Examples
    --------
    >>> dialect = find_dialect(b"sep=;\nwidth;height\n1,5;2\n", "a.csv")
    >>> dialect.names, dialect.delimiter, dialect.decimal
    (('width', 'height'), ';', ',')
    """
    lines = list(io.StringIO(_sample(data), newline=""))
    notes: list[str] = []
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    if first < len(lines) and (found := re.fullmatch(r'"?sep=(.)"?', lines[first].strip("\r\n"))):
        delimiter, first = delimiter or found[1], first + 1
        notes.append(f"its first line, sep={found[1]}, names the delimiter")
    comments = list(takewhile(lambda line: not line.strip() or line.startswith(COMMENTS), lines[first:]))
    body = lines[first + len(comments) :]
    delimiter, quote, rows = _find_cut(body[: 3 * ROWS] or comments, delimiter)
    given_back = _names_in_comment(comments, rows, delimiter, quote)
    begin = first + len(comments) - (given_back is not None)
    shown = [*lines[:begin], *([] if given_back is None else [given_back]), *lines[begin + (given_back is not None) :]]
    return _describe(lines, shown, begin, delimiter, quote, header, notes, name)


def split_rows(lines: Iterable[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    """Yield the cells of lines; a quoted cell may go on over several lines.

    >>> list(split_rows(["1  2\\n", " 3 4 \\n"], " ", '"'))
    [['1', '2'], ['3', '4']]
    """
    if delimiter == " ":
        lines = (line.strip().replace("\t", " ") + "\n" for line in lines)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)


def _sample(data: bytes) -> str:
    """Return the first lines of a text, whole ones where it has more than one."""
    end = -1
    for _ in range(LINES):
        if (end := data.find(b"\n", end + 1)) < 0:
            return data.decode("utf-8", "ignore")
    end = max(end, data.rfind(b"\n", 0, SAMPLE))
    return data[: end + 1].decode("utf-8", "ignore")


def _read_sample(lines: Iterable[str], delimiter: str, quote: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in split_rows(lines, delimiter, quote):
            if row and row != [""]:
                rows.append(row)
            if len(rows) > ROWS:
                break
    except csv.Error:  # a cell without an end
        pass
    return rows


def _find_cut(lines: Sequence[str], delimiter: str | None) -> tuple[str, str, list[list[str]]]:
    """Return the delimiter and quote that cut the lines into rows of one length and clean cells, and the rows."""
    best, best_score = (delimiter or ",", '"', _read_sample(lines, delimiter or ",", '"')), 0.0
    quotes = ('"', "'") if any(APOSTROPHES.search(line) for line in lines) else ('"',)
    for sign in DELIMITERS if delimiter is None else (delimiter,):
        for quote in quotes:
            rows = _read_sample(lines, sign, quote)
            score = _score(rows, sign)
            if score > best_score + 1e-9:
                best, best_score = (sign, quote, rows), score
    return best


def _score(rows: list[list[str]], delimiter: str) -> float:
    """Return the share of rows of the usual length times the share of cells that look whole; 0 for one column."""
    if not rows:
        return 0.0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    if width < 2:
        return 0.0
    cells = [cell for row in rows for cell in row]
    if delimiter == " " and sum(_is_value(cell) for cell in cells) < len(cells) / 2:
        return 0.0
    others = [sign for sign in DELIMITERS if sign not in (delimiter, " ") and delimiter != "\t"]  # no text holds tabs
    clean = sum(not UNCUT.search(c) and (not any(o in c for o in others) or _is_number(c)) for c in cells)
    return count / len(rows) * clean / len(cells)


def _is_number(cell: str) -> bool:
    return parse_number(cell) is not None or parse_number(cell, ",") is not None


def _is_value(cell: str) -> bool:
    """Return whether a cell is a number or a time."""
    if _is_plain(cell):
        return True
    cell = cell.strip()
    return _is_number(cell) or (cell[:1].isdigit() and any(parse_time(cell, order) for order in ORDERS[:3]))


def _is_plain(cell: str) -> bool:
    """Return whether a cell is a number as computers write it."""
    try:
        return not math.isnan(float(cell))
    except ValueError:
        return False


def _names_in_comment(comments: list[str], rows: list[list[str]], delimiter: str, quote: str) -> str | None:
    """Return the last of the comments without its sign where it holds names of columns, else None.

    A line such as `# width,height` above rows of numbers names the columns; above those of spaces or tabs its names
    stand between spaces.
    """
    if not comments or not rows or len(rows[0]) < 2 or not any(map(_is_value, rows[0])):
        return None
    line = comments[-1].lstrip()
    bare = line.removeprefix(next((sign for sign in COMMENTS if line.startswith(sign)), "")).strip()
    for text in (bare, delimiter.join(bare.split())) if delimiter in " \t" else (bare,):
        if len(next(iter(_read_sample([text], delimiter, quote)), [])) == len(rows[0]):
            return text + "\n"
    return None


def _count_titles(rows: list[list[str]]) -> int:
    """Return how many of the first rows are titles above the table: texts in half as many cells as it has columns.

    A row with one name fewer, as R writes it, is a title only above a line of names.
    """
    width, first = _usual_width(rows), next(i for i, row in enumerate(rows) if len(row) == _usual_width(rows))
    titles = rows[:first]
    if not titles or any(2 * len(row) > width or all(map(_is_plain, row)) for row in titles):
        return 0
    below = rows[first + 1 :]
    columns = [column for column in range(width) if _holds_values(below, column)]
    names_rows = len(titles[-1]) == width - 1 and not _names_above(rows[first], below, columns)
    return first - names_rows


def _describe(
    lines: list[str],
    shown: list[str],
    begin: int,
    delimiter: str,
    quote: str,
    header: bool | None,
    notes: list[str],
    name: str,
) -> Dialect:
    """Return the dialect of a table that begins at a line; `shown` are the lines with names outside of comments."""
    rows = _read_sample(shown[begin:], delimiter, quote)
    if not rows and any(map(str.strip, lines[begin:])):
        raise DataError(f"{name} must hold a table, however: its first row has no end; name its delimiter, or mend it")
    if not rows:
        raise DataError(f"{name} must hold a table, however: it is empty")
    comment = next((sign for line in lines[:begin] for sign in COMMENTS if line.startswith(sign)), "")
    if sum(row[0].startswith(comment) for row in rows) > len(rows) / 2:  # cells, such as colours
        comment = ""
    if titles := _count_titles(rows):
        notes.append(f"lines above the table that are left out: {titles}")
        begin += _measure(lines, begin, titles, delimiter, quote)[1]
        rows = rows[titles:]
    rows = _without_comments(rows)
    count = _count_headers(rows) if header is None else min(int(header), len(rows))
    names, width, ends = _fit_names(_join(rows[:count]), rows[count:]) if count else (None, 0, 0)
    if names is None:
        count, width = 0, _usual_width(rows)
        ends = _count_empty_ends(rows)
        width -= ends
    below = rows[count:]
    taken, lines_taken = _measure(lines, begin, count, delimiter, quote)
    if count > 1:
        notes.append(f"its first {count} lines are names of columns, and are joined")
        if below and all(map(is_gap, below[0])):
            more, lines_more = _measure(lines, begin + lines_taken, 1, delimiter, quote)
            taken, lines_taken = taken + more, lines_taken + lines_more
    if count == 1 and all(map(_is_number, filter(None, rows[0]))):
        notes.append("its first line, numbers that rise, is read as column names")
    if not count:
        notes.append("it has no line of column names, so they are called column 1, column 2, ...")
    if leading := sum(line.startswith(COMMENTS) for line in lines[:begin]):
        notes.append(f"comment lines above the table that are left out: {leading}")
    if delimiter != "," and width > 1:
        notes.append(f"its delimiter is: {DELIMITERS.get(delimiter, repr(delimiter))}")
    decimal = _find_decimal(below)
    is_numeric = decimal == "." and all(_is_plain(cell) for row in below for cell in row[:width])
    if decimal == ",":
        notes.append("its decimal sign is the comma")
    start = sum(len(line.encode()) for line in lines[:begin]) + taken
    told = tuple(f"{name}: {note}" for note in notes)
    line = begin + lines_taken
    return Dialect(delimiter, quote, names, width, start, line, ends, decimal, is_numeric, comment, told)


def _without_comments(rows: list[list[str]]) -> list[list[str]]:
    """Return rows without comment lines among them, which are of another length."""
    width = _usual_width(rows)
    return [row for row in rows if len(row) == width or not is_comment(row)]


def is_comment(row: list[str]) -> bool:
    """Return whether a row of an unusual length is a comment.

    >>> is_comment(["# by hand"]), is_comment(["by hand"])
    (True, False)
    """
    return row[0].lstrip().startswith(COMMENTS)


def _measure(lines: list[str], begin: int, count: int, delimiter: str, quote: str) -> tuple[int, int]:
    """Return the bytes and lines that the first `count` rows from line `begin` on take, empty lines included."""
    reader = split_rows(lines[begin:], delimiter, quote)
    for _ in range(count):
        while next(reader) in ([], [""]):
            pass
    taken = reader.line_num if count else 0  # type: ignore[attr-defined]
    return sum(len(line.encode()) for line in lines[begin : begin + taken]), taken


def _count_headers(rows: list[list[str]]) -> int:
    """Return how many of the first rows are names of columns.

    A text above numbers or times is a name, and so is a time above numbers. Numbers are names where they rise, as
    wavelengths and years do, and those below do not. Among texts alone, a first row is names unless one of them occurs
    again below.
    """
    if len(rows) < 2:
        return 0 if all(_is_value(cell) or is_gap(cell) for cell in rows[0]) else 1
    body = rows[min(MOST_HEADERS, len(rows) // 2) :]
    columns = [column for column in range(len(rows[0])) if _holds_values(body, column)]
    above = [_names_above(row, body, columns) for row in rows[: min(MOST_HEADERS, len(rows) // 2)]]
    several = len(list(takewhile(bool, above)))
    if several > 1 and not all(map(is_gap, rows[several])):  # pandas ends several lines of names by an empty one
        several = len(list(takewhile(lambda row: not _values_above(row, body, columns), rows[:several])))
    if several > 1 and len(body) >= MOST_HEADERS:
        return several
    first = rows[0]
    values = [number.value for cell in first if (number := parse_number(cell))]
    if not first[0].strip() and values == list(range(len(first) - 1)):  # as pandas numbers columns
        return 1
    rising = _rises(values) and not any(map(_looks_like(values), body))
    if above[0]:
        return int(above[0] >= _values_above(first, body, columns) or rising)
    if _values_above(first, body, columns):
        return int(rising and len(values) >= len(first) - 1)
    again = any(cell.strip() and cell in {row[i] for row in rows[1:] if i < len(row)} for i, cell in enumerate(first))
    return int(not again and not any(map(is_gap, first[1:])))


def _is_empty(cell: str) -> bool:
    return is_gap(cell) or NO_VALUE.fullmatch(cell.strip()) is not None


def _holds_values(rows: list[list[str]], column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and not _is_empty(row[column])]
    return bool(cells) and sum(map(_is_value, cells)) >= VALUES * len(cells)


def _names_above(row: list[str], body: list[list[str]], columns: list[int]) -> int:
    """Return how many cells of a row are no values of their columns, which hold values below."""
    cells = [(row[column], column) for column in columns if column < len(row) and not _is_empty(row[column])]
    return sum(not _is_value(cell) or _is_time_above(cell, body, column) for cell, column in cells)


def _values_above(row: list[str], body: list[list[str]], columns: list[int]) -> int:
    cells = [(row[column], column) for column in columns if column < len(row)]
    return sum(_is_value(cell) and not _is_time_above(cell, body, column) for cell, column in cells)


def _is_time_above(cell: str, body: list[list[str]], column: int) -> bool:
    """Return whether a cell is a time above a column of numbers."""
    if _is_number(cell) or not _is_value(cell):
        return False
    below = [row[column] for row in body if column < len(row) and not _is_empty(row[column])]
    return sum(map(_is_number, below)) >= VALUES * len(below)


def _rises(values: Sequence[float]) -> bool:
    """Return whether numbers rise: by equal steps, or many of them."""
    steps = [after - before for before, after in pairwise(values)]
    return len(steps) > 1 and min(steps) > 0 and (len(steps) > 6 or max(steps) - min(steps) < 1e-9 * max(steps))


def _looks_like(names: Sequence[float]) -> Callable[[list[str]], bool]:
    """Return whether a row of numbers rises as numbers that may be names do; of fractions only names of fractions."""
    whole = all(map(float.is_integer, names))

    def looks_like(row: list[str]) -> bool:
        values = [number.value for cell in row if (number := parse_number(cell))]
        return _rises(values) and not (whole and not all(map(float.is_integer, values)))

    return looks_like


def _join(rows: list[list[str]]) -> tuple[str, ...]:
    """Return the names of columns from one line of them, or several."""
    width = max(map(len, rows))
    parts = [[row[i].strip() if i < len(row) else "" for row in rows] for i in range(width)]
    names = [" ".join(part for part in column if part) for column in parts]
    for sign in COMMENTS:
        if names[0].startswith(sign):
            names[0] = names[0].removeprefix(sign).strip()
    return tuple(names)


def _fit_names(names: tuple[str, ...], below: list[list[str]]) -> tuple[tuple[str, ...] | None, int, int]:
    """Return names and the number of columns, and how many delimiters that begin no column rows end with.

    R writes the names of rows without a name for their column. A first line of another length than all rows names
    nothing.
    """
    lengths = Counter(map(len, below))
    width = _usual_width(below) if below else len(names)
    given = len(names) - len(list(takewhile(lambda name: not name, reversed(names))))
    ends = min(_count_empty_ends(below), width - given)
    if ends > 0 and len(names) in (width, width - ends):
        return names[: width - ends], width - ends, ends
    if len(names) in lengths or not below:
        return names, len(names), 0
    if len(names) == width - 1 and len(lengths) == 1:
        return ("", *names), width, 0
    return None, width, 0


def _usual_width(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _count_empty_ends(rows: list[list[str]]) -> int:
    """Return how many cells at the end of all rows are empty; the first cell is none of them."""
    return min((len(list(takewhile(lambda cell: not cell.strip(), reversed(row[1:])))) for row in rows), default=0)


def _find_decimal(rows: list[list[str]]) -> str:
    cells = [cell.strip() for row in rows for cell in row]
    commas = sum(ONLY_COMMA.fullmatch(cell) is not None for cell in cells)
    return "," if commas > sum(ONLY_POINT.fullmatch(cell) is not None for cell in cells) else "."

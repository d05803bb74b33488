"""What is noticed about a table: the kind of each column, what is left out, and the lines that say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.errors import DataError
from narrows.tables.arrow import as_array
from narrows.tables.choices import DROP, Choices
from narrows.tables.column import OTHER, TEXT, Column, is_text
from narrows.tables.columns import Columns, as_kind, as_texts, seconds
from narrows.tables.table_file import RawTable
from narrows.tables.text_columns import convert

if TYPE_CHECKING:
    import pyarrow as pa

INDEX_NAMES = {"", "index", "id", "rownames", "row"}
ID = re.compile(r"(?i:(?:.*[\W_])?(?:id|index)|id[\W_].*|unnamed: [\d.]+)|.*[a-z](?:ID|Id|Index)")
MOST_CATEGORIES = 1000
MOSTLY = 0.5  # share of different texts above which a column of texts is left out
SMALL = 20  # rows; in a smaller table all texts must be different
LEARNED = "learned"
KEPT = "kept beside what is learned"
INDEX, COUNTS = "left out, it is the index of the rows", "left out, it counts the rows"
UNKNOWN = "not used, the model does not know it"
STEPS = (86_400, 3_600, 60, 1)  # seconds
SHOWN = 5  # columns with gaps
FIRST_DAY, LAST_DAY = 19_000_101, 21_001_231  # as whole numbers


@dataclass(frozen=True)
class Found:
    """What was found in a column, and what is done with it.

    Attributes
    ----------
    column : its name, kind, type, categories and share of gaps.
    done : "learned", or why it is left out.
    hint : what else a person should know of it.
    names_rows : whether it is left out since it tells rows apart.
    """

    column: Column
    done: str
    hint: str = ""
    names_rows: bool = False


@dataclass(frozen=True, eq=False)
class Beside:
    """What belongs to a table beside what is learned, so that results are a table like it.

    Attributes
    ----------
    found : all columns, in the order of the table.
    given : their names as they came.
    kept : the columns that are not learned.
    label, split_by, names : of these the ones that hold the labels, groups that stay together, and names of the rows.
    back : makes a frame of the kind that came of an Arrow table; None for files.
    """

    found: tuple[Found, ...]
    given: tuple[str, ...]
    kept: pa.Table
    label: pa.ChunkedArray | None = None
    split_by: pa.ChunkedArray | None = None
    names: pa.ChunkedArray | None = None
    back: Callable[[pa.Table], Any] | None = None

    def put_before(self, made: pa.Table) -> pa.Table:
        """Return the columns that are not learned, and after them those of a table of as many rows."""
        import pyarrow as pa

        names = [*self.kept.column_names, *made.column_names]
        return pa.Table.from_arrays([*self.kept.columns, *made.columns], names)

    def join(self, learned: pa.Table) -> pa.Table:
        """Return learned columns and those that are not, in the order of the table."""
        import pyarrow as pa

        held = {**_by_name(self.kept), **_by_name(learned)}
        names = {found.column.name: name for found, name in zip(self.found, self.given, strict=True)}
        return pa.Table.from_arrays([held[name] for name in names], list(names.values()))


def notice(raw: RawTable, name: str, choices: Choices, model_columns: Columns | None = None) -> tuple[Columns, Beside]:
    """Return the columns of a table that are learned, and what else belongs to it.

    Parameters
    ----------
    model_columns : those that a model has learned; then it is these, and all others are beside them.

    Raises DataError for a table of which nothing can be learned, and for values that are no cells, such as lists.

    Examples
    --------
    >>> import pyarrow
    >>> from narrows.tables.table_file import read_frame
    >>> raw = read_frame(pyarrow.table({"id": [1, 2, 3], "size": [3.5, None, 7.0]}), "the frame")
    >>> columns, beside = notice(raw, "the frame", Choices())
    >>> columns.names, [found.done for found in beside.found]
    (('size',), ['left out, it counts the rows', 'learned'])
    """
    import pyarrow as pa

    choices.check(raw.names, name)
    if model_columns is None:
        found = [_look(raw, i, name, choices) for i in range(len(raw.names))]
    else:
        model_columns = model_columns.named_as(raw, name)
        found = _find_known(raw, model_columns, choices)
    kept = {f.column.name: raw.column(i) for i, f in enumerate(found) if f.done != LEARNED}
    items = tuple(f.column for f in found if f.done == LEARNED)
    columns = model_columns or Columns(items, choices.label, tuple(kept))
    if not columns.items:
        raise DataError(
            f"{name} has no column that can be learned: each one is an index, or texts that are all different; choose "
            f"some, such as columns='name:category'{', or name its delimiter' if len(raw.names) == 1 else ''}"
        )
    label = columns.label if choices.label is None else choices.label
    return columns, Beside(
        tuple(found),
        raw.given,
        pa.table(kept) if kept else pa.table({}),
        _column(raw, label),
        _column(raw, choices.split_by),
        _column(raw, _find_names(found, columns, choices)),
        raw.back,
    )


def _column(raw: RawTable, name: str | None) -> pa.ChunkedArray | None:
    return raw.column(raw.names.index(name)) if name in raw.names else None


def _find_known(raw: RawTable, columns: Columns, choices: Choices) -> list[Found]:
    """Return what is done with the columns of a table for a model that learned some of them."""
    known = {column.name: column for column in columns.items}
    asked = {*choices.ids, choices.label, choices.split_by}
    found = []
    for i, name in enumerate(raw.names):
        if name in known:
            found.append(Found(known[name], LEARNED))
        else:
            is_kept = name in asked or name in columns.beside or i in raw.unnamed or name in raw.index
            found.append(Found(Column(name, dtype=_dtype(raw.column(i).type)), KEPT if is_kept else UNKNOWN))
    return found


def _find_names(found: Sequence[Found], columns: Columns, choices: Choices) -> str | None:
    """Return the column that names the rows: one that is asked for, else the first index or column of texts."""
    beside = [f.column.name for f in found if f.names_rows or f.done == KEPT]
    others = (choices.label, columns.label, choices.split_by)
    return next((name for name in (*choices.ids, *beside) if name not in others), None)


def describe_unknown(found: tuple[Found, ...], name: str) -> tuple[str, ...]:
    """Return a line on the columns that a model does not know.

    >>> describe_unknown((Found(Column("n"), UNKNOWN), Found(Column("m"), UNKNOWN)), "a.csv")
    ("a.csv: columns that the model does not know are not used: 'n', 'm'",)
    """
    names = [repr(f.column.name) for f in found if f.done == UNKNOWN]
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    told = ", ".join(names[:SHOWN])
    return (f"{name}: columns that the model does not know are not used: {told}{more}",) if names else ()


def describe(found: tuple[Found, ...], rows: int, name: str) -> tuple[str, ...]:
    """Return the lines that say what was noticed.

    >>> describe((Found(Column("n", missing=0.5), "learned"),), 4, "a.csv")
    ("a.csv: gaps: 2 in 'n'",)
    """
    lines = [f"{name}: column {f.column.name!r} is {f.done}" for f in found if f.done not in (LEARNED, KEPT)]
    learned = [f.column for f in found if f.done == LEARNED]
    gaps = sorted((c for c in learned if c.missing), key=lambda c: -c.missing)
    if gaps:
        more = f" and in {len(gaps) - SHOWN:,} more columns" if len(gaps) > SHOWN else ""
        lines.append(
            f"{name}: gaps: {', '.join(f'{round(c.missing * rows):,} in {c.name!r}' for c in gaps[:SHOWN])}{more}"
        )
    kinds = Counter(c.kind for c in learned)
    if set(kinds) - {"number", "integer"}:
        lines.append(f"{name}: columns that are learned: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}")
    for f in found:
        if f.hint:
            lines.append(f"{name}: column {f.column.name!r} {f.hint}")
    return tuple(lines)


def _by_name(table: pa.Table) -> dict[str, Any]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _look(raw: RawTable, i: int, name: str, choices: Choices) -> Found:
    """Return what is in a column and what is done with it."""
    import pyarrow as pa

    column, values = raw.names[i], raw.column(i)
    asked = choices.kinds.get(column)
    if column == choices.label:
        return _left(column, values, "kept as the labels, and not learned")
    if column == choices.split_by:
        return _left(column, values, "kept for the split, and not learned")
    if column in choices.ids:
        return _left(column, values, "kept to tell rows apart, and not learned")
    if asked == DROP:
        return _left(column, values, "left out, as asked")
    if asked is None and column in raw.index:
        return _left(column, values, INDEX, names_rows=True)
    if asked is None and _counts_rows(raw, i, values):
        return _left(column, values, COUNTS, names_rows=True)
    try:
        return _kind_of(column, values, asked, raw, name)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):  # lists, bytes, intervals
        type_ = str(values.type)
        raise DataError(
            f"{name} must hold one value in each cell, however: column {column!r} holds {type_[:100]}; convert it, or "
            f"leave it out by `columns` '{column}:{DROP}'"
        ) from None


def _left(column: str, values: pa.ChunkedArray, done: str, names_rows: bool = False) -> Found:
    known = Column(column, "category", _dtype(values.type), (), _share_missing(values))
    return Found(known, done, names_rows=names_rows)


def _counts_rows(raw: RawTable, i: int, values: pa.ChunkedArray) -> bool:
    """Return whether a column without a name, or with one of an index or id, holds whole numbers that count up by one.

    Such names are "id", "PassengerId", "order_id", "Unnamed: 0".
    """
    import pyarrow as pa

    unnamed = i in raw.unnamed and (i == 0 or len(raw.unnamed) < len(raw.names))
    named = raw.names[i].strip()
    if len(raw.names) < 2 or not (unnamed or named.lower() in INDEX_NAMES or ID.fullmatch(named)):
        return False
    if not pa.types.is_integer(values.type) or values.null_count or len(values) < 2:
        return False
    return bool((np.diff(as_array(values).astype(np.int64)) == 1).all())


def _kind_of(column: str, values: pa.ChunkedArray, asked: str | None, raw: RawTable, name: str) -> Found:
    import pyarrow as pa

    original = values.type
    kind = asked or _find_kind(values, raw.is_typed)
    if kind == "category":
        return _category(column, values, asked)
    order = raw.orders.get(column, "")
    try:
        if kind == "time" and is_text(original):
            converted = convert(as_texts(values), kind=kind)
            values, order = converted.values, converted.order
        else:
            values = as_kind(values, kind, order)
        expected = _find_kind(values, True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        expected = "category"
    if (expected == "time") != (kind == "time") or expected == "category":
        raise DataError(f"{name} must hold {kind} values in column {column!r}, as asked, however: it holds {original}")
    if kind == "number" and asked is None and _is_whole_with_gaps(values):
        kind = "integer"
    hint = f"is read as times, {order}" if is_text(original) and order in ("month first", "day first") else ""
    if kind == "integer" and asked is None and pa.types.is_integer(values.type) and _are_days(values):
        hint = f"looks like days, and is learned as whole numbers; for times give columns='{column}:time'"
    missing = _share_missing(values)
    if missing == 1:
        hint = "holds gaps alone"
    step = _find_step(seconds(values)) if kind == "time" else 0.0
    return Found(Column(column, kind, _dtype(original), (), missing, step, order), LEARNED, hint)


def _find_step(times: np.ndarray) -> float:
    """Return the largest of a day, an hour, a minute and a second of which all times are multiples; 0 for none."""
    known = times[~np.isnan(times)]
    return next((float(step) for step in STEPS if len(known) and not (known % step).any()), 0.0)


def _find_kind(values: pa.ChunkedArray, is_typed: bool) -> str:
    """Return the kind of a column by its type; texts of a typed table may be times."""
    import pyarrow as pa

    type_ = values.type
    if pa.types.is_boolean(type_):
        return "boolean"
    if pa.types.is_integer(type_):
        return "integer"
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_) or pa.types.is_null(type_):
        return "number"
    if pa.types.is_temporal(type_):
        return "time"
    if is_text(type_) and is_typed and pa.types.is_temporal(convert(as_texts(values)).values.type):
        return "time"
    return "category"


def _category(column: str, values: pa.ChunkedArray, asked: str | None) -> Found:
    import pyarrow.compute as pc

    texts = as_texts(values)
    counted = pc.value_counts(pc.drop_null(texts))
    counts = {item["values"].as_py(): item["counts"].as_py() for item in counted}
    total = sum(counts.values())
    found = Column(column, "category", _dtype(values.type), (), _share_missing(values))
    different = len(counts) == total if total < SMALL else len(counts) > MOSTLY * total
    if total and different and asked is None:
        return Found(found, f"left out, {len(counts):,} of its {total:,} texts are different", names_rows=True)
    categories = _order(counts, values)
    known = Column(column, "category", found.dtype, tuple(categories), found.missing)
    hint = f"has {len(counts):,} categories; the rarer ones count as {OTHER!r}" if len(counts) > MOST_CATEGORIES else ""
    return Found(known, LEARNED, hint)


def _order(counts: dict[str, int], values: pa.ChunkedArray) -> list[str]:
    """Return the categories in the order that the column gives them, or sorted; of very many the more frequent ones."""
    import pyarrow as pa

    if len(counts) > MOST_CATEGORIES:
        frequent = sorted(counts, key=lambda text: (-counts[text], text))[: MOST_CATEGORIES - 1]
        return [*sorted(text for text in frequent if text != OTHER), OTHER]
    if pa.types.is_dictionary(values.type) and values.num_chunks:
        given = as_texts(pa.chunked_array([values.unify_dictionaries().chunk(0).dictionary])).to_pylist()
        return [text for text in given if text in counts]
    return sorted(counts)


def _share_missing(values: pa.ChunkedArray) -> float:
    import pyarrow as pa
    import pyarrow.compute as pc

    gaps = values.null_count
    if pa.types.is_floating(values.type) and not pa.types.is_float16(values.type):
        gaps += pc.sum(pc.is_nan(values)).as_py() or 0
    return gaps / max(len(values), 1)


def _is_whole_with_gaps(values: pa.ChunkedArray) -> bool:
    """Return whether numbers are whole and gaps are among them: integers that could not be written as such."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if (
        not pa.types.is_floating(values.type)
        or pa.types.is_float16(values.type)
        or _share_missing(values) in (0.0, 1.0)
    ):
        return False
    x = as_array(pc.drop_null(values))
    x = x[~np.isnan(x)]
    return bool(len(x)) and bool((x == np.round(x)).all())


def _are_days(values: pa.ChunkedArray) -> bool:
    """Return whether all numbers are days such as 20230623."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = pc.min_max(values)
    low, high = (ends[key].as_py() for key in ("min", "max"))
    if low is None or not FIRST_DAY <= low <= high <= LAST_DAY:
        return False
    times = as_kind(values, "time")
    return pa.types.is_temporal(times.type) and times.null_count == values.null_count


def _dtype(type_: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_dictionary(type_):
        return "dictionary" if is_text(type_.value_type) else str(type_.value_type)
    return TEXT if pa.types.is_string_view(type_) else str(type_)

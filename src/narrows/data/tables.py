"""Tables as samples: a number for each cell, and what is known of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.labels import as_labels, with_labels
from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.memory import check_memory
from narrows.spec import check_choice
from narrows.tables.choices import DROP, Choices, read_choices
from narrows.tables.column import Column, arrow_type
from narrows.tables.columns import Columns
from narrows.tables.noticing import Beside, describe, describe_unknown, notice
from narrows.tables.table_file import RawTable, TextOptions, read_frame, read_table_file, with_gaps
from narrows.unreadable import read_guarded

LARGEST_WHOLE = 2**24  # of which a float of 32 bits holds all integers
BAD_LINES = ("error", "skip")


@dataclass(frozen=True)
class TableOptions:
    """How a table is read, and what is asked of its columns, as `read` takes it; None and () decide by the table.

    Attributes
    ----------
    delimiter : between the cells of a text, " " for runs of spaces.
    header : whether a text has a line of column names.
    encoding : of a text, a name that Python knows.
    na_values : texts that stand for a gap, beside NA, N/A, NaN, null, None, ? and nothing; one or several.
    on_bad_lines : "error" refuses rows of another length, "skip" leaves them out.
    columns : kinds by names, "age:number, name:drop", a dict, or the path of a file.
    id_column : columns that are not learned and come along in outputs; one name or several.
    label_column : the column that holds the labels, which is not learned.
    split_by : the column whose rows of one value stay on one side of the validation split; it is not learned.
    """

    delimiter: str | None = None
    header: bool | None = None
    encoding: str | None = None
    na_values: str | Sequence[str] = ()
    on_bad_lines: str = "error"
    columns: Any = None
    id_column: str | Sequence[str] | None = None
    label_column: str | None = None
    split_by: str | None = None


def read_table(source: Any, name: str, options: TableOptions, model_columns: Columns | None = None) -> Samples:
    r"""Return the samples of a table in a file or a frame; `name` stands for it in messages.

    Parameters
    ----------
    model_columns : those that a model learned; they are found by their names, in any order and beside others.

    Raises DataError for a file or frame that cannot be read, or of which nothing can be learned.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text("width;height\n1;2.5\n3;4\n")
    >>> samples = read_table(path, "a.csv", TableOptions())
    >>> samples.columns, samples.x.tolist()
    (('width', 'height'), [[1.0, 2.5], [3.0, 4.0]])
    """
    choices = read_choices(options.columns, options.id_column, options.label_column, options.split_by)
    gaps = _find_gaps(options, model_columns)
    kinds = {column: kind for column, kind in choices.kinds.items() if kind != DROP}
    if model_columns is not None:
        kinds |= {column.name: column.kind for column in model_columns.items}
    orders = {} if model_columns is None else {column.name: column.order for column in model_columns.items}
    if not isinstance(source, Path):
        return _as_samples(read_frame(source, name), name, choices, gaps, model_columns)
    text_options = replace(_text_options(options, gaps, kinds), orders=orders)

    def read_file(path: Path, name: str) -> Samples:
        raw = read_table_file(path, name, text_options)
        return _as_samples(raw, name, choices, gaps, model_columns)

    samples = read_guarded(read_file, source, name)  # columns of a file are read one by one, the last at the end
    # errors say where a file lies, lines need not
    return replace(samples, notes=tuple(source.name + note.removeprefix(name) for note in samples.notes))


def _as_samples(
    raw: RawTable,
    name: str,
    choices: Choices,
    gaps: tuple[str, ...],
    model_columns: Columns | None,
) -> Samples:
    """Return the samples of a table that was opened."""
    if raw.is_typed and gaps:
        raw = with_gaps(raw, gaps)
    if raw.rows == 0:
        raise DataError(f"{name} must hold at least one sample, however: it has {len(raw.names)} columns and no row")
    columns, beside = notice(raw, name, choices, model_columns)
    columns = replace(columns, gaps=gaps)
    check_memory(8 * raw.rows * len(columns.items), name)
    x = columns.encode(raw, name, _find_dtype(raw, columns))
    if _holds_gaps_alone(x):
        raise DataError(f"{name} holds nothing but gaps; name its delimiter, or what stands for a gap")
    if model_columns is None:
        told = describe(beside.found, raw.rows, name)
    else:
        told = (
            *describe_unknown(beside.found, name),
            *_describe_unasked(choices.kinds, columns, name),
            *_describe_unseen(columns, x, name),
        )
    notes = (*raw.notes, *told)
    samples = Samples(x, columns=columns.names, table=columns, beside=beside, notes=notes, names=_names(beside))
    if beside.split_by is not None:
        samples = replace(samples, groups=np.asarray(beside.split_by.to_pylist(), dtype=object))
    if beside.label is None:
        return samples
    return with_labels(samples, as_labels(beside.label.to_pylist(), "label_column"), "label_column")


def _describe_unasked(kinds: Mapping[str, str], columns: Columns, name: str) -> tuple[str, ...]:
    """Return a line on columns whose kind is asked for, and is not the one that the model learned."""
    others = [repr(c.name) for c in columns.items if kinds.get(c.name, c.kind) != c.kind]
    told = f"{name}: columns are chosen in training, so the model's kinds are taken of: {', '.join(others)}"
    return (told,) if others else ()


def _names(beside: Beside) -> tuple[str, ...] | None:
    """Return the names of a table's rows where all are different."""
    if beside.names is None or beside.names.null_count:
        return None
    names = tuple(map(str, beside.names.to_pylist()))
    return names if len(set(names)) == len(names) else None


def _find_gaps(options: TableOptions, model_columns: Columns | None) -> tuple[str, ...]:
    """Return the texts that stand for a gap: those that are asked for, and those of the training data."""
    given = (options.na_values,) if isinstance(options.na_values, str) else tuple(map(str, options.na_values))
    return tuple(dict.fromkeys((*given, *(() if model_columns is None else model_columns.gaps))))


def _text_options(options: TableOptions, gaps: tuple[str, ...], kinds: dict[str, str]) -> TextOptions:
    check_choice("on_bad_lines", options.on_bad_lines, BAD_LINES)
    delimiter = {"\\t": "\t", "tab": "\t", "space": " "}.get(options.delimiter or "", options.delimiter)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in "\"'\r\n"):
        raise DataError(f"a delimiter is one character, or tab or space, however: {options.delimiter!r}")
    skips = options.on_bad_lines == "skip"
    return TextOptions(delimiter, options.header, options.encoding, gaps, skips, kinds)


def _find_dtype(raw: RawTable, columns: Columns) -> np.dtype:
    """Return the smallest type that holds a typed table's numbers, of floats where others are among them; else float64.

    Where there are floats of 32 bits, and beside them categories, truth values and integers that these hold, that is
    float32.
    """
    if not raw.is_typed:
        return np.dtype(np.float64)
    if all(map(_keeps_type, columns.items)):
        return np.result_type(*(arrow_type(column.dtype).to_pandas_dtype() for column in columns.items))
    has_floats = any(column.dtype == "float" for column in columns.items)
    return np.dtype(np.float32 if has_floats and all(_fits_float32(raw, column) for column in columns.items) else "f8")


def _fits_float32(raw: RawTable, column: Column) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.kind in ("category", "boolean") or column.dtype in ("float", "halffloat"):
        return True
    values = raw.column(raw.names.index(column.name))
    if not pa.types.is_integer(values.type) or column.kind != "integer":
        return False
    ends = pc.min_max(values).as_py()
    return ends["min"] is None or max(-ends["min"], ends["max"]) <= LARGEST_WHOLE


def _keeps_type(column: Column) -> bool:
    return column.dtype in ("double", "float", "halffloat") or (
        not column.missing
        and column.kind in ("integer", "boolean")
        and column.dtype.strip("u").startswith(("int", "bool"))
    )


def _holds_gaps_alone(x: np.ndarray) -> bool:
    return x.dtype.kind == "f" and bool(np.isnan(x[0]).all()) and bool(np.isnan(x).all())


def _describe_unseen(columns: Columns, x: np.ndarray, name: str) -> tuple[str, ...]:
    counts = columns.count_unseen(x)
    told = ", ".join(f"{count:,} in {column!r}" for column, count in counts.items())
    return (f"{name}: cells of a category that the model never saw, which count as unknown: {told}",) if told else ()

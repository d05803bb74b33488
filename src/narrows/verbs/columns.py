"""A table of a table's columns: what they hold, and what will be done with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from narrows.data.samples import Samples
from narrows.files import whole
from narrows.tables.choices import DROP
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.tables.formulas import write_rows
from narrows.tables.noticing import LEARNED

HEADINGS = ("name", "kind", "values", "gaps", "what is done")
SHOWN = 5  # categories
MOST = 100  # columns of a model


def describe_columns(samples: Samples) -> list[tuple[str, ...]]:
    """Return a row of HEADINGS for each column of a table, in the table's order; what is left out has the kind "drop".

    Examples
    --------
    >>> import pyarrow
    >>> from narrows.data.tables import TableOptions, read_table
    >>> samples = read_table(pyarrow.table({"id": [1, 2], "n": [5, None], "b": [True, False]}), "it", TableOptions())
    >>> for row in describe_columns(samples):
    ...     print(*row, sep=" | ")
    id | drop |  | 0 % | left out, it counts the rows
    n | integer | 5 to 5 | 50 % | learned
    b | boolean | True in 50 % | 0 % | learned
    """
    if samples.table is None or samples.beside is None:
        return []
    places = {name: j for j, name in enumerate(samples.table.names)}
    rows: list[tuple[str, ...]] = []
    for found in samples.beside.found:
        column, learned = found.column, found.done == LEARNED
        values = _values(column, samples.x[:, places[column.name]]) if learned else ""
        rows.append(
            (column.name, column.kind if learned else DROP, values, f"{100 * column.missing:.3g} %", found.done)
        )
    return rows


def describe_known(columns: Columns) -> list[tuple[str, str, str]]:
    """Return the name, kind and categories of each column that a model learned; of very many columns the first ones.

    >>> describe_known(Columns((Column("n"), Column("colour", "category", "string", ("blue", "red")))))
    [('n', 'number', ''), ('colour', 'category', '2: blue, red')]
    """
    rows = [(c.name, c.kind, _categories(c) if c.kind == "category" else "") for c in columns.items[:MOST]]
    more = len(columns.items) - len(rows)
    return [*rows, ("...", f"and {more:,} more", "")] if more else rows


def write_columns(path: str | Path, samples: Samples, overwrite: bool = False) -> None:
    """Write the table of a table's columns, to be edited and given as `columns`.

    Raises DataError where the path exists or cannot be written.
    """
    with whole(Path(path), overwrite) as temporary:
        write_rows(temporary, [HEADINGS, *describe_columns(samples)])


def _categories(column: Column) -> str:
    more = ", ..." if len(column.categories) > SHOWN else ""
    return f"{len(column.categories):,}: {', '.join(column.categories[:SHOWN])}{more}"


def _values(column: Column, x: np.ndarray) -> str:
    """Return the range of a column's numbers (N,), or its first categories, as a text."""
    if column.kind == "category":
        return _categories(column)
    known = x[~np.isnan(x)] if x.dtype.kind == "f" else x
    if not len(known):
        return "gaps alone"
    if column.kind == "boolean":
        return f"True in {100 * known.mean():.3g} %"
    low, high = known.min(), known.max()
    if column.kind == "time":
        ends = Columns((column,)).decode(np.array([[low], [high]])).column(0).to_pylist()
        return f"{ends[0]} to {ends[1]}"
    return f"{low:.6g} to {high:.6g}" if column.kind == "number" else f"{low:.0f} to {high:.0f}"

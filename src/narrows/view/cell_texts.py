"""The cells of a table as a person wrote them: categories by their texts, dates as dates, integers whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from narrows.tables.columns import Columns

if TYPE_CHECKING:
    import pyarrow as pa

GAP = "a gap"


def cell_texts(columns: Columns, values: np.ndarray) -> list[list[str]]:
    """Return the texts of cells (N, C), by column; fractions have four digits.

    Examples
    --------
    >>> from narrows.tables.column import Column
    >>> columns = Columns((Column("born", "time", "date32[day]"), Column("pet", "category", "string", ("cat", "dog"))))
    >>> cell_texts(columns, np.array([[86_400.0, 1.0], [np.nan, 0.0]]))
    [['1970-01-02', 'a gap'], ['dog', 'cat']]
    """
    return [_texts(column) for column in columns.decode(values).columns]


def show_number(value: float) -> str:
    """Return a number with four digits, and without an exponent where it is not very large.

    Examples
    --------
    >>> [show_number(value) for value in (68527.3, 0.0123456, 3e15)]
    ['68527', '0.01235', '3e+15']
    """
    return f"{value:.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"


def _texts(cells: pa.ChunkedArray) -> list[str]:
    import pyarrow as pa

    type_ = cells.type
    if pa.types.is_floating(type_):
        return [GAP if value is None else show_number(value) for value in cells.to_pylist()]
    if pa.types.is_boolean(type_):
        return [GAP if value is None else str(value) for value in cells.to_pylist()]
    if pa.types.is_dictionary(type_):
        cells = cells.cast(type_.value_type)
    zone = ""
    if pa.types.is_timestamp(type_):  # systems without a list of zones cannot write any other
        cells, zone = cells.cast(pa.timestamp("s"), safe=False), " UTC" if type_.tz else ""
    texts = cells.cast(pa.string()).to_pylist()
    return [GAP if text is None else text.removesuffix(" 00:00:00") + zone for text in texts]

"""A table of results: what the command line prints and pages show."""

from __future__ import annotations

from dataclasses import dataclass

Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """Results in rows under named columns, with a title.

    Attributes
    ----------
    title : of the table.
    columns : their names.
    rows : a cell per column each; fractions are floats, counts ints, the rest texts.
    note : a line below, on how it was measured.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def show_cell(value: Cell) -> str:
    """Return a cell as text: fractions with four significant digits, counts with commas between thousands.

    Examples
    --------
    >>> show_cell(0.00184531), show_cell(60000), show_cell("PCA")
    ('0.001845', '60,000', 'PCA')
    """
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"

"""The colour scale of numbers and times: where its steps begin, their colours and their names."""

from __future__ import annotations

import numpy as np

from narrows.tasks.map_columns import DAY, MapColumn, show_times

# viridis (Smith and van der Walt, 2015) but for its palest end: rises in lightness, so that all see the order
STEPS = ("#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743")
MONTH = 30 * DAY  # seconds
GROUPED = 10_000  # whole numbers from here on have commas between thousands


def find_edges(values: np.ndarray) -> np.ndarray:
    """Return where the steps of a scale begin, as many as STEPS at most; each holds some of `values` (n,).

    Where most values are alike, steps of as many points would be one or two; then they hold as many different values.

    Examples
    --------
    >>> find_edges(np.array([3.0, 1.0, 1.0])).tolist(), find_edges(np.arange(12.0)).round(1).tolist()
    ([1.0, 3.0], [0.0, 1.8, 3.7, 5.5, 7.3, 9.2])
    """
    different = np.unique(values)
    if len(different) <= len(STEPS):
        return different
    shares = np.linspace(0, 1, len(STEPS) + 1)
    edges = np.unique(np.quantile(values, shares))[:-1]
    if len(edges) < len(STEPS) // 2:
        edges = np.quantile(different, shares)[:-1]
    return edges[np.unique(np.searchsorted(edges, different, "right") - 1)]


def step_of(i: int, count: int) -> int:
    """Return which of STEPS the i-th of `count` steps has, so that the first and the last are far apart.

    >>> [step_of(i, 2) for i in range(2)], [step_of(i, 6) for i in range(6)]
    ([0, 5], [0, 1, 2, 3, 4, 5])
    """
    return round(i * (len(STEPS) - 1) / max(count - 1, 1))


def name_step(column: MapColumn, values: np.ndarray) -> str:
    """Return the least and the largest of `values` (n,) of a column in words.

    >>> name_step(MapColumn("n", "integer", np.zeros(0)), np.array([1200.0, 7.0]))
    '7 to 1200'
    """
    low, high = show_values(column, np.array([values.min(), values.max()]))
    return low if low == high else f"{low} to {high}"


def show_values(column: MapColumn, values: np.ndarray, digits: int = 3) -> list[str]:
    """Return values (n,) of a column, none a gap, as a legend has them: fractions with some digits that count.

    >>> show_values(MapColumn("n", "integer", np.zeros(0)), np.array([41.7, 12345.0]))
    ['42', '12,345']
    """
    if column.kind == "category":
        return [column.texts[int(v)] if v >= 0 else column.unknown for v in np.rint(values)]
    if column.kind == "time":
        return _show_times(column, values)
    if column.kind == "integer":
        return [f"{v:,}" if abs(v) >= GROUPED else str(v) for v in (int(v) for v in np.rint(values))]
    return [f"{v:.{digits}g}" for v in values]


def _show_times(column: MapColumn, values: np.ndarray) -> list[str]:
    """Return times in few letters: moments by their dates where these tell them apart, else without the year."""
    if column.clock not in ("moment", "moment in UTC"):
        return show_times(values, column.clock)
    known = column.values[~np.isnan(column.values)]
    if len(known) and np.ptp(known) > MONTH:
        return show_times(np.floor(values / DAY) * DAY, "date")
    return [text[-len("01-31 10:30") :] for text in show_times(np.floor(values / 60) * 60, "moment")]

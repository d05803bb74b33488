"""Histograms of a table's columns: the data beside the reconstructions, a panel per column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from narrows.tables.column import Column
from narrows.view.axes import Style, legend, show_tick, ticks
from narrows.view.figure import COLOURS, FAINT, GREY, INK, MUTED, Box, Figure, shorten, shorten_all
from narrows.view.times import ticks_of

ACROSS, WIDE, HIGH = 3, 250, 196  # panels in a row, and the size of one
TOP = 34  # of the figure, with the legend
PLOT = (13, 44, 224, 116)  # in a panel
MOST_BARS, MOST_CATEGORIES = 30, 8
LABEL = 98  # pixels of a category's name
NAME, NOTE = 24, 42  # characters of a panel's name, and below it
# of an axis, where it would be over twice as long: as far from these quantiles as they lie apart, if they do
QUANTILES = (0.1, 0.02, 0.001)
LARGEST_WHOLE = 2**50  # of integers whose halves are floats too
DATA, MADE = Style(GREY, 9), Style(COLOURS[0], 2)


def draw_histograms(columns: Sequence[Column], x: np.ndarray, restored: np.ndarray) -> Figure:
    """Draw how the values of columns are distributed, and beside it those of the cells' reconstructions.

    Parameters
    ----------
    columns : their names and kinds; of booleans `categories` holds the texts of 0 and 1.
    x, restored : (N, n) in user's units; a gap, NaN in `x`, counts in neither.

    Examples
    --------
    >>> x = np.array([[0.0, 1.5], [1.0, 2.5], [1.0, np.nan]])
    >>> figure = draw_histograms([Column("pet", "category", "string", ("cat", "dog")), Column("kg")], x, x)
    >>> [words in figure.svg for words in (">dog<", ">kg<", "33 % gaps")]
    [True, True, True]
    """
    down = -(-len(columns) // ACROSS)
    figure = Figure(ACROSS * WIDE, TOP + HIGH * down + 4)
    legend(figure, 16, 18, {"data": DATA})
    legend(figure, 106, 18, {"reconstructions": MADE})
    for i, (column, name) in enumerate(zip(columns, shorten_all([c.name for c in columns], NAME), strict=True)):
        left, top = i % ACROSS * WIDE, TOP + i // ACROSS * HIGH
        known = ~np.isnan(x[:, i])
        values, made = x[known, i], restored[known, i]
        figure.text(left + PLOT[0], top + 18, name, size=13, bold=True, anchor="start")
        notes = [] if known.all() else ["gaps alone" if not known.any() else f"{per_cent(1 - known.mean())} gaps"]
        if known.any():
            box = (left + PLOT[0], top + PLOT[1], *PLOT[2:])
            draw = _draw_shares if column.kind in ("category", "boolean") else _draw_outlines
            notes += draw(figure, box, column, values, made)
        figure.text(left + PLOT[0], top + 34, shorten("; ".join(notes), NOTE), size=11, colour=MUTED, anchor="start")
    return figure


def usual_ends(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of an axis for values (N,), beyond which lie rare ones far from all others.

    Examples
    --------
    >>> usual_ends(np.array([0.0, 4.0])), usual_ends(np.append(np.linspace(0, 1, 1001), 1e9))[1] < 2
    ((0.0, 4.0), True)
    """
    low, high = float(values.min()), float(values.max())
    for level in QUANTILES:
        first, last = np.quantile(values, (level, 1 - level)).tolist()
        if last > first:
            ends = max(low, first - (last - first)), min(high, last + (last - first))
            return ends if high - low > 2 * (ends[1] - ends[0]) else (low, high)
    return low, high


def find_edges(values: np.ndarray, whole: bool) -> np.ndarray:
    """Return the edges of the bars that show values (N,); rare ones far from all others lie beyond them.

    Parameters
    ----------
    whole : whether the values are integers, each of which lies in the middle of a bar or of as many as every other.

    Examples
    --------
    >>> find_edges(np.array([0.0, 1.0, 1.0, 2.0]), whole=True).tolist()
    [-0.5, 0.5, 1.5, 2.5]
    >>> float(find_edges(np.append(np.linspace(0, 1, 1000), 1e9), whole=False)[-1]) < 2
    True
    """
    low, high = usual_ends(values)
    if whole and max(-low, high) < LARGEST_WHOLE:
        low, high = np.floor(low), np.ceil(high)
        width = -(-(high - low + 1) // MOST_BARS)
        return low - 0.5 + width * np.arange(-(-(high - low + 1) // width) + 1)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        free = 0.01 * abs(low) or 0.05
        return np.array([low - 20 * free, low - free, low + free, low + 20 * free])
    bars = int(np.clip(2 * len(values) ** 0.5, 5, MOST_BARS))
    return np.linspace(low, high, bars + 1)


def _draw_outlines(figure: Figure, box: Box, column: Column, values: np.ndarray, made: np.ndarray) -> list[str]:
    """Draw two outlines over shared bars, and return what lies beyond them, in words."""
    left, top, width, height = box
    bottom = top + height
    edges = find_edges(values, column.kind == "integer")
    shares = [np.histogram(v, edges)[0] / len(values) for v in (values, made)]
    across = left + width * (edges - edges[0]) / (edges[-1] - edges[0])
    highest = max(share.max() for share in shares) or 1.0
    for value, words in _ticks(column, edges[0], edges[-1]):
        at = left + width * (value - edges[0]) / (edges[-1] - edges[0])
        figure.line([(at, top), (at, bottom + 4)], FAINT, 0.6)
        figure.text(
            np.clip(at, left + 3.6 * len(words), left + width - 3.6 * len(words)), bottom + 17, words, colour=MUTED
        )
    data, restored = (_steps(across, bottom - 0.96 * height * share / highest, bottom) for share in shares)
    figure.area(data, GREY)
    figure.line([(left, bottom), (left + width, bottom)], MUTED, 0.8)
    figure.line(restored, MADE.colour, MADE.width)
    return _describe_beyond(column, values, edges)


def _steps(across: np.ndarray, heights: np.ndarray, bottom: float) -> list[tuple[float, float]]:
    """Return the corners of an outline over bars."""
    x, y = np.repeat(across, 2), np.concatenate([[bottom], np.repeat(heights, 2), [bottom]])
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _ticks(column: Column, low: float, high: float) -> list[tuple[float, str]]:
    if of_time := ticks_of(column):
        return of_time(low, high, 3)
    return [(value, show_tick(value)) for value in ticks(low, high, 4, column.kind == "integer")]


def _describe_beyond(column: Column, values: np.ndarray, edges: np.ndarray) -> list[str]:
    """Return which share of the data lies beyond the bars, and how far."""
    below, above = (values < edges[0]).mean(), (values > edges[-1]).mean()
    if not below + above:
        return []
    first, last = show_tick(float(f"{values.min():.3g}")), show_tick(float(f"{values.max():.3g}"))
    side, ends = ("beyond", f"{first} to {last}") if below and above else ("below", f"to {first}")
    side, ends = ("above", f"to {last}") if not below else (side, ends)
    return [f"{per_cent(below + above)} {side}" + (f", {ends}" if column.kind != "time" else "")]


def _draw_shares(figure: Figure, box: Box, column: Column, values: np.ndarray, made: np.ndarray) -> list[str]:
    """Draw the share of each category, the most frequent first, and return how many are summed up as others."""
    left, top, width, height = box
    size = int(max(values.max(), made.max(), len(column.categories) - 1)) + 1
    counts = [np.bincount(v.astype(int), minlength=size) / len(values) for v in (values, made)]
    order = np.argsort(-counts[0], kind="stable")
    order = order[(counts[0] + counts[1])[order] > 0]
    some = order if len(order) <= MOST_CATEGORIES + 1 else order[:MOST_CATEGORIES]
    names = shorten_all([_category(column, i) for i in some.tolist()], 13)
    shares = [count[some].tolist() for count in counts]
    if len(order) > len(some):
        names.append(f"{len(order) - len(some):,} others")
        shares = [[*share, float(1 - sum(share))] for share in shares]
    step = min(32.0, (height + 4) / len(names))
    bar = min(11.0, 0.4 * step)
    start, room = left + LABEL, width - LABEL - 42
    scale = room / min(max(map(max, shares)), 2 * max(max(share[: len(some)]) for share in shares))
    for i, name in enumerate(names):
        figure.text(start - 6, top + step * i + bar + 4, name, size=min(12, step - 2), colour=INK, anchor="end")
        end = start + min(room, scale * max(share[i] for share in shares))
        words = per_cent(shares[0][i])
        figure.text(end + 5, top + step * i + bar + 4, words, size=min(11, step - 2), colour=MUTED, anchor="start")
    for style, share, down in ((DATA, shares[0], 0.0), (MADE, shares[1], bar)):
        bars = [(start, top + step * i + down, min(room, scale * s), bar) for i, s in enumerate(share)]
        figure.bars(bars, style.colour)
    return []


def _category(column: Column, index: int) -> str:
    return (column.categories[index] or '""') if index < len(column.categories) else str(index)


def per_cent(share: float) -> str:
    """Return a share in words.

    Examples
    --------
    >>> per_cent(0.0123), per_cent(1.0)
    ('1.2 %', '100 %')
    """
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"

"""Charts of the report: losses, errors, codes and columns; functions that return a Figure, for notebooks too.

Lengths are CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from narrows.data.labels import group_labels
from narrows.view.axes import LINE, Axes, Style, extent, legend
from narrows.view.figure import COLOURS, FAINT, GREY, INK, NOT_LABELLED, Box, Figure, shorten, shorten_all
from narrows.view.histograms import usual_ends
from narrows.view.times import Ticks

RAMP = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")  # viridis
MANY = 2000  # samples from which on dots are small
MAX_CLASSES = 10  # labels with a colour of their own
MAX_MARKS = 30  # on a curve; of more epochs every second, third, ... one is marked
DAMAGED = ", damaged with a fixed seed"
CURVES = {  # by the key of a history: the words of the legend, and the style
    "train_mse": ("training: over the samples while the weights move", Style(INK, 2, "", "dot", 7)),
    "val_mse": (f"validation: after the epoch{DAMAGED}", Style(INK, 2, "6 4", "square", 6)),
}
PUBLISHED = Style(INK, mark="diamond", size=9)


def draw_losses(
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    damaged: bool = True,
    published: Mapping[str, Mapping[int, float]] | None = None,
) -> Figure:
    """Draw the mean squared error per epoch on a logarithmic scale.

    Parameters
    ----------
    runs : histories by the run's name; a mapping per epoch with `epoch`, `train_mse` and `val_mse` (or None).
    damaged : whether the samples were damaged in training, and in validation.
    published : MSEs that the source of a run's preset printed, by the run's name and the epoch.

    Examples
    --------
    >>> figure = draw_losses({"": [{"epoch": 1, "train_mse": 0.1, "val_mse": None}]}, damaged=False)
    >>> "training: over the samples" in figure.svg, "validation" in figure.svg
    (True, False)
    """
    found = [_curves(name, rows, damaged, (published or {}).get(name, {})) for name, rows in runs.items()]
    points = [point for curves in found for _, curve in curves.values() for point in curve]
    top = 8 + LINE * max(map(len, found))
    figure = Figure(820 if len(runs) == 1 else 920, top + 300)
    epochs, losses = zip(*points, strict=True) if points else ((), ())
    box = (84, top + 4, figure.width - 102, 244)
    names = ("epoch", "mean squared error per value")
    axes = Axes(figure, box, extent(epochs), extent(losses, log=True), names, log=True, whole=(True, False))
    for i, curves in enumerate(found):
        styles = {words: replace(style, colour=COLOURS[i % len(COLOURS)]) for words, (style, _) in curves.items()}
        legend(figure, box[0] + i * box[2] / len(found), 16, styles)
        for words, (_, curve) in curves.items():
            at = axes.at(*zip(*curve, strict=True))
            styles[words].draw(figure, at, at[:: math.ceil(len(at) / MAX_MARKS)])
    return figure


def draw_errors(errors: np.ndarray, usual: float | None = None) -> Figure:
    """Draw a histogram of samples' errors (N,), and `usual`, the median error of held-out training data, if known.

    Examples
    --------
    >>> "usual: median of" in draw_errors(np.array([0.1, 0.2, 0.2, 0.9]), usual=0.15).svg
    True
    """
    lines = {"median of these": (float(np.median(errors)), Style(INK, 1.5))}
    if usual is not None:
        lines["usual: median of held-out training data"] = usual, Style(COLOURS[1], 1.5, "5 3")
    top = 12 + LINE * len(lines)
    figure = Figure(760, top + 218)
    legend(figure, 84, 16, {words: style for words, (_, style) in lines.items()})
    low, high = float(errors.min()), float(errors.max())
    ends = (low, high) if low < high else (0.0, 2 * high or 1.0)
    x = 0.0, 1.05 * max(ends[1], usual or 0.0)
    names = "mean squared error of a sample", "samples"
    axes = _draw_histogram(figure, (84, top, 650, 168), errors, min(60, max(5, len(errors) // 4)), ends, x, names)
    for value, style in lines.values():
        style.draw(figure, axes.at([value, value], axes.y), [])
    return figure


def draw_codes(codes: np.ndarray, labels: np.ndarray | None = None) -> Figure:
    """Draw codes (N, k) by the two of their numbers with the largest variance, coloured by `labels` (N,).

    Examples
    --------
    >>> "code number 3 of 3" in draw_codes(np.array([[0.0, 1.0, 5.0], [0.0, 3.0, 9.0]])).svg
    True
    """
    order = np.argsort(-codes.var(0), kind="stable")[:2]
    names = [f"code number {i + 1} of {codes.shape[1]}" for i in order]
    if len(order) == 1:
        figure = Figure(560, 420)
        x = extent([codes.min(), codes.max()])
        _draw_histogram(figure, (84, 18, 456, 352), codes[:, 0], 40, x, x, (names[0], "samples"))
        return figure
    groups = _groups(len(codes), labels)
    figure = Figure(560 if labels is None else 740, 420)
    x, y = codes[:, order].T
    axes = Axes(figure, (84, 18, 456, 352), extent(x), extent(y), (names[0], names[1]))
    for colour, own in groups.values():
        figure.marks(axes.at(x[own], y[own]), colour, 5 if len(codes) < MANY else 3)
    if labels is not None:
        legend(figure, 556, 30, {words: Style(colour, mark="dot") for words, (colour, _) in groups.items()})
    return figure


def draw_columns(
    true: np.ndarray, predicted: np.ndarray, names: Sequence[str], marks: Sequence[Ticks | None] = ()
) -> Figure:
    """Draw predicted against true values, a panel per column, in the user's units.

    Rare values far from all others are drawn at the edge.

    Parameters
    ----------
    true, predicted : (N, n); gaps, NaN in `true`, are left out.
    names : of the n columns.
    marks : what marks the values of each, see `Axes`.

    Examples
    --------
    >>> x = np.arange(6.0).reshape(3, 2)
    >>> draw_columns(x, x, ["a", "b"]).svg.count("predicted")
    1
    """
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = Figure(290 * across + 20, 236 * down + 16)
    for i, name in enumerate(names):
        column, row = i % across, i // across
        box = (290 * column + 88, 236 * row + 34, 196, 160)
        mark = marks[i] if marks else None
        axis_names = "true" if row == down - 1 else "", "predicted" if column == 0 else ""
        known = ~np.isnan(true[:, i])
        x, y = (true[known, i], predicted[known, i]) if known.any() else np.zeros((2, 1))
        low, high = usual_ends(x)
        x, y = x.clip(low, high), y.clip(2 * low - high, 2 * high - low)
        axes = Axes(figure, box, extent(x), extent([*x, *y]), axis_names, marks=(mark, mark), most=4)
        figure.marks(axes.at(x, y), COLOURS[0], 3)
        ends = [float(x.min()), float(x.max())]
        figure.line(axes.at(ends, ends), INK, 0.8)
        figure.text(box[0] + box[2] / 2, box[1] - 10, shorten(name), bold=True)
    return figure


def _curves(
    name: str, history: Sequence[Mapping[str, Any]], damaged: bool, published: Mapping[int, float]
) -> dict[str, tuple[Style, list[tuple[float, float]]]]:
    """Return the curves of a run by their words in the legend: the style, and (epoch, MSE) of every point."""
    lead, curves = f"{name}, " if name else "", {}
    for key, (words, style) in CURVES.items():
        words = words if damaged else words.removesuffix(DAMAGED)
        curves[lead + words] = style, [(row["epoch"], row[key]) for row in history if row.get(key)]
    curves[f"{lead}the tutorial's, as true MSE"] = PUBLISHED, list(published.items())
    return {words: (style, points) for words, (style, points) in curves.items() if points}


def _groups(count: int, labels: np.ndarray | None) -> dict[str, tuple[str, np.ndarray]]:
    """Return groups of samples by name: a colour and the indices of the samples."""
    if labels is None or not len(labels):
        return {"": (COLOURS[0], np.arange(count))}
    values, own = group_labels(labels)
    groups = {}
    if values.dtype.kind in "iuf" and len(values) > MAX_CLASSES:
        edges = np.linspace(values[0], values[-1], len(RAMP) + 1)
        step = np.where(own < 0, -1, np.digitize(values, edges[1:-1])[own])
        for i, (low, high, colour) in enumerate(zip(edges[:-1], edges[1:], RAMP, strict=True)):
            groups[f"{low:.4g} to {high:.4g}"] = colour, np.flatnonzero(step == i)
    else:
        names = shorten_all([str(value) for value in values[:MAX_CLASSES]])
        groups |= {name: (COLOURS[i], np.flatnonzero(own == i)) for i, name in enumerate(names)}
        if len(values) > len(names):
            groups[f"{len(values) - len(names)} others"] = FAINT, np.flatnonzero(own >= len(names))
    if (own < 0).any():
        groups[NOT_LABELLED] = GREY, np.flatnonzero(own < 0)
    return groups


def _draw_histogram(
    figure: Figure,
    box: Box,
    values: np.ndarray,
    bars: int,
    ends: tuple[float, float],
    x: tuple[float, float],
    names: tuple[str, str],
) -> Axes:
    """Draw how many values lie in each of `bars` equal parts of `ends`, on an axis from x[0] to x[1]."""
    counts, edges = np.histogram(values, bars, ends)
    axes = Axes(figure, box, x, (0.0, 1.05 * counts.max()), names, whole=(False, True))
    tops, feet = axes.at(edges[:-1], counts), axes.at(edges[1:], np.zeros(bars))
    wide = 0.9 * (feet[0][0] - tops[0][0])
    figure.bars([(left, top, wide, foot - top) for (left, top), (_, foot) in zip(tops, feet, strict=True)], COLOURS[0])
    return axes

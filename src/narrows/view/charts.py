"""The report's pictures: functions that return a Figure, for notebooks too.

Pictures of data are drawn on one fixed scale, never stretched to their own contrast. Lengths are CSS pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from narrows.model.network import Network
from narrows.model.summary import describe_code, layers
from narrows.view.figure import FAINT, INK, LINE, MUTED, Axes, Box, Figure, Style, extent, legend

COLOURS = ("#1b7a78", "#c9622b", "#5b6bbf", "#a3478f", "#6f8f2f", "#b8912f", "#3f8fc4", "#c04a5a", "#7d6a55", "#3d4a52")
FUNNEL = "#e5e5e1"  # between two layers
RAMP = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")  # viridis
CELL = 74  # the width of a picture in a row: ten fill the page
PANEL = 138  # the longer side of a picture with words
LABEL = 166  # the room for a row's label
ACROSS = 5  # panels in a row
CROP = 96  # pixels of a picture whose every pixel is to be seen in a panel
MANY = 2000  # samples from which dots are small
MAX_TEXT = 28  # characters of a name in a picture
MAX_CLASSES = 10
MAX_MARKS = 30  # on a curve; of more epochs, every second is marked, and so on
DAMAGED = ", damaged with a fixed seed"
CURVES = {  # of a history
    "train_mse": ("training: over the samples while the weights move", Style(INK, 2, "", "dot", 7)),
    "val_mse": (f"validation: after the epoch{DAMAGED}", Style(INK, 2, "6 4", "square", 6)),
}
PUBLISHED = Style(INK, mark="diamond", size=9)


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture with words: a title above, lines below."""

    title: str
    image: np.ndarray
    words: str = ""


@dataclass(frozen=True)
class Step:
    """One box of the drawn network: the names of its layers, the shape that leaves it and its parameters."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int

    @property
    def is_code(self) -> bool:
        """Whether this is the narrow place."""
        return self.names[0].startswith("code")

    @property
    def words(self) -> str:
        """The names, one below the other."""
        return "\n".join(self.names)


def draw_network(network: Network) -> Figure:
    """Draw the network's layers from left to right, as high as the values that leave them are many.

    Examples
    --------
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)", corruption="none",
    ...     loss="mse", scaling="standard")
    >>> "22 parameters; the code: 2 numbers for 4" in draw_network(network).svg
    True
    """
    row = steps(network)
    gap, bar, tallest, line = 112, 26, 150, 15
    lines = max(len(step.words.split("\n")) for step in row)
    head, foot = 68, 34 + line * (lines + 1)
    figure = Figure(max(gap * len(row) + 16, 400), head + tallest + foot)
    total = sum(p.numel() for p in network.parameters())
    words = f"{total:,} parameters; the code: {describe_code(network).split(':')[0]}"
    figure.text(figure.width / 2, 24, words, colour=MUTED)
    most = max(math.prod(step.shape) for step in row)
    centre, left = head + tallest / 2, (figure.width - gap * len(row)) / 2 + gap / 2
    halves = [max(tallest * (math.prod(step.shape) / most) ** 0.4, 8) / 2 for step in row]
    for i in range(1, len(row)):
        x0, x1 = left + gap * (i - 1) + bar / 2, left + gap * i - bar / 2
        corners = [(x0, halves[i - 1]), (x1, halves[i]), (x1, -halves[i]), (x0, -halves[i - 1])]
        figure.area([(x, centre + y) for x, y in corners], FUNNEL)
    for i, (step, half) in enumerate(zip(row, halves, strict=True)):
        x, is_end = left + gap * i, i in (0, len(row) - 1)
        colour = COLOURS[1] if step.is_code else COLOURS[0] if not is_end else INK
        figure.bars([(x - bar / 2, centre - half, bar, 2 * half)], colour)
        figure.text(x, centre - half - 8, "×".join(f"{side:,}" for side in step.shape), bold=True)
        below = head + tallest + 24
        figure.text(x, below, step.words, size=11)
        count = f"{step.parameters:,} parameters" if step.parameters else ""
        figure.text(x, below + 6 + line * len(step.words.split("\n")), count, size=10, colour=MUTED)
    return figure


def steps(network: Network) -> list[Step]:
    """Return the network's layers, those without parameters joined to the one that they belong to."""
    result: list[Step] = []
    waiting: tuple[str, ...] = ()
    for layer in layers(network):
        is_end = layer.name == "data" or layer.name.startswith("code")
        if not (layer.parameters or is_end):
            if not result or waiting or layer.name == "Upsample" or result[-1].names[0].startswith(("code", "data")):
                waiting = (*waiting, layer.name)
            else:
                last = result.pop()
                result.append(Step((*last.names, layer.name), layer.shape, last.parameters))
            continue
        name = layer.name.replace(": ", "\n").split("(")[0] if is_end else layer.name
        result.append(Step((*waiting, name), layer.shape, layer.parameters))
        waiting = ()
    if waiting:
        result.append(Step(waiting, result[0].shape, 0))
    # what leaves is arranged as what came in, though arranging is no step of its own
    result[-1] = replace(result[-1], shape=result[0].shape)
    return result


def draw_losses(
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    damaged: bool = True,
    published: Mapping[str, Mapping[int, float]] | None = None,
) -> Figure:
    """Draw the mean squared error per epoch on a logarithmic scale.

    Parameters
    ----------
    runs : histories by name; each a mapping per epoch with `epoch`, `train_mse` and `val_mse` (or None).
    damaged : whether the samples were damaged in training, and in validation.
    published : true MSEs by run and epoch that someone else printed.

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


def draw_rows(
    rows: Mapping[str, np.ndarray], limits: tuple[float, float] = (0.0, 1.0), captions: Sequence[str] = ()
) -> Figure:
    """Draw rows of pictures below each other, all on the one scale `limits`.

    Parameters
    ----------
    rows : pictures (n, H, W) or (n, H, W, C) by the row's label; a second line of a label is drawn paler.
    limits : the values that are black and white.
    captions : a short text below each column.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((10, 8, 8))
    >>> draw_rows({"data": x, "restored": x / 2}).svg.count("<image")
    20
    """
    count, tall, wide = next(iter(rows.values())).shape[:3]
    height, gap, step = CELL * tall / wide, 10, CELL + 4
    figure = Figure(LABEL + count * step + 8, len(rows) * (height + gap) + (26 if captions else 10))
    for i, (label, images) in enumerate(rows.items()):
        top = gap + i * (height + gap)
        first, _, second = label.partition("\n")
        middle = top + height / 2
        figure.text(12, middle + (-3 if second else 4), first, bold=True, anchor="start")
        figure.text(12, middle + 13, second, size=11, colour=MUTED, anchor="start")
        for j, pixels in enumerate(show(images, limits)):
            figure.image((LABEL + j * step, top, CELL, height), pixels)
    for j, caption in enumerate(captions[:count]):
        figure.text(LABEL + j * step + CELL / 2, figure.height - 9, caption, size=11, colour=MUTED)
    return figure


def draw_panels(rows: Sequence[Sequence[Panel]], limits: tuple[float, float] = (0.0, 1.0)) -> Figure:
    """Draw pictures with a title above and words below, all on the one scale `limits`.

    Examples
    --------
    >>> panel = Panel("clean", np.eye(8), "8x8")
    >>> draw_panels([[panel, panel], [panel, panel]]).svg.count("<image")
    4
    """
    tall, wide = rows[0][0].image.shape[:2]
    width, height = (PANEL * side / max(tall, wide) for side in (wide, tall))
    column, row_high = PANEL + 40, height + 86
    figure = Figure(column * max(map(len, rows)) + 8, row_high * len(rows) + 8)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            centre, top = 4 + column * (j + 0.5), 30 + row_high * i
            figure.text(centre, top - 8, _short(panel.title), bold=True)
            figure.image((centre - width / 2, top, width, height), show(panel.image[np.newaxis], limits)[0])
            figure.text(centre, top + height + 16, panel.words, size=11, colour=MUTED)
    return figure


def draw_methods(results: Mapping[str, tuple[np.ndarray, str]], limits: tuple[float, float] = (0.0, 1.0)) -> Figure:
    """Draw one picture as several methods made it, large ones cropped to their middle, so that single pixels are seen.

    Parameters
    ----------
    results : a picture (H, W) or (H, W, C) and words, by method.
    limits : the values that are black and white.

    Examples
    --------
    >>> draw_methods({"clean": (np.eye(8), ""), "median": (np.eye(8), "PSNR 20.0 dB")}).svg.count("<image")
    2
    """
    panels = [Panel(method, _middle(image), words) for method, (image, words) in results.items()]
    return draw_panels([panels[i : i + ACROSS] for i in range(0, len(panels), ACROSS)], limits)


def draw_errors(errors: np.ndarray, usual: float | None = None) -> Figure:
    """Draw how the errors (N,) of single samples are spread, and the `usual` one if it is known.

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
    """Draw codes (N, k) by their two numbers of the largest variance, coloured by `labels` (N,).

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


def draw_columns(true: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw predicted against true values, a panel per column, in the user's units.

    Parameters
    ----------
    true, predicted : (N, n).
    names : of the n columns.

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
        said = "true" if row == down - 1 else "", "predicted" if column == 0 else ""
        axes = Axes(figure, box, extent(true[:, i]), extent([*true[:, i], *predicted[:, i]]), said, most=4)
        figure.marks(axes.at(true[:, i], predicted[:, i]), COLOURS[0], 3)
        ends = [float(true[:, i].min()), float(true[:, i].max())]
        figure.line(axes.at(ends, ends), INK, 0.8)
        figure.text(box[0] + box[2] / 2, box[1] - 10, _short(name), bold=True)
    return figure


def show(images: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """Return pictures (n, H, W) or (n, H, W, C) as bytes, grey (n, H, W) or RGB (n, H, W, 3), on the scale `limits`.

    Of four channels the first three are shown, of two or many their mean.

    Examples
    --------
    >>> show(np.array([[[-1, 0, 1, 2]]]))
    array([[[  0,   0, 255, 255]]], dtype=uint8)
    """
    low, high = limits
    values = np.clip((images.astype(np.float64) - low) / ((high - low) or 1.0), 0, 1)
    if values.ndim == 4:
        values = values[..., :3] if values.shape[-1] in (3, 4) else values.mean(-1)
    return np.rint(255 * values).astype(np.uint8)


def _curves(
    name: str, history: Sequence[Mapping[str, Any]], damaged: bool, published: Mapping[int, float]
) -> dict[str, tuple[Style, list[tuple[float, float]]]]:
    """Return what was measured in a run, by the words for it: how it is drawn and (epoch, MSE) of every point."""
    lead, curves = f"{name}, " if name else "", {}
    for key, (words, style) in CURVES.items():
        words = words if damaged else words.removesuffix(DAMAGED)
        curves[lead + words] = style, [(row["epoch"], row[key]) for row in history if row.get(key)]
    curves[f"{lead}the tutorial's, as true MSE"] = PUBLISHED, list(published.items())
    return {words: (style, points) for words, (style, points) in curves.items() if points}


def _groups(count: int, labels: np.ndarray | None) -> dict[str, tuple[str, np.ndarray]]:
    """Return the groups that samples are coloured by, under their names: a colour and the index of their samples."""
    values = np.array([]) if labels is None else np.unique(labels)
    if labels is None or not len(values):
        return {"": (COLOURS[0], np.arange(count))}
    if labels.dtype.kind in "iuf" and len(values) > MAX_CLASSES:
        edges = np.linspace(values[0], values[-1], len(RAMP) + 1)
        place = np.digitize(labels, edges[1:-1])
        return {
            f"{low:.4g} to {high:.4g}": (colour, np.flatnonzero(place == i))
            for i, (low, high, colour) in enumerate(zip(edges[:-1], edges[1:], RAMP, strict=True))
        }
    shown = values[:MAX_CLASSES]
    groups = {_short(str(v)): (colour, np.flatnonzero(labels == v)) for v, colour in zip(shown, COLOURS, strict=False)}
    if len(values) > len(shown):
        groups[f"{len(values) - len(shown)} others"] = FAINT, np.flatnonzero(~np.isin(labels, shown))
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
    """Draw how many values are in each part of `ends`, on an axis from x[0] to x[1]."""
    counts, edges = np.histogram(values, bars, ends)
    axes = Axes(figure, box, x, (0.0, 1.05 * counts.max()), names, whole=(False, True))
    tops, feet = axes.at(edges[:-1], counts), axes.at(edges[1:], np.zeros(bars))
    wide = 0.9 * (feet[0][0] - tops[0][0])
    figure.bars([(left, top, wide, foot - top) for (left, top), (_, foot) in zip(tops, feet, strict=True)], COLOURS[0])
    return axes


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - CROP) // 2) for side in image.shape[:2])
    return image[top : top + CROP, left : left + CROP]


def _short(words: str) -> str:
    return words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"

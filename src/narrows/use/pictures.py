"""The report's pictures: functions that return a matplotlib Figure, for notebooks too.

Pictures of data are drawn on one fixed scale, never stretched to their own contrast. Lengths are in CSS pixels, 96
to the inch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.model.network import Network
from narrows.model.summary import describe_code, layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GROUND, INK, MUTED, FAINT = "#f6f6f3", "#23272b", "#666d73", "#d9dad5"
COLOURS = ("#1b7a78", "#c9622b", "#5b6bbf", "#a3478f", "#6f8f2f", "#b8912f", "#3f8fc4", "#c04a5a", "#7d6a55", "#3d4a52")
PX = 1 / 96  # inches
DPI = 144  # dots: 1.5 per CSS pixel, so that pictures stay sharp on phones
CELL = 84  # the side that a picture in a row is drawn at, or near it
LABEL = 166  # the room for a row's label
MAX_TEXT = 28  # characters of a name in a picture
MAX_CLASSES = 10
MAX_MARKS = 30  # epochs of a curve that are marked one by one
DAMAGED = ", damaged with a fixed seed"
CURVES = (
    ("train_mse", "training: over the samples while the weights move", "o-"),
    ("val_mse", f"validation: after the epoch{DAMAGED}", "s--"),
)
Box = tuple[float, float, float, float]  # left, bottom, width, height as shares of the figure


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


def draw_network(network: Network) -> Figure:
    """Draw the network's layers from left to right, as high as the values that leave them are many.

    Examples
    --------
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)", corruption="none",
    ...     loss="mse", scaling="standard")
    >>> len(draw_network(network).axes)
    1
    """
    row = steps(network)
    gap, bar, tallest, line = 112, 26, 150, 14
    lines = max(len("\n".join(step.names).split("\n")) for step in row)
    foot = 34 + line * (lines + 1)
    width, height = max(gap * len(row) + 16, 400), tallest + foot + 68
    figure = _figure(width, height)
    axes = _blank_axes(figure, (0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    most = max(math.prod(step.shape) for step in row)
    centre, left = foot + tallest / 2, (width - gap * len(row)) / 2 + gap / 2
    before: tuple[float, float] | None = None
    for i, step in enumerate(row):
        x = left + gap * i
        half = max(tallest * (math.prod(step.shape) / most) ** 0.4, 8) / 2
        is_code, is_end = step.names[0].startswith("code"), i in (0, len(row) - 1)
        if before:
            x0, half0 = before
            corners = ([x0, x - bar / 2, x - bar / 2, x0], [half0, half, -half, -half0])
            axes.fill(corners[0], [centre + y for y in corners[1]], color=FAINT, alpha=0.6, lw=0)
        colour = COLOURS[1] if is_code else COLOURS[0] if not is_end else INK
        axes.fill_between([x - bar / 2, x + bar / 2], centre - half, centre + half, color=colour, lw=0)
        _text(axes, x, centre + half + 7, _times(step.shape), va="bottom", weight="bold")
        words = "\n".join(step.names)
        _text(axes, x, foot - 14, words, va="top", size=8.5)
        count = f"{step.parameters:,} parameters" if step.parameters else ""
        _text(axes, x, foot - 20 - line * len(words.split("\n")), count, va="top", size=7.5, color=MUTED)
        before = x + bar / 2, half
    total = sum(p.numel() for p in network.parameters())
    words = f"{total:,} parameters; the code: {describe_code(network).split(':')[0]}"
    _text(axes, width / 2, height - 12, words, va="top", color=MUTED)
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
    >>> draw_losses({"": [{"epoch": 1, "train_mse": 0.1, "val_mse": None}]}).axes[0].get_yscale()
    'log'
    """
    lines = 2 + bool(published)
    height = 300 + 18 * lines
    figure = _figure(820 if len(runs) == 1 else 920, height)
    axes = _axes(figure, (0.09, 48 / height, 0.89, 240 / height), "epoch", "mean squared error per value")
    for colour, (name, history) in zip(COLOURS, runs.items(), strict=False):
        lead = f"{name}, " if name else ""
        for key, words, line in CURVES:
            points = [(row["epoch"], row[key]) for row in history if row.get(key) is not None]
            if points:
                words = words.removesuffix("" if damaged else DAMAGED)
                size = 4 if len(points) <= MAX_MARKS else 0
                axes.plot(*zip(*points, strict=True), line, ms=size, color=colour, label=lead + words)
        if published and name in published:
            epochs, losses = zip(*published[name].items(), strict=True)
            axes.plot(epochs, losses, "D", ms=6, mfc="none", color=colour, label=f"{lead}the tutorial's, as true MSE")
    _log_ticks(axes)
    _legend(axes, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, ncols=len(runs))
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
    >>> len(draw_rows({"data": x, "restored": x / 2}).axes)
    2
    """
    mosaics = [_mosaic(show(images, limits)) for images in rows.values()]
    count, tall, wide = next(iter(rows.values())).shape[:3]
    # whole dots per pixel, so that nearest-neighbour drawing keeps all pixels alike
    dots = max(round(CELL * PX * DPI / wide), 1) if wide <= 2 * CELL else CELL * PX * DPI / wide
    unit = dots / DPI / PX
    row_high, row_wide, gap = tall * unit, mosaics[0].shape[1] * unit, 10
    foot = 26 if captions else 10
    width, height = LABEL + row_wide + 12, len(rows) * (row_high + gap) + foot
    figure = _figure(width, height)
    for i, (label, mosaic) in enumerate(zip(rows, mosaics, strict=True)):
        bottom = height - (i + 1) * (row_high + gap)
        axes = _blank_axes(figure, (LABEL / width, bottom / height, row_wide / width, row_high / height))
        axes.imshow(mosaic, interpolation="nearest" if dots >= 1 else "antialiased", aspect="auto")
        first, _, second = label.partition("\n")
        middle = bottom + row_high / 2
        style = _style(ha="left", va="bottom" if second else "center", weight="bold")
        figure.text(12 / width, (middle + 2 * bool(second)) / height, first, **style)
        figure.text(12 / width, (middle - 2) / height, second, **_style(ha="left", va="top", size=8, color=MUTED))
    for i, caption in enumerate(captions[:count]):
        x = LABEL + (i + 0.5) * (wide + _gap(wide)) * unit
        figure.text(x / width, 8 / height, caption, **_style(va="bottom", size=8, color=MUTED))
    return figure


def draw_panels(rows: Sequence[Sequence[Panel]], limits: tuple[float, float] = (0.0, 1.0)) -> Figure:
    """Draw pictures with a title above and words below, all on the one scale `limits`.

    Examples
    --------
    >>> panel = Panel("clean", np.eye(8), "8x8")
    >>> len(draw_panels([[panel, panel], [panel, panel]]).axes)
    4
    """
    tall, wide = rows[0][0].image.shape[:2]
    side_wide, side_high = (int(138 * side / max(tall, wide)) for side in (wide, tall))
    column, row_high = max(side_wide, 138) + 34, side_high + 84
    width, height = column * max(map(len, rows)) + 8, row_high * len(rows) + 8
    figure = _figure(width, height)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            left, top = column * j + (column - side_wide) / 2 + 4, height - row_high * i - 28
            box = (left / width, (top - side_high) / height, side_wide / width, side_high / height)
            axes = _blank_axes(figure, box)
            axes.imshow(show(panel.image[np.newaxis], limits)[0], interpolation="nearest", aspect="auto")
            centre = (left + side_wide / 2) / width
            figure.text(centre, (top + 5) / height, _plain(panel.title), **_style(va="bottom", weight="bold"))
            below = (top - side_high - 5) / height
            figure.text(centre, below, panel.words, **_style(va="top", size=8, color=MUTED, linespacing=1.4))
    return figure


def draw_errors(errors: np.ndarray, usual: float | None = None) -> Figure:
    """Draw how the errors (N,) of single samples are spread, and the `usual` one if it is known.

    Examples
    --------
    >>> draw_errors(np.array([0.1, 0.2, 0.2, 0.9]), usual=0.15).axes[0].get_ylabel()
    'samples'
    """
    figure = _figure(760, 230)
    axes = _axes(figure, (0.09, 0.22, 0.88, 0.70), "mean squared error of a sample", "samples")
    axes.hist(errors, bins=min(60, max(5, len(errors) // 4)), color=COLOURS[0], rwidth=0.9)
    axes.axvline(float(np.median(errors)), color=INK, lw=1.2, label="median of these")
    if usual is not None:
        axes.axvline(usual, color=COLOURS[1], lw=1.5, ls="--", label="usual: median of held-out training data")
    axes.set_xlim(left=0)
    axes.locator_params(axis="y", integer=True)
    _legend(axes)
    return figure


def draw_codes(codes: np.ndarray, labels: np.ndarray | None = None) -> Figure:
    """Draw codes (N, k) by their two numbers of the largest variance, coloured by `labels` (N,).

    Examples
    --------
    >>> draw_codes(np.array([[0.0, 1.0, 5.0], [0.0, 3.0, 9.0]])).axes[0].get_xlabel()
    'code number 3 of 3'
    """
    order = np.argsort(-codes.var(0), kind="stable")[:2]
    figure = _figure(560, 420)
    names = [f"code number {i + 1} of {codes.shape[1]}" for i in order]
    axes = _axes(figure, (0.13, 0.12, 0.82, 0.84), names[0], names[1] if len(names) > 1 else "samples")
    if len(order) == 1:
        axes.hist(codes[:, 0], bins=40, color=COLOURS[0])
        return figure
    x, y = codes[:, order].T
    size = 14 if len(codes) < 2000 else 4
    values = np.array([]) if labels is None else np.unique(labels)
    if labels is None or not len(values):
        axes.scatter(x, y, s=size, color=COLOURS[0], lw=0)
    elif labels.dtype.kind in "iuf" and len(values) > MAX_CLASSES:
        marks = axes.scatter(x, y, s=size, c=labels.astype(float), cmap="viridis", lw=0)
        figure.colorbar(marks, ax=axes).set_label("label")
    else:
        shown = values[:MAX_CLASSES]
        for value, colour in zip(shown, COLOURS, strict=False):
            own = labels == value
            axes.scatter(x[own], y[own], s=size, color=colour, lw=0, label=_plain(str(value)))
        if len(values) > len(shown):
            other = ~np.isin(labels, shown)
            axes.scatter(x[other], y[other], s=size, color=FAINT, lw=0, label=f"{len(values) - len(shown)} others")
        _legend(axes, markerscale=1.5)
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
    >>> len(draw_columns(x, x, ["a", "b"]).axes)
    2
    """
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = _figure(250 * across + 20, 230 * down + 10)
    for i, name in enumerate(names):
        column, row = i % across, i // across
        box = ((column + 0.27) / across, 1 - (row + 0.80) / down, 0.66 / across, 0.66 / down)
        axes = _axes(figure, box, "true" if row == down - 1 else "", "predicted" if column == 0 else "")
        axes.scatter(true[:, i], predicted[:, i], s=8, color=COLOURS[0], lw=0, alpha=0.6)
        ends = [float(true[:, i].min()), float(true[:, i].max())]
        axes.plot(ends, ends, color=INK, lw=0.8)
        axes.locator_params(nbins=4)
        axes.set_title(_plain(name), fontsize=9, color=INK, parse_math=False)
    return figure


def show(images: np.ndarray, limits: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """Return pictures (n, H, W) or (n, H, W, C) as RGB in [0, 1], (n, H, W, 3), on the scale `limits`.

    Of four channels the first three are shown, of two or many their mean.

    Examples
    --------
    >>> show(np.array([[[-1, 0, 255, 300]]]), (0, 255))[0, 0, :, 0]
    array([0., 0., 1., 1.])
    """
    low, high = limits
    values = np.clip((images.astype(np.float64) - low) / ((high - low) or 1.0), 0, 1)
    if values.ndim == 4 and values.shape[-1] in (3, 4):
        return values[..., :3]
    values = values.mean(-1) if values.ndim == 4 else values
    return np.repeat(values[..., np.newaxis], 3, axis=-1)


def _mosaic(images: np.ndarray) -> np.ndarray:
    """Return pictures (n, H, W, 3) side by side as one."""
    count, tall, wide, _ = images.shape
    between = np.broadcast_to(_rgb(GROUND), (count, tall, _gap(wide), 3))
    return np.concatenate([*np.concatenate([images, between], axis=2)], axis=1)[:, : -_gap(wide)]


def _gap(wide: int) -> int:
    return max(1, round(wide / 20))


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure((width * PX, height * PX), dpi=DPI, facecolor=GROUND)


def _blank_axes(figure: Figure, box: Box) -> Axes:
    axes = figure.add_axes(box)
    axes.set_axis_off()
    return axes


def _axes(figure: Figure, box: Box, xlabel: str, ylabel: str) -> Axes:
    axes = figure.add_axes(box, facecolor=GROUND)
    axes.set_xlabel(xlabel, fontsize=9, color=MUTED)
    axes.set_ylabel(ylabel, fontsize=9, color=MUTED)
    axes.tick_params(labelsize=8, colors=MUTED, which="both")
    axes.set_axisbelow(True)
    axes.grid(color=FAINT, lw=0.6)
    for side in axes.spines.values():
        side.set_visible(False)
    return axes


def _log_ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 4, 5, 7)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _legend(axes: Axes, **options: Any) -> None:
    if axes.get_legend_handles_labels()[1]:
        for text in axes.legend(fontsize=8, frameon=False, labelcolor=INK, **options).get_texts():
            text.set_parse_math(False)  # a label may hold dollar signs


def _text(axes: Axes, x: float, y: float, words: str, **options: Any) -> None:
    axes.text(x, y, words, **_style(**options))


def _style(**options: Any) -> dict[str, Any]:
    style = {"ha": "center", "color": INK, "size": 9, "parse_math": False} | options
    return style


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(f"{side:,}" for side in shape)


def _plain(words: str) -> str:
    """Return a name as a picture can show it: short, and a box for what the font cannot draw."""
    from matplotlib.font_manager import findfont, get_font

    font = get_font(findfont("DejaVu Sans"))
    words = "".join(c if font.get_char_index(ord(c)) and c.isprintable() else "□" for c in words)
    return words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"

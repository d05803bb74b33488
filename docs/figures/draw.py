"""The guide's pictures of what was measured; those of the transposed convolution are in transposed.py."""

from __future__ import annotations

import statistics
from typing import Any

import mnist
import numpy as np
from narrows.view.axes import Axes, Style, extent, legend
from narrows.view.figure import COLOURS, INK, MUTED, Figure
from narrows.view.pictures import draw_rows

from noise import LEVEL, SHOWN, decode
from words import Say

Rows = list[dict[str, Any]]
WIDTH = 740


def pick(rows: Rows, of: str, **same: Any) -> Rows:
    """Return the rows of one kind whose fields have the values of `same`, by seed."""
    found = [row for row in rows if row["of"] == of and all(row.get(key) == value for key, value in same.items())]
    return sorted(found, key=lambda row: row.get("seed") or 0)


def shared_epochs(rows: Rows) -> int:
    """Return the epochs that every seed has reached."""
    return min(row["epochs"] for row in rows)


def draw_cliff(rows: Rows, say: Say) -> Figure:
    """Draw the first epoch step by step and the mean that is printed of it, beside the epochs after it."""
    linear = pick(rows, "linear")
    first = np.array([row["first_epoch"]["mse"] for row in linear])
    steps = linear[0]["first_epoch"]["steps"] * (np.arange(first.shape[1]) + 1)
    trained, after = (np.array([row[key] for row in linear]) for key in ("train_mse", "after_mse"))
    figure = _begin(say("Linear net: what a loss of the first epoch is a mean of"), 420)
    curves = {
        say("error of the steps, as they come (every seed)"): Style(COLOURS[0], 1.2),
        say("mean of the epoch so far: what the loop prints at its end"): Style(COLOURS[1], 2.2),
        say("error of the network as it stands after the epoch"): Style(INK, 1.6, "5 3", "dot", 7),
    }
    legend(figure, 84, 48, curves)
    seen, running, stands = curves.values()
    low, high = extent([*first.flatten(), *trained.flatten(), *after.flatten()], log=True)
    left = Axes(
        figure,
        (84, 104, 330, 260),
        extent(steps),
        (low, high),
        (say("step of epoch 1"), say("MSE per value")),
        log=True,
        whole=(True, False),
        most=5,
    )
    for curve in first:
        seen.draw(figure, left.at(steps, curve), [])
    means = np.cumsum(first.mean(0)) / np.arange(1, len(steps) + 1)
    running.draw(figure, left.at(steps, means), [])
    epochs = np.arange(1, trained.shape[1] + 1)
    right = Axes(
        figure,
        (470, 104, 250, 260),
        extent(epochs),
        (low, high),
        (say("epoch"), ""),
        log=True,
        whole=(True, False),
        most=5,
    )
    for mse, style in ((trained, running), (after, stands)):
        at = right.at(epochs, np.median(mse, 0))
        style.draw(figure, at, at)
    _foot(figure, say("{} seeds; right: medians").format(len(linear)))
    return figure


def draw_costs(rows: Rows, say: Say) -> Figure:
    """Draw multiply-adds and milliseconds of both networks, layer by layer, as bars."""
    row = pick(rows, "costs")[-1]
    figure = _begin(say("Multiply-adds are not what costs: one step on 20 pictures, layer by layer"), 520)
    most = [0.0, 0.0]
    bars: dict[str, list[tuple[str, float, float]]] = {}
    for name in ("linear", "conv"):
        times = row["times"][f"{name} 20 contiguous"]
        bars[name] = [
            (layer["layer"], layer["multiply_adds"] / 1000, statistics.median(seconds))
            for layer, seconds in zip(row["layers"][name], times, strict=True)
        ]
        most = [max(most[i], *(bar[i + 1] for bar in bars[name])) for i in (0, 1)]
    heads = say("multiply-adds a picture, thousands"), say("ms a step, forward and backward")
    for i, head in enumerate(heads):
        figure.text(210 + 268 * i, 56, head, size=12, bold=True, anchor="start")
    y = 78
    for name, layers in bars.items():
        totals = [sum(layer[i] for layer in layers) for i in (1, 2)]
        figure.text(
            16,
            y + 10,
            say("linear net") if name == "linear" else say("convolutional net"),
            size=13,
            bold=True,
            anchor="start",
        )
        for i, total in enumerate(totals):
            figure.text(
                210 + 268 * i, y + 10, say("together {}").format(_digits(total)), size=12, bold=True, anchor="start"
            )
        for layer, *values in layers:
            y += 24
            figure.text(24, y + 10, layer, size=12, anchor="start")
            for i, value in enumerate(values):
                wide = 190 * value / most[i]
                figure.bars([(210 + 268 * i, y - 1, max(wide, 1), 15)], COLOURS[i])
                figure.text(216 + 268 * i + wide, y + 11, _digits(value), size=11, colour=MUTED, anchor="start")
        y += 42
    _foot(figure, say("medians of {} rounds, {} threads").format(row["rounds"], row["threads"]))
    return figure


def draw_long(rows: Rows, say: Say) -> Figure:
    """Draw how the convolutional network's error falls for ten times the tutorial's epochs, above the bounds."""
    published = pick(rows, "training", training="published")
    bounds = pick(rows, "bounds")[0]
    epochs = shared_epochs(published)
    lines = {
        say("PCA of 4×4 blocks, 3 numbers, clipped"): (bounds["blocks"]["3"]["clipped"], Style(COLOURS[3], 1.6, "2 3")),
        say("PCA of 4×4 blocks, 4 numbers, clipped"): (bounds["blocks"]["4"]["clipped"], Style(COLOURS[1], 1.8, "6 4")),
        say("PCA of the whole picture, 196 numbers, clipped"): (
            bounds["whole"]["196"]["clipped"],
            Style(COLOURS[2], 1.8, "9 3"),
        ),
    }
    title = say("The tutorial's convolutional net, trained on and on: {} epochs instead of 15").format(epochs)
    figure = _begin(title, 470)
    seeds = Style(COLOURS[0], 1.0)
    legend(
        figure,
        84,
        48,
        {say("one seed: MSE over an epoch, while the weights move"): seeds}
        | {name: style for name, (_, style) in lines.items()},
    )
    curves = [row["train_mse"][:epochs] for row in published]
    at = np.arange(1, epochs + 1)
    values = [value for curve in curves for value in curve] + [value for value, _ in lines.values()]
    axes = Axes(
        figure,
        (84, 128, 636, 288),
        extent(at),
        extent(values, log=True),
        (say("epoch"), say("MSE per value")),
        log=True,
        whole=(True, False),
    )
    if epochs > 15:
        figure.line(axes.at([15, 15], axes.y), MUTED, 1, "1 3")
        figure.text(
            axes.at([15], [axes.y[1]])[0][0] + 6,
            140,
            say("the tutorial stops here"),
            size=11,
            colour=MUTED,
            anchor="start",
        )
    for curve in curves:
        seeds.draw(figure, axes.at(at, curve), [])
    for value, style in lines.values():
        style.draw(figure, axes.at(axes.x, [value, value]), [])
    _foot(figure, say("{} seeds; the lines are test MSEs").format(len(published)))
    return figure


def draw_digits(rows: Rows, say: Say) -> Figure:
    """Draw test digits and what is made of them by numbers of the same count."""
    shown = pick(rows, "shown")[0]
    digits = mnist.read_images("t10k")[list(SHOWN)]
    names = {
        "conv-15": say("convolutional net,\n15 epochs, seed 0"),
        "conv-last": say("the same net,\n{} epochs").format(shown["epochs"]),
        "blocks": say("PCA of 4×4 blocks,\n4 numbers each"),
        "whole": say("PCA of the picture,\n196 numbers"),
    }
    pictures = {say("test digits"): digits} | {words: decode(shown[key]) for key, words in names.items()}
    return draw_rows({label: images / 255 for label, images in pictures.items()})


def draw_levels(rows: Rows, say: Say) -> Figure:
    """Draw the error against the clean picture over the noise that was added, for every method."""
    styles = {
        "noisy": (say("noisy picture, left alone"), Style(MUTED, 1.6, "2 3")),
        "clip": (say("only clipped to [0, 1]"), Style(INK, 1.8, "6 4")),
        "pca-clip": (say("PCA, 128 components, clipped"), Style(COLOURS[2], 1.8, "9 3")),
        "linear": (say("linear net, code of 128 (every seed)"), Style(COLOURS[0], 1.6)),
        "conv": (say("convolutional net, code of 196 (every seed)"), Style(COLOURS[1], 1.2)),
    }
    figure = _begin(say("Networks trained on clean digits get noisy ones"), 486)
    legend(figure, 84, 48, dict(styles.values()))
    found = pick(rows, "noise")
    levels = [float(level) for level in found[0]["levels"]]
    high = max(row["levels"][str(level)] for row in found for level in levels if row["method"] in styles)
    low = min(row["levels"][str(level)] for row in found for level in levels[2:] if row["method"] in styles)
    names = say("added noise: standard deviation, picture in [0, 1]"), say("MSE against the clean picture")
    axes = Axes(figure, (84, 146, 636, 288), (0, max(levels)), (low / 1.3, high * 1.1), names, log=True)
    for method, (_, style) in styles.items():
        for row in pick(rows, "noise", method=method):
            curve = [(level, mse) for level, mse in ((x, row["levels"][str(x)]) for x in levels) if mse > low / 1.3]
            style.draw(figure, axes.at(*zip(*curve, strict=True)), [])
    figure.line(axes.at([LEVEL, LEVEL], axes.y), MUTED, 1, "1 3")
    figure.text(
        axes.at([LEVEL], [axes.y[1]])[0][0] + 6, 158, say("the tutorial's 0.08"), size=11, colour=MUTED, anchor="start"
    )
    _foot(figure, say("10,000 test digits" if found[0]["test"] == 10_000 else "a few test digits"))
    return figure


def draw_parts(rows: Rows, say: Say) -> Figure:
    """Draw for every method what remains of the noise and what is lost by itself, as two bars."""
    methods = _methods(say)
    figure = _begin(
        say("At the tutorial's noise of 0.08: what is lost, and what comes through"), 92 + 46 * len(methods) + 40
    )
    words = {say("its own error, on clean pictures"): COLOURS[1], say("noise that it lets through"): COLOURS[0]}
    for i, (name, colour) in enumerate(words.items()):
        figure.bars([(220 + 250 * i, 44, 16, 12)], colour)
        figure.text(244 + 250 * i, 55, name, size=12, anchor="start")
    parts = {
        m: [statistics.median(row[key] for row in pick(rows, "noise", method=m)) for key in ("own_mse", "through_mse")]
        for m in methods
    }
    scale = 400 / max(sum(values) for values in parts.values())
    for i, (method, (own, through)) in enumerate(parts.items()):
        y = 78 + 46 * i
        figure.text(206, y + 18, methods[method], size=13, anchor="end")
        figure.bars([(220, y, scale * own, 28)], COLOURS[1])
        figure.bars([(220 + scale * own, y, scale * through, 28)], COLOURS[0])
        total = statistics.median(row["levels"][str(LEVEL)] for row in pick(rows, "noise", method=method))
        figure.text(WIDTH - 14, y + 18, f"{own:.4f} + {through:.4f}", size=12, anchor="end", colour=MUTED)
        if i == 0:
            line = 220 + scale * total
            figure.line([(line, 72), (line, 78 + 46 * len(methods))], INK, 1, "3 3")
    bottom = 78 + 46 * len(methods) + 16
    figure.text(220 + scale * LEVEL**2, bottom, say("dashed: the noise itself, 0.08² = 0.0064"), size=12, colour=INK)
    _foot(figure, say("MSE per value; medians over the seeds"))
    return figure


def draw_noisy(rows: Rows, say: Say) -> Figure:
    """Draw noisy test digits and what comes back."""
    digits = mnist.read_images("t10k")[list(SHOWN)]
    pictures = {say("test digits"): digits / 255}
    for method, words in (_methods(say) | {"noisy": say("noise of 0.08 added")}).items():
        pictures[words] = decode(pick(rows, "noise", method=method)[0]["shown"]) / 255
    return draw_rows(pictures)


def draw_restored(rows: Rows) -> Figure:
    """Draw noisy test digits above what the blind denoiser makes of them, with the PSNR below each."""
    row = pick(rows, "restored")[0]
    pictures, captions = {}, {}
    for name in ("noisy", "restored"):
        label = f"{name}\nPSNR {statistics.mean(row[name]['psnr']):.1f} dB"
        pictures[label] = decode(row[name]["shown"]) / 255
        captions[label] = [f"{value:.1f} dB" for value in row[name]["psnr"]]
    return draw_rows(pictures, captions=captions)


def _methods(say: Say) -> dict[str, str]:
    return {
        "noisy": say("noisy picture"),
        "clip": say("only clipped"),
        "pca-clip": say("PCA, clipped"),
        "linear": say("linear net"),
        "conv": say("convolutional net"),
    }


def _begin(title: str, height: float) -> Figure:
    figure = Figure(WIDTH, height)
    figure.text(WIDTH / 2, 24, title, size=15, bold=True)
    return figure


def _foot(figure: Figure, words: str) -> None:
    figure.text(figure.width - 14, figure.height - 10, words, size=11, colour=MUTED, anchor="end")


def _digits(value: float) -> str:
    if not value:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

"""The guide's tables, each from the rows that were measured, in the words of the page that it stands on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

import paths  # noqa: F401  benchmarks/ becomes importable
import record
from narrows.presets import PRESETS

from draw import Rows, pick, shared_epochs
from noise import LEVEL
from words import Say

SHOWN_EPOCHS = (1, 2, 5, 10, 15, 20)
GREY = 255


def show(values: Iterable[float]) -> str:
    """Return the median of MSEs with the least and the largest."""
    return record.spread(values, lambda value: f"{value:.5f}")


def make_printed(rows: Rows, say: Say) -> str:
    """Return what the tutorial prints beside true MSEs."""
    nets = {"linear": pick(rows, "linear"), "conv": pick(rows, "training", training="published")}
    head = [say("epoch")]
    for name in (say("linear"), say("convolutional")):
        head += [f"{name}, {say('printed')}", say("divided by 20"), say("here, MSE")]
    body = []
    for epoch in SHOWN_EPOCHS:
        line = [str(epoch)]
        for name, runs in nets.items():
            printed = PRESETS[f"tutorial-{name}"].published.printed.get(epoch)
            line += [f"{printed:.6f}", f"{printed / 20:.5f}"] if printed else ["", ""]
            line += [
                show(row["train_mse"][epoch - 1] for row in runs) if shared_epochs(runs) >= epoch and printed else ""
            ]
        body.append(line)
    return _table(head, body)


def make_batches(rows: Rows, say: Say) -> str:
    """Return what the formula prints for one and the same network at other batch sizes."""
    runs = pick(rows, "linear")
    body = [
        [batch, show(row["printed"][batch] for row in runs), show(row["printed"][batch] / int(batch) for row in runs)]
        for batch in runs[0]["printed"]
    ]
    return _table([say("batch size"), say("printed"), say("divided by the batch size")], body)


def make_meaning(rows: Rows, say: Say) -> str:
    """Return how large the two errors are in grey levels, beside doing nothing."""
    bounds = pick(rows, "bounds")[0]
    runs, conv = pick(rows, "linear"), pick(rows, "training", training="published")
    errors = {
        say("linear net, {} epochs").format(runs[0]["epochs"]): [row["test_mse"][-1] for row in runs],
        say("convolutional net, {} epochs").format(_tutorial_epochs(rows)): _at(conv, _tutorial_epochs(rows)),
        say("PCA, 128 components, clipped"): [bounds["whole"]["128"]["clipped"]],
        say("always the mean picture"): [bounds["mean"]],
    }
    body = [
        [
            name,
            show(mses),
            f"{GREY * math.sqrt(statistics.median(mses)):.1f}",
            f"{1 - statistics.median(mses) / bounds['mean']:.1%}",
        ]
        for name, mses in errors.items()
    ]
    return _table(
        [say("what"), say("test MSE"), say("root of it, grey levels of 255"), say("variance explained")], body
    )


def make_cliff(rows: Rows, say: Say) -> str:
    """Return the running mean of the first epochs beside the error of the network that stands at their end."""
    linear, conv = pick(rows, "linear"), pick(rows, "training", training="published")
    body = []
    for epoch in (1, 2, 3, 5):
        if epoch > min(shared_epochs(linear), shared_epochs(conv)):
            continue
        line = [str(epoch), show(row["train_mse"][epoch - 1] for row in linear)]
        line += [show(row[key][epoch - 1] for row in linear) for key in ("after_mse", "test_mse")]
        line += [show(row["train_mse"][epoch - 1] for row in conv)]
        line += [show(_at(conv, epoch)) if str(epoch) in conv[0]["test_mse"] else ""]
        body.append(line)
    head = [
        say("epoch"),
        say("linear: mean over the epoch"),
        say("after it, the training pictures"),
        say("after it, the test pictures"),
        say("convolutional: mean over the epoch"),
        say("after it, the test pictures"),
    ]
    return _table(head, body)


def make_ladder(rows: Rows, say: Say) -> str:
    """Return the ladder of benchmarks/ladder.py."""
    climbed = record.load(record.RESULTS / "ladder.json")["rows"]
    first = statistics.median(climbed[0]["seconds"])
    body = []
    for row in climbed:
        seconds = statistics.median(row["seconds"])
        errors = show(row["test_mse"]) if row.get("test_mse") else ""
        body.append([say(row["change"]), str(row["epochs"]), f"{seconds:.2f}", f"{first / seconds:.1f}", errors])
    head = [
        say("from here on"),
        say("epochs"),
        say("seconds, median"),
        say("times faster than the first row"),
        say("test MSE"),
    ]
    return _table(head, body)


def make_layers(rows: Rows, say: Say) -> str:
    """Return multiply-adds and milliseconds of every layer."""
    row = pick(rows, "costs")[-1]
    columns = ("20 contiguous", "256 contiguous", "256 channels_last")
    body = []
    for name, title in (("linear", say("linear net")), ("conv", say("convolutional net"))):
        layers = row["layers"][name]
        times = [row["times"].get(f"{name} {column}") for column in columns]
        totals = [str(f"{sum(layer[key] for layer in layers):,}") for key in ("parameters", "multiply_adds", "values")]
        body.append(
            [f"**{title}**", *totals, *(_milliseconds(map(sum, zip(*t, strict=True))) if t else "" for t in times)]
        )
        for i, layer in enumerate(layers):
            counts = [f"{layer[key]:,}" if layer[key] else "" for key in ("parameters", "multiply_adds", "values")]
            body.append([layer["layer"], *counts, *(_milliseconds(t[i]) if t else "" for t in times)])
    head = [say("layer"), say("parameters"), say("multiply-adds"), say("values that leave it")]
    head += [say("ms, batch 20"), say("ms, batch 256"), say("ms, batch 256, channels last")]
    return _table(head, body)


def make_loop(rows: Rows, say: Say) -> str:
    """Return the milliseconds of the loop's parts, at the tutorial's batch."""
    row = pick(rows, "costs")[-1]
    names = {
        "load": say("load 20 pictures one by one, through PIL"),
        "forward": say("forward"),
        "forward_backward": say("forward and backward"),
        "optimizer": say("Adam's step"),
        "item": say("loss.item()"),
    }
    body = [
        [words, *(_milliseconds(row["loop"][net][part]) for net in ("linear", "conv"))] for part, words in names.items()
    ]
    return _table([say("part of a step"), say("linear net, ms"), say("convolutional net, ms")], body)


def make_long(rows: Rows, say: Say) -> str:
    """Return the convolutional network's test error at some epochs, and how many seeds have a dead channel."""
    runs = pick(rows, "training", training="published")
    marks = [epoch for epoch in runs[0]["test_mse"] if all(epoch in row["test_mse"] for row in runs)]
    body = [
        [epoch, show(_at(runs, epoch)), str(sum(row["dead_channels"][epoch] > 0 for row in runs))]
        for epoch in marks
        if int(epoch) <= shared_epochs(runs)
    ]
    dead = say("of {} seeds, with a dead channel").format(len(runs))
    return _table([say("epochs"), say("test MSE"), dead], body)


def make_bounds(rows: Rows, say: Say) -> str:
    """Return what principal components make of as many numbers."""
    row = pick(rows, "bounds")[0]
    found = {
        say("every 4×4 block from 4 numbers of its own"): row["blocks"]["4"],
        say("every 4×4 block from 3 numbers of its own"): row["blocks"]["3"],
        say("the whole picture from 196 numbers"): row["whole"]["196"],
    }
    body = [[name, f"{mses['mse']:.5f}", f"{mses['clipped']:.5f}"] for name, mses in found.items()]
    return _table([say("PCA of"), say("test MSE"), say("clipped to [0, 1]")], body)


def make_changes(rows: Rows, say: Say) -> str:
    """Return what one change makes of the tutorial's training, seed by seed beside it."""
    published = pick(rows, "training", training="published")
    epochs = _tutorial_epochs(rows)
    names = {"published": say("as published"), "no-relu": say("no ReLU on the code"), "start": say("narrows' start")}
    body = []
    for training, words in names.items():
        runs = pick(rows, "training", training=training)
        body.append([words, *_compare(runs, published, str(epochs), training == "published")])
    return _seed_table([say("the tutorial's loop, {} epochs").format(epochs)], body, say)


def make_shapes(rows: Rows, say: Say) -> str:
    """Return what other shapes come to in narrows' recipe, seed by seed beside the tutorial's own."""
    names = {
        "own": say("the tutorial's own"),
        "no-relu": say("no ReLU on the code"),
        "overlap": say("upsample + convolution"),
        "overlap-no-relu": say("upsample + convolution, no ReLU on the code"),
        "vector": say("a vector code of 196, seen by the whole decoder"),
    }
    own = pick(rows, "variant", variant="own")
    body = []
    for variant, words in names.items():
        if runs := pick(rows, "variant", variant=variant):
            body.append([words, f"{runs[0]['parameters']:,}", *_compare(runs, own, "", variant == "own")])
    recipe = say("narrows' recipe, {} pictures seen once").format(f"{own[0]['pictures']:,}")
    return _seed_table([recipe, say("parameters")], body, say)


def make_noise(rows: Rows, say: Say) -> str:
    """Return for every method its own error, the noise that it lets through, and what both come to."""
    names = {
        "noisy": say("noisy picture, left alone"),
        "clip": say("only clipped to [0, 1]"),
        "pca": say("PCA, 128 components"),
        "pca-clip": say("PCA, 128 components, clipped"),
        "linear": say("linear net"),
        "conv": say("convolutional net"),
    }
    body = []
    for method, words in names.items():
        runs = pick(rows, "noise", method=method)
        total = [row["levels"][str(LEVEL)] for row in runs]
        line = [words, str(len(runs)) if runs[0]["seed"] is not None else "", show(row["own_mse"] for row in runs)]
        line += [
            show(row["through_mse"] for row in runs),
            show(total),
            f"{-10 * math.log10(statistics.median(total)):.1f}",
        ]
        body.append([*line, show(row["clipped_input_mse"] for row in runs)])
    head = [
        say("method"),
        say("seeds"),
        say("error on clean pictures"),
        say("noise let through"),
        say("error on noisy pictures"),
    ]
    return _table([*head, say("as PSNR, dB"), say("the same, input clipped first")], body)


def _compare(runs: Rows, beside: Rows, epoch: str, is_first: bool) -> list[str]:
    """Return the cells n, test MSE, seeds that are better than the row `beside`, seeds with a dead channel."""
    found = {row["seed"]: row["test_mse"][epoch] if epoch else row["test_mse"] for row in runs}
    others = {row["seed"]: row["test_mse"][epoch] if epoch else row["test_mse"] for row in beside}
    shared = found.keys() & others.keys()
    better = f"{sum(found[seed] < others[seed] for seed in shared)}/{len(shared)}"
    dead = sum((row["dead_channels"][epoch] if epoch else row["dead_channels"]) > 0 for row in runs)
    return [str(len(runs)), show(found.values()), "" if is_first else better, str(dead)]


def _seed_table(head: Sequence[str], body: Iterable[Sequence[str]], say: Say) -> str:
    """Return a table whose last cells are those of `_compare`."""
    compared = ("seeds", "test MSE", "better than the first row, seed by seed", "seeds with a dead channel")
    return _table([*head, *map(say, compared)], body)


def _at(runs: Rows, epoch: int | str) -> list[float]:
    return [row["test_mse"][str(epoch)] for row in runs]


def _tutorial_epochs(rows: Rows) -> int:
    """Return the tutorial's epochs of the convolutional network; a toy has fewer."""
    return shared_epochs(pick(rows, "training", training="no-relu"))


def _milliseconds(values: Iterable[float]) -> str:
    return record.spread(values, lambda value: f"{value:.3f}" if value < 1 else f"{value:.2f}")


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    return record.make_table(head, body)


TABLES: dict[str, Callable[[Rows, Say], str]] = {
    name.removeprefix("make_"): make for name, make in list(globals().items()) if name.startswith("make_")
}

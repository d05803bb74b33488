"""Makes the guide's figures and tables: measures what is not in docs/results yet, draws, and fills the pages.

    python docs/figures/make.py                   # hours, the first time; goes on where it stopped
    python docs/figures/make.py --toy --to DIR    # seconds: the same steps on a few pictures, written to DIR

To measure something again, delete its rows from docs/results/tutorial.json, and its folder in runs/docs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import paths
import mnist
import numpy as np
import record
import torch
from narrows.view.figure import Figure

import draw
import experiments
import transposed
from costs import run_costs
from experiments import FULL, TOY, TRAININGS, Size
from linear import load_linear, run_linear
from noise import find_plain, list_methods, run_noise, run_shown
from pages import fill
from plain import run_bounds
from restored import run_restored
from tables import TABLES
from variants import VARIANTS, run_variant
from words import LANGUAGES, Say

Row = dict[str, Any]
PAGES = ("tutorial",)


@dataclass(frozen=True)
class Need:
    """A row that the guide needs: the fields that say which, what measures it, and how many epochs it has at least."""

    key: Row
    run: Callable[[], Row]
    epochs: int = 0

    def is_met(self, row: Row) -> bool:
        """Return whether `row` is it."""
        return self.is_about(row) and row.get("epochs", 0) >= self.epochs

    def is_about(self, row: Row) -> bool:
        """Return whether `row` is it, or an older state of it."""
        return self.key.items() <= row.items()


def measure(size: Size, place: Path, cache: Path) -> list[Row]:
    """Return all rows: those of `place`, and what is missing there, which is measured and added."""
    results = record.load(place) or {"rows": []}
    for need in plan(size, cache):
        if any(map(need.is_met, results["rows"])):
            continue
        row = need.run()
        results["run"] = paths.describe_run()
        results["rows"] = [old for old in results["rows"] if not need.is_about(old)] + [row]
        record.save(place, results)
    return results["rows"]


def plan(size: Size, cache: Path) -> Iterator[Need]:
    """Yield what the guide needs, times last."""
    seeds, engine = range(size.seeds), Engine(size)
    for name, training in TRAININGS.items():
        for seed in seeds:
            key = {"of": "training", "training": name, "seed": seed}
            run = partial(train_conv, name, seed, size, cache, engine)
            yield Need(key, lambda run=run: without_weights(run()), training.epochs(size))
    for seed in range(size.linear_seeds):
        yield Need({"of": "linear", "seed": seed}, partial(run_linear, seed, size, cache))
    for seed in seeds:
        for name in VARIANTS:
            yield Need({"of": "variant", "variant": name, "seed": seed}, partial(run_variant, name, seed, size, cache))
    yield Need({"of": "bounds"}, partial(run_bounds, size))
    yield Need({"of": "shown"}, partial(show_digits, size, cache, engine), size.long)
    for method, seed in list_methods(size):
        key = {"of": "noise", "method": method, "seed": seed}
        yield Need(key, partial(damage, method, seed, size, cache, engine))
    yield Need({"of": "restored"}, partial(run_restored, size, cache))
    yield Need({"of": "costs"}, partial(run_costs, 15 if size.train == FULL.train else 1, torch.get_num_threads()))


class Engine:
    """What trains the convolutional network, found when it is needed first."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._module: Any = None

    @property
    def module(self) -> Any:
        """The kernel, or PyTorch for a toy; see `experiments.find_engine`."""
        self._module = self._module or experiments.find_engine(self.size.images("train"), self.size)
        return self._module


def train_conv(name: str, seed: int, size: Size, cache: Path, engine: Engine) -> Row:
    """Return the row of one training of the convolutional network, with its weights at the marks."""
    training = TRAININGS[name]
    return experiments.run_training(training, seed, training.epochs(size), size, cache, engine.module)


def show_digits(size: Size, cache: Path, engine: Engine) -> Row:
    """Return the row of a few digits through the network of seed 0, after the tutorial's epochs and at the end."""
    row = train_conv("published", 0, size, cache, engine)
    weights = {"conv-15": keep(row, size.short), "conv-last": keep(row, size.long)}
    return run_shown(size, engine.module, weights) | {"epochs": size.long}


def damage(method: str, seed: int | None, size: Size, cache: Path, engine: Engine) -> Row:
    """Return the row of a method on noisy digits, its network trained first where that has not been done."""
    if method == "conv":
        weights = keep(train_conv("published", seed or 0, size, cache, engine), size.short)
        return run_noise(method, seed, lambda x: engine.module.restore(x, weights, True)[0], size)
    if method == "linear":
        run_linear(seed or 0, size, cache)
        return run_noise(method, seed, load_linear(seed or 0, cache), size)
    return run_noise(method, seed, find_plain(method, size), size)


def keep(row: Row, epochs: int) -> np.ndarray:
    """Return the weights that a training had after some epochs."""
    return np.array(row["kept"][str(epochs)], np.float32)


def without_weights(row: Row) -> Row:
    """Return what of a training's row belongs into the results."""
    return {key: value for key, value in row.items() if key not in ("kept", "state")}


def draw_all(rows: list[Row], say: Say) -> dict[str, Figure]:
    """Return every picture by its name."""
    return {
        "cliff": draw.draw_cliff(rows, say),
        "costs": draw.draw_costs(rows, say),
        "long": draw.draw_long(rows, say),
        "digits": draw.draw_digits(rows, say),
        "reach": transposed.draw_reach(say),
        "stamps": transposed.draw_stamps(say),
        "overlap": transposed.draw_overlap(say),
        "upsample": transposed.draw_upsample(say),
        "checkerboard": transposed.draw_checkerboard(mnist.read_images("t10k")[0], say),
        "noise": draw.draw_noisy(rows, say),
        "parts": draw.draw_parts(rows, say),
        "levels": draw.draw_levels(rows, say),
    }


def write_all(rows: list[Row], to: Path) -> None:
    """Write pictures, tables and pages, in every language; the page on denoising has one."""
    record.write(to / "pictures" / "restored.svg", draw.draw_restored(rows).svg)
    for end, say in LANGUAGES.items():
        for name, figure in draw_all(rows, say).items():
            record.write(to / "pictures" / f"{name}{end}.svg", figure.svg)
        tables = {name: make(rows, say) for name, make in TABLES.items()}
        for page in PAGES:
            text = (paths.DOCS / f"{page}{end}.md").read_text(encoding="utf-8")
            record.write(to / f"{page}{end}.md", fill(text, tables))


def main() -> None:
    """Measure, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toy", action="store_true", help="a few pictures, steps and seeds, to see that all runs")
    parser.add_argument("--long", type=int, metavar="EPOCHS", help=f"instead of {FULL.long}, with ten seeds")
    parser.add_argument("--to", type=Path, default=paths.DOCS, metavar="DIR", help="instead of docs/")
    options = parser.parse_args()
    if options.toy and options.to.resolve() == paths.DOCS:
        parser.error("a toy's figures do not belong into the guide; name a folder: --to DIR")
    size, cache = (TOY, options.to / "cache") if options.toy else (FULL, paths.CACHE)
    if options.long:
        size = replace(size, long=options.long)
    rows = measure(size, options.to / "results" / "tutorial.json", cache)
    write_all(rows, options.to)


if __name__ == "__main__":
    main()

"""What all contenders share: the command line, the clock of the training and the line of JSON at the end."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))  # last, so that no library takes a script here for its own

import mnist

PATIENCE = 10  # epochs without a lower validation MSE, after which a search for a budget gives a setting up

Restore = Callable[[np.ndarray], np.ndarray]


class StopTraining(Exception):
    """Leaves a library's training loop that has no other door."""


class Course:
    """Follows one training.

    The clock runs from `begin`, with the images as bytes in memory, to the end of the last epoch: it holds the
    conversion of the data, the building of the network, compiling and all epochs, and leaves out imports, what is
    measured between epochs for choosing a budget, and what a library does after its last epoch.

    Parameters
    ----------
    contender : its name.
    packages : the distributions whose versions are recorded.

    Attributes
    ----------
    options : the command line.
    train : the training images as bytes (N, 28, 28).
    """

    def __init__(self, contender: str, *packages: str, all_images: bool = False) -> None:
        self.contender = contender
        self.packages = packages
        self.options = parse()
        images = mnist.read_images("train")[: self.options.images]
        self.train, self.validation = (images, images[:0]) if all_images else mnist.split(images)
        self.test = mnist.read_images("t10k")[: self.options.images]
        self.epoch_seconds: list[float] = []
        self.watched: list[float] = []
        self.mark = math.nan

    @property
    def seconds(self) -> float:
        """Seconds on the clock, up to the end of the last epoch."""
        return sum(self.epoch_seconds)

    def begin(self) -> None:
        """Start the clock."""
        self.mark = time.perf_counter()

    def epoch_ends(self, restore: Restore) -> bool:
        """Stop the clock for an epoch, measure what is to be watched, and return whether training is to stop."""
        self.epoch_seconds.append(time.perf_counter() - self.mark)
        stop = self.seconds >= self.options.max_seconds
        if self.options.watch:
            self.watched.append(mnist.measure(restore, getattr(self, self.options.watch)))
            stop = stop or self._is_decided()
        self.mark = time.perf_counter()
        return stop

    def end(self, restore: Restore, parameters: int, recipe: str, **more: float | str | None) -> None:
        """Measure the test images, once, unless a budget is being chosen, and print the row."""
        wanted = mnist.PARAMETERS[self.options.model]
        if parameters != wanted:
            raise SystemExit(f"{self.contender} has {parameters:,} parameters, however {wanted:,} are compared")
        row = {
            "contender": self.contender,
            "model": self.options.model,
            "seed": self.options.seed,
            "recipe": recipe,
            "epochs": len(self.epoch_seconds),
            "seconds": self.seconds,
            "epoch_seconds": self.epoch_seconds,
            "watched": self.watched,
            "test_mse": None if self.options.watch else mnist.measure(restore, self.test),
            "train_images": len(self.train),
            "versions": {name: version(name) for name in self.packages},
            **more,
        }
        print(json.dumps(row), flush=True)

    def _is_decided(self) -> bool:
        """Whether the target is reached, or is not to be expected any more."""
        last = self.watched[-1]
        if self.options.until is None:
            return False
        stale = len(self.watched) - 1 - int(np.argmin(self.watched)) >= PATIENCE
        return last <= self.options.until or stale or not math.isfinite(last)


def parse() -> argparse.Namespace:
    """Return the options of a contender's command line."""
    parser = argparse.ArgumentParser(description="Train once on MNIST and print what it took as one line of JSON.")
    parser.add_argument("--model", choices=list(mnist.PARAMETERS), required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="left out: the contender's own")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--images", type=int, help="take only the first ones, for a trial")
    parser.add_argument("--max-seconds", type=float, default=math.inf, help="stop after the epoch that passes them")
    parser.add_argument("--watch", choices=["validation", "test"], help="measured after every epoch, off the clock")
    parser.add_argument("--until", type=float, help="stop when the watched MSE is as low as this")
    return parser.parse_args()

"""The trainings behind the guide: each seed of each is a file in a folder, goes on where it stopped, and is done once.

    python docs/figures/experiments.py published --seeds 0 1 2

`make.py` calls them all; this command does some of them, so that two processes can share the work.
"""

from __future__ import annotations

import argparse
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paths
import mnist
import numpy as np
import record
import torch
from narrows.model import Network
from narrows.model.initialise import initialise
from narrows.model.network import as_tensor
from narrows.presets import PRESETS

import convnet
from convnet import State

MARKS = (1, 2, 5, 10, 15, 30, 60, 100, 150)  # epochs after which the test pictures are measured
PARTS = ("backbone", "bottleneck", "corruption", "loss", "scaling")
START = 1024  # pictures that narrows' start is set by


@dataclass(frozen=True)
class Size:
    """How much is trained: the guide's figures, or a toy that shows that everything runs.

    Attributes
    ----------
    train, test : pictures.
    seeds, linear_seeds : of the convolutional trainings, and of the linear one, which takes longer.
    long, short, linear : epochs of the training that goes on and on, of the tutorial's, and of the linear net's.
    shapes : training pictures that other shapes of the network see once.
    denoiser_seconds : of the denoiser's training at most; None is the preset's own cap.
    """

    train: int = 60_000
    test: int = 10_000
    seeds: int = 10
    long: int = 150
    short: int = 15
    linear: int = 20
    linear_seeds: int = 3
    shapes: int = 20_000
    denoiser_seconds: float | None = None

    def images(self, part: str) -> np.ndarray:
        """Return the pictures (N, 28, 28) of "train" or "test", as bytes."""
        return mnist.read_images({"train": "train", "test": "t10k"}[part])[: getattr(self, part)]


FULL = Size()
TOY = Size(train=200, test=100, seeds=2, long=3, short=2, linear=2, linear_seeds=2, shapes=200, denoiser_seconds=1.0)


@dataclass(frozen=True)
class Training:
    """One way to train the tutorial's convolutional network in its own loop.

    Attributes
    ----------
    relu : whether the code has one.
    start : whether the weights begin where narrows begins, at the data's principal components.
    """

    name: str
    relu: bool = True
    start: bool = False

    def epochs(self, size: Size) -> int:
        """Return how long it goes."""
        return size.long if self.name == "published" else size.short

    def begin(self, seed: int, images: np.ndarray) -> State:
        """Return the state before the first step."""
        torch.manual_seed(seed)
        if not self.start:
            return State.begin(convnet.pack(list(convnet.build(self.relu).parameters())))
        preset = PRESETS["tutorial-conv"].given(bottleneck=None if self.relu else "linear(4)")
        x = as_tensor(images).unsqueeze(1)
        network = Network.from_texts((1, 28, 28), **{kind: preset.texts[kind] for kind in PARTS})
        network.scaling.fit([x])
        initialise(network, x[torch.randperm(len(x))[:START]])
        return State.begin(convnet.pack(list(network.parameters())))


TRAININGS = {t.name: t for t in (Training("published"), Training("no-relu", relu=False), Training("start", start=True))}


def find_engine(images: np.ndarray, size: Size) -> Any:
    """Return the module that trains: the compiled kernel, checked against PyTorch, or for a toy PyTorch alone.

    Raises SystemExit where Numba is missing and the whole is asked for.
    """
    try:
        import kernel
    except ImportError:
        if size.train == FULL.train:
            raise SystemExit("4.5 million steps need the kernel: pip install -r docs/requirements.txt") from None
        return convnet
    for relu in (True, False):
        print(f"the kernel beside PyTorch: {kernel.check(images, relu)}", flush=True)
    return kernel


def run_training(training: Training, seed: int, epochs: int, size: Size, cache: Path, engine: Any) -> dict[str, Any]:
    """Return the row of one seed: the MSE of every epoch while the weights move, and that of the test at the marks.

    `kept` are the weights at the marks. Two processes do not train the same seed at a time.
    """
    place = cache / training.name / f"{seed}.json"
    if (row := record.load(place)) and row["epochs"] >= epochs:
        return {"of": "training"} | row
    images, test = size.images("train"), convnet.as_tensor(size.images("test"))[:, 0].numpy()
    with alone(place):
        row = record.load(place)
        if not row:
            state = training.begin(seed, images)
            row = record.stamp() | {
                "of": "training",
                "training": training.name,
                "seed": seed,
                "engine": engine.__name__,
            }
            row |= {"epochs": 0, "train_mse": [], "test_mse": {}, "dead_channels": {}, "kept": {}}
        else:
            kept = {name: np.array(row["state"][name], np.float32) for name in ("weights", "first", "second")}
            state = State(**kept, steps=row["state"]["steps"])
        while row["epochs"] < epochs:
            row["train_mse"].append(float(engine.train(state, images, training.relu)))
            row["epochs"] += 1
            if row["epochs"] in MARKS or row["epochs"] == epochs:
                _measure(row, state, test, engine.restore(test, state.weights, training.relu))
            row["state"] = {name: getattr(state, name).tolist() for name in ("weights", "first", "second")}
            row["state"]["steps"] = state.steps
            record.save(place, row)
            print(training.name, seed, row["epochs"], f"{row['train_mse'][-1]:.6f}", flush=True)
    return {"of": "training"} | row


def _measure(row: dict[str, Any], state: State, test: np.ndarray, made: tuple[np.ndarray, np.ndarray]) -> None:
    """Add what the test says after an epoch, and the weights of that time."""
    epoch, (outputs, codes) = str(row["epochs"]), made
    row["test_mse"][epoch] = mse(outputs, test)
    row["dead_channels"][epoch] = count_dead(codes.reshape(-1, 4))
    row["kept"][epoch] = state.weights.tolist()


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Wait until no other process is at work on `place`."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def mse(output: np.ndarray, x: np.ndarray) -> float:
    """Return the mean squared error per value, summed in float64."""
    return float(np.square(output - x, dtype=np.float64).mean())


def count_dead(codes: np.ndarray) -> int:
    """Return how many channels of `codes` (places, channels) have the same value everywhere."""
    return int((np.ptp(codes, axis=0) == 0).sum())


def main() -> None:
    """Train some seeds of one way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=list(TRAININGS))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(FULL.seeds)))
    parser.add_argument("--epochs", type=int, help="stop here, to go on later")
    parser.add_argument("--cache", type=Path, default=paths.CACHE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    engine = find_engine(FULL.images("train"), FULL)
    for name in options.names:
        for seed in options.seeds:
            epochs = options.epochs or TRAININGS[name].epochs(FULL)
            run_training(TRAININGS[name], seed, epochs, FULL, options.cache, engine)


if __name__ == "__main__":
    main()

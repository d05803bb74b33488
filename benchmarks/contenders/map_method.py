"""One method that puts MNIST on a map: fits it, places the test images, and prints what came of it as a line of JSON.

    python benchmarks/contenders/map_method.py --method umap --seed 0 --folder runs/maps/umap-0

Before the clock runs, the method goes once through a few images, so that what is compiled or imported on the way is so.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from abc import ABC, abstractmethod
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))

import mnist

WARMING = 5_000  # images; below 4,096 umap-learn goes another way, and would compile nothing for the real one
WARMING_SECONDS = 3.0  # of a network's training
SIZE = 784  # values of an image
TRUSTED = 10_000  # training images, the first ones, on which trustworthiness and continuity are measured


class Method(ABC):
    """A way to put images on a map.

    Attributes
    ----------
    packages : the distributions that it stands on.
    recipe : what was used, in words.
    """

    packages: tuple[str, ...]
    recipe = "defaults"

    @abstractmethod
    def fit(self, images: np.ndarray, seed: int, max_seconds: float | None = None) -> np.ndarray:
        """Learn from images of bytes (N, 28, 28) and return where they lie, (N, 2); a network's training may be cut."""

    @abstractmethod
    def place(self, images: np.ndarray) -> np.ndarray:
        """Return where new images lie."""

    def decode(self, points: np.ndarray) -> np.ndarray | None:
        """Return the images at `points`, values in [0, 1]; None where the method has none in a bearable time."""
        return None

    def save(self, folder: Path) -> None:
        """Keep in `folder`, which is made, what pictures are drawn from later."""
        folder.mkdir(parents=True, exist_ok=True)


class Narrows(Method):
    """narrows with a preset, or with another bottleneck in it."""

    packages = ("narrows", "torch", "numpy")

    def __init__(self, **options: Any) -> None:
        self.options = options

    def fit(self, images: np.ndarray, seed: int, max_seconds: float | None = None) -> np.ndarray:
        """Train, and place all images."""
        from narrows.data.read import read
        from narrows.tasks.encode import encode_map
        from narrows.training import Fit

        samples = replace(read("mnist"), x=images, labels=None, test=None)
        fit = Fit(samples, seed=seed, max_seconds=max_seconds, device="cpu", **self.options)
        self.model = fit.run()
        recipe = self.model.card.recipe
        self.recipe = f"{fit.plan.texts['backbone']} x {fit.plan.texts['bottleneck']}, {recipe['steps']} steps"
        return encode_map(self.model, images)

    def place(self, images: np.ndarray) -> np.ndarray:
        """Return the codes."""
        from narrows.tasks.encode import encode_map

        return encode_map(self.model, images)

    def decode(self, points: np.ndarray) -> np.ndarray:
        """Return what the decoder makes of points, rounded to bytes as in use."""
        from narrows.tasks.encode import decode_map

        return mnist.as_values(decode_map(self.model, points))

    def save(self, folder: Path) -> None:
        """Keep the model."""
        from narrows.modelfile import save

        super().save(folder)
        save(folder / "model.safetensors", self.model, overwrite=True)


class MainComponents(Method):
    """The two main components."""

    packages = ("scikit-learn", "numpy")
    recipe = "covariance_eigh"

    def fit(self, images: np.ndarray, seed: int, max_seconds: float | None = None) -> np.ndarray:
        """Find them."""
        from sklearn.decomposition import PCA

        self.pca = PCA(2, svd_solver="covariance_eigh")
        return self.pca.fit_transform(flat(images))

    def place(self, images: np.ndarray) -> np.ndarray:
        """Return the scores."""
        return self.pca.transform(flat(images))

    def decode(self, points: np.ndarray) -> np.ndarray:
        """Return what the components make of scores, clamped to [0, 1]."""
        return np.clip(self.pca.inverse_transform(points), 0, 1)


class NeighbourEmbedding(Method):
    """t-SNE by openTSNE."""

    packages = ("openTSNE", "numpy")

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def fit(self, images: np.ndarray, seed: int, max_seconds: float | None = None) -> np.ndarray:
        """Move the points."""
        from openTSNE import TSNE

        self.points = TSNE(n_jobs=self.threads, random_state=seed).fit(flat(images))
        return np.asarray(self.points)

    def place(self, images: np.ndarray) -> np.ndarray:
        """Return new points, moved among the old ones."""
        return np.asarray(self.points.transform(flat(images)))


class UniformManifold(Method):
    """UMAP by umap-learn, without a seed, since with one it takes a single thread."""

    packages = ("umap-learn", "pynndescent", "numba", "numpy")
    recipe = "defaults, no seed"

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def fit(self, images: np.ndarray, seed: int, max_seconds: float | None = None) -> np.ndarray:
        """Move the points."""
        import umap

        self.umap = umap.UMAP(n_jobs=self.threads)
        return self.umap.fit_transform(flat(images))

    def place(self, images: np.ndarray) -> np.ndarray:
        """Return new points, moved among the old ones."""
        return self.umap.transform(flat(images))


def flat(images: np.ndarray) -> np.ndarray:
    """Return images of bytes as rows of values in [0, 1]."""
    return mnist.as_values(images).reshape(len(images), SIZE)


def make(name: str, threads: int) -> Method:
    """Return the method of that name."""
    methods = {
        "narrows": lambda: Narrows(preset="map"),
        "autoencoder": lambda: Narrows(preset="map", bottleneck="linear(2)"),
        "pca": MainComponents,
        "tsne": lambda: NeighbourEmbedding(threads),
        "umap": lambda: UniformManifold(threads),
    }
    return methods[name]()


def measure(
    method: Method, seed: int, counts: tuple[int, int], folder: Path, max_seconds: float | None
) -> dict[str, Any]:
    """Return every figure of a method, and keep its points in `folder`."""
    from narrows.metrics.map_quality import measure_map

    parts = ("train", "t10k")
    (train, test), (labels, test_labels) = (
        [read(part)[:count] for part, count in zip(parts, counts, strict=True)]
        for read in (mnist.read_images, mnist.read_labels)
    )
    method.fit(train[:WARMING], seed, WARMING_SECONDS)
    method.place(test[: WARMING // 5])
    began = time.perf_counter()
    points = method.fit(train, seed, max_seconds)
    fitted = time.perf_counter()
    places = method.place(test)
    placed = time.perf_counter()
    decoded = method.decode(places)
    method.save(folder)
    np.savez_compressed(folder / "points.npz", train=points, test=places)
    trusted = slice(0, TRUSTED)
    return {
        "fit_seconds": fitted - began,
        "place_seconds": placed - fitted,
        "test_mse": None if decoded is None else float(np.square(decoded.reshape(len(test), SIZE) - flat(test)).mean()),
        **measure_map(flat(test[:0]), places, test_labels, (points, labels), index=np.arange(0)),
        **measure_map(flat(train)[trusted], points[trusted]),
        "recipe": method.recipe,
        "train_images": len(train),
        "test_images": len(test),
        "versions": {name: version(name) for name in method.packages},
    }


def main() -> None:
    """Measure one method and print the row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, nargs=2, default=(60_000, 10_000), metavar=("TRAIN", "TEST"))
    parser.add_argument("--max-seconds", type=float, help="of a network's training; left out: the preset's")
    parser.add_argument("--folder", type=Path, required=True, help="where the points and the model are kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.method in ("narrows", "autoencoder"):
        import torch

        torch.set_num_threads(options.threads)
    method, counts = make(options.method, options.threads), tuple(options.images)
    row = measure(method, options.seed, counts, options.folder, options.max_seconds)
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()

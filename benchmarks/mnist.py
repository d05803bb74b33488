"""MNIST as arrays, from the files inside the narrows package, and the one way in which its error is measured here.

Needs NumPy alone, so that a contender's process loads nothing that its library does not load.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

FILES = Path(__file__).resolve().parents[1] / "src" / "narrows" / "data" / "mnist"
VALIDATION = 6_000  # training images set aside for choosing budgets
# test MSE per pixel in [0, 1], at most: the tutorial's quality, and that of narrows' default model
TARGETS = {"linear": 0.00210, "conv": 0.0093, "default": 0.0042}
PARAMETERS = {"linear": 201_616, "conv": 1_077, "default": 221_537}
CHUNK = 1_000  # images that are restored at a time


def read_images(part: str) -> np.ndarray:
    """Return the images (N, 28, 28) of `part`, "train" or "t10k", as bytes."""
    content = gzip.decompress((FILES / f"{part}-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)


def read_labels(part: str) -> np.ndarray:
    """Return the digits (N,) that the images of `part` show, as bytes."""
    content = gzip.decompress((FILES / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(content, np.uint8, offset=8)


def split(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return training images without the validation share, and that share: a tenth, the same one at every call."""
    count = VALIDATION * len(images) // 60_000
    order = np.random.default_rng(0).permutation(len(images))
    return images[np.sort(order[count:])], images[np.sort(order[:count])]


def as_values(images: np.ndarray) -> np.ndarray:
    """Return images of bytes as float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255)


def measure(restore: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> float:
    """Return the MSE per pixel in [0, 1] of `restore` over images of bytes (N, 28, 28), summed in float64.

    `restore` gets values (n, 28, 28) and answers as many, in any shape.
    """
    total = 0.0
    for start in range(0, len(images), CHUNK):
        values = as_values(images[start : start + CHUNK])
        restored = np.asarray(restore(values), np.float64).reshape(values.shape)
        total += float(np.square(restored - values).sum())
    return total / images.size

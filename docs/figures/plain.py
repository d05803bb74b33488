"""What principal components make of the same numbers: the plain method that the convolutional network stands beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import record

from convnet import as_tensor
from experiments import Size, mse

BLOCK = 4  # the side of the square that one place of the code makes


@dataclass(frozen=True)
class Components:
    """The mean of rows (N, k) and their principal components (k, k), the largest variance first."""

    mean: np.ndarray
    vectors: np.ndarray

    @classmethod
    def fit(cls, rows: np.ndarray) -> Components:
        """Return those of `rows`, exactly, in float64."""
        mean = rows.mean(0, dtype=np.float64)
        gram = sum((part - mean).T @ (part - mean) for part in np.array_split(rows, max(1, len(rows) // 10_000)))
        return cls(mean, np.linalg.eigh(gram)[1][:, ::-1])

    def restore(self, rows: np.ndarray, count: int) -> np.ndarray:
        """Return rows by way of `count` numbers each."""
        kept = self.vectors[:, :count]
        return (rows - self.mean) @ kept @ kept.T + self.mean


def values(images: np.ndarray) -> np.ndarray:
    """Return pictures of bytes as float32 in [0, 1], (N, 28, 28)."""
    return as_tensor(images)[:, 0].numpy()


def cut(x: np.ndarray) -> np.ndarray:
    """Return the 4x4 blocks (N * 49, 16) of pictures (N, 28, 28)."""
    places = x.shape[1] // BLOCK
    return x.reshape(-1, places, BLOCK, places, BLOCK).swapaxes(2, 3).reshape(-1, BLOCK * BLOCK)


def join(blocks: np.ndarray) -> np.ndarray:
    """Return the inverse of `cut`.

    Examples
    --------
    >>> x = np.random.default_rng(0).random((2, 28, 28))
    >>> bool((join(cut(x)) == x).all())
    True
    """
    places = 28 // BLOCK
    return blocks.reshape(-1, places, places, BLOCK, BLOCK).swapaxes(2, 3).reshape(-1, 28, 28)


def run_bounds(size: Size) -> dict[str, Any]:
    """Return the row: the test MSE of principal components fitted on the training pictures."""
    stamp = record.stamp()
    train, test = values(size.images("train")), values(size.images("test"))
    row = stamp | {"of": "bounds", "train": len(train), "test": len(test), "blocks": {}, "whole": {}}
    blocks = Components.fit(cut(train))
    for count in (4, 3):
        row["blocks"][str(count)] = _measure(blocks.restore(cut(test), count), cut(test))
    whole = Components.fit(train.reshape(len(train), -1))
    for count in (196, 128):
        row["whole"][str(count)] = _measure(
            whole.restore(test.reshape(len(test), -1), count), test.reshape(len(test), -1)
        )
    row["mean"] = mse(np.broadcast_to(whole.mean, (len(test), 784)), test.reshape(len(test), -1))
    return row


def _measure(restored: np.ndarray, x: np.ndarray) -> dict[str, float]:
    return {"mse": mse(restored, x), "clipped": mse(np.clip(restored, 0, 1), x)}

"""Networks that were trained on clean pictures get noisy ones: what is lost, what is let through, what comes back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import record

from experiments import Size, mse
from plain import Components, cut, join, values

LEVEL = 0.08  # as in the tutorial
LEVELS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.16, 0.2, 0.25, 0.3)
SHOWN = (0, 1, 2, 3, 4, 7, 8, 18)  # test pictures in the figure: eight different digits
COUNT = 128  # principal components, as many as the linear network's code has numbers

Restore = Callable[[np.ndarray], np.ndarray]


def add_noise(x: np.ndarray, level: float, seed: int = 0) -> np.ndarray:
    """Return `x` (float32) with `level` * N(0, 1) added, not clipped."""
    return x + np.float32(level) * np.random.default_rng(seed).standard_normal(x.shape, np.float32)


def run_noise(method: str, seed: int | None, restore: Restore, size: Size) -> dict[str, Any]:
    """Return the row of one method: its MSE against the clean test pictures, for every level, and its two parts.

    `own_mse` is its error on clean pictures, `through_mse` what the noise at LEVEL moves its output by.
    """
    row = record.stamp() | {"of": "noise", "method": method, "seed": seed, "level": LEVEL}
    x = values(size.images("test"))
    row["test"] = len(x)
    clean, noisy = restore(x), add_noise(x, LEVEL)
    row |= {"own_mse": mse(clean, x), "through_mse": mse(restore(noisy), clean)}
    row["clipped_input_mse"] = mse(restore(np.clip(noisy, 0, 1)), x)
    row["levels"] = {str(level): mse(restore(add_noise(x, level)), x) for level in LEVELS}
    if not seed:
        row["shown"] = encode(restore(noisy[list(SHOWN)]))
    return row


def run_shown(size: Size, engine: Any, weights: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the row of what is made of a few clean digits; `weights` of the convolutional network by name."""
    train, x = values(size.images("train")), values(size.images("test"))[list(SHOWN)]
    row = record.stamp() | {"of": "shown"}
    row |= {name: encode(engine.restore(x, kept, True)[0]) for name, kept in weights.items()}
    row["blocks"] = encode(join(Components.fit(cut(train)).restore(cut(x), 4)))
    row["whole"] = encode(
        Components.fit(train.reshape(len(train), -1)).restore(x.reshape(len(x), -1), 196).reshape(x.shape)
    )
    return row


def list_methods(size: Size) -> list[tuple[str, int | None]]:
    """Return every method with its seed, None where nothing is drawn."""
    plain: list[tuple[str, int | None]] = [(method, None) for method in ("noisy", "clip", "pca", "pca-clip")]
    trained = [("linear", seed) for seed in range(size.linear_seeds)], [("conv", seed) for seed in range(size.seeds)]
    return [*plain, *trained[0], *trained[1]]


def find_plain(method: str, size: Size) -> Restore:
    """Return what a method does that no seed enters: nothing, clipping, principal components."""
    if method in ("noisy", "clip"):
        return (lambda x: x) if method == "noisy" else lambda x: np.clip(x, 0, 1)
    train = values(size.images("train"))
    whole = Components.fit(train.reshape(len(train), -1))

    def restore(x: np.ndarray) -> np.ndarray:
        restored = whole.restore(x.reshape(len(x), -1), COUNT).astype(np.float32).reshape(x.shape)
        return np.clip(restored, 0, 1) if method == "pca-clip" else restored

    return restore


def encode(images: np.ndarray) -> str:
    """Return pictures (n, 28, 28) as text: bytes, clipped to [0, 1], in base64.

    Examples
    --------
    >>> decode(encode(np.array([[[0.0, 2.0]]])), (1, 1, 2)).tolist()
    [[[0, 255]]]
    """
    return base64.b64encode(np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8).tobytes()).decode()


def decode(text: str, shape: tuple[int, ...] = (-1, 28, 28)) -> np.ndarray:
    """Return the inverse of `encode`, as bytes."""
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)

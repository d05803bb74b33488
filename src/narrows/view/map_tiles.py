"""Samples as small square pictures, for maps."""

from __future__ import annotations

import numpy as np
from PIL import Image
from torch import Tensor

from narrows.metrics.data_range import find_limits
from narrows.modelfile import Model
from narrows.tasks.mapping import Map
from narrows.view.figure import GROUND
from narrows.view.pictures import as_bytes, as_images

TILE = 60  # dots of a side: two per CSS pixel


def make_tiles(model: Model, samples: Tensor, mapped: Map) -> np.ndarray:
    """Return pictures (n, C, H, W) in the model's units as tiles (n, TILE, TILE, 3) of bytes, on the map's scale."""
    assert mapped.samples is not None, "made by make_map"
    limits = find_limits(model, mapped.samples)
    return np.stack([fit_square(picture) for picture in as_bytes(as_images(samples.numpy()), limits)])


def fit_square(pixels: np.ndarray) -> np.ndarray:
    """Return a picture of bytes as RGB in the middle of a square (TILE, TILE, 3), the rest in the ground's colour."""
    picture = Image.fromarray(pixels).convert("RGB")
    times = TILE / max(picture.size)
    kind = Image.Resampling.LANCZOS if times < 1 else Image.Resampling.NEAREST
    picture = picture.resize([max(round(times * side), 1) for side in picture.size], kind)
    square = Image.new("RGB", (TILE, TILE), GROUND)
    square.paste(picture, ((TILE - picture.width) // 2, (TILE - picture.height) // 2))
    return np.asarray(square)

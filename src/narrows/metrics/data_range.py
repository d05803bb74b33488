"""The smallest and the largest value that data can have, in user's units: what pictures are shown and PSNR is over."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from narrows.modelfile import Model
from narrows.tasks.depths import FULL


def find_limits(model: Model, samples: Tensor) -> tuple[float, float]:
    """Return the range of the data in user's units; where they have none, the extremes of `samples` (N, C, *grid)."""
    user_range = model.network.scaling.user_range
    if user_range is not None:
        return user_range.low, user_range.high
    values = np.ma.masked_invalid(samples.numpy())  # torch finds no minimum of 16-bit integers
    return float(np.ma.filled(values.min(), 0)), float(np.ma.filled(values.max(), 0))


def find_range(model: Model, x: np.ndarray) -> float:
    """Return the difference of the largest and the smallest value that data like `x` can have.

    For data of the type that the model was trained on it is that of the model's range, for other integers their
    type's. Fractions without a range have their own: the difference of their largest and smallest value.
    """
    user_range = model.network.scaling.user_range
    if user_range is not None and x.dtype.name == model.card.dtype:
        return user_range.span
    return FULL.get(x.dtype.name) or float(np.ptp(x)) or 1.0

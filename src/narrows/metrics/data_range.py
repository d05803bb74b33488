"""The smallest and the largest value that data can have, in user's units: what pictures are shown and PSNR is over."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from narrows.modelfile import Model
from narrows.tasks.units import FULL


def find_limits(model: Model, samples: Tensor) -> tuple[float, float]:
    """Return the range of the data in user's units; where they have none, the extremes of `samples` (N, C, *grid)."""
    scaling = model.network.scaling
    if scaling.limits is not None:
        low, high = (float(scaling.offset.max() + end * scaling.scale.max()) for end in scaling.limits)
        return low, high
    values = samples.numpy()  # torch finds no minimum of 16-bit integers
    return float(values.min()), float(values.max())


def find_range(model: Model, x: np.ndarray) -> float:
    """Return the difference of the largest and the smallest value that data like `x` can have.

    For data of the type that the model was trained on it is that of the model's range, for other integers their
    type's. Fractions without a range have their own: the difference of their largest and smallest value.
    """
    if model.network.scaling.limits is not None and x.dtype.name == model.card.dtype:
        return float(model.network.scaling.scale.max())
    return FULL.get(x.dtype.name) or float(np.ptp(x)) or 1.0

"""How unlike the training data a sample is."""

from __future__ import annotations

import numpy as np

from narrows.modelfile import QUANTILES, Model
from narrows.use.units import enter

UNUSUAL = 3.0  # times the usual error, from which a shell says that data are unlike those of training


def errors(model: Model, x: np.ndarray, most: int | None = None) -> np.ndarray:
    """Return the MSE of every sample of `x`, or of the first `most`, float64 (N,), per value and in model's units.

    Nothing is damaged. The errors are the same whatever the model's loss, and bit-identical for a sample alone or among
    others.
    """
    samples, _ = enter(model, x)
    network = model.network
    return network.in_blocks(lambda rows: network.squared_error(rows).flatten(1).mean(1), samples[:most]).numpy()


def times_usual(model: Model, sample_errors: np.ndarray) -> float | None:
    """Return the median of `sample_errors` over the median error of held-out training data; None without one.

    An autoencoder is only as good as its training data resembles what it gets.
    """
    if not model.card.error_quantiles:
        return None
    usual = model.card.error_quantiles[QUANTILES.index(0.5)]
    return float(np.median(sample_errors)) / usual if usual > 0 else None

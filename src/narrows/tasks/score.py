"""How unlike the training data a sample is."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from narrows.model.summary import column_variances
from narrows.modelfile import QUANTILES, Model
from narrows.tasks.session import Session
from narrows.tasks.units import as_samples

LEAST_SHARE = -1.0  # of a column's variance that counts as explained
UNUSUAL = 3.0  # times the usual error, from which a shell says that data are unlike those of training


def errors(model: Model, x: np.ndarray, most: int | None = None) -> np.ndarray:
    """Return the MSE of every sample of `x`, or of the first `most`, float64 (N,), per value and in model's units.

    Nothing is damaged. The errors are the same whatever the model's loss, and bit-identical for a sample alone or among
    others.
    """
    session = Session(model, x)
    return session.first_errors(len(session) if most is None else most)


def variance_explained(model: Model, x: np.ndarray) -> float:
    """Return the share of the variance of `x` that its reconstruction explains, the mean over columns; 1 is all of it.

        share = 1 - mean((x - reconstruction)^2) / variance of the training data

    It is taken column by column in user's units, so that models of any scaling compare; of pictures, channel by
    channel, round each pixel's mean. A column counts as -1 at least, so that no single value decides, and one that did
    not vary in training does not count. A model file of an earlier narrows holds no variances; those of `x` serve then.
    """
    samples, _ = as_samples(model, x)
    variances = np.array(model.card.variances or column_variances(samples))
    network = model.network

    def squares(rows: Tensor) -> Tensor:
        return (network.reconstruct(rows) - rows.double()).square().view(len(rows), len(variances), -1).mean(2)

    error = network.in_blocks(squares, samples).mean(0).numpy()
    varies = variances > 0
    shares = np.maximum(1 - error[varies] / variances[varies], LEAST_SHARE)
    return float(shares.mean()) if varies.any() else 1.0


def times_usual(model: Model, sample_errors: np.ndarray) -> float | None:
    """Return the median of `sample_errors` over the median error of held-out training data; None without one.

    An autoencoder is only as good as its training data resembles what it gets.
    """
    if not model.card.error_quantiles:
        return None
    usual = model.card.error_quantiles[QUANTILES.index(0.5)]
    return float(np.median(sample_errors)) / usual if usual > 0 else None

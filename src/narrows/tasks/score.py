"""The errors of samples, and how much data differ from those of training."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from narrows.card import QUANTILES
from narrows.model.summary import column_variances
from narrows.modelfile import Model
from narrows.tasks.session import Session
from narrows.tasks.units import as_samples

LEAST_SHARE = -1.0  # the lowest share of a column's variance that counts as explained
UNUSUAL = 3.0  # times the usual error, from which verbs note that data are unlike those of training


def errors(model: Model, x: np.ndarray, most: int | None = None) -> np.ndarray:
    """Return the MSE of every sample of `x`, or of the first `most`, float64 (N,), per value and in model's units.

    The samples are not damaged, and it is the MSE whatever the model's loss. A sample's error is bit for bit the same
    alone or in a batch.

    Raises DataError for samples of another shape.
    """
    session = Session(model, x)
    return session.first_errors(len(session) if most is None else most)


def variance_explained(model: Model, x: np.ndarray) -> float:
    """Return the share of the variance of `x` that its reconstruction explains, the mean over columns, in [-1, 1].

        share = 1 - mean((x - reconstruction)^2) / variance of the training data

    It is computed for each column in user's units, so that models with different scalings can be compared; for
    pictures, for each channel about each pixel's mean. A column's share is at least -1, so that one wild value cannot
    dominate, and columns that did not vary in training are left out. Model files of formats 1 and 2 hold no variances;
    those of `x` are used then.

    Raises DataError for samples of another shape.
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
    """Return the median of `sample_errors` divided by the median error of held-out training data.

    It is near 1 for data like those of training; None where the model file holds no error, or it is 0.
    """
    if not model.card.error_quantiles:
        return None
    usual = model.card.error_quantiles[QUANTILES.index(0.5)]
    return float(np.median(sample_errors)) / usual if usual > 0 else None

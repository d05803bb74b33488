"""The errors of samples, and how much data differ from those of training."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn.functional import avg_pool2d

from narrows.card import QUANTILES
from narrows.data.layout import to_pictures
from narrows.model.network import as_tensor
from narrows.modelfile import Model
from narrows.tasks.depths import find_depth
from narrows.tasks.session import Session
from narrows.tasks.units import as_samples

LEAST_SHARE = -1.0  # the lowest share of a column's variance that counts as explained
SQUARE = 8  # pixels of a side
MOST_CHECKED, CHECKED_SIDE = 64, 512  # pictures that are compared, and pixels of a side of each
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
    dominate, and columns that did not vary in training are left out. Gaps count nowhere, and a category's error is its
    Brier score, over that of its frequencies. Model files of formats 1 and 2 hold no variances;
    those of `x` are used then.

    Raises DataError for samples of another shape.
    """
    samples, _ = as_samples(model, x)
    network = model.network
    scaling = network.scaling
    variances = np.array(model.card.variances or scaling.variances(samples.to(network.device)).tolist())

    def squares(rows: Tensor) -> Tensor:
        restored = network.restore(scaling(rows))
        return scaling.user_squares(restored, rows).view(len(rows), len(variances), -1).mean(2)

    error = _mean_observed(network.in_blocks(squares, samples)).numpy()
    varies = variances > 0
    shares = np.maximum(1 - error[varies] / variances[varies], LEAST_SHARE)
    return float(shares.mean()) if varies.any() else 1.0


def _mean_observed(squares: Tensor) -> Tensor:
    """Return the mean (C,) of the columns of (N, C), NaN for gaps; 0 for a column of gaps alone."""
    gaps = squares.isnan()
    return squares.mean(0) if not gaps.any() else squares.nanmean(0).nan_to_num(0.0)


def times_unexplained(model: Model, noisy: np.ndarray, restored: np.ndarray) -> float | None:
    """Return how much more of pictures was changed than noise explains, over the usual error of clean training data.

    Noise of independent pixels is gone in the means of small squares. What changed in these, beyond what changed within
    them, a model takes for damage: its data were others. None where the model file holds no error, and for tables.

    Parameters
    ----------
    noisy, restored : pictures in the user's layout, in the same units.
    """
    usual = _usual_error(model)
    if usual is None or len(model.network.shape) != 3 or not noisy.size:
        return None
    depth = find_depth(model, noisy, restores=True)
    scaling, planes = model.network.scaling, []
    for x in (noisy, restored):
        pictures = np.ascontiguousarray(to_pictures(x)[0][:MOST_CHECKED, :, :CHECKED_SIDE, :CHECKED_SIDE])
        if pictures.shape[1] != model.network.shape[0]:
            return None
        planes.append(scaling(depth.inside(as_tensor(pictures)).to(model.network.device)).double())
    change = planes[0] - planes[1]
    side = min(SQUARE, *change.shape[2:])
    means = avg_pool2d(change, side)
    between = means.square().mean()
    within = avg_pool2d(change.square(), side).mean() - between
    return max(0.0, (between - within).item()) / usual


def times_usual(model: Model, sample_errors: np.ndarray) -> float | None:
    """Return the median of `sample_errors` divided by the median error of held-out training data.

    It is near 1 for data like those of training; None where the model file holds no error, or it is 0.
    """
    usual = _usual_error(model)
    return None if usual is None else float(np.median(sample_errors)) / usual


def _usual_error(model: Model) -> float | None:
    """Return the median error of held-out training data, None where the file holds none or it is 0."""
    usual = model.card.error_quantiles[QUANTILES.index(0.5)] if model.card.error_quantiles else 0.0
    return usual or None

"""Rank correlations between the columns of a table, with gaps."""

from __future__ import annotations

import numpy as np


def rank_correlations(values: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of each pair of columns, float64 (n, n).

    A pair is taken over the rows in which both are observed. Ranks are those among all observed cells of a column, so
    one wild value counts no more than any other. NaN where one of the two does not vary there.

    Parameters
    ----------
    values : (N, n); NaN for gaps.

    Examples
    --------
    >>> rank_correlations(np.array([[1.0, 9.0], [2.0, 8.0], [1000.0, np.nan], [3.0, 1.0]]))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    known = (~np.isnan(values)).astype(float)
    ranks = np.stack([_ranks(column) for column in values.T], 1) if values.size else np.zeros(values.shape)
    counts = np.maximum(known.T @ known, 1.0)
    means = ranks.T @ known / counts  # of the column's ranks, where the row's other one is observed
    squares = np.square(ranks).T @ known / counts - means**2
    products = ranks.T @ ranks / counts - means * means.T
    varies = (squares > 1e-12) & (squares.T > 1e-12)
    scales = np.sqrt(np.where(varies, squares * squares.T, 1.0))
    return np.where(varies, np.clip(products / scales, -1.0, 1.0), np.nan)


def _ranks(column: np.ndarray) -> np.ndarray:
    """Return the ranks of observed values, between -1 and 1 and the mean of those of equal ones; 0 for gaps."""
    known = ~np.isnan(column)
    result = np.zeros(len(column))
    _, own, counts = np.unique(column[known], return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2
    result[known] = middles[own] * 2 / max(len(own) - 1, 1) - 1
    return result

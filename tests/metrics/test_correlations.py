"""Rank correlations: those of SciPy, over the rows where both columns are observed."""

import numpy as np
from scipy.stats import spearmanr

from narrows.metrics.correlations import rank_correlations


def test_without_gaps_they_are_spearmans_ties_too():
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 4)) @ random.normal(size=(4, 4))
    x[:, 1], x[:, 2] = np.rint(x[:, 1]), x[:, 2] > 0
    x[5, 3] = 1e12
    np.testing.assert_allclose(rank_correlations(x), spearmanr(x).statistic, atol=1e-9)


def test_pairs_are_taken_where_both_are_observed():
    x = np.array([[1, 4, 9.0], [2, 5, 9], [3, np.nan, 9], [np.nan, 1, 9], [4, 6, 9]])
    found = rank_correlations(x)
    assert found[0, 1] > 0.9
    assert np.isnan(found[2]).all()  # a constant
    assert np.isnan(rank_correlations(np.full((3, 2), np.nan))).all()
    assert rank_correlations(np.zeros((0, 2))).shape == (2, 2)

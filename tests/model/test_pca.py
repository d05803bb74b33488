"""Principal components: scikit-learn's, by every way of finding them."""

import numpy as np
import pytest
import torch
from sklearn import decomposition

from narrows.model.pca import PCA, axes_of_projected, exact_axes, project, whitened_scores


@pytest.mark.parametrize("shape", [(200, 12), (12, 200)])
def test_scores_are_those_of_pca(shape):
    rows = np.random.default_rng(0).exponential(size=shape) * np.linspace(3, 1, shape[1])
    ours = whitened_scores(torch.from_numpy(rows).float(), 4).numpy()
    theirs = decomposition.PCA(4, whiten=True, svd_solver="full").fit_transform(rows)
    assert np.allclose(np.abs(np.corrcoef(ours.T, theirs.T)[:4, 4:]), np.eye(4), atol=1e-3)
    assert np.allclose(ours.std(0), 1, atol=1e-4)
    assert ((ours**3).mean(0) <= 0).all()


def test_there_are_no_more_components_than_the_rows_have():
    assert whitened_scores(torch.randn(50, 2) @ torch.randn(2, 6), 5).shape == (50, 2)
    assert whitened_scores(torch.ones(50, 6), 5).shape == (50, 0)
    assert whitened_scores(torch.ones(1, 6), 5).shape == (1, 0)


def test_turned_components_stand_for_few_values():
    torch.manual_seed(0)
    parts = torch.randn(2000, 4).exp()  # four independent parts of nearly one size
    rows = parts.repeat_interleave(3, dim=1) * torch.tensor([1.0, 1.1, 1.2, 1.3]).repeat_interleave(3)
    scores = whitened_scores(rows, 4, rotate=True)
    correlation = torch.corrcoef(torch.cat([scores, parts], 1).T)[:4, 4:].abs()
    assert torch.allclose(correlation.max(1).values, torch.ones(4), atol=0.02)


@pytest.mark.parametrize("find", [exact_axes, axes_of_projected, lambda rows, count: PCA.fit(rows, count).axes])
def test_every_way_finds_the_same_axes(find):
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 12)) * np.linspace(3, 1, 12))
    theirs = decomposition.PCA(3, svd_solver="full").fit(rows.numpy()).components_
    ours = find(rows - rows.mean(0), 3).numpy()
    assert np.allclose(np.abs(ours @ theirs.T), np.eye(3), atol=1e-6)


def test_rows_are_projected_on_axes_that_hold_nearly_all_their_variance():
    rows = torch.randn(300, 5) @ torch.randn(5, 80) + 0.01 * torch.randn(300, 80)
    assert project(rows, 5).square().sum() > 0.99 * (rows - rows.mean(0)).square().sum()

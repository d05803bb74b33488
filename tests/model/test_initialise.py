"""Where training starts: principal components, blocks of pictures, layers set by least squares."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from narrows.model.initialise import cut_blocks, fit_layer, principal_components


@pytest.mark.parametrize("shape", [(200, 12), (12, 200)])
def test_scores_are_those_of_pca(shape):
    rows = np.random.default_rng(0).exponential(size=shape) * np.linspace(3, 1, shape[1])
    ours = principal_components(torch.from_numpy(rows).float(), 4).numpy()
    theirs = PCA(4, whiten=True, svd_solver="full").fit_transform(rows)
    assert np.allclose(np.abs(np.corrcoef(ours.T, theirs.T)[:4, 4:]), np.eye(4), atol=1e-3)
    assert np.allclose(ours.std(0), 1, atol=1e-4)
    assert ((ours**3).mean(0) <= 0).all()


def test_there_are_no_more_components_than_the_rows_have():
    assert principal_components(torch.randn(50, 2) @ torch.randn(2, 6), 5).shape == (50, 2)
    assert principal_components(torch.ones(50, 6), 5).shape == (50, 0)
    assert principal_components(torch.ones(1, 6), 5).shape == (1, 0)


def test_turned_components_stand_for_few_values():
    torch.manual_seed(0)
    parts = torch.randn(2000, 4).exp()  # four independent parts of nearly one size
    rows = parts.repeat_interleave(3, dim=1) * torch.tensor([1.0, 1.1, 1.2, 1.3]).repeat_interleave(3)
    scores = principal_components(rows, 4, rotate=True)
    correlation = torch.corrcoef(torch.cat([scores, parts], 1).T)[:4, 4:].abs()
    assert torch.allclose(correlation.max(1).values, torch.ones(4), atol=0.02)


def test_blocks_are_what_the_places_of_a_grid_stand_for():
    x = torch.arange(2 * 36.0).view(2, 1, 6, 6)
    blocks = cut_blocks(x, (3, 3)) + x.mean()
    assert torch.equal(blocks[1], x[0, 0, 0:2, 2:4].flatten())
    assert torch.equal(blocks[9 + 3], x[1, 0, 2:4, 0:2].flatten())


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(6, 3),
        nn.Conv2d(6, 3, 3, padding=1),
        nn.Conv2d(6, 3, 3, stride=2, padding=1),
        nn.ConvTranspose2d(6, 3, 2, stride=2),
    ],
)
def test_a_layer_is_set_to_what_made_the_targets(layer):
    torch.manual_seed(0)
    inputs = torch.randn(400, 6) if isinstance(layer, nn.Linear) else torch.randn(64, 6, 9, 8)
    if isinstance(layer, nn.ConvTranspose2d):
        nn.init.constant_(layer.bias, 0.0)  # it is set to the targets' mean, which the inputs leave alone here
    with torch.no_grad():
        targets = layer(inputs)
        nn.init.zeros_(layer.weight)
        fit_layer(layer, inputs, targets)
        error = (layer(inputs) - targets).square().mean() / targets.var()
    assert error < 0.01

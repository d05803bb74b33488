"""The weights before training: blocks of pictures, layers set by least squares, networks about as good as PCA."""

import pytest
import torch
from networks import network_of
from torch import nn

from narrows.model.initialise import cut_blocks, fit_layer, initialise


def test_blocks_are_those_of_the_cells_of_a_grid():
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


def test_a_start_by_the_data_gives_every_layer_mean_0_and_deviation_1():
    x = torch.randn(500, 12) * 1e3 - 4e4
    network = network_of((12,), x, backbone="dense(hidden=[9, 7])", bottleneck="relu(3)")
    initialise(network, x)
    outputs = {}
    for layer in (m for m in network.modules() if isinstance(m, nn.Linear)):
        layer.register_forward_hook(lambda layer, _, output: outputs.__setitem__(layer, output))
    network.restore(network.scaling(x))
    *inner, last = outputs.values()
    for i, output in enumerate(inner):
        assert torch.allclose(output.std(0, correction=0), torch.ones(()), atol=1e-3), i
        expected = 1.0 if i == 2 else 0.0  # what the ReLU of the bottleneck reads starts above 0
        assert torch.allclose(output.mean(0), torch.tensor(expected), atol=1e-3), i
    assert last.shape == (500, 12)


@pytest.mark.parametrize("backbone", ["dense(hidden=[])", "conv(channels=[4])", "conv(channels=[4], grid=True)"])
def test_a_start_by_one_sample_or_by_equal_ones_is_finite(backbone):
    for x in (torch.rand(1, 1, 8, 8), torch.ones(5, 1, 8, 8)):
        network = network_of((1, 8, 8), x, backbone=backbone, scaling="unit")
        initialise(network, x)
        assert network.reconstruct(x).isfinite().all()
        assert all(p.isfinite().all() and p.abs().max() < 10 for p in network.parameters())


@pytest.mark.parametrize("hidden", [[], [64]])
def test_a_start_is_about_as_good_as_pca(hidden):
    x = torch.randn(800, 5) @ torch.randn(5, 20) + 0.1 * torch.randn(800, 20)
    network = network_of((20,), x, backbone=f"dense(hidden={hidden})", bottleneck="linear(5)")
    before = network.squared_error(x).mean()
    initialise(network, x)
    scaled = network.scaling(x)
    values = torch.linalg.svdvals(scaled - scaled.mean(0))
    pca = values[5:].square().sum() / scaled.numel()
    limit = 1.1 * pca if not hidden else 0.3  # random features of a code read less than the code itself
    assert pca < 0.02
    assert network.squared_error(x).mean() < limit < before


@pytest.mark.parametrize("up", ["transposed", "upsample"])
@pytest.mark.parametrize("grid", [True, False])
def test_a_start_of_convolutions_lowers_the_error(pictures, up, grid):
    x = torch.from_numpy(pictures).movedim(-1, 1) if pictures.ndim == 4 else torch.from_numpy(pictures)[:, None]
    text = f"conv(channels=[8], up='{up}', grid={grid})"
    network = network_of(tuple(x.shape[1:]), x, backbone=text, scaling="unit", bottleneck="relu(4)")
    before = network.squared_error(x).mean()
    initialise(network, x)
    assert network.squared_error(x).mean() < before / 1.5


def test_a_start_leaves_global_randomness_alone():
    x = torch.randn(50, 4)
    network = network_of(x=x)
    state = torch.get_rng_state()
    initialise(network, x)
    assert torch.equal(torch.get_rng_state(), state)

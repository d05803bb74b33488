"""Blocks of a fixed number of rows: every row once, and the same bit for bit in any batch."""

import pytest
import torch
from networks import network_of

from narrows.model.inference import BLOCK_ROWS


@pytest.mark.parametrize("rows", [0, 1, 2, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 3 * BLOCK_ROWS])
def test_blocks_return_every_row_once(rows):
    x = torch.arange(rows, dtype=torch.float32).view(-1, 1).expand(-1, 4)
    seen = []
    network = network_of()

    def function(block):
        seen.append(tuple(block.shape))
        return 2 * block

    assert torch.equal(network.in_blocks(function, x), 2 * x)
    assert set(seen) == {(BLOCK_ROWS, 4)}


@pytest.mark.parametrize("mode", [True, False])
def test_blocks_leave_the_network_in_its_mode_and_give_plain_tensors(mode):
    network = network_of().train(mode)
    modes = []
    result = network.in_blocks(lambda rows: modes.append(network.training) or rows, torch.ones(3, 4))
    assert modes == [False]
    assert network.training is mode
    assert not result.is_inference()
    assert not result.requires_grad


@pytest.mark.parametrize("width", [1, 5, 6, 13, 16, 17])
@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_a_row_in_blocks_does_not_depend_on_its_position(width, size):
    """Matrix products with few columns add a row in an order that depends on where its memory starts."""
    network = network_of((width,), backbone=f"dense(hidden=[{width}])", bottleneck=f"linear({size})")
    row = torch.randn(1, width)
    x = torch.randn(BLOCK_ROWS, width)
    alone = network.in_blocks(network.reconstruct, row)[0]
    for i in range(BLOCK_ROWS):
        x[i] = row
        assert torch.equal(network.in_blocks(network.reconstruct, x)[i], alone)

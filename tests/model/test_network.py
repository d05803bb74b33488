"""The composition: one formula, in the user's units at both ends."""

import numpy as np
import pytest
import torch
from networks import network_of
from torch import nn

from narrows.batch import Batch
from narrows.errors import SpecError
from narrows.model.network import Network, as_tensor, build_part
from narrows.model.summary import describe_code, layers


def test_the_formula_step_by_step():
    x = torch.randn(6, 4, dtype=torch.float64) * 3 + 10
    network = network_of(x=x, corruption="gaussian(0.5)").train()
    cost = network(x, generator=torch.Generator().manual_seed(5))
    scaled = ((x - x.mean(0)) / x.std(0, correction=0)).float()
    noisy = scaled + 0.5 * torch.randn(6, 4, generator=torch.Generator().manual_seed(5))
    logits = network.decoder(network.encoder(noisy)[0])
    assert torch.allclose(cost.total, (logits - scaled).square().mean(1), atol=1e-6)
    assert torch.equal(cost.mse, cost.total)


def test_without_a_generator_nothing_is_damaged():
    x = torch.randn(6, 4)
    clean, damaged, weight = network_of(x=x, corruption="mask(1.0)").damage(x, None)
    assert torch.equal(damaged, clean)
    assert torch.equal(damaged, network_of(x=x).scaling(x))
    assert weight is None


def test_a_target_is_what_the_output_is_compared_with():
    x, target = torch.randn(6, 4), torch.randn(6, 4)
    network = network_of(x=x).eval()
    expected = (network.restore(network.scaling(x)) - network.scaling(target)).square().mean(1)
    assert torch.allclose(network(Batch(x, target)).mse, expected)
    assert not torch.allclose(network(x).mse, expected)


@pytest.mark.parametrize("loss", ["mse", "mae", "bce"])
def test_mse_is_the_squared_error_whatever_is_minimised(loss):
    x = torch.randint(0, 256, (6, 4), dtype=torch.uint8)
    network = network_of(x=x, loss=loss, scaling="unit").eval()
    expected = (network.restore(network.scaling(x)) - x / 255).square().mean(1)
    cost = network(x)
    assert torch.allclose(cost.mse, expected, atol=1e-6)
    assert torch.allclose(cost.total, cost.mse) == (loss == "mse")
    assert not cost.mse.requires_grad
    assert cost.total.requires_grad


def test_reconstruction_is_in_the_users_units():
    x = torch.rand(200, 4, dtype=torch.float64) * 2e3 + 1e6
    network = network_of(x=x).eval()
    for layer in (network.encoder[-1], network.decoder[-2]):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    assert torch.allclose(network.reconstruct(x), x.mean(0).expand_as(x), rtol=1e-12)


def test_squared_error_is_per_value_in_models_units():
    x = torch.randn(6, 4) * 50
    network = network_of(x=x).eval()
    error = network.squared_error(x)
    assert error.shape == x.shape
    assert error.dtype == torch.float64
    assert torch.allclose(error.mean(1).float(), network(x).mse)


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        (np.uint8, torch.uint8),
        (np.uint16, torch.uint16),
        (np.int64, torch.int64),
        (np.bool_, torch.bool),
        (np.float16, torch.float16),
        (np.float32, torch.float32),
        (np.uint32, torch.float64),
        (np.uint64, torch.float64),
        (np.longdouble, torch.float64),
    ],
)
def test_arrays_become_tensors_of_their_type_where_torch_has_it(dtype, kept):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    tensor = as_tensor(x)
    assert tensor.dtype == kept
    assert np.array_equal(tensor.double().numpy(), x.astype(np.float64))


def test_an_array_that_is_read_only_is_copied_not_warned_of():
    x = np.ones((2, 3))
    x.flags.writeable = False
    tensor = as_tensor(x)
    tensor += 1
    assert x[0, 0] == 1


def test_texts_rebuild_the_network():
    network = network_of((1, 9, 8), backbone="conv(channels=[4])", corruption="mask(0.5)|gaussian(0.1)")
    again = Network.from_texts(network.shape, **network.texts)
    assert again.texts == network.texts
    again.load_state_dict(network.state_dict())
    x = torch.rand(3, 1, 9, 8)
    assert torch.equal(again.reconstruct(x), network.reconstruct(x))


@pytest.mark.parametrize("kind", ["backbone", "bottleneck", "corruption", "loss", "scaling"])
def test_a_misspelt_part_is_named_by_its_kind(kind):
    with pytest.raises(SpecError, match=f"there is no {kind} 'nonsense'"):
        build_part(kind, "nonsense(1)")


def test_layers_tell_the_way_of_a_sample():
    network = network_of((1, 9, 8), backbone="conv(channels=[4], pool='max', up='transposed')")
    rows = layers(network)
    assert rows[0].shape == rows[-1].shape == (1, 9, 8)
    assert ("code: linear(2)", (2,)) in [(row.name, row.shape) for row in rows]
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in network.parameters())
    assert network.device.type == "cpu"


def test_a_code_that_is_not_narrow_is_told():
    assert describe_code(network_of(bottleneck="linear(3)")) == "3 numbers for 4"
    assert "not narrower" in describe_code(network_of(bottleneck="linear(4)"))
    grid = network_of((1, 8, 8), backbone="conv(channels=[4], grid=True)")
    assert describe_code(grid) == "8 numbers (2x2x2) for 64"

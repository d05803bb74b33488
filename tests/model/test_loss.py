"""Costs agree with torch's own, are sums per sample, and a weight moves attention, not the total."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy, l1_loss, mse_loss

from narrows.errors import SpecError
from narrows.model.loss import BCE, LOSSES, MAE, MSE
from narrows.model.network import Network

REFERENCE = {"mse": mse_loss, "mae": l1_loss, "bce": binary_cross_entropy}


def output_of(logits):
    return logits, logits.sigmoid()


def some(seed=0, shape=(5, 1, 4, 3)):
    generator = torch.Generator().manual_seed(seed)
    return output_of(torch.randn(shape, generator=generator)), torch.rand(shape, generator=generator)


@pytest.mark.parametrize("name", LOSSES)
def test_agrees_with_torch(name):
    output, target = some()
    expected = REFERENCE[name](output[1], target, reduction="none")
    loss = LOSSES[name]()
    assert torch.allclose(loss.pointwise(output, target), expected, atol=1e-6)
    assert torch.allclose(loss(output, target), expected.flatten(1).sum(1), atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_of_any_size_that_is_alike_changes_nothing(name):
    output, target = some()
    loss = LOSSES[name]()
    assert torch.allclose(loss(output, target, torch.full_like(target, 7.0)), loss(output, target), atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_is_scaled_to_mean_1_over_the_batch(name):
    output, target = some()
    weight = torch.rand(target.shape, generator=torch.Generator().manual_seed(3))
    loss = LOSSES[name]()
    expected = (loss.pointwise(output, target) * weight / weight.mean()).flatten(1).sum(1)
    assert torch.allclose(loss(output, target, weight), expected, atol=1e-5)
    assert torch.allclose(loss(output, target, 1000 * weight), expected, atol=1e-5)


def test_a_weight_of_nothing_costs_nothing():
    output, target = some()
    assert torch.equal(MSE()(output, target, torch.zeros_like(target)), torch.zeros(5))


def test_cross_entropy_has_a_gradient_where_the_sigmoid_has_none():
    logits = torch.full((1, 1), -200.0, requires_grad=True)
    cost = BCE()(output_of(logits), torch.ones(1, 1))
    cost.sum().backward()
    assert cost.item() == pytest.approx(200)
    assert logits.grad.item() == pytest.approx(-1)


def test_cross_entropy_is_least_where_output_and_target_agree():
    target = torch.full((1, 1), 0.3)
    at = [BCE()(output_of(torch.tensor([[math.log(p / (1 - p))]])), target).item() for p in (0.2, 0.3, 0.4)]
    assert at[1] < min(at[0], at[2])


def test_wild_values_pull_the_absolute_error_less():
    wild, target = torch.tensor([[0.0, 10.0]]), torch.zeros(1, 2)
    assert MAE()((wild, wild), target) < MSE()((wild, wild), target)


@pytest.mark.parametrize("scaling", ["standard", "unit(output='linear')"])
def test_cross_entropy_needs_outputs_between_0_and_1(scaling):
    with pytest.raises(SpecError, match=r"use scaling=.unit\(output='sigmoid'\)"):
        Network.from_texts(
            (3,), backbone="dense", bottleneck="linear(2)", corruption="none", loss="bce", scaling=scaling
        )

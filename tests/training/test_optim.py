"""Optimizers and schedules against their formulas."""

import math

import pytest
import torch

from narrows.errors import SpecError
from narrows.training.optim import SCHEDULES, Adam, AdamW, Constant, Cosine, Muon, OneCycle, orthogonalise


@pytest.mark.parametrize(("recipe", "decay"), [(Adam(0.01), 0.0), (AdamW(0.01, weight_decay=0.1), 0.1)])
def test_adam_agrees_with_its_formula(recipe, decay):
    torch.manual_seed(0)
    start, gradients = torch.randn(5), torch.randn(4, 5)
    parameter = torch.nn.Parameter(start.clone())
    optimizer = recipe.build([parameter])
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step(recipe.rate)
    w, m, v = start.double(), torch.zeros(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)
    for t, g in enumerate(gradients.double(), 1):
        w = w * (1 - 0.01 * decay)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.01 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    assert torch.allclose(parameter.detach().double(), w, atol=1e-6)


def newton_schulz(x):
    """Jordan's iteration as published, on the matrix itself."""
    x = x / x.norm()
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (16, 9), (4, 144), (64, 200)])
def test_the_iteration_on_gram_matrices_is_the_published_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape, dtype=torch.float64)
    wide = matrix if shape[0] <= shape[1] else matrix.mT
    expected = newton_schulz(wide) if shape[0] <= shape[1] else newton_schulz(wide).mT
    assert torch.allclose(orthogonalise([matrix.float()])[0].double(), expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(130, 300), (300, 130)])
def test_blocks_of_a_wide_matrix_are_orthogonal_each(shape):
    torch.manual_seed(0)
    (result,) = orthogonalise([torch.randn(shape)])
    rows = result if shape[0] < shape[1] else result.mT
    for block in rows.split(48):  # three blocks of 48 rows hold 130
        values = torch.linalg.svdvals(block)
        assert 0.6 < values.min() <= values.max() < 1.25


def test_matrices_are_made_orthogonal_together_as_alone():
    torch.manual_seed(0)
    matrices = [torch.randn(5, 7), torch.randn(30, 20), torch.randn(7, 5), torch.zeros(3, 3)]
    for together, matrix in zip(orthogonalise(matrices), matrices, strict=True):
        assert together.shape == matrix.shape
        assert torch.allclose(together, orthogonalise([matrix])[0], atol=1e-6)


def test_muon_turns_its_momentum_and_leaves_biases_to_adam():
    torch.manual_seed(0)
    start, bias = torch.randn(6, 4), torch.randn(6)
    weight, shift = torch.nn.Parameter(start.clone()), torch.nn.Parameter(bias.clone())
    steps = Muon(0.1, momentum=0.5).build([weight, shift])
    mean, expected = torch.zeros(6, 4), start.clone()
    for gradient in torch.randn(3, 6, 4):
        weight.grad, shift.grad = gradient.clone(), torch.ones(6)
        steps.step(0.1)
        mean = 0.5 * mean + 0.5 * gradient
        expected -= 0.1 * (6 / 4) ** 0.5 * newton_schulz((0.5 * gradient + 0.5 * mean).mT).mT
    assert torch.allclose(weight, expected, atol=1e-4)
    assert torch.allclose(shift, bias - 0.3, atol=1e-4)  # equal gradients: Adam walks at its rate


def test_muon_leaves_a_layer_where_it_is_that_gets_no_gradient_any_more():
    weight = torch.nn.Parameter(torch.randn(8, 8))
    steps = Muon(0.02).build([weight])
    weight.grad = 1e-3 * torch.randn(8, 8)
    steps.step(0.02)
    before = weight.detach().clone()
    weight.grad = torch.zeros(8, 8)
    for _ in range(1500):  # the momentum falls below the least number that there is
        steps.step(0.02)
    assert torch.equal(weight, before)


def test_next_to_nothing_is_made_a_small_step():
    (direction,) = orthogonalise([torch.full((8, 8), 1e-25)])
    assert direction.abs().max() < 1e-6


@pytest.mark.parametrize("schedule", [part() for part in SCHEDULES.values()], ids=repr)
def test_rates_stay_between_0_and_their_highest(schedule):
    factors = [schedule.factor(i / 100) for i in range(101)]
    assert all(0 <= factor <= 1 for factor in factors)
    assert max(factors) == pytest.approx(1, abs=0.01)
    assert (factors[-1] < 0.01) == schedule.ends


def test_shapes_of_the_schedules():
    assert OneCycle(warmup=0.2).factor(0.1) == pytest.approx((1 + 1 / 25) / 2)
    assert Cosine().factor(0.25) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)
    assert Constant().factor(0.3) == 1
    with pytest.raises(SpecError, match="rate must be"):
        Adam(-1.0)

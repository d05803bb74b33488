"""Optimizers and schedules against their formulas."""

import math

import pytest
import torch

from narrows.errors import SpecError
from narrows.train.optim import SCHEDULES, Adam, AdamW, Constant, Cosine, OneCycle


@pytest.mark.parametrize(("recipe", "decay"), [(Adam(0.01), 0.0), (AdamW(0.01, weight_decay=0.1), 0.1)])
def test_adam_agrees_with_its_formula(recipe, decay):
    torch.manual_seed(0)
    start, gradients = torch.randn(5), torch.randn(4, 5)
    parameter = torch.nn.Parameter(start.clone())
    optimizer = recipe.build([parameter])
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    w, m, v = start.double(), torch.zeros(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64)
    for t, g in enumerate(gradients.double(), 1):
        w = w * (1 - 0.01 * decay)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.01 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    assert torch.allclose(parameter.detach().double(), w, atol=1e-6)


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

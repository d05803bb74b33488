"""Bottlenecks: what each part lets through, and which sizes make sense."""

import pytest
import torch

from narrows.errors import SpecError
from narrows.model.bottleneck import BOTTLENECKS, Linear, Map, ReLU, Sparse
from narrows.model.network import build_part


def test_linear_is_the_thing_itself():
    h = torch.randn(3, 4)
    assert torch.equal(Linear(4)(h).z, h)


def test_relu_cuts_at_0():
    h = torch.randn(3, 4)
    assert torch.equal(ReLU(4)(h).z, h.clamp_min(0))


@pytest.mark.parametrize("shape", [(5, 9), (5, 9, 4, 3)])
def test_sparse_keeps_the_k_largest_of_every_place(shape):
    h = torch.randn(shape)
    z = Sparse(9, 4)(h).z
    assert ((z != 0).sum(1) == 4).all()
    assert torch.equal(z[z != 0], h[z != 0])
    kept = torch.where(z != 0, h, torch.inf).amin(1)
    dropped = torch.where(z != 0, -torch.inf, h).amax(1)
    assert (kept > dropped).all()


def test_sparse_lets_gradients_reach_what_it_keeps_only():
    h = torch.tensor([[1.0, 3.0, 2.0]], requires_grad=True)
    Sparse(3, 2)(h).z.sum().backward()
    assert h.grad.tolist() == [[0, 1, 1]]


def test_sparse_of_all_is_linear():
    h = torch.randn(3, 4)
    assert torch.equal(Sparse(4, 4)(h).z, h)


@pytest.mark.parametrize("name", BOTTLENECKS)
def test_these_hold_no_weights_and_cost_nothing(name):
    part = build_part("bottleneck", name)
    code = part(torch.randn(3, part.features_in))
    assert not list(part.parameters())
    assert torch.equal(code.penalty, torch.zeros(3))
    assert code.symbols is None


def test_the_map_is_free_at_its_place_and_lets_go_far_away():
    position = torch.zeros(4, 2)
    z = torch.tensor([[0.0, 0.0], [0.1, 0.0], [1.0, 0.0], [100.0, 0.0]], requires_grad=True)
    cost = Map(2, weight=2.0, width=0.1).relate(z, position)
    assert cost[0] == 0
    assert cost.tolist() == sorted(cost.tolist())
    cost.sum().backward()
    pull = z.grad[:, 0]
    assert pull.argmax() == 1  # at its width
    assert pull[3] < pull[2] / 50


@pytest.mark.parametrize("text", ["map(2, neighbours=0)", "map(2, weight=-1)", "map(0)", "map(4)"])
def test_a_map_that_makes_no_sense_is_refused(text):
    with pytest.raises(SpecError, match=r"must be a .*number"):
        build_part("bottleneck", text)


@pytest.mark.parametrize("text", ["linear(0)", "linear(-1)", "linear(1.5)", "linear(65537)", "relu('a')", "relu(True)"])
def test_sizes_that_make_no_sense_are_refused(text):
    with pytest.raises(SpecError, match="size must be a whole number between 1 and 65536, however"):
        build_part("bottleneck", text)


@pytest.mark.parametrize("text", ["sparse(4, 5)", "sparse(4, 0)", "sparse(8)"])
def test_no_more_can_be_kept_than_there_are(text):
    with pytest.raises(SpecError, match="k must be a whole number between 1 and"):
        build_part("bottleneck", text)

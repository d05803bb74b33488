"""Positions keep neighbours together, and the grid repels as all pairs would."""

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from narrows.data.stream import Stream
from narrows.errors import DataError
from narrows.training import tsne
from narrows.training.tsne import find_positions


@pytest.mark.parametrize(("size", "spread"), [(1, 1), (2, 1), (3, 1), (1, 5), (2, 2), (2, 5)])
def test_the_grid_repels_as_all_pairs_would(size, spread):
    x = spread * torch.randn(300, size)
    gaps = x[:, None] - x
    nearness = (1 / (1 + gaps.square().sum(2))).fill_diagonal_(0)
    wanted = (nearness.square()[:, :, None] * gaps).sum(1) / nearness.sum()
    pushed = tsne._repulsion(x.mT).mT
    assert pushed.shape == x.shape
    assert (pushed - wanted).norm() < 0.02 * wanted.norm()


def test_neighbours_attract_both_ways_and_by_no_more_than_a_share():
    x = torch.tensor([[0.0, 0.0], [2.0, 0.0], [2.0, 5.0]])
    pull = tsne._attraction(x.mT, torch.tensor([[1, 0, 1]])).mT
    near, far = 2 / (1 + 4), 5 / (1 + 25)
    wanted = torch.tensor([[-2 * near, 0.0], [2 * near, -far], [0.0, far]]) / 6
    assert torch.allclose(pull, wanted)


def test_positions_of_digits_keep_more_neighbours_than_principal_components():
    x = load_digits().data
    found = find_positions(torch.from_numpy(x), 2, neighbours=15)
    assert found.mean(0).abs().max() < 1e-5
    assert found.square().mean().sqrt().item() == pytest.approx(1, abs=1e-4)
    assert trustworthiness(x, found.numpy()) > trustworthiness(x, PCA(2).fit_transform(x)) + 0.1


@pytest.mark.parametrize(("columns", "size"), [(1, 2), (2, 3), (60, 1)])
def test_few_columns_and_other_sizes_find_positions_too(columns, size):
    rows = torch.rand(50, columns)
    found = find_positions(rows, size, neighbours=4)
    assert found.shape == (50, size)
    assert found.isfinite().all()
    assert (found.std(0) > 0).all()


def test_few_samples_and_equal_ones_find_finite_places():
    assert find_positions(torch.tensor([[0.0], [1.0]]), 2, neighbours=1).isfinite().all()
    assert find_positions(torch.arange(4.0).repeat_interleave(30)[:, None], 2, neighbours=15).isfinite().all()


def test_a_seed_repeats_the_places_and_global_chance_is_left_alone():
    rows, state = torch.rand(60, 3), torch.get_rng_state()
    assert torch.equal(find_positions(rows, 2, neighbours=5, seed=1), find_positions(rows, 2, neighbours=5, seed=1))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 18, 30])
def test_few_samples_get_places_apart(count):
    """Where nearly all are neighbours of each other, all of them pulled each other into one position."""
    positions = find_positions(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), 2, neighbours=15)
    assert positions.isfinite().all()
    assert torch.cdist(positions, positions)[~torch.eye(count, dtype=bool)].min() > 0


def test_one_sample_has_no_neighbours():
    with pytest.raises(DataError, match="need at least 2 samples"):
        find_positions(torch.rand(1, 3), 2, neighbours=15)


def test_a_batch_holds_the_places_of_its_own_samples():
    x = torch.arange(10.0)[:, None]
    stream, generator = Stream(x, 4, target_positions=-x), torch.Generator().manual_seed(0)
    batches = [stream.take(index, generator) for index in stream.epoch(generator)]
    assert [len(batch.target_position) for batch in batches] == [4, 4, 2]
    assert all(torch.equal(batch.target_position, -batch.x) for batch in batches)
    assert Stream(x, 5).take(torch.arange(5), generator).target_position is None

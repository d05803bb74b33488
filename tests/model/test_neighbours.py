"""Nearest neighbours are exact, whatever the block, the ties and the width."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

from narrows.errors import DataError
from narrows.model import neighbours
from narrows.model.neighbours import find_neighbours
from narrows.model.pca import project


def reference(rows, k):
    """Return what scikit-learn finds, each sample itself left out."""
    found = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(rows).kneighbors(return_distance=True)
    return found[0], found[1]


@pytest.mark.parametrize(("n", "values", "k"), [(300, 3, 15), (1500, 20, 7), (40, 8, 39), (2, 1, 1)])
@pytest.mark.parametrize("most", [2**23, 4000])
def test_they_are_those_of_scikit_learn(n, values, k, most, monkeypatch):
    monkeypatch.setattr(neighbours, "MAX_DISTANCES", most)
    rows = np.random.default_rng(0).normal(size=(n, values)).astype(np.float32)
    distances, expected = reference(rows, k)
    found = find_neighbours(torch.from_numpy(rows), k).numpy()
    apart = np.diff(distances, axis=1, prepend=-1).min(1) > 1e-5  # elsewhere rounding may turn two round
    assert apart.mean() > 0.5
    assert np.array_equal(found[apart], expected[apart])


def test_wide_rows_are_compared_by_their_principal_components():
    rows = torch.from_numpy(load_digits().data.astype(np.float32))
    scores = project(rows)
    assert scores.shape == (1797, 50)
    centred = (rows - rows.mean(0)).double()
    most = torch.linalg.eigvalsh(centred.mT @ centred).flip(0)[:50].sum()
    assert scores.square().sum() > 0.999 * most
    assert np.array_equal(find_neighbours(rows, 5).sort(1).values, np.sort(reference(scores.numpy(), 5)[1], axis=1))


def test_large_values_far_from_zero_lose_no_neighbour():
    rows = np.random.default_rng(0).normal(size=(200, 4)) + 1000
    assert np.array_equal(find_neighbours(torch.from_numpy(rows), 3), reference(rows.astype(np.float32), 3)[1])


def test_equal_samples_are_each_others_neighbours_and_never_their_own():
    rows = torch.arange(40.0).repeat_interleave(3)[:, None]
    found = find_neighbours(rows, 2)
    assert (found != torch.arange(120)[:, None]).all()
    assert torch.equal(found // 3, (torch.arange(120) // 3)[:, None].expand(-1, 2))


def test_it_draws_no_chance_and_gives_the_same_twice():
    rows, state = torch.rand(200, 80), torch.get_rng_state()
    assert torch.equal(find_neighbours(rows, 5), find_neighbours(rows, 5))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("rows", "k", "words"),
    [
        (torch.rand(1, 3), 15, "15 neighbours of each sample need at least 16 samples.*there is only 1;"),
        (torch.rand(15, 3), 15, "need at least 16 samples to learn from, however there are 15; give more data"),
        (torch.full((30, 2), 7.0), 5, "all samples are equal, so none is nearer than another"),
        (torch.tensor([[1.0, 2.0]]).expand(30, 2), 5, "all samples are equal"),
    ],
)
def test_what_has_no_neighbours_is_refused_in_one_sentence(rows, k, words):
    with pytest.raises(DataError, match=words) as caught:
        find_neighbours(rows, k)
    assert "\n" not in str(caught.value)

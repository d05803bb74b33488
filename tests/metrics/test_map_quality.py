"""The metrics of maps agree with scikit-learn's, and are what they are called."""

import numpy as np
import pytest
from sklearn import manifold
from sklearn.neighbors import KNeighborsClassifier

from narrows.metrics import map_quality as module
from narrows.metrics.map_quality import clusters, continuity, measure_map, neighbour_accuracy, trustworthiness


@pytest.fixture
def data():
    """Return 150 samples of three groups in six dimensions, their first two columns as a map, and labels."""
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    x = rng.normal(size=(150, 6)) + 2 * labels[:, np.newaxis]
    return x, x[:, :2].astype(np.float32), labels


@pytest.mark.parametrize("k", [1, 5, 12])
def test_trustworthiness_is_scikit_learns(data, k, monkeypatch):
    x, points, _ = data
    monkeypatch.setattr(module, "BLOCK_DISTANCES", 1000)  # 23 blocks
    expected = manifold.trustworthiness(x, points, n_neighbors=k)
    assert 0.5 < expected < 0.95
    assert trustworthiness(x, points, k) == pytest.approx(expected, abs=1e-12)
    assert continuity(x, points, k) == pytest.approx(manifold.trustworthiness(points, x, n_neighbors=k), abs=1e-12)


def test_a_map_that_tears_is_trustworthy_and_not_continuous():
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], 1)
    assert trustworthiness(ring, angles[:, np.newaxis]) > continuity(ring, angles[:, np.newaxis])
    folded = np.abs(angles - np.pi)[:, np.newaxis]  # both halves of the ring on top of each other
    assert trustworthiness(ring, folded) < continuity(ring, folded)


def test_neighbours_are_the_training_points_where_they_are_given(data):
    _, points, labels = data
    known = points[:100], labels[:100]
    expected = KNeighborsClassifier(5).fit(*known).score(points[100:], labels[100:])
    assert neighbour_accuracy(points[100:], labels[100:], 5, known) == expected
    assert neighbour_accuracy(points, labels, 1, (points, labels)) == 1.0  # each is its own neighbour
    assert neighbour_accuracy(points, labels, 1) < 1.0  # and is not, among the others


def test_labels_without_meaning_make_no_clusters(data):
    _, points, labels = data
    shuffled = np.random.default_rng(1).permutation(labels)
    true, apart = clusters(points, labels)
    chance, same = clusters(points, shuffled)
    assert chance < 0.05 < 0.5 < true
    assert apart == same > 0.3


def test_samples_without_a_label_do_not_count():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 2))
    labels = (points[:, 0] > 0).astype(int)
    gaps = np.arange(40) % 4 == 0
    found = measure_map(points, points, np.ma.array(labels, mask=gaps))
    wanted = measure_map(points[~gaps], points[~gaps], labels[~gaps])
    assert all(found[name] == wanted[name] for name in ("1-NN", "5-NN", "V-measure"))

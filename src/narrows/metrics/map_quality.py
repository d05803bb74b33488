"""How good a map is: whether equal labels lie together, and whether neighbours in the data are neighbours on it.

All metrics are between 0 and 1 except the silhouette, which is between -1 and 1; more is better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

NEAREST = (1, 5)  # neighbours whose labels are compared
MAX_GROUPS = 100  # different labels; more are numbers rather than groups
NEIGHBOURS = 5  # for trustworthiness and continuity, as in most papers
BLOCK_DISTANCES = 2**22  # distances in memory at once: 32 MB
SILHOUETTE_ROWS = 5000  # samples that the silhouette is computed on: it takes all their distances


def measure_map(
    x: np.ndarray,
    points: np.ndarray,
    labels: np.ndarray | None = None,
    among: tuple[np.ndarray, np.ndarray] | None = None,
    index: np.ndarray | None = None,
) -> dict[str, float]:
    """Return every metric of a map by name, without those that need more samples or labels.

    Parameters
    ----------
    x : the samples at `index`, flat (n, D).
    points : the positions of all samples, (N, d).
    labels : (N,), None where there are none; samples that are masked in it are not labelled.
    among : points and labels of the training data, see `neighbour_accuracy`.
    index : the indices of the samples whose neighbours are looked for in both spaces, all by default.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> list(measure_map(rng.normal(size=(20, 3)), rng.normal(size=(20, 2))))
    ['trustworthiness', 'continuity']
    >>> list(measure_map(rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), np.arange(20) % 2))
    ['1-NN', '5-NN', 'trustworthiness', 'continuity', 'V-measure', 'silhouette']
    """
    found: dict[str, float] = {}
    labelled = np.zeros(len(points), bool) if labels is None else ~np.ma.getmaskarray(labels)
    own = np.asarray([] if labels is None else labels[labelled])
    grouped = 2 <= len(np.unique(own)) <= min(MAX_GROUPS, len(own) // 2)
    if grouped:
        known = len(own) - 1 if among is None else len(among[0])
        found |= {f"{k}-NN": neighbour_accuracy(points[labelled], own, k, among) for k in NEAREST if k <= known}
    some = slice(None) if index is None else index
    if len(x) > 2 * NEIGHBOURS:
        measures: dict[str, Callable[..., float]] = {"trustworthiness": trustworthiness, "continuity": continuity}
        found |= {name: measure(x, points[some]) for name, measure in measures.items()}
    if grouped:
        found |= dict(zip(("V-measure", "silhouette"), clusters(points[labelled], own), strict=True))
    return found


def neighbour_accuracy(
    points: np.ndarray, labels: np.ndarray, k: int, among: tuple[np.ndarray, np.ndarray] | None = None
) -> float:
    """Return the share of points whose label is that of most of their `k` nearest ones.

    Parameters
    ----------
    points, labels : (N, d) and (N,), more than `k` of them.
    among : the points (M, d) and the labels (M,) that the neighbours are taken from, best those of the training data;
        by default each point's neighbours are the others.

    Examples
    --------
    >>> neighbour_accuracy(np.array([[0.0], [1.0], [5.0], [5.5]]), np.array(["a", "a", "b", "a"]), k=1)
    0.5
    """
    from sklearn.neighbors import KNeighborsClassifier

    known, known_labels = (points, labels) if among is None else among
    guesses = KNeighborsClassifier(k).fit(known, known_labels).predict(None if among is None else points)
    return float((guesses == labels).mean())


def trustworthiness(x: np.ndarray, points: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Return to what degree neighbours on a map are neighbours in the data: 1 where all `k` nearest are.

    One that is not costs by how much its rank among the neighbours in the data is beyond `k`. Venna and Kaski,
    "Neighborhood Preservation in Nonlinear Projection Methods: An Experimental Study", 2001. As scikit-learn's, in
    blocks of rows, so that 10,000 samples take 32 MB and not 2 GB.

    Parameters
    ----------
    x : the samples, flat (N, D).
    points : their positions on the map, (N, d).
    k : at most half of N.

    Examples
    --------
    >>> line = np.arange(10.0)[:, np.newaxis]
    >>> trustworthiness(line, line**2, k=1), round(trustworthiness(line, abs(line - 3.2), k=1), 3)
    (1.0, 0.562)
    """
    from sklearn.metrics import euclidean_distances
    from sklearn.neighbors import NearestNeighbors

    count, beyond = len(x), 0
    near = NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False)
    for rows in np.array_split(np.arange(count), -(-count * count // BLOCK_DISTANCES)):
        distances = euclidean_distances(x[rows], x, squared=True)
        distances[np.arange(len(rows)), rows] = np.inf  # nothing is its own neighbour
        for own in np.take_along_axis(distances, near[rows], axis=1).T:
            ranks = np.count_nonzero(distances < own[:, np.newaxis], axis=1) + 1
            beyond += int(np.maximum(ranks - k, 0).sum())
    return 1.0 - 2.0 * beyond / (count * k * (2 * count - 3 * k - 1))


def continuity(x: np.ndarray, points: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Return to what degree neighbours in the data are neighbours on the map: trustworthiness with the roles changed.

    Examples
    --------
    >>> line = np.arange(10.0)[:, np.newaxis]
    >>> continuity(line, line**2, k=1)
    1.0
    """
    return trustworthiness(points, x, k)


def clusters(points: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the V-measure and the silhouette of k-means on a map, with as many clusters as there are labels.

    The V-measure is 1 where the clusters are the groups of equal labels (Rosenberg and Hirschberg, "V-Measure: A
    Conditional Entropy-Based External Cluster Evaluation Measure", 2007). The silhouette says how far the clusters lie
    apart, whatever the labels (Rousseeuw, "Silhouettes", 1987), on at most 5,000 of the points.

    Parameters
    ----------
    points, labels : (N, d) and (N,), of at least two labels and more samples than labels.

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [0.0, 0.1], [9.0, 9.0], [9.0, 9.1]])
    >>> v_measure, silhouette = clusters(points, np.array([3, 3, 7, 7]))
    >>> round(v_measure, 3), round(silhouette, 3)
    (1.0, 0.992)
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score, v_measure_score

    found = KMeans(len(np.unique(labels)), n_init=10, random_state=0).fit_predict(points)
    size = SILHOUETTE_ROWS if len(points) > SILHOUETTE_ROWS else None
    return float(v_measure_score(labels, found)), float(
        silhouette_score(points, found, sample_size=size, random_state=0)
    )

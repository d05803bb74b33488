"""Principal component analysis, all of it: `PCA`, and variants where speed or the last digits matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

FLAT = 1e-6  # of the largest variance: a component of less is rounding
ROTATIONS = 50  # rounds of varimax; it has settled long before
MAX_AXES = 50  # that `project` keeps
PROJECT_STEPS = 4  # power steps of `project`, after which distances between the projected rows hardly change
DENSE_WIDTH = 1500  # values of a row up to which all axes cost less than a second
SPARE_AXES, CHUNKED_STEPS = 10, 3  # of the randomised method: axes beyond the wanted ones, and power steps
Chunks = Callable[[], Iterable[np.ndarray]]


@dataclass(frozen=True)
class PCA:
    """A fitted PCA.

    Attributes
    ----------
    mean : (D,) of the rows.
    axes : (k, D), orthonormal, that of the largest variance first.

    Examples
    --------
    >>> rows = torch.tensor([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]])
    >>> pca = PCA.fit(rows, 1)
    >>> torch.allclose(pca.restore(rows), rows, atol=1e-6)
    True
    """

    mean: Tensor
    axes: Tensor

    @classmethod
    def fit(cls, rows: Tensor, count: int) -> PCA:
        """Fit at most `count` components to `rows` (N, D): as many as vary, through the smaller Gram matrix."""
        mean = rows.mean(0)
        centred = rows - mean
        is_tall = len(rows) > rows.shape[1]
        variance, vectors = torch.linalg.eigh(centred.mT @ centred if is_tall else centred @ centred.mT)
        count = min(count, int((variance > FLAT * variance[-1]).sum()))
        vectors = vectors[:, len(variance) - count :].flip(1)
        return cls(mean, (vectors if is_tall else normalize(centred.mT @ vectors, dim=0)).mT)

    def encode(self, rows: Tensor) -> Tensor:
        """Return the components (N, k) of `rows` (N, D)."""
        return (rows - self.mean) @ self.axes.mT

    def restore(self, rows: Tensor) -> Tensor:
        """Return `rows` (N, D) from their components alone."""
        return self.encode(rows) @ self.axes + self.mean


def find_axes(centred: Chunks, count: int, width: int, wanted: int) -> np.ndarray:
    """Return the axes (k, D) of rows that come in chunks, that of the largest variance first, float32.

    Apart from `PCA.fit` since its rows may be too many to hold at once: their covariance is summed chunk by chunk in
    float64, and reference tables are computed in NumPy. Rows of up to 1,500 values get all axes; wider ones `wanted`,
    or all of few rows, by a randomised method (Halko, Martinsson and Tropp, "Finding Structure with Randomness", 2011).

    Parameters
    ----------
    centred : each call yields the rows once more, less their mean, in chunks (n, D), float32.
    count, width : the number of all rows, and D.

    Examples
    --------
    >>> find_axes(lambda: [np.array([[3.0, 0.0], [-3.0, 1.0], [0.0, -1.0]])], 3, 2, wanted=1).shape
    (2, 2)
    """
    most = min(count - 1, width)  # n rows differ from their mean in n - 1 directions
    if most < 1:
        return np.empty((0, width), np.float32)
    if width <= DENSE_WIDTH:
        return _covariance_axes(centred(), width)[:most]
    wanted = wanted if 2 * wanted <= most else most  # of few rows all are as cheap
    basis = _random_basis(centred, width, min(most, wanted + SPARE_AXES))
    return _covariance_axes((x @ basis for x in centred()), basis.shape[1])[:wanted] @ basis.T


def _covariance_axes(centred: Iterable[np.ndarray], width: int) -> np.ndarray:
    """Return all axes (width, width) of centred chunks (n, width), that of the largest variance first, float32."""
    covariance = np.zeros((width, width))
    for x in centred:
        covariance += x.T @ x
    return np.linalg.eigh(covariance)[1][:, ::-1].T.astype(np.float32)


def _random_basis(centred: Chunks, width: int, size: int) -> np.ndarray:
    """Return orthonormal directions (width, size) that hold nearly as much of the variance as any of that number."""
    basis = np.random.default_rng(0).standard_normal((width, size), np.float32)
    for _ in range(CHUNKED_STEPS):
        basis = np.linalg.qr(sum(x.T @ (x @ basis) for x in centred()))[0]
    return basis


def whitened_scores(rows: Tensor, count: int, rotate: bool = False) -> Tensor:
    """Return the scores (N, at most `count`) of `rows` (N, D) along their principal components, deviation 1.

    Parameters
    ----------
    count : the most components; there are no more than directions in which the rows vary.
    rotate : turn the components so that each one stands for few of the values (Kaiser, "The Varimax Criterion",
        1958); each number of a code on a grid then stands for one part of its block of the picture.

    The sign of each score is the one whose rare values are negative, so its skewness is not above 0. Where a rare value
    is then survives max-pooling and a ReLU; with the other sign they keep only that it is near.

    Examples
    --------
    >>> whitened_scores(torch.tensor([[0.0, 1.0], [0.0, 3.0], [0.0, 3.0], [0.0, 3.0]]), 2).flatten().tolist()
    ... # doctest: +NUMBER
    [-1.73, 0.577, 0.577, 0.577]
    """
    pca = PCA.fit(rows, count)
    directions = pca.axes.mT
    scores = (rows - pca.mean) @ (_varimax(directions) if rotate else directions)
    scores /= scores.square().mean(0).sqrt()
    skewness = scores.pow(3).mean(0)
    return torch.where(skewness > 0, -scores, scores)


def exact_axes(centred: Tensor, count: int) -> Tensor:
    """Return the first `count` axes (count, D) of rows (N, D) whose mean is 0, by a singular value decomposition.

    No product of the rows with themselves is formed, so small variances beside large ones keep their digits; `PCA.fit`
    is faster. The sign of each axis is the one that makes its largest weight positive.

    Examples
    --------
    >>> exact_axes(torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, -1.0], [0.0, 1.0]]), 1).tolist()
    [[1.0, 0.0]]
    """
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:count]
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    return axes * largest.sign()


def axes_of_projected(centred: Tensor, count: int) -> Tensor:
    """Return the first `count` axes (count, D) of rows (N, D) whose mean is 0 already, as `project` returns them.

    `PCA.fit` would subtract their mean again, which is rounding and changes the last digits, and would leave out axes
    along which nothing varies.

    Examples
    --------
    >>> axes_of_projected(torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, -1.0], [0.0, 1.0]]), 1).abs().tolist()
    [[1.0, 0.0]]
    """
    _, vectors = torch.linalg.eigh(centred.mT @ centred)
    return vectors[:, -count:].flip(1).mT


def project(rows: Tensor, count: int = MAX_AXES) -> Tensor:
    """Return `rows` (N, D) less their mean; where D is more than `count`, projected on that many principal axes.

    By subspace iteration from a fixed start, a fraction of the time of `PCA.fit` for wide rows; the axes span the
    principal ones but are not in their order (Halko, Martinsson and Tropp, "Finding Structure with Randomness", 2011).

    Examples
    --------
    >>> project(torch.eye(100)).shape, project(torch.eye(4)).shape
    (torch.Size([100, 50]), torch.Size([4, 4]))
    """
    rows = rows - rows.mean(0)
    if rows.shape[1] <= count:
        return rows
    directions = torch.randn(rows.shape[1], count, generator=Generator().manual_seed(0)).to(rows.device)
    for _ in range(PROJECT_STEPS):
        directions = torch.linalg.qr(rows.mT @ (rows @ directions)).Q
    return rows @ directions


def _varimax(directions: Tensor) -> Tensor:
    """Return orthonormal `directions` (D, k) turned so that the variance of their squares is the largest."""
    rotation = torch.eye(directions.shape[1], dtype=directions.dtype, device=directions.device)
    for _ in range(ROTATIONS):
        turned = directions @ rotation
        left, _, right = torch.linalg.svd(directions.mT @ (turned**3 - turned * turned.square().mean(0)))
        rotation = left @ right
    return directions @ rotation

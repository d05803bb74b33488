"""Principal component analysis: what a code of so many numbers keeps without any training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

FLAT = 1e-6  # of the largest variance: below it a component is rounding


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

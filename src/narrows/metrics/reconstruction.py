"""Samples and their reconstructions, in model's units, and which samples are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from narrows.model.network import Network
from narrows.model.scaling import Scaling
from narrows.modelfile import Model
from narrows.tasks.units import as_samples

MAX_ROWS = 10_000  # samples that are measured, or that PCA is fitted on


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """Samples and their reconstructions by a model or by PCA, flat and in model's units.

    Attributes
    ----------
    x, restored : the samples and the reconstructions, (N, D), float32; NaN in `x` for gaps.
    scaling : by which values count in a sample's error; None where all count alike.
    """

    x: np.ndarray
    restored: np.ndarray
    scaling: Scaling | None = None

    @cached_property
    def squares(self) -> np.ndarray:
        """The squared error of every value, float32 (N, D); NaN for gaps."""
        return np.square(self.restored - self.x)

    @cached_property
    def errors(self) -> np.ndarray:
        """The MSE of every sample, float64 (N,)."""
        if self.scaling is None or not self.scaling.tells_observed:
            return self.squares.mean(1, dtype=np.float64)
        return by_scaling(self.scaling, self.scaling.mean_squares, self.restored.astype(float), self.x.astype(float))

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.errors.mean())


def reconstruct_array(model: Model, x: np.ndarray) -> Reconstructed:
    """Return the samples `x` and the model's reconstructions of them.

    Parameters
    ----------
    x : in the user's layout and units, any arrangement that the model's shape explains.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, _ = as_samples(model, x)
    return reconstruct_tensor(model.network, samples)


def reconstruct_tensor(network: Network, samples: Tensor) -> Reconstructed:
    """Return `samples` (N, C, *grid), in user's units, and the network's reconstructions of them."""

    def both(rows: Tensor) -> Tensor:
        scaled = network.scaling(rows)
        return torch.stack((scaled, network.restore(scaled)), 1)

    pairs = network.in_blocks(both, samples).flatten(2).numpy()
    return Reconstructed(pairs[:, 0], pairs[:, 1], network.scaling)


def by_scaling(scaling: Scaling, function: Callable[..., Tensor], *arrays: np.ndarray) -> np.ndarray:
    """Return what a method of a scaling makes of arrays."""
    device = next(scaling.buffers()).device
    return function(*(torch.from_numpy(values).to(device) for values in arrays)).cpu().numpy()


def in_users_units(network: Network, values: np.ndarray) -> np.ndarray:
    """Return flat values (N, D) in model's units as samples (N, C, *grid) in the user's, float64."""
    shaped = torch.from_numpy(values).view(-1, *network.scaling.model_shape(network.shape))
    return network.scaling.back(shaped.to(network.device)).cpu().numpy()


def observed_values(network: Network, samples: Tensor) -> np.ndarray:
    """Return rows (N, C) in user's units, float64; NaN for gaps, and for categories that the model does not know."""
    seen = network.scaling.observed(network.scaling(samples.to(network.device)))
    values = samples.double().cpu().numpy()
    return values if seen is None else np.where(seen.cpu().numpy(), values, np.nan)


def with_gaps(network: Network, samples: Tensor) -> np.ndarray:
    """Return samples as `scale_samples` does, with NaN for gaps."""
    return network.scaling(samples.to(network.device)).flatten(1).cpu().numpy()


def scale_samples(network: Network, samples: Tensor) -> np.ndarray:
    """Return `samples` (N, C, *grid), in user's units, flat and in model's units, float32 (N, D); gaps are filled."""
    return network.scaling.fill(network.scaling(samples.to(network.device))).flatten(1).cpu().numpy()


def fold_costs(network: Network, costs: np.ndarray) -> np.ndarray:
    """Return costs (D,) of a row's values in model's units as costs (C,) of the user's columns, see `Scaling.fold`.

    The cost of a gap, NaN, stays NaN.
    """
    return by_scaling(network.scaling, network.scaling.fold, costs[np.newaxis])[0]


def pick(count: int, most: int = MAX_ROWS) -> np.ndarray:
    """Return the indices of at most `most` of `count` samples, in order: all, or a fixed random choice.

    Examples
    --------
    >>> pick(3), len(pick(100, most=10))
    (array([0, 1, 2]), 10)
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def take(x: np.ndarray) -> np.ndarray:
    """Return the samples of `x` that are measured: `x` itself, or a fixed random choice of 10,000 of its samples."""
    return x if len(x) <= MAX_ROWS else x[pick(len(x))]

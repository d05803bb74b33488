"""A model's errors on samples, per sample and per value, and PCA's on the same samples; all in model's units."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from narrows.metrics.pca_reference import Components, components_needed
from narrows.metrics.reconstruction import pick, reconstruct_tensor, scale_samples
from narrows.model.network import Network
from narrows.modelfile import Model
from narrows.tasks.units import in_chunks

WORK_ROWS = 2000  # samples on which components are counted; model and PCA on the same ones
MAX_WORK_VALUES = 2**22  # of all these together: 16 MB


@dataclass(frozen=True, eq=False)
class PcaMeasured:
    """The errors of PCA on the samples that a model is measured on, in model's units.

    Attributes
    ----------
    components : the fitted PCA.
    value_errors : the MSE of every value with as many components as the code has numbers, float64 (D,).
    needed : how many components reach the model's MSE, None where all of `components` do not.
    """

    components: Components
    value_errors: np.ndarray
    needed: int | None

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.value_errors.mean())


@dataclass(frozen=True, eq=False)
class Measured:
    """The errors of a model on samples, and the samples' own moments, in model's units.

    Attributes
    ----------
    errors : the MSE of every sample, float64 (N,).
    value_errors : the MSE of every value over the samples, float64 (D,).
    mean, variance : of every value over the samples, float64 (D,).
    pca : PCA on the same samples, None without one.
    """

    errors: np.ndarray
    value_errors: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    pca: PcaMeasured | None = None

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.errors.mean())

    def mse_of(self, answer: np.ndarray) -> float:
        """Return the MSE of giving the same `answer` (D,) to every sample."""
        return float((self.variance + np.square(self.mean - answer)).mean())


def measure(model: Model, samples: Tensor, components: Components | None = None) -> Measured:
    """Measure a model, and PCA that keeps as many numbers, on `samples` (N, C, *grid) in user's units."""
    network, count = model.network, len(samples)
    origin = scale_samples(network, samples[:1])  # subtracted first, so that a constant value has no variance at all
    errors = []
    squares, pca_squares, sums, square_sums = np.zeros((4, network.values))
    for chunk in in_chunks(network, samples):
        found = reconstruct_tensor(network, chunk)
        errors.append(found.errors)
        squares += found.squares.sum(0, dtype=np.float64)
        shifted = found.x - origin
        sums += shifted.sum(0, dtype=np.float64)
        square_sums += np.square(shifted, out=shifted).sum(0, dtype=np.float64)
        if components:
            pca_squares += components.reconstruct(found.x, network.code_size).squares.sum(0, dtype=np.float64)
    mean = sums / count
    variance = np.maximum(square_sums / count - mean**2, 0.0)
    measured = Measured(np.concatenate(errors), squares / count, origin[0] + mean, variance)
    if components is None:
        return measured
    needed = _count_components(network, samples, measured.errors, components)
    return replace(measured, pca=PcaMeasured(components, pca_squares / count, needed))


def _count_components(network: Network, samples: Tensor, errors: np.ndarray, components: Components) -> int | None:
    """Return how many components reach the model's MSE, on at most 2,000 of the samples, fewer of wide ones."""
    index = pick(len(samples), min(WORK_ROWS, max(2, MAX_WORK_VALUES // network.values)))
    chunks = [scale_samples(network, chunk) for chunk in in_chunks(network, samples[index])]
    return components_needed(components, chunks, float(errors[index].mean()))

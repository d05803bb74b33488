"""A model's errors on samples, per sample and per value, and PCA's on the same samples; all in model's units."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from narrows.metrics.pca_reference import Components, components_needed
from narrows.metrics.reconstruction import (
    in_users_units,
    pick,
    reconstruct_tensor,
    scale_samples,
    with_gaps,
)
from narrows.metrics.table_columns import CHOSEN, Hits, come_back, count_hits, of_kind, table_columns
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
    mse : per value, over all samples.
    nothing : the MSE of giving the mean that PCA has learned to every sample.
    needed : how many components reach the model's MSE, None where all of `components` do not.
    """

    components: Components
    value_errors: np.ndarray
    mse: float
    nothing: float
    needed: int | None


@dataclass(frozen=True, eq=False)
class Measured:
    """The errors of a model on samples, and the samples' own moments, in model's units; gaps count nowhere.

    Attributes
    ----------
    errors : the MSE of every sample, float64 (N,).
    value_errors : the MSE of every value over the samples, float64 (D,).
    mean, variance : of every value over the samples, float64 (D,).
    pca : PCA on the same samples, None without one.
    hits : how often the categories of a table are hit, None without any.
    """

    errors: np.ndarray
    value_errors: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    pca: PcaMeasured | None = None
    hits: Hits | None = None

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.errors.mean())


def measure(model: Model, samples: Tensor, components: Components | None = None) -> Measured:
    """Measure a model, and PCA that keeps as many numbers, on `samples` (N, C, *grid) in user's units."""
    network, has_gaps = model.network, model.network.scaling.tells_observed
    origin = scale_samples(network, samples[:1])  # subtracted first, so that a constant value has no variance at all
    columns = table_columns(model) if len(network.shape) == 1 else ()
    chosen = of_kind(columns, CHOSEN)
    cells: list[tuple[np.ndarray, np.ndarray]] = []
    errors, pca_errors, nothing = [], [], []
    gaps, squares, pca_squares, sums, square_sums = np.zeros((5, network.values))
    add = functools.partial(np.nansum if has_gaps else np.sum, axis=0, dtype=np.float64)
    for chunk in in_chunks(network, samples):
        found = reconstruct_tensor(network, chunk)
        errors.append(found.errors)
        if chosen:
            restored_cells = come_back(columns, in_users_units(network, found.restored))
            cells.append((chunk.double().numpy()[:, chosen], restored_cells[:, chosen]))
        squares += add(found.squares)
        gaps += np.isnan(found.x).sum(0) if has_gaps else 0
        if components:
            restored = components.reconstruct(found.x, network.code_size)
            pca_squares += add(restored.squares)
            pca_errors += [restored.errors] if has_gaps else []
            nothing += [components.reconstruct(found.x, 0).errors] if has_gaps else []
        shifted = found.x - origin
        sums += add(shifted)
        square_sums += add(np.square(shifted, out=shifted))
    counts = np.maximum(len(samples) - gaps, 1)
    mean = sums / counts
    variance = np.maximum(square_sums / counts - mean**2, 0.0)
    hits = _count_hits(chosen, cells) if chosen else None
    measured = Measured(np.concatenate(errors), squares / counts, origin[0] + mean, variance, hits=hits)
    if components is None:
        return measured
    pca_squares /= counts
    mse, of_mean = pca_squares.mean(), (variance + np.square(measured.mean - components.mean)).mean()
    if has_gaps:  # rows have other numbers of observed values
        mse, of_mean = np.concatenate(pca_errors).mean(), np.concatenate(nothing).mean()
    needed = _count_components(network, samples, measured.errors, components)
    return replace(measured, pca=PcaMeasured(components, pca_squares, float(mse), float(of_mean), needed))


def _count_hits(chosen: list[int], cells: list[tuple[np.ndarray, np.ndarray]]) -> Hits:
    """Return the hits in columns at the positions `chosen`, of cells (n, C') and their reconstructions, in chunks."""
    x, restored = (np.concatenate(values) for values in zip(*cells, strict=True))
    return count_hits(chosen, x, restored)


def _count_components(network: Network, samples: Tensor, errors: np.ndarray, components: Components) -> int | None:
    """Return how many components reach the model's MSE, on at most 2,000 of the samples, fewer of wide ones."""
    index = pick(len(samples), min(WORK_ROWS, max(2, MAX_WORK_VALUES // network.values)))
    chunks = [with_gaps(network, chunk) for chunk in in_chunks(network, samples[index])]
    return components_needed(components, chunks, float(errors[index].mean()))

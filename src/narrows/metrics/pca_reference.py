"""PCA beside a model: fitted on reference samples in model's units, and clamped to the data's range as the model is.

Samples are turned into float32 a chunk at a time, since all of them would take four times the memory of bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from narrows.metrics.reconstruction import MAX_ROWS, Reconstructed, by_scaling, pick, scale_samples
from narrows.model.pca import find_axes
from narrows.model.scaling import Scaling
from narrows.modelfile import Model
from narrows.tasks.units import as_samples, in_chunks

MAX_REFERENCE_VALUES = 2**25  # of all samples that PCA is fitted on, together
LEAST_WANTED = 64  # components of wide samples that are looked for, at least
SAME = 1 + 1e-5  # times an MSE: what float32 cannot tell from it


@dataclass(frozen=True, eq=False)
class Components:
    """A fitted PCA, in model's units.

    Attributes
    ----------
    mean : (D,), of the samples that it was fitted on.
    axes : (K, D), the components, that of the largest variance first: all, or of wide samples some of them.
    rows : how many samples it was fitted on.
    limits : the range that its reconstructions are clamped to, None where the data have none.
    scaling : that of the units, by which gaps count in no error and probabilities are clamped; None for neither.
    """

    mean: np.ndarray
    axes: np.ndarray
    rows: int
    limits: tuple[float, float] | None = None
    scaling: Scaling | None = None

    def encode(self, x: np.ndarray, count: int | None = None) -> np.ndarray:
        """Return the first `count` scores (N, k) of samples `x` (N, D), all K by default."""
        return (self._filled(x) - self.mean) @ self.axes[:count].T

    def decode(self, scores: np.ndarray) -> np.ndarray:
        """Return the samples (N, D) that the first scores (N, k) stand for."""
        restored = scores @ self.axes[: scores.shape[1]] + self.mean
        if self.scaling is not None and self.scaling.has_categories:
            return by_scaling(self.scaling, self.scaling.clamp, restored)
        return restored if self.limits is None else np.clip(restored, *self.limits, out=restored)

    def reconstruct(self, x: np.ndarray, count: int) -> Reconstructed:
        """Return samples `x` (N, D) and their reconstructions by the first `count` components, or by all there are."""
        return Reconstructed(x, self.decode(self.encode(x, count)), self.scaling)

    def _filled(self, x: np.ndarray) -> np.ndarray:
        if self.scaling is None or not self.scaling.tells_observed:
            return x
        return by_scaling(self.scaling, self.scaling.fill, x)


def fit_pca(model: Model, reference: np.ndarray) -> Components:
    """Fit PCA on `reference` in the units of `model`, on at most 10,000 of its samples, fewer of wide ones.

    Samples of up to 1,500 values get all their components, wider ones four times as many as the code has numbers, see
    `find_axes`.

    Parameters
    ----------
    reference : the training data, in the user's layout and units.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    network = model.network
    if reference.ndim > 1:
        reference = reference[pick(len(reference), min(MAX_ROWS, max(2, MAX_REFERENCE_VALUES // network.values)))]
    samples, _ = as_samples(model, reference)
    chunks = in_chunks(network, samples)
    mean = sum(scale_samples(network, chunk).sum(0, dtype=np.float64) for chunk in chunks) / len(samples)
    mean = mean.astype(np.float32)

    def centred() -> Iterable[np.ndarray]:
        return (scale_samples(network, chunk) - mean for chunk in chunks)

    wanted = max(4 * network.code_size, LEAST_WANTED)
    axes = find_axes(centred, len(samples), network.values, wanted)
    return Components(mean, axes, len(samples), network.scaling.limits, network.scaling)


def components_needed(components: Components, chunks: Sequence[np.ndarray], mse: float) -> int | None:
    """Return how many components reach an MSE of `mse` on chunks (n, D), with clamping; None where all K do not.

    The chunks are in model's units, NaN for gaps.

    Examples
    --------
    >>> pca = Components(np.zeros(2), np.eye(2), 9)
    >>> x = np.array([[3.0, 1.0]])
    >>> [components_needed(pca, [x], mse) for mse in (9.0, 1.0, 0.0)]
    [0, 1, 2]
    """
    mse *= SAME  # or a model that is PCA itself might seem to need one component more
    rows = sum(len(x) for x in chunks)
    scores = [components.encode(x) for x in chunks]
    has_gaps = components.scaling is not None and components.scaling.tells_observed

    def reaches(count: int) -> bool:
        pairs = zip(chunks, scores, strict=True)
        made = (Reconstructed(x, components.decode(s[:, :count]), components.scaling) for x, s in pairs)
        return sum(found.errors.sum() for found in made) / rows <= mse

    high = len(components.axes)
    if not has_gaps:
        unclamped = np.flatnonzero(pca_curve(components, chunks, scores) <= mse)
        high = int(unclamped[0]) if len(unclamped) else high  # clamping lowers errors: no more are needed
    if not reaches(high):
        return None
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def pca_curve(components: Components, chunks: Sequence[np.ndarray], scores: Sequence[np.ndarray]) -> np.ndarray:
    """Return the MSE per value of chunks (n, D) after 0, 1, ... K components, float64 (K + 1,), not clamped.

    Parameters
    ----------
    scores : of each chunk, (n, K).

    Examples
    --------
    >>> x = np.array([[3.0, 1.0]])
    >>> pca_curve(Components(np.zeros(2), np.eye(2), 9), [x], scores=[x])
    array([5. , 0.5, 0. ])
    """
    total = sum(np.square(x - components.mean).sum(dtype=np.float64) for x in chunks)
    kept = np.cumsum(sum(np.square(s).sum(0, dtype=np.float64) for s in scores))
    return np.maximum(total - np.concatenate([[0.0], kept]), 0.0) / sum(x.size for x in chunks)


def describe_work(code_size: int, needed: int | None, looked_for: int) -> str:
    """Return a sentence on how many PCA components have the error that the model has with `code_size` numbers.

    Parameters
    ----------
    needed : that number, None where `looked_for` components do not suffice.

    Examples
    --------
    >>> describe_work(128, 170, 784)
    'Its 128 numbers do the work of 170 PCA components.'
    >>> describe_work(196, 60, 784)
    'Its 196 numbers do the work of 60 PCA components: at this size PCA is the better one.'
    """
    if needed == 0:
        return "Answering the mean of the reference has no larger error than this model."
    numbers = f"Its {code_size:,} number{'s do' if code_size > 1 else ' does'} the work of "
    if needed is None:
        return f"{numbers}more than the {looked_for:,} PCA components that the reference allows."
    plural = "" if needed == 1 else "s"
    verdict = ": at this size PCA is the better one" if needed < code_size else ""
    return f"{numbers}{needed:,} PCA component{plural}{verdict}."

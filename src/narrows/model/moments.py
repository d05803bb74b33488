"""Means, deviations and ends of data that come in chunks, float64."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from narrows.errors import SpecError

WINSORISED = 0.02  # share of a column's values at either end that are clamped before its spread is measured
MIN_WINSORISED_ROWS = 20  # from which that is one value at least
MAX_SORTED = 2**22  # values of a table that are sorted for that
LARGEST_VARIANCE = 1e300  # what a model file holds
ROUNDING = 2.0**-50  # share of a column's mean: a deviation of no more is rounding


def find_moments(chunks: Iterable[Tensor], like: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and deviations, shaped like `like`, by Chan, Golub and LeVeque's update of moments (1979).

    The first sample is subtracted first, so that small deviations from a large mean keep their digits.
    """
    count, origin, mean, squares = 0, None, torch.zeros_like(like), torch.zeros_like(like)
    for chunk in chunks:
        axes = [0, *range(2, chunk.ndim)]
        if origin is None:
            origin = chunk[0].double().reshape(chunk.shape[1], -1)[:, 0].view_as(like)
        x = chunk.double() - origin
        n = x.numel() // x.shape[1]
        chunk_mean = x.mean(axes, keepdim=True)[0]
        delta = chunk_mean - mean
        squares += ((x - chunk_mean) ** 2).sum(axes, keepdim=True)[0] + delta**2 * (count * n / (count + n))
        mean += delta * (n / (count + n))
        count += n
    return mean + (0 if origin is None else origin), (squares / max(count, 1)).sqrt()


def without_zeros(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the deviations, with 1 for each that is no more than the rounding of its mean."""
    return torch.where(deviation <= ROUNDING * mean.abs(), torch.ones_like(deviation), deviation)


def find_usual_ends(chunks: Iterable[Tensor]) -> Iterable[Tensor]:
    """Return the smallest and the largest value (C,) of each column, those to be winsorised left out, float64."""
    step = -(-sum(chunk.numel() for chunk in chunks) // MAX_SORTED)
    # copies of the rows that are taken, for views of them would keep all others
    rows = torch.cat([chunk[::step].double().movedim(1, 0).flatten(1).contiguous() for chunk in chunks], 1)
    rows = rows.cpu()
    rows.numpy().sort(1)  # in place, as torch.sort makes an index of 64 bits beside
    count = rows.shape[1]
    cut = max(1, round(WINSORISED * count)) if count >= MIN_WINSORISED_ROWS else 0
    return rows[:, cut], rows[:, count - 1 - cut]


def find_extremes(chunks: Iterable[Tensor]) -> tuple[float, float]:
    """Return the ends of the data's range by the rule of `Unit`."""
    low, high, dtype = float("inf"), float("-inf"), None
    for chunk in chunks:
        dtype = chunk.dtype
        if dtype in (torch.uint8, torch.bool):
            return 0.0, 255.0 if dtype == torch.uint8 else 1.0
        values = chunk.double()  # torch.uint16 has no min and max
        low, high = min(low, values.min().item()), max(high, values.max().item())
    if dtype is None:
        raise SpecError("a scaling needs data to fit, however there were none")
    if not dtype.is_floating_point and low >= 0:
        return 0.0, float(2 ** max(int(high).bit_length(), 1) - 1)
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def column_variances(samples: Tensor) -> Tensor:
    """Return the variance (C,) of each column of a table (N, C), or of each channel of pictures around pixels' means.

    They are float64, and at most 1e300.

    Examples
    --------
    >>> column_variances(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    tensor([1., 0.], dtype=torch.float64)
    """
    x = samples.double()
    x = x - x[:1]  # so that a constant column has variance 0 exactly
    variances = x.var(0, correction=0).flatten(1) if x.ndim > 2 else x.var(0, correction=0)[:, None]
    variances = variances.mean(1).nan_to_num(LARGEST_VARIANCE, LARGEST_VARIANCE)
    return variances.clamp(max=LARGEST_VARIANCE)

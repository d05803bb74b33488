"""Users' arrays <-> the network's tensors: their arrangement, depth and type."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from torch import Tensor

from narrows.data.layout import Layout, to_samples
from narrows.errors import DataError
from narrows.model.inference import rows_at_once
from narrows.model.network import Network, as_tensor
from narrows.model.scalings import has_gaps
from narrows.modelfile import Model
from narrows.tasks.depths import Back, cast, find_depth

CHUNK_VALUES = 2**19  # values of the samples in one chunk: 2 MB in float32


def as_samples(model: Model, x: np.ndarray) -> tuple[Tensor, Back]:
    """Return the array `x` as samples (N, C, *grid) in the units that `model` was trained in, and the inverse function.

    The depth is converted as `find_depth` says.

    Raises DataError for an array whose samples are not of the model's shape, and for NaN where the model takes no gaps.
    """
    samples, layout = to_samples(x, model.network.shape)
    tensor = as_tensor(samples)
    if not model.network.scaling.tells_observed and has_gaps(tensor):
        raise DataError(
            f"this model takes no gaps, however: the data hold {int(tensor.isnan().sum()):,} values that are NaN; fill "
            f"them, or train a model on a table with gaps, or with scaling='columns'"
        )
    depth = find_depth(model, x)
    return depth.inside(tensor), lambda values: layout.back(depth.outside(values))


def in_chunks(network: Network, samples: Tensor) -> tuple[Tensor, ...]:
    """Return `samples` (N, C, *grid), or codes, in chunks of whole blocks, which bounds the memory for the results."""
    rows = rows_at_once(max(network.values, math.prod(samples.shape[1:])))
    blocks = max(1, CHUNK_VALUES // (network.values * rows))
    return samples.split(blocks * rows)


def joined(chunks: Iterable[np.ndarray]) -> np.ndarray:
    """Return the results of chunks as one array; a single chunk may be one sample without its first axis."""
    results = list(chunks)
    return results[0] if len(results) == 1 else np.concatenate(results)


def as_array(model: Model, values: Tensor) -> np.ndarray:
    """Return samples (N, C, *grid) in user's units as an array arranged and typed as the training data were."""
    return Layout(model.card.layout).back(cast(values.numpy(), np.dtype(model.card.dtype)))

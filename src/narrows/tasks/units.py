"""Users' arrays <-> the network's tensors: their arrangement, depth and type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from torch import Tensor

from narrows.data.layout import Layout, to_samples
from narrows.model.inference import BLOCK_ROWS
from narrows.model.network import Network, as_tensor
from narrows.modelfile import Model

FULL = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}  # the full range of the types that pictures come in
CHUNK_VALUES = 2**19  # values of the samples in one chunk: 2 MB in float32
Back = Callable[[Tensor], np.ndarray]


class Depth(NamedTuple):
    """Numbers of a user's type <-> the units that a model was trained in.

    Attributes
    ----------
    inside : from the user's numbers to the model's units.
    outside : back, to an array of the type of the results.
    """

    inside: Callable[[Tensor], Tensor]
    outside: Back


def as_samples(model: Model, x: np.ndarray) -> tuple[Tensor, Back]:
    """Return the array `x` as samples (N, C, *grid) in the units that `model` was trained in, and the inverse function.

    The depth is converted as `find_depth` says.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, layout = to_samples(x, model.network.shape)
    depth = find_depth(model, x.dtype)
    return depth.inside(as_tensor(samples)), lambda values: layout.back(depth.outside(values))


def find_depth(model: Model, dtype: np.dtype) -> Depth:
    """Return the conversion from numbers of `dtype` to the units that `model` was trained in, and back.

    For a picture of another depth than that of the training data, the full range is mapped to the full range. On the
    way back uint8, uint16 and bool are rounded and clamped last; other integers become float64; floats keep their type.
    """
    is_picture, user_range = len(model.network.shape) > 1, model.network.scaling.user_range
    other_depth = dtype.name in FULL and dtype.name != model.card.dtype and is_picture
    if not other_depth or user_range is None:
        return Depth(lambda samples: samples, lambda values: cast(values.numpy(), dtype))
    full = FULL[dtype.name]
    return Depth(
        lambda samples: user_range.from_depth(samples, full),
        lambda values: cast(user_range.to_depth(values, full).numpy(), dtype),
    )


def in_chunks(network: Network, samples: Tensor) -> tuple[Tensor, ...]:
    """Return `samples` (N, C, *grid), or codes, in chunks of whole blocks, which bounds the memory for the results."""
    blocks = max(1, CHUNK_VALUES // (network.values * BLOCK_ROWS))
    return samples.split(blocks * BLOCK_ROWS)


def joined(chunks: Iterable[np.ndarray]) -> np.ndarray:
    """Return the results of chunks as one array; a single chunk may be one sample without its first axis."""
    results = list(chunks)
    return results[0] if len(results) == 1 else np.concatenate(results)


def as_array(model: Model, values: Tensor) -> np.ndarray:
    """Return samples (N, C, *grid) in user's units as an array arranged and typed as the training data were."""
    return Layout(model.card.layout).back(cast(values.numpy(), np.dtype(model.card.dtype)))


def cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return `values` in the type of results for data of `dtype`, rounded and clamped as `find_depth` says.

    Examples
    --------
    >>> cast(np.array([-3.0, 17.6, 300.0]), np.dtype(np.uint8))
    array([  0,  18, 255], dtype=uint8)
    """
    if dtype.name in FULL:
        return np.clip(np.round(values), 0, FULL[dtype.name]).astype(dtype)
    return values.astype(type_of_results(dtype))


def type_of_results(dtype: np.dtype) -> np.dtype:
    """Return the type of results for data of `dtype`.

    Examples
    --------
    >>> type_of_results(np.dtype(np.uint8)), type_of_results(np.dtype(np.int32))
    (dtype('uint8'), dtype('float64'))
    """
    return dtype if dtype.name in FULL or dtype.kind == "f" else np.dtype(np.float64)

"""Encoding and decoding: samples to codes, or to positions on the map, and back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from narrows.errors import DataError, SpecError
from narrows.model import chain
from narrows.modelfile import Model
from narrows.tasks.session import Session
from narrows.tasks.units import as_array, in_chunks, joined


def encode(model: Model, x: np.ndarray) -> np.ndarray:
    """Return the codes of `x`, float32 (N, k): one row of numbers per sample, also where the code is a grid.

    Raises SpecError for a model without a code, DataError for samples of another shape.
    """
    model.network.check_code()
    return Session(model, x).codes


def decode(model: Model, z: np.ndarray) -> np.ndarray:
    """Return the decoded samples of codes `z` (N, k) or (k,), in the arrangement and type of the training data.

    Raises SpecError for a model without a code, DataError for codes of another width.
    """
    network = model.network
    network.check_code()
    codes = _as_rows(z, network.code_size, "codes of this model", "encode").view(-1, *network.code_shape)
    return joined(as_array(model, network.in_blocks(network.decode, chunk)) for chunk in in_chunks(network, codes))


def encode_map(model: Model, x: np.ndarray) -> np.ndarray:
    """Return the positions of the samples `x` on the model's map, float32 (N, 2).

    This is the code itself where it has two numbers, else the output of the map head for it.

    Raises SpecError for a model without a map, DataError for samples of another shape.
    """
    check_map(model)
    return Session(model, x).points


def decode_map(model: Model, points: np.ndarray) -> np.ndarray:
    """Return the decoded samples at `points` (M, 2) or (2,) of the map, arranged and typed as those of `decode`.

    Raises SpecError for a model without a map, DataError for points of another shape, or that are not finite.
    """
    check_map(model)
    network, head = model.network, model.map_head
    chunks = in_chunks(network, _as_rows(points, 2, "points of the map", "map"))
    return joined(
        as_array(model, network.in_blocks(lambda rows: chain.decode_map(network, head, rows), chunk))
        for chunk in chunks
    )


def has_map(model: Model) -> bool:
    """Return whether the model has a map: by a map head, or because its code has two numbers."""
    return model.network.has_code and (model.map_head is not None or model.network.code_size == 2)


def check_map(model: Model) -> None:
    """Raise a SpecError where a model has no map."""
    model.network.check_code()
    if not has_map(model):
        raise SpecError(
            f"this model has no map: its code has {model.network.code_size} numbers, and its file holds no map head; "
            f"`narrows map RUN DATA` fits one on the training data"
        )


def _as_rows(values: np.ndarray, width: int, words: str, maker: str) -> Tensor:
    """Return `values` as float32 (N, width); raise a DataError where that fails.

    words, maker : what the values are and which function makes them, for messages.
    """
    rows = np.atleast_2d(values)
    if rows.ndim != 2 or rows.shape[1] != width or rows.dtype.kind not in "fiub":
        raise DataError(
            f"{words} are rows of {width} numbers, however these are {rows.dtype} {rows.shape}; make them with {maker}"
        )
    with np.errstate(over="ignore"):  # values beyond float32 become infinite, and are refused below
        numbers = torch.from_numpy(rows.astype(np.float32))
    if not numbers.isfinite().all():
        raise DataError(f"{words} must be finite, however these hold NaN or infinity; make them with {maker}")
    return numbers

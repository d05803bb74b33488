"""Codes: samples to a few numbers, and back."""

from __future__ import annotations

import numpy as np
import torch

from narrows.errors import DataError
from narrows.modelfile import Model
from narrows.use.units import enter, in_chunks, joined, leave


def encode(model: Model, x: np.ndarray) -> np.ndarray:
    """Return the codes of `x`, float32 (N, k): one row of numbers per sample, whatever the model's grid.

    Raises SpecError for a model without a code, DataError for samples of another shape.
    """
    model.network.check_code()
    samples, _ = enter(model, x)
    return model.network.in_blocks(lambda rows: model.network.encode(rows).z.flatten(1), samples).numpy()


def decode(model: Model, z: np.ndarray) -> np.ndarray:
    """Return the samples that codes `z` (N, k) or (k,) stand for, arranged and typed as the training data were.

    Raises SpecError for a model without a code, DataError for codes of another width.
    """
    network = model.network
    network.check_code()
    z = np.atleast_2d(z)
    if z.ndim != 2 or z.shape[1] != network.code_size or z.dtype.kind not in "fiub":
        raise DataError(
            f"codes of this model are rows of {network.code_size} numbers, however these are {z.dtype} {z.shape}; "
            f"make them with encode"
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused below
        codes = torch.from_numpy(z.astype(np.float32)).view(-1, *network.code_shape)
    if not codes.isfinite().all():
        raise DataError("a code must be finite, however these hold NaN or infinity; make them with encode")
    return joined(leave(model, network.in_blocks(network.decode, chunk)) for chunk in in_chunks(network, codes))

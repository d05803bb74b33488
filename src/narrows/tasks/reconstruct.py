"""Reconstruct and denoise: samples through the narrow place."""

from __future__ import annotations

import numpy as np

from narrows.model.corruption import BlindSpots
from narrows.modelfile import Model
from narrows.tasks.tiles import restore_pictures, takes_any_size
from narrows.tasks.units import as_samples, in_chunks, joined


def reconstruct(model: Model, x: np.ndarray) -> np.ndarray:
    """Return `x` through the model, in its own arrangement, units and type.

    Parameters
    ----------
    x : any arrangement that the model's shape explains; whole numbers of more than 16 bits come back as float64.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, back = as_samples(model, x)
    network = model.network
    return joined(back(network.in_blocks(network.reconstruct, chunk)) for chunk in in_chunks(network, samples))


def denoise(model: Model, x: np.ndarray) -> np.ndarray:
    """Return `x` restored: what the model makes of damaged samples, without any further damage.

    The same pass as `reconstruct`; whether it restores depends on whether the model `was_damaged` in training. Where
    the backbone tiles, pictures may be of any size: (H, W), (N, H, W), (H, W, 3) and (N, H, W, 3), see
    `restore_pictures`.

    Raises DataError for an array that the model does not take.
    """
    flat = x.ndim == 1 or (x.ndim == 2 and model.card.layout.endswith("flat"))
    return restore_pictures(model, x) if takes_any_size(model) and not flat else reconstruct(model, x)


def was_damaged(model: Model) -> bool:
    """Return whether the model's training data were damaged, so that it learned to undo it; moving is no damage."""
    return model.network.corruption.harms


def was_validated_damaged(model: Model) -> bool:
    """Return whether the validation errors of its history are those of damaged samples."""
    return bool(model.card.recipe.get("validated_damaged", was_damaged(model)))  # which older files do not say


def learned_from_noisy(model: Model) -> bool:
    """Return whether the training data were noisy themselves, and blind spots kept the model from copying the noise."""
    return any(isinstance(part, BlindSpots) for part in model.network.corruption.modules())

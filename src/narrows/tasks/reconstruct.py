"""Reconstruction and denoising: samples through the whole network."""

from __future__ import annotations

import numpy as np

from narrows.modelfile import Model
from narrows.tasks.session import Session
from narrows.tasks.tiles import is_other_size, restore_pictures, takes_any_size
from narrows.tasks.units import in_chunks, joined


def reconstruct(model: Model, x: np.ndarray) -> np.ndarray:
    """Return `x` encoded and decoded, in its own arrangement, units and type; gaps get the model's values.

    Parameters
    ----------
    x : samples of the model's shape, in any arrangement; integers of more than 16 bits come back as float64.

    Raises DataError for an array whose samples are not of the model's shape, where it does not take any size.
    """
    return restore_pictures(model, x) if is_other_size(model, x) else reconstruct_session(Session(model, x))


def reconstruct_session(session: Session) -> np.ndarray:
    """Return the samples of a session encoded and decoded, as `reconstruct` does."""
    network = session.model.network
    chunks = in_chunks(network, session.samples)
    return joined(session.back(network.in_blocks(network.reconstruct, chunk)) for chunk in chunks)


def denoise(model: Model, x: np.ndarray) -> np.ndarray:
    """Return damaged `x` restored, in its own arrangement and type.

    This is the forward pass of `reconstruct`, without a corruption; it restores only if the model was trained on
    damaged samples (`was_damaged`). Where the model takes pictures of any size, `x` may be (H, W), (N, H, W), (H, W, 3)
    or (N, H, W, 3), see `restore_pictures`.

    Raises DataError for an array that the model does not take.
    """
    return restore_pictures(model, x) if takes_any_size(model) and not is_flat(model, x) else reconstruct(model, x)


def is_flat(model: Model, x: np.ndarray) -> bool:
    """Return whether pictures lie in flat rows."""
    return x.ndim == 1 or (x.ndim == 2 and model.card.layout.endswith("flat"))


def was_damaged(model: Model) -> bool:
    """Return whether the training data were damaged, so that the model learned to restore; shifting is no damage."""
    return model.network.corruption.harms


def learned_to_restore(model: Model) -> bool:
    """Return whether the model learned to restore: from damage, or from pairs of noisy and clean samples."""
    return was_damaged(model) or bool(model.card.recipe.get("paired"))


def was_validated_damaged(model: Model) -> bool:
    """Return whether the validation errors in the model's history are those of damaged samples."""
    return bool(model.card.recipe.get("validated_damaged", was_damaged(model)))  # older files lack this key


def learned_from_noisy(model: Model) -> bool:
    """Return whether the model was trained on noisy data alone, with the corruption `blind_spots`."""
    return model.network.corruption.hides_pixels

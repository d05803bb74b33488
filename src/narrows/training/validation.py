"""The error on samples that training does not learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from narrows.batch import Batch
from narrows.model.inference import BLOCK_ROWS, rows_at_once
from narrows.model.network import Network


@dataclass(frozen=True, eq=False)
class Validation:
    """Held-out samples, and how they are measured: without random codes.

    Parameters
    ----------
    batch : the samples, on the network's device.
    damage_seed : of the damage that they get, the same each time: given where the network shall learn to undo the
        damage, None for no damage where it only prevents overfitting.
    """

    batch: Batch
    damage_seed: int | None = None

    def errors(self, network: Network, rows: Callable[[Tensor], Tensor] = lambda x: x) -> Tensor:
        """Return the errors (n,) of these samples, or of those `rows` of them, see `validate`."""
        return validate(network, self.batch.map(rows), self.damage_seed)

    def share_of_epoch(self, samples: int) -> float:
        """Return what measuring costs, in seconds per second of an epoch of `samples`; a forward pass is a third."""
        return len(self.batch.x) / (3 * samples)


@torch.no_grad()
def validate(network: Network, batch: Batch, seed: int | None) -> Tensor:
    """Return the MSE (n,) per value of samples, float64.

    They are damaged by a generator of that `seed`, or not at all where it is None; random codes give their mean.
    """
    generator = None if seed is None else Generator(network.device).manual_seed(seed)
    network.eval()
    errors = []
    expected = batch.x if batch.target is None else batch.target
    rows = rows_at_once(network.values, 16 * BLOCK_ROWS)
    for x, target in zip(*(values.split(rows) for values in (batch.x, expected)), strict=True):
        clean, damaged, _ = network.damage(x, generator)
        clean = clean if batch.target is None else network.scaling(target)
        errors.append(network.scaling.mean_squares(network.restore(damaged), clean))
    network.train()
    return torch.cat(errors).double().cpu()

"""A batch: what one step of training learns from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Batch(NamedTuple):
    """Samples in user's units, and what is known of each of them.

    Attributes
    ----------
    x : the samples (N, C, *grid).
    target : what they should become, like `x`; None for themselves.
    target_position : (N, k) where their codes should lie; None for anywhere.

    Examples
    --------
    >>> import torch
    >>> batch = Batch(torch.arange(5))
    >>> batch.map(lambda rows: rows[:2])
    Batch(x=tensor([0, 1]), target=None, target_position=None)
    """

    x: Tensor
    target: Tensor | None = None
    target_position: Tensor | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """Return the batch with `function` of each of its tensors."""
        return Batch(function(self.x), *(None if value is None else function(value) for value in self[1:]))

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on `device`."""
        return self.map(lambda value: value.to(device))

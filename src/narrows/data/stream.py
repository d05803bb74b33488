"""Samples on the device, in shuffled batches by index."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor


class Stream:
    """One tensor of samples on the device, from which a batch is an index.

    Parameters
    ----------
    x : samples (N, C, *grid), in user's units and own type; bytes stay bytes.
    batch_size : samples per step; the last batch of an epoch holds what is left.
    shuffle : whether every epoch has an order of its own; False keeps the data's order.

    Examples
    --------
    >>> stream = Stream(torch.arange(5), batch_size=2, shuffle=False)
    >>> [batch["x"].tolist() for batch in stream.batches(torch.Generator())]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, x: Tensor, batch_size: int, shuffle: bool = True) -> None:
        self.x = x
        self.batch_size = min(batch_size, len(x))
        self.shuffle = shuffle

    def __len__(self) -> int:
        return len(self.x)

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold every sample once."""
        return -(-len(self) // self.batch_size)

    def batches(self, generator: Generator) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch of batches for `network(**batch)`; `generator` (on the CPU) draws the order."""
        if not self.shuffle:
            yield from ({"x": x} for x in self.x.split(self.batch_size))
            return
        order = torch.randperm(len(self), generator=generator).to(self.x.device)
        for index in order.split(self.batch_size):
            yield {"x": self.x[index]}

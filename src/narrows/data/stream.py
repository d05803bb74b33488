"""Samples in shuffled batches, on the device."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from narrows.batch import Batch
from narrows.data.source import Rows, Source


class Stream:
    """Samples in batches on the device.

    Parameters
    ----------
    source : samples; a tensor of samples (N, C, *grid) means its rows.
    batch_size : samples per step; the last batch of an epoch holds what is left.
    shuffle : whether every epoch has an order of its own; False keeps the data's order.
    target : what each sample should become, a Source of the same samples; None means the sample itself.
    device : where batches go.
    target_positions : (N, k) the target position of each sample's code; None for none.

    Examples
    --------
    >>> stream = Stream(torch.arange(5), batch_size=2, shuffle=False)
    >>> generator = Generator()
    >>> [stream.take(index, generator).x.tolist() for index in stream.epoch(generator)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        source: Source | Tensor,
        batch_size: int,
        shuffle: bool = True,
        target: Source | None = None,
        device: torch.device | str = "cpu",
        target_positions: Tensor | None = None,
    ) -> None:
        self.source = (Rows(source) if isinstance(source, Tensor) else source).to(device)
        self.target = None if target is None else target.to(device)
        self.batch_size = min(batch_size, len(self))
        self.shuffle = shuffle
        self.device = device
        self.target_positions = None if target_positions is None else target_positions.cpu()

    def __len__(self) -> int:
        """Return the samples of an epoch."""
        return len(self.source.visits)

    @property
    def steps_per_epoch(self) -> int:
        """Batches that hold every sample once."""
        return -(-len(self) // self.batch_size)

    def epoch(self, generator: Generator) -> tuple[Tensor, ...]:
        """Return the indices of the samples of every batch of one epoch, in an order that `generator` (CPU) draws."""
        order = torch.randperm(len(self), generator=generator) if self.shuffle else torch.arange(len(self))
        return self.source.visits[order].split(self.batch_size)

    def take(self, index: Tensor, generator: Generator) -> Batch:
        """Return the batch of the samples of `index`; `generator` (CPU) draws what is random in them."""
        batch = take(self.source, self.target, index, generator)
        if self.target_positions is not None:
            batch = batch._replace(target_position=self.target_positions[index])
        return batch.to(self.device)


def take(source: Source, target: Source | None, index: Tensor, generator: Generator) -> Batch:
    """Return the samples of `index` and, unless `target` is None, what they should become.

    Both draw the same random numbers, so that crops of the two come from the same positions.

    >>> take(Rows(torch.arange(5)), Rows(-torch.arange(5)), torch.tensor([3]), Generator())
    Batch(x=tensor([3]), target=tensor([-3]), target_position=None)
    """
    if target is None:
        return Batch(source.take(index, generator))
    same_draws = Generator().set_state(generator.get_state())
    return Batch(source.take(index, generator), target.take(index, same_draws))

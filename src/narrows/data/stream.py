"""Samples in shuffled batches by index, on the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Generator, Tensor

from narrows.data.crops import Crops


class Rows:
    """A Source of samples that lie in one tensor.

    Parameters
    ----------
    x : samples (N, C, *grid), in user's units and own type; bytes stay bytes.

    Examples
    --------
    >>> Rows(torch.arange(5)).take(torch.tensor([3, 1]), Generator()).tolist()
    [3, 1]
    """

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self.shape = tuple(x.shape[1:])
        self.visits = torch.arange(len(x))

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: Tensor, generator: Generator) -> Tensor:
        """Return the samples of `index`; nothing is drawn."""
        return self.x[index.to(self.x.device)]

    def to(self, device: torch.device | str) -> Rows:
        """Return the samples on `device`, whence a batch of them comes at once."""
        return Rows(self.x.to(device))

    def part(self, index: Sequence[int]) -> Rows:
        """Return the samples of `index` as a Source of their own."""
        return Rows(self.x[torch.as_tensor(index)])

    def chunks(self, size: int = 4096) -> tuple[Tensor, ...]:
        """Return all samples, `size` at a time, where all at once would make a large copy."""
        return self.x.split(size)


Source = Rows | Crops


class Stream:
    """Samples in batches on the device.

    Parameters
    ----------
    source : samples; a tensor of samples (N, C, *grid) means its rows.
    batch_size : samples per step; the last batch of an epoch holds what is left.
    shuffle : whether every epoch has an order of its own; False keeps the data's order.
    target : what each sample should become, a Source of the same samples; None means itself.
    device : where batches go.
    target_positions : (N, k) where each sample's code should lie, `target_position` of a batch.

    Examples
    --------
    >>> stream = Stream(torch.arange(5), batch_size=2, shuffle=False)
    >>> [batch["x"].tolist() for batch in stream.batches(torch.Generator())]
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

    def batches(self, generator: Generator) -> Iterator[dict[str, Tensor]]:
        """Yield one epoch of batches for `network(**batch)`; `generator` (on the CPU) draws all chance in it."""
        order = torch.randperm(len(self), generator=generator) if self.shuffle else torch.arange(len(self))
        for index in self.source.visits[order].split(self.batch_size):
            batch = take(self.source, self.target, index, generator)
            if self.target_positions is not None:
                batch["target_position"] = self.target_positions[index]
            yield {key: x.to(self.device) for key, x in batch.items()}


def take(source: Source, target: Source | None, index: Tensor, generator: Generator) -> dict[str, Tensor]:
    """Return the samples of `index` as `x`, and as `target` what they should become, cut at the same places."""
    if target is None:
        return {"x": source.take(index, generator)}
    twin = Generator().set_state(generator.get_state())
    return {"x": source.take(index, generator), "target": target.take(index, twin)}

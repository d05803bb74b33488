"""Where training takes its samples from: rows of a tensor here, crops of pictures in `crops`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Generator, Tensor


class Source(ABC):
    """N samples that a stream takes by index.

    Attributes
    ----------
    shape : of one sample as it is taken, (D,) or (C, H, W).
    visits : (n,) the sample of each index of an epoch, in order; n is N, or more where large pictures are taken more
        than once.
    takes_whole : whether samples are taken whole, and so the same each time, rather than as parts cut at random.
    """

    shape: tuple[int, ...]
    visits: Tensor
    takes_whole = True

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples, N."""

    @abstractmethod
    def take(self, index: Tensor, generator: Generator) -> Tensor:
        """Return the samples of `index` (n,), as (n, *shape); `generator` draws what is random in them."""

    @abstractmethod
    def to(self, device: torch.device | str) -> Source:
        """Return the samples on `device`, or themselves where they do not go there whole."""

    @abstractmethod
    def part(self, index: Sequence[int]) -> Source:
        """Return the samples of `index` as a Source of their own."""

    @abstractmethod
    def chunks(self, size: int = 4096) -> Iterable[Tensor]:
        """Return all samples whole, about `size` at a time, each (n, C, *grid)."""


class Rows(Source):
    """Samples that lie in one tensor.

    Parameters
    ----------
    x : samples (N, C, *grid), in the user's units and type; bytes stay bytes.

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
        """Return the samples of `index`; nothing is random."""
        return self.x[index.to(self.x.device)]

    def to(self, device: torch.device | str) -> Rows:
        """Return the samples on `device`, where a batch is one indexing step."""
        return Rows(self.x.to(device))

    def part(self, index: Sequence[int]) -> Rows:
        """Return the samples of `index` as a Source of their own."""
        return Rows(self.x[torch.as_tensor(index)])

    def chunks(self, size: int = 4096) -> Iterator[Tensor]:
        """Yield all samples, `size` at a time: to convert all at once would make a large copy."""
        return (self.x[start : start + size] for start in range(0, len(self.x), size))

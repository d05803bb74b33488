"""Where training takes its samples from: rows of a tensor here, crops of pictures in `crops`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

import torch
from torch import Generator, Tensor

CHUNK_VALUES = 2**27  # of samples that are looked at together, at most


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
    def part(self, index: Sequence[int] | Tensor) -> Source:
        """Return the samples of `index` as a Source of their own."""

    @abstractmethod
    def chunks(self, size: int = 4096) -> Iterable[Tensor]:
        """Return all samples whole, about `size` at a time or fewer, each (n, C, *grid)."""


class Rows(Source):
    """Samples that lie in one tensor, or some of its rows, which are not copied.

    Parameters
    ----------
    x : samples (N, C, *grid), in the user's units and type; bytes stay bytes.
    index : (n,) which rows of `x` the samples are; None for all.

    Examples
    --------
    >>> Rows(torch.arange(5)).take(torch.tensor([3, 1]), Generator()).tolist()
    [3, 1]
    >>> Rows(torch.arange(5)).part([4, 2]).take(torch.tensor([1]), Generator()).tolist()
    [2]
    """

    def __init__(self, x: Tensor, index: Tensor | None = None) -> None:
        self._x, self._index = x, index
        self.shape = tuple(x.shape[1:])

    @cached_property
    def visits(self) -> Tensor:  # type: ignore[override]
        """Each sample once, in order."""
        return torch.arange(len(self))

    @property
    def x(self) -> Tensor:
        """The samples (n, C, *grid), which are copied where they are some rows."""
        return self._x if self._index is None else self._x[self._index]

    def __len__(self) -> int:
        return len(self._x) if self._index is None else len(self._index)

    def take(self, index: Tensor, generator: Generator) -> Tensor:
        """Return the samples of `index`; nothing is random."""
        index = index.to(self._x.device)
        return self._x[index if self._index is None else self._index[index]]

    def to(self, device: torch.device | str) -> Rows:
        """Return the samples on `device`, where a batch is one indexing step."""
        if self._x.device == torch.device(device):
            return self
        return Rows(self._x.to(device), None if self._index is None else self._index.to(device))

    def part(self, index: Sequence[int] | Tensor) -> Rows:
        """Return the samples of `index` as a Source of their own."""
        index = torch.as_tensor(index)
        return Rows(self._x, index if self._index is None else self._index[index])

    def chunks(self, size: int = 4096) -> Iterator[Tensor]:
        """Yield all samples, `size` at a time or fewer large ones: to convert all at once would make a large copy."""
        size = max(1, min(size, CHUNK_VALUES // max(1, math.prod(self.shape))))
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield self._x[part if self._index is None else self._index[part]]


class Chunks:
    """Chunks of samples that may be gone over several times, without all of them in memory.

    Parameters
    ----------
    begin : begins a pass, such as the method `chunks` of a Source.

    Examples
    --------
    >>> chunks = Chunks(Rows(torch.arange(3)).chunks)
    >>> [chunk.tolist() for _ in range(2) for chunk in chunks]
    [[0, 1, 2], [0, 1, 2]]
    """

    def __init__(self, begin: Callable[[], Iterable[Tensor]]) -> None:
        self._begin = begin

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._begin())

"""The samples as Sources: arranged, and split into those to train on and those that are held out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator

from narrows.batch import Batch
from narrows.data.crops import Crops
from narrows.data.layout import Layout, to_samples
from narrows.data.source import Rows, Source
from narrows.data.stream import take
from narrows.model.network import as_tensor
from narrows.spec import check_number

VALIDATION_SHARE = 0.1  # of the samples, by default held out


@dataclass(frozen=True, eq=False)
class Split:
    """Samples to train on, and samples that are held out for validation.

    Attributes
    ----------
    source, target : the samples to train on, and what they should become; None for themselves.
    held_out : one batch; None where nothing is held out.
    held_out_index : the indices of these samples among all, rising.
    """

    source: Source
    target: Source | None
    held_out: Batch | None
    held_out_index: list[int]


def arrange(x: Any, shape: tuple[int, ...] | None = None) -> tuple[Source, Layout]:
    """Return a user's array, or crops of pictures, as a Source, and the layout that turns results back.

    Examples
    --------
    >>> import numpy as np
    >>> arrange(np.zeros((5, 8, 8)))[0].shape
    (1, 8, 8)
    """
    if isinstance(x, Crops):
        return x, Layout("grey" if x.is_grey else "channels_last")
    samples, layout = to_samples(x, shape)
    return Rows(as_tensor(samples)), layout


def count_held_out(samples: int, share: float | None) -> int:
    """Return how many of `samples` are held out: a tenth where `share` is None; one is always left to train on.

    Raises SpecError for a share that is not between 0 and 0.9.

    Examples
    --------
    >>> count_held_out(55, None), count_held_out(55, 0.0), count_held_out(1, 0.5)
    (6, 0, 0)
    """
    share = VALIDATION_SHARE if share is None else check_number("validation", share, 0, 0.9)
    return min(math.ceil(share * samples), samples - 1)


def split(source: Source, target: Source | None, count: int, seed: int, device: torch.device) -> Split:
    """Return the samples split at random, `count` of them held out and on `device`."""
    if not count:
        return Split(source, target, None, [])
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(source), generator=generator)
    index, kept = (part.sort().values.tolist() for part in (order[:count], order[count:]))
    held_out = source.part(index)
    batch = take(held_out, _part(target, index), held_out.visits, generator)
    return Split(source.part(kept), _part(target, kept), batch.to(device), index)


def _part(source: Source | None, index: list[int]) -> Source | None:
    return None if source is None else source.part(index)

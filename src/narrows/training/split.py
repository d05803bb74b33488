"""The samples as Sources: arranged, and split into those to train on and those that are held out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from narrows.batch import Batch
from narrows.data.crops import Crops
from narrows.data.layout import Layout, to_samples
from narrows.data.source import Rows, Source
from narrows.data.stream import take
from narrows.errors import DataError
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
    held_out_index : the indices of these samples among all, rising; empty where they are others, see
        `validation_data`.
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


def split(
    source: Source,
    target: Source | None,
    count: int,
    seed: int,
    device: torch.device,
    groups: np.ndarray | None = None,
) -> Split:
    """Return the samples split at random, `count` of them held out and on `device`.

    Where the number (N,) of each one's group is given, whole groups are held out, see `draw_groups`.
    """
    if not count:
        return Split(source, target, None, [])
    generator = Generator().manual_seed(seed)
    if groups is None:
        is_held_out = torch.zeros(len(source), dtype=torch.bool)
        is_held_out[torch.randperm(len(source), generator=generator)[:count]] = True
    else:
        is_held_out = torch.from_numpy(np.isin(groups, draw_groups(groups, count, generator)))
    index, kept = (part.nonzero()[:, 0] for part in (is_held_out, ~is_held_out))
    held_out = source.part(index)
    batch = take(held_out, _part(target, index), held_out.visits, generator)
    return Split(source.part(kept), _part(target, kept), batch.to(device), index.tolist())


def draw_groups(groups: np.ndarray, count: int, generator: Generator) -> list[int]:
    """Return numbers of groups, drawn at random until they hold at least `count` samples.

    A group with which they would hold over `count` and over half of the samples is passed over, and comes only after
    the smaller ones where these are too few. One group is always left.

    Raises DataError where there is one group alone.

    Examples
    --------
    >>> groups = np.array([0, 0, 0, 0, 0, 0, 1, 2, 2])
    >>> sorted(draw_groups(groups, 3, Generator())), sorted(draw_groups(groups, 4, Generator()))
    ([1, 2], [1, 2])
    """
    sizes = np.bincount(groups)
    if len(sizes) == 1:
        raise DataError(
            "all samples are of one group, so none can be held out beside others to train on; split by another column, "
            "or set validation=0"
        )
    order: list[int] = torch.randperm(len(sizes), generator=generator).tolist()
    drawn: list[int] = []
    held_out, most = 0, max(count, len(groups) // 2)
    for group in order:
        if held_out < count and held_out + sizes[group] <= most:
            drawn.append(group)
            held_out += sizes[group]
    left = sorted(set(order) - set(drawn), key=lambda group: sizes[group])
    while held_out < count and len(left) > 1:
        drawn.append(left.pop(0))
        held_out += sizes[drawn[-1]]
    return drawn


def describe_groups(groups: np.ndarray, held_out: list[int], count: int) -> str:
    """Return a line on the groups that are held out, whose samples have the indices `held_out`; `count` was the share.

    Examples
    --------
    >>> describe_groups(np.array([0, 0, 0, 1, 2]), [3], 1)
    'groups: 1 of 3 is held out, with 1 of 5 samples'
    """
    if not held_out:
        return "groups: nothing is held out, so they change nothing"
    part = len(set(groups[held_out].tolist()))
    line = f"groups: {part:,} of {groups.max() + 1:,} {'is' if part == 1 else 'are'} held out"
    line = f"{line}, with {len(held_out):,} of {len(groups):,} samples"
    if len(held_out) < count:
        return f"{line}; the share is {count:,}, but the other groups are too large"
    return f"{line}; the share is {count:,}, but groups stay whole" if len(held_out) > 2 * count else line


def _part(source: Source | None, index: Tensor) -> Source | None:
    return None if source is None else source.part(index)

"""Validation data: samples that a person gives to be held out, in place of a share of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Generator

from narrows.batch import Batch
from narrows.data.crops import Crops, cut
from narrows.data.layout import Layout, to_samples
from narrows.data.samples import Samples
from narrows.data.source import Rows, Source
from narrows.data.stream import take
from narrows.errors import DataError, SpecError
from narrows.model.network import as_tensor


def refuse_beside(validation: float | None, grouping: str | None) -> None:
    """Raise a SpecError for a share to hold out, or for `grouping`, an option that groups samples, as it was written.

    Examples
    --------
    >>> refuse_beside(None, None)
    """
    option = grouping if validation is None else f"validation={validation!r}"
    if option is not None:
        raise SpecError(
            f"validation data are given, so no share of the samples to train on is held out; leave {option} out"
        )


def arrange_like(given: Samples, samples: Samples, source: Source, layout: Layout) -> Samples:
    """Return validation data arranged like the training data.

    Parameters
    ----------
    given : the validation data.
    samples, source, layout : the training data, as `arrange` arranged them.

    Raises
    ------
    DataError : where their samples have another shape, type, columns or targets than those of training.
    """
    _check_columns(given, samples)
    if (given.target is None) != (samples.target is None):
        has, lacks = ("the samples", "they") if given.target is None else ("they", "the samples")
        raise DataError(
            f"validation data need a target where the samples to train on have one, however: {has} have one and "
            f"{lacks} have none; give both from Python, as Samples that `read` returns, or hold out a share"
        )
    is_picture, types = len(source.shape) == 3, (given.x.dtype, samples.x.dtype)
    if is_picture and types[0] != types[1] and not types[0].kind == types[1].kind == "f":
        raise DataError(
            f"validation data must be of the type of the pictures to train on, {types[1]}, however: they are {types[0]}"
        )
    x, target = (None if x is None else _shaped_like(x, source, layout) for x in (given.x, given.target))
    return replace(given, x=x, target=target)


def hold_out(given: Samples, shape: tuple[int, ...], seed: int, device: torch.device) -> Batch:
    """Return validation data, as `arrange_like` arranged them, in a batch on `device`; `seed` is of patches."""
    source, target = (None if x is None else _as_source(x, shape) for x in (given.x, given.target))
    assert source is not None
    return take(source, target, source.visits, Generator().manual_seed(seed)).to(device)


def _check_columns(given: Samples, samples: Samples) -> None:
    """Raise a DataError where both have named columns and these are not the same."""
    if given.columns is None or samples.columns is None or given.columns == samples.columns:
        return
    differ = [pair for pair in zip(samples.columns, given.columns, strict=False) if pair[0] != pair[1]]
    found = f"{differ[0][1]!r} for {differ[0][0]!r}" if differ else f"{len(given.columns)}, not {len(samples.columns)}"
    raise DataError(
        f"validation data must have the columns of the table to train on, in its order, however: they have {found}"
    )


def _shaped_like(x: Any, source: Source, layout: Layout) -> Any:
    """Return samples in the arrangement of the training data, `Crops` where these are or where they are larger."""
    if isinstance(source, Crops) or isinstance(x, Crops):
        _, height, width = source.shape
        crops = cut(x, (height, width))
        if crops.shape != source.shape:
            raise DataError(
                f"validation data must be pictures like those to train on, however: they have {crops.shape[0]} "
                f"channels, and those {source.shape[0]}"
            )
        return crops
    try:
        return layout.back(to_samples(x, source.shape)[0])
    except DataError:
        like = ", ".join(map(str, ("N", *source.shape)))
        raise DataError(
            f"validation data must be samples like those to train on, ({like}), however: their shape is {x.shape}"
        ) from None


def _as_source(x: Any, shape: tuple[int, ...]) -> Source:
    return x if isinstance(x, Crops) else Rows(as_tensor(np.asarray(to_samples(x, shape)[0])))

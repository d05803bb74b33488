"""Samples and what they should become: rows of two arrays, or pictures of two folders by their names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.errors import DataError

if TYPE_CHECKING:
    from narrows.data.read import Samples


def with_target(samples: Samples, target: Samples, name: str) -> Samples:
    """Return `samples` whose `target` is the data of another reading; pictures without a partner are skipped by name.

    Parameters
    ----------
    name : of the samples in messages.

    Raises
    ------
    DataError : where nothing belongs together, or shapes or types differ.

    Examples
    --------
    >>> from narrows.data.read import read
    >>> with_target(read([[1.0, 2.0]]), read([[0.0, 1.0]]), "x").target.tolist()
    [[0.0, 1.0]]
    """
    y = target.x
    if samples.names is not None and target.names is not None:
        samples, y = _matched(samples, target, name)
    sizes, others = _sizes(samples.x), _sizes(y)
    if sizes != others or samples.x.dtype != y.dtype:
        first = next(
            (pair for pair in zip(sizes, others, strict=False) if pair[0] != pair[1]), (len(sizes), len(others))
        )
        kinds = f"{samples.x.dtype} and {y.dtype}"
        raise DataError(
            f"each sample of {name} and its target must have one shape and type, "
            f"however: {first[0]} and {first[1]}, {kinds}"
        )
    return replace(samples, target=y)


def _matched(samples: Samples, target: Samples, name: str) -> tuple[Samples, Any]:
    """Return the samples whose name is among those of the target, and their targets in the same order."""
    names, places = samples.names or (), {other: i for i, other in enumerate(target.names or ())}
    kept = [i for i, other in enumerate(names) if other in places]
    if not kept:
        raise DataError(
            f"pictures and their targets must have the same names, however: {name} has {names[0]!r} and the target "
            f"{next(iter(places))!r}"
        )
    skipped = [(other, "the target has no picture of this name") for other in names if other not in places]
    skipped += [(f"target {other}", "no sample has this name") for other in places if other not in names]
    skipped += [(f"target {other}", reason) for other, reason in target.skipped]
    labels = None if samples.labels is None else samples.labels[kept]
    samples = replace(
        samples,
        x=_chosen(samples.x, kept),
        labels=labels,
        names=tuple(names[i] for i in kept),
        skipped=(*samples.skipped, *skipped),
    )
    return samples, _chosen(target.x, [places[names[i]] for i in kept])


def _chosen(x: Any, index: list[int]) -> Any:
    return x[index] if isinstance(x, np.ndarray) else x.part(index)


def _sizes(x: Any) -> list[tuple[int, ...]]:
    return [x.shape] if isinstance(x, np.ndarray) else [picture.shape for picture in x.pictures]

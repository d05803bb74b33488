"""Samples and what they should become: rows of two arrays, or pictures of two folders by their names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from narrows.data.matching import match_names, note_on_names
from narrows.data.samples import Samples
from narrows.errors import DataError


def with_target(samples: Samples, target: Samples, name: str) -> Samples:
    """Return `samples` with the data of `target` as their target.

    Where both have names, pictures of the same name belong together, its ending left aside, and those without a partner
    are skipped; else the rows of both belong together in order.

    Parameters
    ----------
    samples, target : both arrays or both `Crops`.
    name : of the samples, in messages.

    Raises
    ------
    DataError : if no names are the same, or shapes or types differ.

    Examples
    --------
    >>> noisy, clean = Samples(np.array([[1.0, 2.0]])), Samples(np.array([[0.0, 1.0]]))
    >>> with_target(noisy, clean, "x").target.tolist()
    [[0.0, 1.0]]
    """
    y = target.x
    if samples.names is not None and target.names is not None:
        samples, y = _match_names(samples, target, name)
    shapes, others = _shapes(samples.x), _shapes(y)
    if shapes != others or samples.x.dtype != y.dtype:
        first = next(
            (pair for pair in zip(shapes, others, strict=False) if pair[0] != pair[1]), (len(shapes), len(others))
        )
        kinds = f"{samples.x.dtype} and {y.dtype}"
        raise DataError(
            f"each sample of {name} and its target must have one shape and type, "
            f"however: {first[0]} and {first[1]}, {kinds}"
        )
    return replace(samples, target=y)


def _match_names(samples: Samples, target: Samples, name: str) -> tuple[Samples, Any]:
    """Return the samples whose name is among those of the target, and their targets in the same order."""
    names, target_index = samples.names or (), {other: i for i, other in enumerate(target.names or ())}
    matched = match_names(names, target_index)
    kept = [i for i, other in enumerate(names) if other in matched]
    if not kept:
        raise DataError(
            f"pictures and their targets must have the same names, however: {name} has {names[0]!r} and the target "
            f"{next(iter(target_index))!r}"
        )
    partners = set(matched.values())
    skipped = [(other, "the target has no picture of this name") for other in names if other not in matched]
    skipped += [(f"target {other}", "no sample has this name") for other in target_index if other not in partners]
    skipped += [(f"target {other}", reason) for other, reason in target.skipped]
    paired = replace(
        samples,
        x=_choose(samples.x, kept),
        labels=None if samples.labels is None else samples.labels[kept],
        names=tuple(names[i] for i in kept),
        groups=None if samples.groups is None else samples.groups[kept],
        skipped=(*samples.skipped, *skipped),
        notes=(*samples.notes, *note_on_names(matched)),
    )
    return paired, _choose(target.x, [target_index[matched[names[i]]] for i in kept])


def _choose(x: Any, index: list[int]) -> Any:
    return x[index] if isinstance(x, np.ndarray) else x.part(index)


def _shapes(x: Any) -> list[tuple[int, ...]]:
    return [x.shape] if isinstance(x, np.ndarray) else [picture.shape for picture in x.pictures]

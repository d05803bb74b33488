"""The state of a run as one flat dict of tensors and numbers, whose names are joined by dots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

State = dict[str, Any]


def prefixed(prefix: str, state: Mapping[str, Any]) -> State:
    """Return `state` with `prefix` before every name.

    Examples
    --------
    >>> prefixed("clock", {"seconds": 3.0})
    {'clock.seconds': 3.0}
    """
    return {f"{prefix}.{name}": value for name, value in state.items()}


def part(prefix: str, state: Mapping[str, Any]) -> State:
    """Return what `prefixed` put in.

    Examples
    --------
    >>> part("clock", {"clock.seconds": 3.0, "step": 5})
    {'seconds': 3.0}
    """
    return {name.removeprefix(f"{prefix}."): value for name, value in state.items() if name.startswith(f"{prefix}.")}


def numbered(tensors: Iterable[Tensor]) -> State:
    """Return tensors by their numbers."""
    return {str(i): tensor for i, tensor in enumerate(tensors)}

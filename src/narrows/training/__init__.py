"""How it is learned, fast. The names below are imported when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narrows.training.fit import Fit
    from narrows.training.loop import Budget, Progress, train

_HOMES = {"Fit": "fit", "Budget": "loop", "Progress": "loop", "train": "loop"}
__all__ = ["Budget", "Fit", "Progress", "train"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'narrows.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"narrows.training.{_HOMES[name]}"), name)

"""How it is learned, fast. The names below are imported when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narrows.training.clock import Budget
    from narrows.training.finished import finish
    from narrows.training.fit import Fit
    from narrows.training.loop import Progress, train
    from narrows.training.phase import Phase
    from narrows.training.plan import Plan, make_plan
    from narrows.training.run import Run

_HOMES = {"Budget": "clock", "finish": "finished", "Fit": "fit", "Progress": "loop", "train": "loop", "Phase": "phase"}
_HOMES |= {"Plan": "plan", "make_plan": "plan", "Run": "run"}
__all__ = ["Budget", "Fit", "Phase", "Plan", "Progress", "Run", "finish", "make_plan", "train"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'narrows.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"narrows.training.{_HOMES[name]}"), name)

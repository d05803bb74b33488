"""Train an autoencoder on your own images or tables.

One model then reconstructs, denoises, encodes and scores. `Autoencoder` has scikit-learn's manners; the verbs of the
command line are functions too: `narrows.train("photos/")`, `narrows.denoise(model, x)`. All names are imported when
they are first used, so that `import narrows` is light. Below them, `narrows.training` has `make_plan`, `Run`, the loop
`train` and `finish`, and `Fit`, which is all four; `narrows.model` has `Network` and the menus of parts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from narrows.data.read import read
    from narrows.data.samples import Samples
    from narrows.errors import DataError, ModelFileError, NarrowsError, SpecError, TrainingError
    from narrows.estimator import Autoencoder, load

_HOMES = {
    "Autoencoder": "narrows.estimator",
    "load": "narrows.estimator",
    "Samples": "narrows.data.samples",
    "read": "narrows.data.read",
    "NarrowsError": "narrows.errors",
    "SpecError": "narrows.errors",
    "DataError": "narrows.errors",
    "ModelFileError": "narrows.errors",
    "TrainingError": "narrows.errors",
}
_VERBS = ("train", "reconstruct", "denoise", "encode", "decode", "map", "corrupt", "evaluate", "report")
_HOMES |= dict.fromkeys(_VERBS, "narrows.api")  # not in __all__, since `map` would hide Python's own
__all__ = [
    "Autoencoder",
    "DataError",
    "ModelFileError",
    "NarrowsError",
    "Samples",
    "SpecError",
    "TrainingError",
    "load",
    "read",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'narrows' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_VERBS])

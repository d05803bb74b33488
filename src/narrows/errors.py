"""The errors that narrows raises, all derived from `NarrowsError`.

    NarrowsError
    ├── SpecError        a part's text or argument breaks a rule      (also a ValueError)
    ├── DataError        the data cannot be read or used              (also a ValueError)
    ├── ModelFileError   a file is not a model that is safe to open   (also a ValueError)
    └── TrainingError    training cannot go on                        (also a RuntimeError)

Every message is one sentence that says what is wrong, which rule it breaks and what to do instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NarrowsError(Exception):
    """The parent of every error that narrows raises on purpose."""


class SpecError(NarrowsError, ValueError):
    """A part's text or one of its arguments breaks a rule."""


class DataError(NarrowsError, ValueError):
    """The data cannot be read, or cannot be used in this way."""


class ModelFileError(NarrowsError, ValueError):
    """A file is not a model, or not one that is safe to open."""


class TrainingError(NarrowsError, RuntimeError):
    """Training cannot go on; the network keeps its last good state."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for a mistyped `name`: the most similar of the names `known`, or all of them where none is similar.

    Examples
    --------
    >>> did_you_mean("tutorial-liner", ["tutorial-linear", "tutorial-conv"])
    "did you mean 'tutorial-linear'?"
    >>> did_you_mean("xyz", ["b", "a"])
    'known are: a, b'
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"

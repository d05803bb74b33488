"""The names that people give to samples and to labels in .npz files."""

from __future__ import annotations

import re
from collections.abc import Iterable

# in the order in which they are taken
WORDS = {
    "x": ("x", "images", "image", "imgs", "data", "features", "samples"),
    "y": ("y", "labels", "label", "targets", "target", "classes"),
}
SPLITS = ("train", "test")


def find_key(names: Iterable[str], kind: str, split: str | None = None) -> str | None:
    """Return which of `names` holds the samples ("x") or the labels ("y") of a split, None where none does.

    Case does not matter. Without a split, an array that names none comes before that of the training split.

    Examples
    --------
    >>> find_key(["x_train", "y_train", "x_test"], "x"), find_key(["X_test", "train_images"], "x", "test")
    ('x_train', 'X_test')
    >>> find_key(["data", "target"], "y"), find_key(["a", "b"], "x")
    ('target', None)
    """
    found: dict[tuple[str | None, str], str] = {}
    for name in sorted(names, reverse=True):  # of `x` and `X` the former is taken
        known = re.fullmatch(
            rf"(?:({'|'.join(SPLITS)})[_-]?)?({'|'.join(WORDS[kind])})(?:[_-]?({'|'.join(SPLITS)}))?", name.lower()
        )
        if known:
            found.setdefault((known[1] or known[3], known[2]), name)
    for wanted in (None, "train") if split is None else (split,):
        for word in WORDS[kind]:
            if (wanted, word) in found:
                return found[wanted, word]
    return None

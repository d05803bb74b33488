"""Which names of pictures belong together: noisy and clean ones, written by different programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath


def match_names(names: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return the other name that belongs to each of `names`, those without one left out.

    That is the same name, else the one of the same path without its ending in one Unicode normal form, else the one
    that is that in lower case too; where several could be meant, none is.

    Examples
    --------
    >>> match_names(["a.tif", "b.PNG", "c.png"], ["a.png", "b.png", "d.png"])
    {'a.tif': 'a.png', 'b.PNG': 'b.png'}
    """
    names, others = list(names), list(others)
    same = set(others)
    matched = {name: name for name in names if name in same}
    for lower in (False, True):
        taken = set(matched.values())
        free = _by_stem((other for other in others if other not in taken), lower)
        left = _by_stem((name for name in names if name not in matched), lower)
        matched |= {own[0]: free[stem][0] for stem, own in left.items() if len(own) == len(free.get(stem, ())) == 1}
    return {name: matched[name] for name in names if name in matched}


def note_on_names(matched: Mapping[str, str]) -> tuple[str, ...]:
    """Return a line where names were matched that are not the same.

    >>> note_on_names({"a.tif": "a.png", "b.png": "b.png"})
    ("1 of 2 pairs were matched by their names without the ending, such as 'a.tif' and 'a.png'",)
    """
    unlike = [(name, other) for name, other in matched.items() if name != other]
    if not unlike:
        return ()
    name, other = unlike[0]
    return (
        f"{len(unlike):,} of {len(matched):,} pairs were matched by their names without the ending, "
        f"such as {name!r} and {other!r}",
    )


def _by_stem(names: Iterable[str], lower: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        page = name[name.rfind("[") :] if name.endswith("]") else ""  # of a file of several pictures
        path = PurePosixPath(name.removesuffix(page))
        stem = unicodedata.normalize("NFC", str(path.with_suffix("")) + page)
        found.setdefault(stem.lower() if lower else stem, []).append(name)
    return found

"""The pictures of a folder: their paths, their names and the labels that subfolders give them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from narrows.data.image_formats import EXTENSIONS
from narrows.data.places import Place, printable, walk
from narrows.errors import DataError
from narrows.tables.write import WRITERS


def list_pictures(path: Path | Place, skipped: dict[str, str]) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    """Return (name, path) of all pictures of a folder and its subfolders, and a note on the other files.

    Parameters
    ----------
    path : a folder or a place, or one picture. Pictures are told by their extensions, hidden files are ignored.
    skipped : gets each folder that cannot be listed, with the reason.

    Raises
    ------
    DataError : if the folder holds no picture.

    Examples
    --------
    >>> pictures, notes = list_pictures(Path("photos/a.png"), {})
    >>> pictures == [("a.png", Path("photos/a.png"))], notes
    (True, ())
    """
    root = find_root(path)
    if isinstance(path, Path) and not path.is_dir():
        return [(printable(path.name), path)], ()
    pictures, others = [], Counter[str]()
    for file in sorted(walk(path, skipped), key=lambda file: file.parts):
        suffix = file.suffix.lower()
        if suffix in EXTENSIONS:
            pictures.append((printable(file.relative_to(root).as_posix()), file))
        else:
            others[suffix or "without extension"] += 1
    if not pictures and not skipped:
        held = _describe(others) if others else "no file"
        if not others.keys().isdisjoint(WRITERS):
            raise DataError(f"tables are read one at a time, however: {str(path)!r} holds {held}; give one file")
        known = ", ".join(sorted(EXTENSIONS))
        raise DataError(f"the folder {str(path)!r} must hold pictures ({known}), however: it holds {held}")
    return pictures, (f"ignored {_describe(others)}",) if others else ()


def _describe(others: Counter[str]) -> str:
    """Return how many files of formats that are not read there are, and how many of each ending.

    >>> _describe(Counter({".dcm": 2, ".txt": 1}))
    '3 files of formats that are not read (.dcm 2, .txt 1)'
    """
    total = sum(others.values())
    counted = ", ".join(f"{ending} {count:,}" for ending, count in sorted(others.items()))
    return f"{total:,} file{'s' if total > 1 else ''} of formats that are not read ({counted})"


def find_root(path: Path | Place) -> Path:
    """Return the folder from which pictures are named: that of a single picture, or the one that is read.

    >>> find_root(Path("photos/a.png"))
    PosixPath('photos')
    """
    if isinstance(path, Place):
        return path.root
    return path if path.is_dir() else path.parent


def subfolder_labels(names: tuple[str, ...]) -> np.ndarray | None:
    """Return the first folder of each name, masked where a picture lies in none; None for fewer than two folders.

    >>> subfolder_labels(("cat/1.png", "cat/kitten/2.png", "dog/1.png")).tolist()
    ['cat', 'cat', 'dog']
    >>> subfolder_labels(("cat/1.png", "dog/1.png", "x.png")).tolist()
    ['cat', 'dog', None]
    """
    folders = np.array([name.partition("/")[0] if "/" in name else "" for name in names])
    if len(set(folders.tolist()) - {""}) < 2:
        return None
    stray = folders == ""
    return np.ma.masked_array(folders, stray) if stray.any() else folders

"""The pictures of a folder: their paths, their names and the labels that subfolders give them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from narrows.data.image_formats import EXTENSIONS
from narrows.errors import DataError


def list_pictures(path: Path, skipped: dict[str, str]) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    """Return (name, path) of all pictures of a folder and its subfolders, and a note on the other files.

    Parameters
    ----------
    path : a folder, or one picture. Pictures are told by their extensions, hidden files are ignored.
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
    if not path.is_dir():
        return [(_printable(path.name), path)], ()
    pictures, others = [], Counter[str]()
    for file in sorted(_walk(path, skipped), key=lambda file: file.parts):
        suffix = file.suffix.lower()
        if suffix in EXTENSIONS:
            pictures.append((_printable(file.relative_to(path).as_posix()), file))
        else:
            others[suffix or "without extension"] += 1
    if not pictures and not skipped:
        held = _describe(others) if others else "no file"
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


def subfolder_labels(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the first folder of each name, or None where a name has none or all are the same.

    >>> subfolder_labels(("cat/1.png", "cat/kitten/2.png", "dog/1.png"))
    ('cat', 'cat', 'dog')
    """
    folders = tuple(name.partition("/")[0] for name in names)
    return folders if len(set(folders)) > 1 and all("/" in name for name in names) else None


def _walk(root: Path, skipped: dict[str, str]) -> Iterator[Path]:
    """Yield all files that are not hidden; each folder once, so that links in a circle end."""

    def note_error(error: OSError) -> None:
        folder = os.path.relpath(error.filename or root, root)
        skipped[f"{_printable(folder)}/"] = error.strerror or "the folder cannot be listed"

    seen = set()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=note_error):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _printable(name: str) -> str:
    """Return a file's name as text that can be printed and saved, whatever its bytes."""
    return os.fsencode(name).decode("utf-8", "replace")

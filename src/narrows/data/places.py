"""Where samples lie: a file, a folder, several paths, a pattern such as "pics/*.png", or a zip of pictures."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narrows.data.image_formats import EXTENSIONS
from narrows.data.named import NAMED
from narrows.errors import DataError, did_you_mean
from narrows.tables.table_file import is_table
from narrows.unreadable import one_line

PATTERN = "*?["  # a text with one of these that is no path is a pattern
MAX_RATIO, FREE = 100, 2**26  # a zip may unpack to so many times its own bytes, and so many bytes more


@dataclass(frozen=True)
class Place:
    """Files and folders that are read together, as one folder is.

    Attributes
    ----------
    paths : of the files and folders.
    root : the folder from which samples are named.
    name : to show.
    origin : the path whose last name is the samples' own.
    skipped : what could not be taken out of a zip, as (name, reason).

    Examples
    --------
    >>> str(Place((Path("a/1.png"), Path("a/2.png")), Path("a"), "2 paths", "a"))
    '2 paths'
    """

    paths: tuple[Path, ...]
    root: Path
    name: str
    origin: str
    skipped: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.name

    def is_dir(self) -> bool:
        """Return True: it is read as a folder is."""
        return True


def are_paths(source: Any) -> bool:
    """Return whether a source is a path, or a list of paths.

    >>> are_paths("a.png"), are_paths(["a.png", Path("b.png")]), are_paths([]), are_paths([[1, 2]])
    (True, True, False, False)
    """
    if isinstance(source, list | tuple):
        return bool(source) and all(isinstance(path, str | os.PathLike) for path in source)
    return isinstance(source, str | os.PathLike)


@contextmanager
def open_place(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> Iterator[Path | Place]:
    """Yield what a path, a pattern or a list of paths stands for; a zip of pictures is unpacked for as long.

    Raises DataError where there is nothing, and for a zip that would unpack to too much.

    Examples
    --------
    >>> with open_place([Path(__file__), Path(__file__).parent / "read.py"]) as place:
    ...     place.root.name, [path.name for path in place.paths]
    ('data', ['places.py', 'read.py'])
    """
    found = find_place(source)
    if isinstance(found, Path) and _is_zip(found):
        with _unpacked(found, os.fspath(source) if isinstance(source, str | os.PathLike) else str(found)) as place:
            yield place
    else:
        yield found


def walk(place: Path | Place, skipped: dict[str, str]) -> Iterator[Path]:
    """Yield the files of a folder or a place that are not hidden, those that are named alone in any case.

    skipped : gets each folder that cannot be listed, with the reason.
    """
    if isinstance(place, Path):
        yield from _walk(place, skipped)
        return
    skipped.update(place.skipped)
    for path in dict.fromkeys(place.paths):
        if path.is_dir():
            yield from _walk(path, skipped)
        else:
            yield path


def printable(name: str) -> str:
    """Return a file's name as text that can be printed and saved, whatever its bytes.

    >>> printable("a.png")
    'a.png'
    """
    return os.fsencode(name).decode("utf-8", "replace")


def find_place(source: Any) -> Path | Place:
    """Return what a path, a pattern or a list of paths stands for; a zip is its own path, and stays packed.

    Raises DataError where there is nothing.

    >>> find_place([Path(__file__)]) == Path(__file__)
    True
    """
    if not isinstance(source, list | tuple):
        return _expand(source)
    paths: list[Path] = []
    for one in source:
        found = _expand(one)
        paths += [found] if isinstance(found, Path) else found.paths
    return paths[0] if len(paths) == 1 else _join(paths, f"{len(paths)} paths")


def _expand(source: str | os.PathLike[str]) -> Path | Place:
    """Return the path, or the paths that a pattern matches."""
    path, text = Path(source), os.fspath(source)
    try:
        if path.exists():
            return path
        found = sorted(map(Path, glob.glob(text, recursive=True))) if any(sign in text for sign in PATTERN) else None
    except (OSError, ValueError):  # a name too long, a zero byte
        found = None
    if found:
        return found[0] if len(found) == 1 else _join(found, text)
    if found is not None:
        raise DataError(f"no file matches the pattern {text!r}")
    if text in NAMED:
        raise DataError(f"a data set has no place in a list of paths, however: {text!r} is one; give it alone")
    hint = f"; {did_you_mean(source, NAMED)}" if isinstance(source, str) else ""
    raise DataError(f"there is no file, folder or data set {text!r}{hint}")


def _join(paths: Sequence[Path], name: str) -> Place:
    """Return paths as one place, named from the folder that holds them all."""
    parents = [os.path.abspath(path.parent) for path in paths]
    root = Path(os.path.commonpath(parents))
    return Place(tuple(Path(os.path.abspath(path)) for path in paths), root, name, str(root))


@contextmanager
def _unpacked(path: Path, name: str) -> Iterator[Path | Place]:
    """Yield the pictures of a zip in a temporary folder; one that holds arrays, a .npz, or a table stays as it is."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{name} cannot be read, it may be damaged: {one_line(error)}") from None
    with archive:
        members = _find_members(archive)
        pictures = _find_pictures(members)
        endings = Counter(Path(member.filename).suffix.lower() for member in members if not member.is_dir())
        if not pictures and (".npy" in endings or is_table(path)):
            yield path
            return
        if not pictures:
            held = f"only {', '.join(sorted(endings)[:5])} files" if endings else "no file"
            raise DataError(
                f"{name} must hold pictures or a table, however: it holds {held}; unpack it and give what is in it"
            )
        _check_size(pictures, path, name)
        with tempfile.TemporaryDirectory(prefix="narrows-") as folder:
            failed = [(target, reason) for member in pictures for target, reason in _extract(archive, member, folder)]
            root = _innermost(Path(folder))
            skipped = tuple((printable(os.path.relpath(target, root)), reason) for target, reason in failed)
            yield Place((root,), root, name, str(path), skipped)


def holds_pictures(path: Path) -> bool:
    """Return whether a file is a zip that names pictures.

    >>> holds_pictures(Path(__file__))
    False
    """
    if not _is_zip(path):
        return False
    with suppress(OSError, ValueError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        return bool(_find_pictures(_find_members(archive)))
    return False


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and path.is_file()


def _find_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if not _is_hidden(member.filename)]


def _find_pictures(members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    return [member for member in members if Path(member.filename).suffix.lower() in EXTENSIONS]


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in _parts(name))


def _parts(name: str) -> list[str]:
    """Return the folders and the name of a member, none of which leads outside; some programs write backslashes."""
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _check_size(members: Sequence[zipfile.ZipInfo], path: Path, name: str) -> None:
    """Raise a DataError for pictures that would take more than a zip of pictures does, or than the disk has."""
    needed = sum(member.file_size for member in members)
    if needed > MAX_RATIO * path.stat().st_size + FREE:
        raise DataError(
            f"{name} must unpack to at most {MAX_RATIO} times its bytes, however: it says {needed / 1e9:.1f} GB, as a "
            f"decompression bomb would; unpack it yourself and give the folder"
        )
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if needed > free:
        raise DataError(
            f"{name} unpacks to {needed / 1e9:.1f} GB, however: {tempfile.gettempdir()} has {free / 1e9:.1f} GB free; "
            f"unpack it elsewhere and give the folder"
        )


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: str) -> Iterator[tuple[Path, str]]:
    """Write a member to its own name inside the folder; yield the file and the reason where that fails."""
    target = Path(folder, *_parts(member.filename))
    if member.flag_bits & 1:
        yield target, "it is encrypted"
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file)
    except Exception as error:  # a damaged zip raises nearly anything
        with suppress(OSError):
            target.unlink()
        yield target, one_line(error)


def _innermost(folder: Path) -> Path:
    """Return the folder that holds more than one folder alone: a zip of a folder holds just that folder."""
    inside = list(folder.iterdir())
    return _innermost(inside[0]) if len(inside) == 1 and inside[0].is_dir() else folder


def _walk(root: Path, skipped: dict[str, str]) -> Iterator[Path]:
    """Yield all files that are not hidden; each folder once, so that links in a circle end."""

    def note_error(error: OSError) -> None:
        folder = os.path.relpath(error.filename or root, root)
        skipped[f"{printable(folder)}/"] = error.strerror or "the folder cannot be listed"

    seen = set()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=note_error):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))

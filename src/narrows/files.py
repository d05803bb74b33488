"""Outputs are written completely or not at all, and an existing one is replaced only with `overwrite`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from narrows.errors import DataError


@contextmanager
def whole(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to, and rename it to `path` once it is complete.

    Raises
    ------
    DataError : when `path` exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("all of it")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    with _named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, and move its files to `path` once all are written.

    An existing folder is refused unless `overwrite`, which replaces files of the same names and keeps the others.

    Raises
    ------
    DataError : when `path` exists and `overwrite` is False, or cannot be written.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> with whole_folder(folder) as temporary:
    ...     _ = (temporary / "a.txt").write_text("all of it")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    with _named_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            yield temporary
            temporary.chmod(0o777 & ~_umask())
            _move(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def refuse_existing(path: str | Path, overwrite: bool) -> None:
    """Raise a DataError where `path` exists, unless `overwrite`.

    Examples
    --------
    >>> refuse_existing("no-such-file", overwrite=False)
    """
    if Path(path).exists() and not overwrite:
        raise DataError(f"{path} exists already and is kept; add --overwrite, or choose another name with -o")


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; choose another place with -o") from None


def _move(folder: Path, path: Path) -> None:
    """Move `folder` to `path`, or its files into the folder `path` where that exists."""
    if not path.exists():
        folder.rename(path)
        return
    for file in sorted(folder.rglob("*")):
        target = path / file.relative_to(folder)
        if file.is_dir():
            target.mkdir(exist_ok=True)
        else:
            file.replace(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

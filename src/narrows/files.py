"""Outputs are written completely or not at all, an existing one is replaced only with `overwrite`, an input never."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from narrows.errors import DataError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # these hold for whatever else is written to the same place
BLOCK = 2**16  # bytes that are written to ask the system for its reason
MOST_OF_A_NAME = 40  # letters, in the name of a temporary file, which may not become too long


class OutputError(DataError):
    """An output cannot be written.

    Attributes
    ----------
    reason : the system's own, "No space left on device".
    is_full : whether the whole place is full or read-only, so that nothing else can be written there either.
    """

    def __init__(self, message: str, reason: str = "", is_full: bool = False) -> None:
        super().__init__(message, reason, is_full)  # all of them, or it could not be pickled
        self.reason, self.is_full = reason, is_full

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def at(cls, path: str | Path, reason: str, is_full: bool) -> OutputError:
        """Return the error of an output `path`."""
        return cls(f"{path} cannot be written: {reason}; choose another place with -o", reason, is_full)


@contextmanager
def whole(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to, and rename it to `path` once it is complete.

    A file that is replaced keeps its mode, and a link goes on leading to the file that is written.

    Raises
    ------
    DataError : when `path` exists and `overwrite` is False.
    OutputError : when it cannot be written, with the system's reason; no folder that was made for it stays.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("all of it")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    refuse_existing(path, overwrite)
    target = Path(os.path.realpath(path))
    with _output_in(target.parent, path):
        prefix = f".{target.stem[:MOST_OF_A_NAME]}-"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            with _system_reason(target.parent):
                yield temporary
            _rename(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, or in it if it exists, and move its files to `path` once all are there.

    An existing folder is refused unless `overwrite`, which replaces files of the same names and keeps the others.

    Raises
    ------
    DataError : when `path` exists and `overwrite` is False.
    OutputError : when it cannot be written, with the system's reason; no folder that was made for it stays.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> with whole_folder(folder) as temporary:
    ...     _ = (temporary / "a.txt").write_text("all of it")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    refuse_existing(path, overwrite)
    target = Path(os.path.realpath(path))
    parent = target if target.exists() else target.parent  # a file system's own folder can be filled, not replaced
    with _output_in(parent, path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:MOST_OF_A_NAME]}-", dir=parent))
        try:
            with _system_reason(temporary):
                yield temporary
            _set_mode(temporary, 0o777 & ~_umask())
            _move(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def refuse_existing(path: str | Path, overwrite: bool) -> None:
    """Raise a DataError where `path` exists, unless `overwrite`; a device or a pipe is refused in any case.

    Examples
    --------
    >>> refuse_existing("no-such-file", overwrite=False)
    """
    if not os.path.exists(path):  # Path.exists raises an error for a folder that may not be searched
        return
    if not overwrite:
        raise DataError(f"{path} exists already and is kept; overwrite=True replaces it, or choose another name")
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise DataError(f"{path} is neither a file nor a folder, so it is kept; choose another name with -o")


def check_folder(path: str | Path, overwrite: bool) -> None:
    """Raise a DataError where a folder `path` exists and `overwrite` is False, or cannot be written; before long work.

    Examples
    --------
    >>> check_folder("no-such-folder", overwrite=False)
    """
    refuse_existing(path, overwrite)
    place = Path(os.path.realpath(path))
    while not os.path.lexists(place):
        place = place.parent
    with _named_errors(path), tempfile.TemporaryDirectory(prefix=".narrows-", dir=place):
        pass


def refuse_inputs(output: str | Path, *inputs: Any) -> None:
    """Raise a DataError where `output` is one of `inputs`, or lies in a folder of them or holds one, by links too.

    Parameters
    ----------
    inputs : paths, patterns such as "in/*.png", or lists of them; anything else is no file and left alone.

    Examples
    --------
    >>> refuse_inputs("photos/out", "photos")
    >>> refuse_inputs(__file__, __file__)
    Traceback (most recent call last):
    narrows.errors.DataError: ...files.py is the input itself and is kept; choose another name with -o
    """
    place = Path(os.path.realpath(output))
    for path in find_paths(inputs):
        source = Path(os.path.realpath(path))
        if place == source or (place.exists() and place.samefile(source)):
            raise DataError(f"{output} is the input itself and is kept; choose another name with -o")
        if source in place.parents:
            raise DataError(
                f"{output} lies in the input {path}, which would then hold its own results; choose a place outside of "
                f"it with -o"
            )
        if place in source.parents if source.is_dir() else place == source.parent:
            raise DataError(f"{output} holds the input {path}, which results may replace; choose another place with -o")


def find_paths(given: Any) -> list[str]:
    """Return the files and folders that `given` names: a path, a pattern, or a list or tuple of them.

    Examples
    --------
    >>> find_paths([__file__, "no-such-*.png", 3.0, None]) == [__file__]
    True
    """
    if isinstance(given, list | tuple):
        return [path for one in given for path in find_paths(one)]
    if not isinstance(given, str | os.PathLike):
        return []
    path = os.fspath(given)
    return [path] if os.path.exists(path) else glob.glob(path, recursive=True) if isinstance(path, str) else []


@contextmanager
def _output_in(folder: Path, path: str | Path) -> Iterator[None]:
    """Make `folder` for the output `path`; where that cannot be written, remove what was made and say why."""
    made = [new for new in (folder, *folder.parents) if not os.path.exists(new)]
    with _named_errors(path):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            yield
        except BaseException:
            with suppress(OSError):  # it holds something by now
                for new in made:
                    new.rmdir()
            raise


@contextmanager
def _named_errors(path: str | Path) -> Iterator[None]:
    """Turn errors of the system, and those of a file within the folder `path`, into one that names `path`."""
    try:
        yield
    except OutputError as error:
        raise OutputError.at(path, error.reason, error.is_full) from None
    except OSError as error:
        raise OutputError.at(path, error.strerror or " ".join(str(error).split()), error.errno in FULL) from None


@contextmanager
def _system_reason(folder: Path) -> Iterator[None]:
    """Raise the system's own error where a library's names no reason, as NumPy's and Pillow's do on a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            with tempfile.TemporaryFile(dir=folder) as file:  # what stopped the library stops this too
                file.write(bytes(BLOCK))
                file.flush()
                os.fsync(file.fileno())
        raise


def _move(folder: Path, path: Path) -> None:
    """Move `folder` to `path`, or its files into the folder `path` where that exists."""
    if not path.exists():
        folder.rename(path)
        return
    for file in sorted(folder.rglob("*")):
        target = path / file.relative_to(folder)
        if file.is_dir():
            target.mkdir(exist_ok=True)
        elif target.is_symlink():
            with whole(target, overwrite=True) as copy:
                shutil.copyfile(file, copy)
        else:
            _rename(file, target)


def _rename(temporary: Path, target: Path) -> None:
    """Rename a file that is complete; it gets the mode of the one that it replaces, or an ordinary one."""
    _set_mode(temporary, stat.S_IMODE(target.stat().st_mode) if target.is_file() else 0o666 & ~_umask())
    temporary.replace(target)


def _set_mode(path: Path, mode: int) -> None:
    with suppress(OSError):  # some file systems have none
        path.chmod(mode)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""What is said of a file that cannot be read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from narrows.errors import DataError

FORMATS = "a folder of pictures, a picture, .npy, .npz, IDX (.gz too), or a table such as .csv and .parquet"
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth")
T = TypeVar("T")


def read_guarded(reader: Callable[[Path, str], T], path: Path, name: str) -> T:
    """Return `reader(path, name)`; whatever it raises for a bad file becomes a DataError, and it does not warn.

    >>> read_guarded(lambda path, name: int(path.name), Path("12"), "a file")
    12
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader(path, name)
    except DataError:
        raise
    except Exception as error:  # a bad file raises nearly anything: zlib.error, struct.error, EOFError, SyntaxError
        raise DataError(f"{name} cannot be read, it may be damaged: {one_line(error)}") from None


def explain_unknown(head: bytes, path: Path, name: str) -> str:
    """Return why a file of no known format is refused, from its first bytes and its ending.

    >>> explain_unknown(b"", Path("a.npy"), "a.npy")
    'a.npy is empty'
    """
    if not head:
        return f"{name} is empty"
    if is_pickle(head) or path.suffix.lower() in PICKLES:
        return f"{name} looks like a pickle, which can run code and is never read; save the array with numpy.save"
    return f"{name} is of no format that narrows reads; it must be {FORMATS}"


def is_pickle(head: bytes) -> bool:
    """Return whether the first bytes of a file are those of a pickle (protocol 2 or later).

    >>> is_pickle(bytes([0x80, 4]))
    True
    """
    return head[:1] == b"\x80"


def one_line(error: BaseException) -> str:
    r"""Return what an error says, without the path that it may name, on one line of at most 200 characters.

    >>> one_line(ValueError("first\nsecond"))
    'first second'
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200] or type(error).__name__

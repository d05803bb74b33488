"""Arrays of numbers: in memory, and in .npy, .npz and IDX files. Pickles are never read.

The format of .npy is described in numpy.lib.format, that of IDX at the foot of the MNIST page (LeCun, Cortes, Burges).
"""

from __future__ import annotations

import gzip
import math
import struct
import sys
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from narrows.data.npz_names import find_key
from narrows.errors import DataError
from narrows.memory import check_memory
from narrows.unreadable import explain_unknown, one_line, read_guarded

NPY_START, ZIP_START, GZIP_START = b"\x93NUMPY", b"PK", b"\x1f\x8b"  # the first bytes of such files
NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
BLOCK = 2**18  # bytes read at a time: larger blocks leave gaps in memory that nothing else fits into
MAX_GZIP_RATIO = 1032  # a gzip holds at most this many times its own size
# NumPy's letter for a kind of values that is refused -> its name
KINDS = {"O": "objects", "c": "complex numbers", "U": "texts", "T": "texts", "S": "bytes", "V": "records"}
KINDS |= {"M": "dates", "m": "durations", "f": "floats of more than 64 bits"}


def as_numbers(values: Any, name: str) -> np.ndarray:
    """Return `values` as an array of numbers that torch accepts; `name` stands for it in messages.

    An array that is big-endian, read-only, unaligned or has a negative stride is copied; others are not.

    Raises
    ------
    DataError : if it is no array of integers, booleans or floats of at most 64 bits.

    Examples
    --------
    >>> as_numbers(np.arange(3, dtype=">i2")[::-1], "the array")
    array([2, 1, 0], dtype=int16)
    """
    x = as_array(values, name)
    _check_type(x.dtype, name)
    strided = all(stride >= 0 and stride % x.itemsize == 0 for stride in x.strides)
    if x.dtype.isnative and x.flags.writeable and x.flags.aligned and strided:
        return x
    return np.array(x, dtype=x.dtype.newbyteorder("="), order="C")


def as_array(values: Any, name: str) -> np.ndarray:
    """Return an array, a tensor or nested lists as an array of any type; bfloat16 becomes float32.

    Raises
    ------
    DataError : if rows differ in length or values are masked.

    Examples
    --------
    >>> as_array(["a", "b"], "labels").tolist()
    ['a', 'b']
    """
    torch = sys.modules.get("torch")  # whoever has a tensor has imported torch
    try:
        if torch is not None and isinstance(values, torch.Tensor):
            values = values.detach().cpu()
            return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
        refuse_sparse(values, name)
        if np.ma.is_masked(values):
            raise DataError(f"{name} holds masked values; fill or remove them")
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} is no array of numbers, all rows of one length: {one_line(error)}") from None


def refuse_sparse(values: Any, name: str) -> None:
    """Raise a DataError for a sparse matrix or array of SciPy.

    >>> refuse_sparse(np.zeros(3), "x")
    """
    sparse = sys.modules.get("scipy.sparse")  # whoever has one has imported it
    if sparse is not None and sparse.issparse(values):
        raise DataError(f"{name} must be dense, however: it is sparse; write .toarray() where that fits into memory")


def _check_type(dtype: np.dtype, name: str) -> None:
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        held = KINDS.get(dtype.kind, "other things")
        rule = "whole numbers, floats of at most 64 bits or truth values"
        raise DataError(f"{name} must hold {rule}, however: it holds {held} ({dtype}); convert it first")


# Files


def holds_arrays(head: bytes) -> bool:
    """Return whether a file that begins with these 8 bytes is .npy, .npz, IDX or a gzip.

    >>> holds_arrays(b"PK......"), holds_arrays(b"a,b,c\\n1,")
    (True, False)
    """
    return head.startswith((NPY_START, ZIP_START, GZIP_START)) or _is_idx(head)


def holds_plain_arrays(path: Path) -> bool:
    """Return whether a file is .npy or IDX by its first bytes, whatever its ending.

    >>> holds_plain_arrays(Path(__file__))
    False
    """
    with open(path, "rb") as file:
        head = file.read(8)
    return head.startswith(NPY_START) or _is_idx(head)


def read_arrays(
    path: Path, name: str, kinds: tuple[str, ...] = ("x", "y"), split: str | None = None
) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file by their names, or the one of .npy or IDX as "array".

    The first bytes of the file tell which it is, not its ending. Of a .npz file with several arrays only those are read
    that `find_key` says for `kinds` and `split`; the others are empty.

    Raises
    ------
    DataError : if the file is of another format, cut short, damaged or too large for the memory.
    """
    return read_guarded(lambda path, name: _read_by_content(path, name, kinds, split), path, name)


def pick_array(arrays: dict[str, np.ndarray], kind: str, name: str, split: str | None = None) -> np.ndarray:
    """Return the array of samples ("x") or of labels ("y") of a split, or the only one, unless that is the other.

    Raises
    ------
    DataError : if there is neither.

    Examples
    --------
    >>> pick_array({"array": np.arange(3)}, "x", "a.npy")
    array([0, 1, 2])
    """
    chosen = find_key(arrays, kind, split)
    if chosen is None and len(arrays) == 1 and split is None and not any(find_key(arrays, other) for other in "xy"):
        chosen = next(iter(arrays))
    if chosen is None:
        held = ", ".join(sorted(arrays)[:10]) or "no array"
        wanted = f"{kind}_{split}" if split else kind
        raise DataError(
            f"{name} must hold an array `{wanted}`, or a single one, however: it holds {held}; name it with "
            f"numpy.savez(path, x=..., y=...)"
        )
    return arrays[chosen]


def _read_by_content(path: Path, name: str, kinds: tuple[str, ...], split: str | None) -> dict[str, np.ndarray]:
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(8)
        file.seek(0)
        if head.startswith(NPY_START):
            return {"array": _read_npy(file, size, name)}
        if head.startswith(ZIP_START):
            return _read_npz(file, name, kinds, split)
        if head.startswith(GZIP_START):
            with gzip.open(file) as unpacked:
                return {"array": _read_idx(unpacked, MAX_GZIP_RATIO * size, name)}  # type: ignore[arg-type]
        if _is_idx(head):
            return {"array": _read_idx(file, size, name)}
    raise DataError(explain_unknown(head, path, name))


def _read_npz(file: IO[bytes], name: str, kinds: tuple[str, ...], split: str | None) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        members = {key: info for key, info in members.items() if info.filename.endswith(".npy")}
        known = [find_key(members, kind, split) for kind in kinds]
        wanted = [key for key in members if key in known or len(members) == 1]
        arrays = {key: np.empty(0) for key in members}
        for key in wanted:
            with archive.open(members[key]) as member:
                arrays[key] = _read_npy(member, members[key].file_size, f"{key} of {name}")
        return arrays


def _read_npy(file: IO[bytes], size: int, name: str) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    if version not in NPY_HEADERS:
        raise DataError(f"{name} must hold plain numbers, however: its header is of version {version}")
    shape, fortran_order, dtype = NPY_HEADERS[version](file)
    if dtype.kind not in "US":  # labels may be texts
        _check_type(dtype, name)
    return _read_values(file, dtype, shape, size - file.tell(), name, "F" if fortran_order else "C")


def _is_idx(head: bytes) -> bool:
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in IDX_TYPES and 1 <= head[3] <= 8


def _read_idx(file: IO[bytes], size: int, name: str) -> np.ndarray:
    """Read the bytes 0, 0, type and number of dimensions, then big-endian sizes and values, at most `size` bytes."""
    head = file.read(4)
    if not _is_idx(head):
        raise DataError(f"{name} must hold an IDX array inside its gzip, however: it holds something else")
    shape = struct.unpack(f">{head[3]}I", file.read(4 * head[3]))
    values = _read_values(file, np.dtype(IDX_TYPES[head[2]]), shape, size - 4 - 4 * head[3], name, "C")
    if file.read(1):
        raise DataError(f"{name} holds more values than the {shape} that its header says; write it anew")
    return as_numbers(values, name)


def _read_values(
    file: IO[bytes], dtype: np.dtype, shape: tuple[int, ...], left: int, name: str, order: Any
) -> np.ndarray:
    """Read as many values as a header says; if `left` bytes cannot hold them, nothing is read or allocated."""
    needed = math.prod(shape) * dtype.itemsize
    if min(shape, default=1) < 0 or needed > left:
        raise DataError(f"{name} is cut short: its header says {shape} of {dtype}, its bytes are fewer")
    check_memory(needed, name)
    buffer = np.empty(needed, np.uint8)
    done = 0
    while done < needed:
        block = file.read(min(needed - done, BLOCK))
        if not block:
            raise DataError(f"{name} is cut short: {needed} bytes of values are due, however: it holds {done}")
        buffer[done : done + len(block)] = np.frombuffer(block, np.uint8)
        done += len(block)
    return buffer.view(dtype).reshape(shape, order=order)

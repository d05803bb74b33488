"""Readers: an array, a name or a path becomes samples, in the user's units and types."""

from __future__ import annotations

import csv
import gzip
import math
import os
import struct
import sys
import warnings
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from narrows.data.images import EXTENSIONS, check_memory, read_originals, read_pictures
from narrows.data.named import NAMED, NamedSet
from narrows.data.pairs import with_target
from narrows.errors import DataError, did_you_mean
from narrows.spec import check_whole

IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
BLOCK = 2**18  # bytes that are read at once: larger ones leave holes in memory that nothing else fits in
DEFLATE = 1032  # gzip makes data at most this many times smaller
GAPS = {"", "na", "n/a", "nan", "null", "none", "?"}
KINDS = {"O": "objects", "c": "complex numbers", "U": "texts", "T": "texts", "S": "bytes", "V": "records"}
KINDS |= {"M": "dates", "m": "durations", "f": "floats of more than 64 bits"}
FORMATS = "a folder of pictures, a picture, .npy, .npz, IDX (.gz too) or .csv"


@dataclass(frozen=True, eq=False)
class Samples:
    """What a reader returns, in the user's layout, units and type.

    Attributes
    ----------
    x : the data, one sample per entry of the first dimension; or pictures at full resolution, `Crops`.
    target : what `x` should become, arranged alike, where that is not `x`.
    labels : (N,) whole numbers or texts, for colours and figures, never for training.
    names : a name per sample, the relative paths of pictures.
    columns : a table's column names.
    skipped : files that could not be read, as (name, reason).
    reading : how pictures were read (size [H, W], fit, colour, depth), {} for anything else.
    notes : lines that a person should see.
    origin : a short name to show, never a full path.
    test : the name of the test split, where this is the training split of a named set.
    """

    x: Any
    target: Any = None
    labels: np.ndarray | None = None
    names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    reading: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    origin: str = ""
    test: str | None = None


def read(
    source: Any,
    size: int | tuple[int, int] | None = None,
    *,
    fit: str | None = None,
    labels: Any = None,
    reading: dict[str, Any] | None = None,
    crop: int | None = None,
    target: Any = None,
) -> Samples:
    """Read samples from an array, a name or a path.

    Parameters
    ----------
    source : an array (NumPy, torch or nested lists), a name such as "mnist", a path (a folder of pictures, a
        picture, .npy, .npz with `x` and `y`, IDX, .csv), or Samples, which come back as they are. A text that is a
        name means the name; "./mnist" means the path.
    size : pictures become this size, (H, W) or one number for both; by default one common size of at most 128
        pixels a side is kept, else they become 64x64.
    fit : how pictures of another shape become that size: "crop" (the default) cuts the centre out, "pad" adds
        black bars, "stretch" distorts.
    labels : N labels or the path of their file (.npy, .npz, IDX, one text per line); they win over those of the
        source, which are `y` or the names of subfolders.
    reading : a model's saved `reading`: pictures are read the same way.
    crop : nothing is resized: pictures keep their resolution, and training cuts crops of this side out of those that
        are larger.
    target : what the samples should become: an array arranged like `source`, or a path; the pictures of two folders
        belong together by their names.

    Raises
    ------
    DataError : if it cannot be read, is empty, or holds anything but finite numbers.

    Examples
    --------
    >>> read("mnist:test").x.shape
    (10000, 28, 28)
    >>> read([[1.0, 2.0], [3.0, 4.0]], labels=["a", "b"]).labels.tolist()
    ['a', 'b']
    """
    crop = None if crop is None else check_whole("crop", crop, 1)
    samples, name, pictures = _read_source(source, size, fit, reading, crop)
    if not pictures and not (size is None and fit is None):
        raise DataError(f"size and fit are for files of pictures, however: {name} is none; leave them out")
    if isinstance(samples.x, np.ndarray):
        _check_numbers(samples, name)
    if target is not None:
        samples = with_target(samples, read(target, size, fit=fit, reading=reading, crop=crop), name)
    if crop is not None and isinstance(samples.x, np.ndarray):
        samples = _as_crops(samples, crop)
    return samples if labels is None else _with_labels(samples, _read_labels(labels), "labels")


def are_pictures(source: str | os.PathLike[str]) -> bool:
    """Return whether a path or a name is a picture or a folder of them, by its ending.

    Raises DataError where there is neither.

    >>> are_pictures("mnist")
    False
    """
    if source in NAMED:
        return False
    path = _find(source)
    return path.is_dir() or path.suffix.lower() in EXTENSIONS


def _read_source(source: Any, size: Any, fit: str | None, reading: Any, crop: int | None) -> tuple[Samples, str, bool]:
    """Return samples, their name in messages, and whether they are files of pictures."""
    if isinstance(source, Samples):
        return source, source.origin or "the data", False
    if isinstance(source, str) and source in NAMED:
        return _read_named(NAMED[source]), source, False
    if not isinstance(source, str | os.PathLike):
        return Samples(as_numbers(source, "the array"), origin="array"), "the array", False
    path, name = _find(source), os.fspath(source)
    if not are_pictures(source):
        return _read_file(path, name), name, False
    if crop is None:
        return _read_pictures(path, size, fit, reading), name, True
    if not (size is None and fit is None):
        raise DataError(
            "crops keep the pictures' resolution, so size and fit have no meaning beside crop; leave them out"
        )
    return _read_crops(path, crop), name, True


def as_numbers(values: Any, name: str) -> np.ndarray:
    """Return `values` as an array of numbers that torch takes as it is; `name` is its name in messages.

    A big-endian, read-only, negatively strided or unaligned array is copied; others are not.

    Raises
    ------
    DataError : if it is no array of whole numbers, floats of at most 64 bits or truth values.

    Examples
    --------
    >>> as_numbers(np.arange(3, dtype=">i2")[::-1], "the array")
    array([2, 1, 0], dtype=int16)
    """
    x = _as_array(values, name)
    _check_type(x.dtype, name)
    strided = all(stride >= 0 and stride % x.itemsize == 0 for stride in x.strides)
    if x.dtype.isnative and x.flags.writeable and x.flags.aligned and strided:
        return x
    return np.array(x, dtype=x.dtype.newbyteorder("="), order="C")


def _as_array(values: Any, name: str) -> np.ndarray:
    torch = sys.modules.get("torch")  # who has a tensor has imported torch
    try:
        if torch is not None and isinstance(values, torch.Tensor):
            values = values.detach().cpu()
            return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
        if np.ma.is_masked(values):
            raise DataError(f"{name} holds masked values; fill or remove them")
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} is no array of numbers, all rows of one length: {_reason(error)}") from None


def _check_type(dtype: np.dtype, name: str) -> None:
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        held = KINDS.get(dtype.kind, "other things")
        rule = "whole numbers, floats of at most 64 bits or truth values"
        raise DataError(f"{name} must hold {rule}, however: it holds {held} ({dtype}); convert it first")


def _check_numbers(samples: Samples, name: str) -> None:
    x = samples.x
    if x.ndim == 0:
        raise DataError(f"{name} must be an array of samples, however: it is a single number")
    if x.size == 0:
        raise DataError(f"{name} must hold at least one sample with one value, however: its shape is {x.shape}")
    if x.dtype.kind != "f":
        return
    bad = ~np.isfinite(x)
    if bad.any():
        first = np.unravel_index(bad.argmax(), x.shape)
        place = f"at [{', '.join(map(str, first))}]"
        if samples.columns is not None:
            place = f"in row {first[0] + 1} of column {samples.columns[first[1]]!r}"
        values = "1 value that is" if bad.sum() == 1 else f"{bad.sum()} values that are"
        raise DataError(f"{name} holds {values} NaN or infinite, the first {place}; remove or fill them")


# Names and paths


def _find(source: str | os.PathLike[str]) -> Path:
    path = Path(source)
    try:
        found = path.exists()
    except (OSError, ValueError):  # a name too long, a zero byte
        found = False
    if not found:
        hint = f"; {did_you_mean(source, NAMED)}" if isinstance(source, str) else ""
        raise DataError(f"there is no file, folder or data set {os.fspath(source)!r}{hint}")
    return path


def _read_named(named: NamedSet) -> Samples:
    images = [_read_arrays(path, path.name)["array"] for path in named.images]
    labels = [_read_arrays(path, path.name)["array"] for path in named.labels]
    x, y = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in (images, labels))
    return Samples(x, labels=y.astype(np.int64), origin=named.name, test=named.test)


def _read_pictures(path: Path, size: Any, fit: str | None, reading: dict[str, Any] | None) -> Samples:
    pictures = read_pictures(path, size, fit, reading)
    labels = None if pictures.labels is None else np.array(pictures.labels)
    return Samples(**(pictures._asdict() | {"labels": labels}), origin=_short_name(path))


def _read_crops(path: Path, crop: int) -> Samples:
    from narrows.data.crops import Crops  # torch comes along

    pictures, about = read_originals(path)
    labels = None if about.labels is None else np.array(about.labels)
    return Samples(**(about._asdict() | {"x": Crops(pictures, crop), "labels": labels}), origin=_short_name(path))


def _as_crops(samples: Samples, crop: int) -> Samples:
    """Return samples that are cut into crops where their pictures are larger than those."""
    from narrows.data.crops import Crops

    x = samples.x
    if x.ndim not in (3, 4) or max(x.shape[1:3]) <= crop:
        return samples
    colour = {1: "grey", 3: "rgb"}.get(1 if x.ndim == 3 else x.shape[3])
    reading = {"size": None, "fit": "crop", "colour": colour, "depth": 16 if x.dtype == np.uint16 else 8}
    target = None if samples.target is None else Crops(samples.target, crop)
    return replace(samples, x=Crops(x, crop), target=target, reading=samples.reading or (reading if colour else {}))


def _read_file(path: Path, name: str) -> Samples:
    if not path.is_file():  # a named pipe would wait for ever
        raise DataError(f"{name} must be {FORMATS}, however: it is no file")
    if path.suffix.lower() in (".csv", ".tsv"):
        columns, values = _guarded(_read_csv, path, name)
        return Samples(values, columns=columns, origin=_short_name(path))
    arrays = _read_arrays(path, name)
    x = as_numbers(_pick(arrays, "x", name), name)
    samples = Samples(x, origin=_short_name(path))
    if "y" not in arrays:
        return samples
    try:
        labels = _as_labels(arrays["y"], "y")
    except DataError as error:
        return replace(samples, notes=(f"left out: {error}",))
    return _with_labels(samples, labels, f"y of {name}")


def _short_name(path: Path) -> str:
    name = path.name if path.name not in ("", "..") else path.resolve().name
    return os.fsencode(name).decode("utf-8", "replace")


def _reason(error: BaseException) -> str:
    """Return what an error says, on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200] or type(error).__name__


def _guarded(reader: Any, path: Path, name: str) -> Any:
    """Call `reader(path, name)`; whatever a bad file makes it raise becomes a DataError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader(path, name)
    except DataError:
        raise
    except Exception as error:  # a bad file raises nearly anything: zlib.error, struct.error, EOFError, SyntaxError
        raise DataError(f"{name} cannot be read, it may be damaged: {_reason(error)}") from None


# Files of arrays


def _read_arrays(path: Path, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file, or the one `array` of .npy and IDX; the first bytes tell which it is."""
    return _guarded(_read_by_content, path, name)


def _read_by_content(path: Path, name: str) -> dict[str, np.ndarray]:
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(8)
        file.seek(0)
        if head.startswith(b"\x93NUMPY"):
            return {"array": _read_npy(file, size, name)}
        if head.startswith(b"PK"):
            return _read_npz(file, name)
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(file) as unpacked:
                return {"array": _read_idx(unpacked, DEFLATE * size, name)}  # type: ignore[arg-type]
        if _is_idx(head):
            return {"array": _read_idx(file, size, name)}
    raise DataError(_refusal(head, path, name))


def _refusal(head: bytes, path: Path, name: str) -> str:
    if not head:
        return f"{name} is empty"
    if head[0] == 0x80 or path.suffix.lower() in (".pkl", ".pickle", ".joblib", ".pt", ".pth"):
        return f"{name} looks like a pickle, which can run code and is never read; save the array with numpy.save"
    return f"{name} is of no format that narrows reads; it must be {FORMATS}"


def _pick(arrays: dict[str, np.ndarray], key: str, name: str) -> np.ndarray:
    others = [other for other in arrays if other not in ("x", "y")]
    chosen = key if key in arrays else others[0] if len(arrays) == len(others) == 1 else None
    if chosen is None:
        held = ", ".join(sorted(arrays)[:10]) or "no array"
        raise DataError(f"{name} must hold an array `{key}`, or a single one, however: it holds {held}")
    return arrays[chosen]


def _read_npz(file: IO[bytes], name: str) -> dict[str, np.ndarray]:
    """Read `x` and `y` where they are, else the only array; others stay unread, as empty ones."""
    with zipfile.ZipFile(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        members = {key: info for key, info in members.items() if info.filename.endswith(".npy")}
        wanted = [key for key in members if key in ("x", "y") or len(members) == 1]
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
    """Read `[0, 0, type, dimensions]`, big-endian sizes and values from `file` of at most `size` bytes."""
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
    """Read the values that a header claims; a claim that `left` bytes cannot hold is refused before any is read."""
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


# Tables


def _read_csv(path: Path, name: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the columns of the header and the rows as float64."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        if not first.strip():
            raise DataError(f"{name} must begin with a line of column names, however: it is empty")
        separator = max(",;\t", key=first.count)
        columns = next(csv.reader([first], delimiter=separator))
        columns = [column.strip() or f"column {i}" for i, column in enumerate(columns, 1)]
        if all(map(_is_number, columns)):
            raise DataError(f"{name} must begin with a line of column names, however: its first line is numbers")
        start = file.tell()
        try:
            values = np.loadtxt(file, delimiter=separator, ndmin=2, comments=None, quotechar='"')
            if values.size and values.shape[1] != len(columns):
                raise ValueError("rows longer or shorter than the header")
        except ValueError:
            file.seek(start)
            raise DataError(_explain_csv(csv.reader(file, delimiter=separator), columns, name)) from None
    return tuple(columns), values.reshape(-1, len(columns))


def _explain_csv(rows: Any, columns: list[str], name: str) -> str:
    """Return a sentence on the first cell that is no number."""
    for number, row in enumerate(filter(None, rows), 1):
        if len(row) != len(columns):
            return f"{name} must have {len(columns)} values in each row, however: row {number} has {len(row)}"
        for column, cell in zip(columns, row, strict=True):
            if cell.strip().lower() in GAPS:
                return f"{name} has a gap in row {number} of column {column!r}; fill it or remove the row or column"
            if not _is_number(cell):
                return f"{name} must hold numbers, however: column {column!r} has the text {cell[:40]!r}; remove it"
    return f"{name} cannot be read as a table of numbers"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# Labels


def _read_labels(labels: Any) -> np.ndarray:
    if not isinstance(labels, str | os.PathLike):
        return _as_labels(labels, "labels")
    path, name = Path(labels), os.fspath(labels)
    if not path.is_file():
        raise DataError(f"there is no file of labels {name!r}")
    with open(path, "rb") as file:
        head = file.read(8)
    if head.startswith((b"\x93NUMPY", b"PK", b"\x1f\x8b")) or _is_idx(head):
        return _as_labels(_pick(_read_arrays(path, name), "y", name), name)
    if not head or head[0] == 0x80:
        raise DataError(_refusal(head, path, name))
    return _as_labels(_guarded(_read_column, path, name), name)


def _read_column(path: Path, name: str) -> list[str]:
    """Return the texts of one column; the first line of a .csv is its header unless it is a number."""
    text = path.read_text(encoding="utf-8-sig").rstrip()
    table = path.suffix.lower() == ".csv"
    rows = list(csv.reader(text.splitlines())) if table else [[line] for line in text.splitlines()]
    if any(len(row) > 1 for row in rows):
        raise DataError(f"{name} must hold one column of labels, however: it has {max(map(len, rows))}")
    column = [row[0].strip() if row else "" for row in rows]
    return column[1:] if table and column and not _is_number(column[0]) else column


def _as_labels(values: Any, name: str) -> np.ndarray:
    """Return (N,) whole numbers or texts."""
    y = _as_array(values, name)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim == 1 and y.dtype.kind == "S":
        y = np.char.decode(y, "utf-8", "replace")
    if y.ndim == 1 and y.dtype.kind in "OT":
        y = _as_array(y.tolist(), name)
    if y.ndim == 1 and y.dtype.kind == "U":
        return y.astype(np.int64) if all(map(_is_whole, y)) else y
    whole = y.dtype.kind in "biu" or (y.dtype.kind == "f" and bool((np.isfinite(y) & (y == np.round(y))).all()))
    if y.ndim != 1 or not whole:
        raise DataError(f"{name} must be one column of whole numbers or texts, however: {y.dtype} of shape {y.shape}")
    return y.astype(np.int64)


def _is_whole(text: str) -> bool:
    return len(text) < 18 and text.isascii() and text.removeprefix("-").isdigit()


def _with_labels(samples: Samples, labels: np.ndarray, name: str) -> Samples:
    if len(labels) != len(samples.x):
        raise DataError(f"{name} must be one per sample, however: {len(labels)} labels, {len(samples.x)} samples")
    return replace(samples, labels=labels)

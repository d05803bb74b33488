"""The text of a file: unpacked, within bounds, and as UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import zipfile
from pathlib import Path
from typing import IO, NamedTuple

from narrows.errors import DataError
from narrows.memory import check_memory

BLOCK = 2**20  # bytes unpacked at a time
# a packed table is rarely a hundredth of its text; a bomb of a gzip is a thousandth
MAX_RATIO, ALWAYS_ALLOWED = 250, 2**26
STARTS = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\x28\xb5\x2f\xfd": ".zst", b"PK": ".zip"}  # first bytes -> packing
PACKED = tuple(STARTS.values())
NOT_MEMBERS = ("__MACOSX/", ".DS_Store")  # what macOS adds to a zip
MARKS = {  # the first wins: one of UTF-32 begins as one of UTF-16
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class Text(NamedTuple):
    """The text of a file.

    Attributes
    ----------
    data : in UTF-8, without a byte order mark.
    notes : lines that a person should see.
    """

    data: bytes
    notes: tuple[str, ...] = ()


def read_text(path: Path, name: str, encoding: str | None = None) -> Text:
    r"""Return the text of a file, plain or packed as .gz, .bz2, .zst or .zip; `name` stands for it in messages.

    Parameters
    ----------
    encoding : a name that Python knows; by default the byte order mark tells, else it is UTF-8, else Windows-1252.

    Raises DataError for a file that is not text, unpacks to far more than its size, or is a zip of several files.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv.gz"
    >>> _ = path.write_bytes(gzip.compress("Höhe\n1\n".encode("utf-16")))
    >>> text = read_text(path, "a.csv.gz")
    >>> text.data.decode(), text.notes
    ('Höhe\n1\n', ('a.csv.gz is in the encoding UTF-16',))
    """
    return _decode(_read_bytes(path, name), name, encoding)


def _read_bytes(path: Path, name: str) -> bytes:
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(4)
        file.seek(0)
        packing = next((ending for start, ending in STARTS.items() if head.startswith(start)), None)
        if packing is None:
            check_memory(2 * size, name)
            return file.read()
        if packing == ".gz":
            return _unpack(gzip.open(file), size, name)  # type: ignore[arg-type]
        if packing == ".bz2":
            return _unpack(bz2.open(file), size, name)
        if packing == ".zip":
            return _unpack_zip(file, name)
        import pyarrow

        return _unpack(pyarrow.CompressedInputStream(file, "zstd"), size, name)


def _unpack_zip(file: IO[bytes], name: str) -> bytes:
    with zipfile.ZipFile(file) as archive:
        members = list_members(archive)
        if len(members) != 1:
            held = f"{len(members)}: {', '.join(info.filename for info in members[:5])}" if members else "none"
            raise DataError(f"{name} must hold exactly one file, however: it holds {held}; unpack it and name one")
        if members[0].flag_bits & 1:
            raise DataError(f"{name} needs a password; unpack it first")
        with archive.open(members[0]) as member:
            return _unpack(member, members[0].compress_size, name)


def list_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of a zip, without folders and what macOS adds."""
    return [i for i in archive.infolist() if not i.is_dir() and not any(mark in i.filename for mark in NOT_MEMBERS)]


def _unpack(stream: IO[bytes], packed: int, name: str) -> bytes:
    """Return all that a stream unpacks to, or raise a DataError as soon as it is too much."""
    most, unpacked = max(ALWAYS_ALLOWED, MAX_RATIO * packed), bytearray()
    with stream:
        while block := stream.read(BLOCK):
            unpacked += block
            if len(unpacked) > most:
                raise DataError(
                    f"{name} unpacks to more than {MAX_RATIO} times its size, as no table does; if it is one, unpack it"
                )
            if len(unpacked) % (64 * BLOCK) < BLOCK:
                check_memory(len(unpacked), name)
    return bytes(unpacked)


def _decode(data: bytes, name: str, encoding: str | None) -> Text:
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    if encoding is not None:
        return Text(_reencode(data, _known(encoding), name).removeprefix(codecs.BOM_UTF8))
    if mark:
        found, data = MARKS[mark], data[len(mark) :]
        notes = () if found == "utf-8" else (f"{name} is in the encoding {found[:6].upper()}",)
        return Text(_reencode(data, found, name), notes)
    _refuse_nul(data, name)
    try:
        if not data.isascii():
            data.decode()
    except UnicodeDecodeError:
        note = f"{name} is not in UTF-8 and is read as Windows-1252; if it is in another one, give encoding='NAME'"
        return Text(_reencode(data, "cp1252", name), (note,))
    return Text(data)


def _reencode(data: bytes, encoding: str, name: str) -> bytes:
    """Return text of any encoding as UTF-8."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} must be text in the encoding {encoding}, however: byte "
            f"{data[error.start : error.start + 1].hex()} in line {line} is not; give another one, encoding='NAME'"
        ) from None
    converted = text.encode()
    _refuse_nul(converted, name)
    return converted


def _refuse_nul(data: bytes, name: str) -> None:
    if (at := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise DataError(
            f"{name} must be text, however: line {line} holds a NUL byte; write it anew, as UTF-8, or name its encoding"
        )


def _known(encoding: str) -> str:
    try:
        if codecs.lookup(encoding).name not in (
            "idna",
            "punycode",
            "undefined",
            "unicode_escape",
            "raw_unicode_escape",
        ):
            io.TextIOWrapper(io.BytesIO(), encoding)  # refuses what encodes no text, such as hex
            return encoding
    except LookupError:
        pass
    raise DataError(f"there is no encoding {encoding!r}; take one such as 'utf-8', 'utf-16', 'cp1252', 'shift_jis'")

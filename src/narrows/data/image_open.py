"""A picture file is opened by what it holds: a TIFF by tifffile and Pillow together, all others by Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from narrows.data.image_formats import check_file, reason_of
from narrows.data.image_pillow import PillowFile
from narrows.data.image_source import PictureFile
from narrows.data.image_tiff import TiffFile
from narrows.errors import DataError

TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PAGES = ("all", "first")


class Header(NamedTuple):
    """What is known of a picture before its pixels are decoded.

    Attributes
    ----------
    name : its path relative to the folder that is read, and its page where the file has several, "a.tif[3]".
    path : where it is.
    page : its number in the file, from 0.
    size : (H, W) once it is upright.
    grey : whether it has no colours.
    depth : 8 or 16 bits a value, or 32 or 64 for fractions and wide integers.
    """

    name: str
    path: Path
    page: int
    size: tuple[int, int]
    grey: bool
    depth: int


def open_file(path: Path) -> PictureFile:
    """Open a file of pictures; raises OSError, ValueError and what else decoders raise for any other file."""
    check_file(path)
    with path.open("rb") as file:
        is_tiff = file.read(4) in TIFF_HEADS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures that it reads well
        if is_tiff:
            try:
                return TiffFile(path)
            except Exception:  # Pillow reads some that are damaged, and names the others
                pass
        return PillowFile(path)


def read_headers(name: str, path: Path, pages: str, skipped: dict[str, str], counts: list[int]) -> list[Header]:
    """Return what a file says of its pages, [] where it cannot be read, with the reason in `skipped`.

    Parameters
    ----------
    pages : "all", or "first" for the first page alone.
    counts : gets the number of pages that the file has.
    """
    try:
        file = open_file(path)
    except Exception as error:  # decoders raise about seven classes of error
        skipped[name] = reason_of(error)
        return []
    headers = []
    with file:
        counts.append(len(file))
        for page, shown in enumerate(page_names(name, len(file), pages)):
            try:
                headers.append(Header(shown, path, page, *file.facts(page)))
            except Exception as error:
                skipped[shown] = reason_of(error)
    return headers


def page_names(name: str, count: int, pages: str = "all") -> list[str]:
    """Return the name of each page of a file that is read.

    >>> page_names("a.tif", 1), page_names("a.tif", 2), page_names("a.tif", 2, "first")
    (['a.tif'], ['a.tif[1]', 'a.tif[2]'], ['a.tif'])
    """
    if count == 1 or pages == "first":
        return [name]
    return [f"{name}[{page + 1}]" for page in range(count)]


def check_pages(pages: str) -> None:
    """Raise a DataError unless `pages` is one of PAGES.

    >>> check_pages("all")
    """
    if pages not in PAGES:
        raise DataError(f"pages must be 'all' or 'first', however: pages={pages!r}")


def note_on_pages(counts: Iterable[int], pages: str) -> tuple[str, ...]:
    """Return a line where files hold several pictures.

    Parameters
    ----------
    counts : the pages of each file.

    Examples
    --------
    >>> note_on_pages([1, 5], "all")
    ('5 pages of 1 file are read, each a picture of its own (--pages first takes one of each)',)
    """
    several = [count for count in counts if count > 1]
    if not several:
        return ()
    files = "1 file" if len(several) == 1 else f"{len(several):,} files"
    if pages == "first":
        return (f"the first page of {files} is read, {sum(several) - len(several):,} are left out (--pages first)",)
    return (f"{sum(several):,} pages of {files} are read, each a picture of its own (--pages first takes one of each)",)

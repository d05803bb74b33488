"""Files of pictures become samples: one array of one size, or each picture in its own size."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sized
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from narrows import memory
from narrows.data.image_decode import decode
from narrows.data.image_folder import list_pictures, subfolder_labels
from narrows.data.image_formats import reason_of
from narrows.data.image_notes import describe_mixed_colours
from narrows.data.image_open import Header, check_pages, note_on_pages, open_file, read_headers
from narrows.data.image_plan import Plan, make_plan
from narrows.data.places import Place
from narrows.data.samples import Samples
from narrows.errors import DataError


def read_pictures(
    path: Path | Place,
    size: Any = None,
    fit: str | None = None,
    reading: dict[str, Any] | None = None,
    pages: str = "all",
) -> Samples:
    """Read a picture, or all pictures of a folder and its subfolders, sorted by path, in one size.

    Parameters
    ----------
    path : a folder or a picture; hidden files are ignored.
    size, fit, reading, pages : as for `narrows.read`.

    Returns
    -------
    Samples, whose `x` is (N, H, W) where all are grey, else (N, H, W, 3); bytes, or uint16, float32 or float64 where
    that is what the deepest picture needs.

    Raises
    ------
    DataError : if there is no picture, none that can be read, or no memory for them.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (9, 8)).save(Path(folder) / "a.png")
    ...     samples = read_pictures(Path(folder))
    >>> samples.x.shape, samples.reading
    ((1, 8, 9), {'size': [8, 9], 'fit': 'crop', 'colour': 'grey', 'depth': 8})
    """
    skipped: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures that it reads well
        headers, notes = _read_headers(path, pages, skipped)
        plan, more = make_plan(headers, size, fit, reading or {})
        _check_memory(len(headers), plan)
        x, names = _read_pixels(headers, plan, skipped)
    _check_some(names, path, skipped)
    colour = "rgb" if x.ndim == 4 else "grey"
    settled = {"size": list(plan.size), "fit": plan.fit, "colour": colour, "depth": plan.depth}
    mixed = [] if reading else describe_mixed_colours(headers, colour)
    return _as_samples(x, names, skipped, settled, (*notes, *more, *mixed))


def read_originals(path: Path | Place, reading: dict[str, Any] | None = None, pages: str = "all") -> Samples:
    """Read a picture, or all pictures of a folder and its subfolders, sorted by path, each in its own size.

    `reading` is a model's, which says the colour and the depth.

    Returns
    -------
    Samples, whose `x` is a list of pictures, all (H, W) or all (H, W, 3) and of one depth; the `size` of its
    `reading` is None.

    Raises
    ------
    DataError : as `read_pictures`.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for side in (9, 300):
    ...         Image.new("L", (side, 8)).save(Path(folder) / f"{side}.png")
    ...     samples = read_originals(Path(folder))
    >>> [picture.shape for picture in samples.x], samples.names
    ([(8, 300), (8, 9)], ('300.png', '9.png'))
    """
    skipped: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        headers, notes = _read_headers(path, pages, skipped)
        if reading:
            plan, more = _plan_of_originals(headers, reading)
        else:
            size = max(header.size for header in headers)
            plan, more = make_plan([header._replace(size=size) for header in headers], size, None, {})
        pixels = sum(height * width for height, width in (header.size for header in headers))
        needed = pixels * plan.channels * plan.dtype.itemsize
        memory.check_memory(needed, f"{len(headers)} pictures at full resolution")
        found = list(_decoded(headers, plan, skipped, own_size=True))
    pictures, names = [values for _, values in found], tuple(name for name, _ in found)
    _check_some(names, path, skipped)
    grey = plan.colour == "grey" or (plan.colour == "unknown" and not any(map(_has_colour, pictures)))
    pictures = [np.ascontiguousarray(values[..., 0]) for values in pictures] if grey else pictures
    colour = "grey" if grey else "rgb"
    mixed = [] if reading else describe_mixed_colours(headers, colour)
    settled = {"size": None, "fit": "crop", "colour": colour, "depth": plan.depth}
    return _as_samples(pictures, names, skipped, settled, (*notes, *more, *mixed))


def _plan_of_originals(headers: list[Header], reading: dict[str, Any]) -> tuple[Plan, list[str]]:
    """Return the plan of a model that takes pictures at their own size, and notes on colours and depth."""
    size = headers[0].size
    alike = [header._replace(size=size) for header in headers]
    return make_plan(alike, None, None, {**reading, "size": list(size)})


def _read_headers(path: Path | Place, pages: str, skipped: dict[str, str]) -> tuple[list[Header], tuple[str, ...]]:
    """Return the headers of all pictures that can be opened, at least one, and notes on other files and on pages."""
    check_pages(pages)
    files, notes = list_pictures(path, skipped)
    counts: list[int] = []
    headers = [header for name, file in files for header in read_headers(name, file, pages, skipped, counts)]
    _check_some(headers, path, skipped)
    return headers, (*notes, *note_on_pages(counts, pages))


def _check_some(found: Sized, path: Path | Place, skipped: dict[str, str]) -> None:
    """Raise a DataError if nothing was found, with the first of the files that were skipped."""
    if not found:
        name, reason = min(skipped.items())
        what = (
            f"none of the {len(skipped)} pictures of {str(path)!r} can" if len(skipped) > 1 else f"{str(path)!r} cannot"
        )
        raise DataError(f"{what} be read; {name}: {reason}")


def _check_memory(count: int, plan: Plan) -> None:
    """Check the memory for all pictures before any is decoded; the error says which size would fit."""
    height, width = plan.size
    per_pixel = count * plan.channels * plan.dtype.itemsize
    side = math.isqrt((memory.available_memory() or 0) // per_pixel)
    way_out = f"size={side} would fit" if side else "read fewer pictures"
    memory.check_memory(per_pixel * height * width, f"{count} pictures of {height}x{width}", way_out)


def _read_pixels(headers: list[Header], plan: Plan, skipped: dict[str, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return (N, H, W) or (N, H, W, 3) and the names of the N pictures that could be decoded."""
    x = np.empty((len(headers), *plan.size, plan.channels), plan.dtype)
    names: list[str] = []
    colourful = plan.colour == "rgb"
    for name, values in _decoded(headers, plan, skipped):
        x[len(names)] = values
        names.append(name)
        colourful = colourful or _has_colour(values)
    x = x[: len(names)]
    return (x if colourful else np.ascontiguousarray(x[..., 0])), tuple(names)


def _decoded(
    headers: list[Header], plan: Plan, skipped: dict[str, str], own_size: bool = False
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and the values (H, W, channels) of each picture that can be decoded; each file is opened once."""
    for path, pages in groupby(headers, lambda header: header.path):
        group = list(pages)
        try:
            file = open_file(path)
        except Exception as error:
            skipped |= {header.name: reason_of(error) for header in group}
            continue
        with file:
            for header in group:
                try:
                    wanted = replace(plan, size=header.size) if own_size else plan
                    values = decode(file, header.page, wanted)
                except Exception as error:
                    skipped[header.name] = reason_of(error)
                else:
                    yield header.name, values


def _has_colour(values: np.ndarray) -> bool:
    return bool((values != values[..., :1]).any())


def _as_samples(
    x: Any, names: tuple[str, ...], skipped: dict[str, str], reading: dict[str, Any], notes: tuple[str, ...]
) -> Samples:
    labels = subfolder_labels(names)
    strays = 0 if labels is None else int(np.ma.getmaskarray(labels).sum())
    if strays:
        notes = (*notes, f"{strays:,} of {len(names):,} pictures lie beside the folders and are not labelled")
    return Samples(x, labels=labels, names=names, skipped=tuple(sorted(skipped.items())), reading=reading, notes=notes)

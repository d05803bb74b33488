"""The plan for a folder of pictures: the size, fit, colour and depth that all of them get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows.data.image_notes import FITS, describe_model_reading, describe_sizes
from narrows.data.image_open import Header
from narrows.data.image_source import TYPES
from narrows.errors import DataError

KEPT_SIDE = 128  # pixels; pictures that share one size stay as they are up to this side
DEFAULT_SIZE = (64, 64)


@dataclass(frozen=True)
class Plan:
    """What every picture of an array becomes.

    Attributes
    ----------
    size : (H, W).
    fit : the resize mode, a key of FITS; `reading` calls it fit.
    colour : "grey", "rgb", or "unknown": read as RGB, and made grey if no pixel has a colour.
    depth : 8 or 16 bits a value, or 32 or 64 for fractions.

    Examples
    --------
    >>> Plan((28, 28), "crop", "unknown", 8).channels
    3
    """

    size: tuple[int, int]
    fit: str
    colour: str
    depth: int

    @property
    def channels(self) -> int:
        """1 where pictures are read as grey, else 3."""
        return 1 if self.colour == "grey" else 3

    @property
    def dtype(self) -> np.dtype:
        """Of the values."""
        return np.dtype(TYPES[self.depth])


def make_plan(headers: list[Header], size: Any, fit: str | None, reading: dict[str, Any]) -> tuple[Plan, list[str]]:
    """Return how all pictures are read, and notes on what that changes.

    Parameters
    ----------
    headers : of all pictures, at least one.
    size, fit, reading : as for `narrows.read`; `reading` {} means that no model has settled them.

    Raises
    ------
    DataError : for a size, a resize mode or a reading that is none, or a size or mode other than that of the reading.
    """
    wanted = None if size is None else _as_size(size)
    _check_fit(fit)
    if reading:
        plan = _plan_of_model(wanted, fit, reading, {header.size for header in headers})
        return plan, describe_model_reading(headers, plan.size, plan.fit, plan.colour, plan.depth)
    sizes = {header.size for header in headers}
    fit, notes = fit or "crop", []
    if wanted is None and (len(sizes) > 1 or max(max(sizes)) > KEPT_SIDE):
        wanted = DEFAULT_SIZE
        found = "mixed sizes" if len(sizes) > 1 else "{}x{}".format(*min(sizes))
        way = f"{FITS[fit]} to {wanted[0]}x{wanted[1]} (--size, --resize-mode change that)"
        notes.append(f"pictures of {found}: {way}; {describe_sizes(headers, wanted, fit)}")
    elif wanted is not None and (line := describe_sizes(headers, wanted, fit)):
        notes.append(line)
    depth = max(header.depth for header in headers)
    if note := _note_on_depths([header.depth for header in headers], depth):
        notes.append(note)
    colour = "grey" if all(header.grey for header in headers) else "unknown"
    return Plan(wanted or min(sizes), fit, colour, depth), notes


def _note_on_depths(depths: list[int], deepest: int) -> str | None:
    """Return a line where pictures of less depth become like the deepest one.

    >>> _note_on_depths([8, 8, 16], 16)
    '2 of 3 pictures have 8 bits and count as 16: their full range is stretched to the full range'
    """
    if deepest == 16 and (count := depths.count(8)):
        of = f"{count:,} of {len(depths):,} pictures have 8 bits and count as 16"
        return f"{of}: their full range is stretched to the full range"
    if deepest > 16 and (count := depths.count(8) + depths.count(16)):
        return f"{count:,} of {len(depths):,} pictures have 8 or 16 bits; among fractions they keep their values"
    return None


def _plan_of_model(
    wanted: tuple[int, int] | None, fit: str | None, reading: dict[str, Any], sizes: set[tuple[int, int]]
) -> Plan:
    """Return the plan of a model's saved reading, which `wanted` and `fit` may repeat but not change."""
    if set(reading) != {"size", "fit", "colour", "depth"}:
        raise DataError(f"a reading must hold size, fit, colour and depth, however: {reading!r}")
    size = min(sizes) if reading["size"] is None else _as_size(reading["size"])
    plan = Plan(size, reading["fit"], reading["colour"], reading["depth"])
    if plan.fit not in FITS or plan.colour not in ("grey", "rgb") or plan.depth not in TYPES:
        raise DataError(f"a reading must hold a fit, a colour and a depth that are known, however: {reading!r}")
    if reading["size"] is None and len(sizes) > 1:
        raise DataError(
            f"this model takes pictures at their own size, and they must be alike to become one array, however: there "
            f"are {len(sizes)} sizes; give pictures of one size, or `narrows denoise`, which takes them one by one"
        )
    if wanted not in (None, plan.size) or fit not in (None, plan.fit):
        height, width = plan.size
        raise DataError(
            f"this model reads pictures at {height}x{width}, resize_mode {plan.fit!r}; leave size and resize_mode out"
        )
    return plan


def _check_fit(fit: str | None) -> None:
    if fit is not None and fit not in FITS:
        raise DataError(f"resize_mode must be one of {', '.join(map(repr, FITS))}, however: resize_mode={fit!r}")


def _as_size(size: Any) -> tuple[int, int]:
    pair = tuple(size) if isinstance(size, list | tuple) else (size, size)
    pair = pair * 2 if len(pair) == 1 else pair
    whole = all(isinstance(side, int | np.integer) and not isinstance(side, bool) and side >= 1 for side in pair)
    if len(pair) != 2 or not whole:
        raise DataError(f"size must be one or two whole numbers of at least 1, (H, W), however: size={size!r}")
    return int(pair[0]), int(pair[1])

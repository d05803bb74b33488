"""An open file of pictures: what its pages are, and their pixels at full size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

TYPES = {8: np.uint8, 16: np.uint16, 32: np.float32, 64: np.float64}  # of pictures by their depth


class Facts(NamedTuple):
    """What is known of a page before its pixels are decoded.

    Attributes
    ----------
    size : (H, W) once it is upright.
    grey : whether it has no colours.
    depth : 8 or 16 bits a value, or 32 or 64 for fractions and wide integers, a key of TYPES.
    """

    size: tuple[int, int]
    grey: bool
    depth: int


class Pixels(NamedTuple):
    """The pixels of a page, upright.

    Attributes
    ----------
    values : (H, W) or (H, W, 3), of the type that the file has; one bit becomes bytes.
    alpha : (H, W), its transparency, of the type of the values; None where it has none.
    covers : whether `alpha` says how much of the picture is seen; else it is one more plane, which is kept.
    """

    values: np.ndarray
    alpha: np.ndarray | None = None
    covers: bool = True


class PictureFile(ABC):
    """A file that holds one picture or several, its pages.

    Attributes
    ----------
    format : Pillow's name of it.
    """

    format: str

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of pages."""

    @abstractmethod
    def facts(self, page: int) -> Facts:
        """Return what is known of a page, from 0, without decoding it; raises nearly anything for a broken file."""

    @abstractmethod
    def read(self, page: int, least_side: int | None = None) -> Pixels:
        """Return the pixels of a page; raises nearly anything for a broken file.

        Parameters
        ----------
        least_side : a JPEG may be decoded smaller, with sides of at least so many pixels.
        """

    @abstractmethod
    def check_restorable(self, page: int) -> None:
        """Raise a ValueError for a page that could not be written back as it was."""

    @abstractmethod
    def metadata(self, page: int) -> dict[str, Any]:
        """Return what the file says of a page beside its pixels, as `read_metadata` does; asked after `read`."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> PictureFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def depth_of(dtype: np.dtype | type) -> int:
    """Return the depth in which values of a type are read, a key of TYPES.

    Raises a ValueError for types of which no picture is made.

    Examples
    --------
    >>> depth_of(np.uint16), depth_of(np.int16), depth_of(np.int32)
    (16, 32, 64)
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        raise ValueError(f"its pixels are {dtype}, which are no real numbers")
    if dtype.kind in "bu" and dtype.itemsize <= 2:
        return 8 * dtype.itemsize
    return 32 if dtype in (np.int8, np.int16, np.float16, np.float32) else 64


def check_finite(values: np.ndarray) -> None:
    """Raise a ValueError for values that are NaN or infinite.

    >>> check_finite(np.zeros(3))
    """
    if values.dtype.kind == "f" and (bad := int((~np.isfinite(values)).sum())):
        count = "1 pixel value that is" if bad == 1 else f"{bad:,} pixel values that are"
        raise ValueError(f"it holds {count} NaN or infinite; fill them")

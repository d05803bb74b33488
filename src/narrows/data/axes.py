"""The axes of an array of pictures, where a person or a model names them: "NZHW" and the like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from narrows.errors import DataError, did_you_mean

# N samples, Z slices that are pictures, H rows, W columns, C channels -> the layout that the model's card keeps
AXES = {
    "NHW": "grey",
    "HWC": "channels_last",
    "NHWC": "channels_last",
    "NCHW": "channels_first",
    "NZHW": "slices",
}
CHANNELS = (1, 3, 4)  # of pictures whose axes nobody names
LEAST_SIDE = 8  # of an array (H, W, 3 or 4) that counts as one colour picture


@dataclass(frozen=True)
class Axes:
    """How the axes of a user's array are arranged; inside, all are (N, H, W) or (N, H, W, C).

    Attributes
    ----------
    text : a key of AXES.
    slices : of a sample, where `text` is "NZHW".

    Examples
    --------
    >>> axes, pictures = arrange(np.zeros((2, 5, 8, 9)), "NZHW")
    >>> pictures.shape, axes.back(pictures).shape
    ((10, 8, 9), (2, 5, 8, 9))
    """

    text: str
    slices: int = 1

    @property
    def layout(self) -> str:
        """The kind of `Layout` that the model's card keeps."""
        return AXES[self.text]

    def sample_shape(self, pictures: np.ndarray) -> tuple[int, ...]:
        """Return the model's shape (C, H, W) of one of these pictures."""
        return (1 if pictures.ndim == 3 else pictures.shape[-1], *pictures.shape[1:3])

    def back(self, pictures: np.ndarray) -> np.ndarray:
        """Return results (N, H, W) or (N, H, W, C) as the user's array was arranged."""
        if self.text == "NZHW":
            return pictures.reshape(-1, self.slices, *pictures.shape[1:])
        if self.text == "NCHW":
            return np.ascontiguousarray(np.moveaxis(pictures, -1, 1))
        return pictures[0] if self.text == "HWC" else pictures


@dataclass(frozen=True)
class ModelAxes:
    """The axes that a model expects of an array whose axes nobody names.

    Attributes
    ----------
    layout : the kind of `Layout` of its training data.
    shape : of one of its samples, (D,) or (C, H, W).

    Examples
    --------
    >>> ModelAxes("slices", (1, 8, 9)).choose((2, 5, 8, 9)), ModelAxes("grey", (1, 8, 9)).choose((5, 8, 9))
    ('NZHW', None)
    """

    layout: str
    shape: tuple[int, ...]

    def choose(self, found: tuple[int, ...]) -> str | None:
        """Return the axes of an array of the shape `found`; None where its dimensions and the model tell them.

        Raises DataError for four dimensions of which neither tells the channels.
        """
        if len(self.shape) != 3 or len(found) not in (3, 4):
            return None
        channels, *grid = self.shape
        if len(found) == 3:
            return "HWC" if channels > 1 and found == (*grid, channels) else None
        if self.layout == "slices" and found[-1] != 1:
            return "NZHW"
        if self.layout == "channels_first" and found[1] == channels > 1:
            return "NCHW"
        if found[1] != 1 and found[-1] not in (*CHANNELS, channels) and found[1:] != self.shape:
            raise DataError(ask_for_axes(found))
        return None


def arrange(x: np.ndarray, text: str) -> tuple[Axes, np.ndarray]:
    """Return named axes, and an array of these as pictures (N, H, W) or (N, H, W, C), without a copy where it can be.

    Raises DataError for axes that are none of AXES, or of another number of dimensions than the array.
    """
    axes = check_axes(text)
    if len(text) != x.ndim:
        raise DataError(
            f"the axes {axes} are {len(axes)} dimensions, however: the array has {x.ndim}, {x.shape}; name those that "
            f"it has, or leave axes out"
        )
    if axes == "NZHW":
        return Axes(axes, x.shape[1]), x.reshape(-1, *x.shape[2:])
    if axes == "NCHW":
        return Axes(axes), np.moveaxis(x, 1, -1)
    return Axes(axes), x[np.newaxis] if axes == "HWC" else x


def check_axes(text: object) -> str:
    """Return axes in capital letters; raise a DataError for what is none of AXES.

    >>> check_axes("nchw")
    'NCHW'
    """
    axes = text.upper() if isinstance(text, str) else None
    if axes not in AXES:
        raise DataError(
            f"axes must be one of {', '.join(AXES)}, however: axes={text!r}; {did_you_mean(str(text), AXES)}"
        )
    return axes


def is_one_picture(found: tuple[int, ...]) -> bool:
    """Return whether an array of this shape is taken for one colour picture, (H, W, 3) or (H, W, 4).

    >>> is_one_picture((512, 512, 3)), is_one_picture((5, 8, 3))
    (True, False)
    """
    return len(found) == 3 and found[-1] in (3, 4) and min(found[:2]) >= LEAST_SIDE


def ask_for_axes(found: tuple[int, ...]) -> str:
    """Return a sentence on an array of four dimensions that may be slices or channels.

    >>> ask_for_axes((10, 16, 16, 16)).endswith('axes="NZHW" (each slice is a picture), axes="NHWC" or axes="NCHW"')
    True
    """
    return (
        f"pictures in four dimensions must be (N, 1, H, W) or (N, H, W, C) with 1, 3 or 4 channels, however: the shape "
        f'is {found}; say what its axes are: axes="NZHW" (each slice is a picture), axes="NHWC" or axes="NCHW"'
    )

"""Users' arrays become samples (N, C, *grid), and results come back in the user's arrangement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from narrows.data.axes import CHANNELS, ask_for_axes, is_one_picture
from narrows.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Layout:
    """How a user's array is arranged; results are arranged the same way.

    Parameters
    ----------
    kind : one of LAYOUTS; model files hold it.

    Raises
    ------
    DataError : for a kind that is not one.

    Examples
    --------
    >>> Layout("channels_last").back(np.zeros((5, 3, 8, 9))).shape
    (5, 8, 9, 3)
    """

    kind: str

    def __post_init__(self) -> None:
        if self.kind not in LAYOUTS:
            raise DataError(f"there is no layout {self.kind!r}; {did_you_mean(str(self.kind), LAYOUTS)}")

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return results (N, C, *grid) in the user's arrangement.

        >>> Layout("one_grey").back(np.zeros((1, 1, 8, 9))).shape
        (8, 9)
        """
        values = values[0] if self.kind.startswith("one_") else values
        arrangement = self.kind.removeprefix("one_")
        if arrangement in ("grey", "slices"):
            return values.squeeze(-3)
        if arrangement == "channels_last":
            return np.moveaxis(values, -3, -1)
        if arrangement == "flat":
            return np.moveaxis(values, -3, -1).reshape(*values.shape[:-3], math.prod(values.shape[-3:]))
        return values


def to_samples(x: np.ndarray, shape: tuple[int, ...] | None = None) -> tuple[np.ndarray, Layout]:
    """Arrange a user's array as samples (N, C, *grid), contiguous and of its own type.

    Parameters
    ----------
    x : the user's array, as `read` returns it.
    shape : the model's shape of one sample, (D,) or (C, H, W). Without it, as in training, two dimensions are a
        table (N, D), three are grey pictures (N, H, W), four are grey pictures (N, 1, H, W) where the second is 1,
        else pictures (N, H, W, C) of 1, 3 or 4 channels. With it the array must fit the model: (N, C, H, W) and one
        sample alone (D,), (H, W) or (H, W, C) are taken too, and so are rows of pictures, flattened from channels last.

    Returns
    -------
    The samples, (N, D) for a table, and the layout that arranges results as `x` was.

    Raises
    ------
    DataError : for any other shape.

    Examples
    --------
    >>> samples, layout = to_samples(np.zeros((10, 28, 28), np.uint8))
    >>> samples.shape, layout.kind
    ((10, 1, 28, 28), 'grey')
    >>> samples, layout = to_samples(np.zeros(784), shape=(1, 28, 28))
    >>> samples.shape, layout.back(samples).shape
    ((1, 1, 28, 28), (784,))
    """
    x = np.asarray(x)
    kind = _kind_for_training(x.shape) if shape is None else _kind_for_model(x.shape, tuple(shape))
    if x.size == 0:
        raise DataError(f"there must be at least one sample with one value, however: the shape is {x.shape}")
    return np.ascontiguousarray(_arrange(x, kind, shape)), Layout(kind)


def to_pictures(x: np.ndarray) -> tuple[np.ndarray, Layout]:
    """Arrange pictures of any size as samples (N, C, H, W), without a copy.

    Parameters
    ----------
    x : (H, W), (N, H, W), (H, W, C), (N, H, W, C) or (N, 1, H, W). Of three dimensions the last holds the channels
        where it is 1 or 3, or 4 beside two sides of 8 or more; of four where the second is not 1.

    Raises DataError for any other shape.

    Examples
    --------
    >>> for shape in [(40, 30), (5, 40, 30), (40, 30, 3), (5, 40, 30, 3)]:
    ...     to_pictures(np.zeros(shape))[0].shape
    (1, 1, 40, 30)
    (5, 1, 40, 30)
    (1, 3, 40, 30)
    (5, 3, 40, 30)
    """
    kind = _kind_of_pictures(x.shape)
    return _arrange(x, kind, None), Layout(kind)


def _kind_of_pictures(found: tuple[int, ...]) -> str:
    if len(found) == 2:
        return "one_grey"
    if len(found) == 3:
        return "one_channels_last" if found[-1] in (1, 3) or is_one_picture(found) else "grey"
    if len(found) != 4:
        raise DataError(
            f"pictures are (H, W), (N, H, W), (H, W, C) or (N, H, W, C), however: the array's shape is {found}"
        )
    return "channels_first" if found[1] == 1 else "channels_last"


def _arrange(x: np.ndarray, kind: str, shape: tuple[int, ...] | None) -> np.ndarray:
    """Undo what `Layout.back` of this kind does."""
    x = x[np.newaxis] if kind.startswith("one_") else x
    arrangement = kind.removeprefix("one_")
    if arrangement == "grey":
        return x[:, np.newaxis]
    if arrangement == "flat" and shape is not None:
        channels, *grid = shape
        x, arrangement = x.reshape(len(x), *grid, channels), "channels_last"
    return np.moveaxis(x, -1, 1) if arrangement == "channels_last" else x


def _kind_for_training(found: tuple[int, ...]) -> str:
    if len(found) in (2, 3):
        return "table" if len(found) == 2 else "grey"
    if len(found) != 4:
        raise DataError(
            "training takes a table (N, D), grey pictures (N, H, W) or pictures (N, H, W, C), "
            f"however: the array has {len(found)} dimensions, {found}"
        )
    _, second, _, last = found
    if second == 1:
        return "channels_first"
    if last not in CHANNELS or (second in (3, 4) and last == 1):
        raise DataError(ask_for_axes(found))
    return "channels_last"


def _kind_for_model(found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    known = _known_shapes(shape)
    for kind, expected in known.items():
        if len(found) == len(expected) and all(b in (None, a) for a, b in zip(found, expected, strict=True)):
            return kind
    rule = " or ".join(map(_shape_text, known.values()))
    raise DataError(f"this model takes arrays of shape {rule}, however: the array's shape is {found}")


def _known_shapes(shape: tuple[int, ...]) -> dict[str, tuple[int | None, ...]]:
    """Return layout -> shape of the arrays that a model of samples `shape` takes; None is N, the first match counts."""
    if len(shape) == 1:
        return {"table": (None, *shape), "one_table": shape}
    if len(shape) != 3:
        raise DataError(f"a model takes samples (D,) or (C, H, W), however: {shape}")
    channels, *grid = shape
    first: dict[str, tuple[int | None, ...]] = {"channels_first": (None, *shape)}
    last = {"channels_last": (None, *grid, channels), "one_channels_last": (*grid, channels)}
    flat = {"flat": (None, math.prod(shape)), "one_flat": (math.prod(shape),)}
    if channels == 1:
        return {"grey": (None, *grid), "one_grey": tuple(grid)} | first | last | flat
    return last | first | flat


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return str(tuple(shape)).replace("None", "N")


LAYOUTS = (
    "table",  # (N, D)
    "grey",  # (N, H, W)
    "channels_last",  # (N, H, W, C)
    "channels_first",  # (N, C, H, W)
    "slices",  # (N, Z, H, W), of which every slice is a sample; decoded ones are (N, H, W)
    "flat",  # (N, H * W * C)
    "one_table",  # (D,), and so on: one sample alone
    "one_grey",
    "one_channels_last",
    "one_flat",
)

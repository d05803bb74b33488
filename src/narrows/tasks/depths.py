"""Numbers of the type and the range that a user has <-> the units that a model was trained in.

Bytes and numbers of 16 bits mean shares of their full range, and so do fractions from 0 to 1 beside a model of whole
numbers. Pictures of 10, 12 or 14 bits come in 16, and are a sixteenth as bright in these: what restores takes them by
their own range, so that a restored picture is the same whatever its file says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from torch import Tensor

from narrows.model.scaling import Range
from narrows.modelfile import Model

FULL = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}  # the full range of the types that pictures come in
LEAST_BITS = 8  # that a picture has
FRACTIONS = (-2.0, 3.0)  # between these are fractions from 0 to 1 with noise
FAR = 2  # bits by which rare values must be larger than all others to lie far from these
FAR_OUT = 4.0  # ranges that noise does not reach
RARE = 0.001  # share of the values
LOOKED_AT = 2**20  # values by which the rare ones are told
Back = Callable[[Tensor], np.ndarray]


class Depth(NamedTuple):
    """Numbers of a user's type <-> the units that a model was trained in.

    Attributes
    ----------
    inside : from the user's numbers to the model's units.
    outside : back, to an array of the type of the results.
    top : the number that means the largest value of the model; None where numbers go in as they are.
    note : a line on what was decided, "" for nothing.
    """

    inside: Callable[[Tensor], Tensor]
    outside: Back
    top: float | None = None
    note: str = ""


def find_depth(model: Model, x: np.ndarray, restores: bool = False) -> Depth:
    """Return the conversion from numbers such as those of `x` to the units that `model` was trained in, and back.

    For a picture of another depth than that of the training data, the full range is mapped to the full range; so are
    fractions from 0 to 1, noisy ones too, where a model knows whole numbers. Whole numbers of another depth pass as
    they are where the scaling has no range. On the way back uint8, uint16 and bool are rounded and clamped last; other
    integers become float64; floats keep their type.

    Parameters
    ----------
    restores : whether numbers of 16 bits that are all smaller than 2^k mean those of a picture of k bits. Rare values
        far above all others are then beyond the range.
    """
    known = None if len(model.network.shape) == 1 else find_known_range(model)
    if known is None or not x.size:
        return _as_they_are(x.dtype)
    if x.dtype.name == model.card.dtype:
        return _as_they_are(x.dtype, _describe_foreign(x, known))
    if x.dtype.name in FULL:
        if model.network.scaling.user_range is None:
            return _as_they_are(x.dtype)
        top, note = find_top(x) if restores else (FULL[x.dtype.name], _describe_dark(x))
        return _mapped(known, x.dtype, top, note)
    if x.dtype.kind == "f" and np.dtype(model.card.dtype).kind in "iu" and known.high > FRACTIONS[1] and _is_share(x):
        note = f"fractions from 0 to 1: they count as shares of the model's range, {known.low:g} to {known.high:g}"
        return _mapped(known, x.dtype, 1.0, note)
    return _as_they_are(x.dtype, _describe_foreign(x, known))


def find_known_range(model: Model) -> Range | None:
    """Return the range of the training data in user's units: the scaling's, or that of their type; None for neither."""
    full = FULL.get(model.card.dtype)
    return model.network.scaling.user_range or (None if full is None else Range(0.0, full))


def find_top(x: np.ndarray) -> tuple[float, str]:
    """Return the number that is white in pictures `x` of a type in FULL, and a line where it is not the type's largest.

    It is 2^k - 1 for pictures of k bits, whatever rare values far above all others are.

    Examples
    --------
    >>> find_top(np.full((4, 4), 3000, np.uint16))
    (4095.0, 'values of 12 bits in 16: 4095 counts as white')
    >>> find_top(np.full((4, 4), 60000, np.uint16))
    (65535.0, '')
    """
    full = FULL[x.dtype.name]
    if x.dtype != np.uint16:
        return full, ""
    bits, largest = count_bits(_usual_largest(x)), count_bits(x.max())
    is_far = largest >= bits + FAR
    bits = bits if is_far else largest
    if bits == 16:
        return full, ""
    beyond = ", and rare larger ones stay as they are" if is_far else ""
    return float(2**bits - 1), f"values of {bits} bits in 16: {2**bits - 1} counts as white{beyond}"


def count_bits(value: float) -> int:
    """Return how many bits a picture has whose largest value this is, 8 at least.

    >>> count_bits(3000), count_bits(7)
    (12, 8)
    """
    return max(int(value).bit_length(), LEAST_BITS)


def cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return `values` in the type of results for data of `dtype`, rounded and clamped as `find_depth` says.

    Examples
    --------
    >>> cast(np.array([-3.0, 17.6, 300.0]), np.dtype(np.uint8))
    array([  0,  18, 255], dtype=uint8)
    """
    if dtype.name in FULL:
        return np.clip(np.round(values), 0, FULL[dtype.name]).astype(dtype)
    return values.astype(type_of_results(dtype))


def type_of_results(dtype: np.dtype) -> np.dtype:
    """Return the type of results for data of `dtype`.

    Examples
    --------
    >>> type_of_results(np.dtype(np.uint8)), type_of_results(np.dtype(np.int32))
    (dtype('uint8'), dtype('float64'))
    """
    return dtype if dtype.name in FULL or dtype.kind == "f" else np.dtype(np.float64)


def _as_they_are(dtype: np.dtype, note: str = "") -> Depth:
    return Depth(lambda samples: samples, lambda values: cast(values.numpy(), dtype), note=note)


def _mapped(known: Range, dtype: np.dtype, top: float, note: str) -> Depth:
    return Depth(
        lambda samples: known.from_depth(samples, top),
        lambda values: cast(known.to_depth(values, top).numpy(), dtype),
        top,
        note,
    )


def _is_share(x: np.ndarray) -> bool:
    """Return whether fractions are shares of a range: between 0 and 1 but for noise, and not all of them 0."""
    low, high = float(x.min()), float(x.max())
    if not (low >= FRACTIONS[0] and 0 < high <= FRACTIONS[1]):
        return False
    return (low >= 0 and high <= 1) or not bool((x == np.round(x)).all())


def _describe_foreign(x: np.ndarray, known: Range) -> str:
    """Return a line for numbers that are far larger than those of the training data, or far smaller; "" for others."""
    largest = float(x.max())
    if largest > known.low + FAR_OUT * known.span:
        words = f"values up to {largest:,.6g}, where the model's range is {known.low:g} to {known.high:g}"
        return f"{words}: larger ones count as {known.high:g}; bring them to its range first"
    return _describe_dark(x) if known.high > 2**15 else ""


def _describe_dark(x: np.ndarray) -> str:
    """Return a line for numbers of 16 bits that a picture of fewer bits holds, "" for others."""
    if x.dtype != np.uint16 or not 0 < x.max() < 2**15:
        return ""
    bits = count_bits(x.max())
    return f"values of {bits} bits in 16 count as dark ones; multiply them by {2 ** (16 - bits)} if {bits} bits are all"


def _usual_largest(x: np.ndarray) -> float:
    """Return a value that no more than RARE of all values exceed."""
    return float(np.quantile(x.reshape(-1)[:: max(1, x.size // LOOKED_AT)], 1 - RARE, method="lower"))

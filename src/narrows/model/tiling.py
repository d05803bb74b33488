"""How far a network's outputs see, and so how a picture may go through it in parts."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

Window = tuple[Fraction | int, int, int]  # which inputs an output reads, see `find_reach`


class Tiling(NamedTuple):
    """How a network that takes pictures of any size may take one in parts.

    A part that begins at multiples of `stride` gives the same output as the whole picture at every pixel that is at
    least `reach` away from the part's inner edges, since no output depends on inputs that are farther away.

    Attributes
    ----------
    stride : pixels between two positions at which a part may begin.
    reach : pixels from an output to the farthest input that it depends on.
    """

    stride: int
    reach: int


def find_reach(layers: list[Window]) -> int:
    """Return how many pixels lie between an output and the farthest input that it depends on.

    Parameters
    ----------
    layers : in the order in which a picture passes them, each as (step, before, after): the output at `i` reads inputs
        from `step * i + before` to `step * i + after`. A layer that doubles has step 1/2, and its window is of the
        doubled picture: a convolution after the doubling.

    Examples
    --------
    >>> find_reach([(1, -1, 1)] * 3)
    3
    >>> find_reach([(2, -1, 1), (Fraction(1, 2), 0, 0)])  # pixels 0 and 1 both read -1, 0 and 1
    2
    """
    stride = math.prod(step for step, *_ in layers if step > 1)
    reach = 0
    for pixel in range(int(stride)):
        low = high = pixel
        for step, before, after in reversed(layers):
            if step < 1:
                low, high = math.floor((low + before) * step), math.floor((high + after) * step)
            else:
                low, high = int(step * low + before), int(step * high + after)
        reach = max(reach, pixel - low, high - pixel)
    return reach

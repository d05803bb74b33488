"""Lines on what reading changes in pictures: their size, with what that costs, their colours and their depth."""

from __future__ import annotations

import math
from collections.abc import Sequence

from narrows.data.image_open import Header

FITS = {"crop": "scaled and centre-cut", "pad": "scaled and padded with black", "stretch": "stretched"}


def describe_sizes(headers: Sequence[Header], size: tuple[int, int], fit: str) -> str:
    """Return a line, counted, on the pictures that get another size (H, W) and what vanishes; "" where none do.

    Examples
    --------
    >>> from pathlib import Path
    >>> headers = [Header("a.png", Path("a.png"), 0, (2448, 2048), True, 8)] * 3
    >>> describe_sizes(headers, (64, 64), "crop")
    '3 pictures shrunk from 2448x2048 to 64x64: what is under 40 pixels vanishes'
    """
    shrunk = [header for header in headers if find_factor(header.size, size, fit) > 1]
    enlarged = [header for header in headers if header.size != size and find_factor(header.size, size, fit) <= 1]
    target, lines = f"{size[0]}x{size[1]}", []
    if shrunk:
        largest = max(shrunk, key=lambda header: find_factor(header.size, size, fit)).size
        least = round_up(find_factor(largest, size, fit))
        start = "{}x{}".format(*largest)
        way = f"from {start} to {target}" if {header.size for header in shrunk} == {largest} else f"to {target}"
        most = "" if way.startswith("from") else f", the largest from {start}"
        lines.append(f"{_count(shrunk)} shrunk {way}{most}: what is under {least} pixels vanishes")
    if enlarged:
        lines.append(f"{_count(enlarged)} brought to {target} without shrinking")
    return "; ".join(lines)


def find_factor(own: tuple[int, int], size: tuple[int, int], fit: str) -> float:
    """Return how many pixels of a picture of the size `own` (H, W) become one, along the axis where these are most.

    >>> find_factor((128, 64), (64, 64), "crop"), find_factor((128, 64), (64, 64), "pad")
    (1.0, 2.0)
    """
    factors = [a / b for a, b in zip(own, size, strict=True)]
    return min(factors) if fit == "crop" else max(factors)


def round_up(number: float) -> int:
    """Return a number rounded up to one significant digit, at least 2.

    >>> round_up(31.9), round_up(4.0), round_up(1.2)
    (40, 4, 2)
    """
    unit = 10 ** int(math.log10(max(number, 1)))
    return max(2, math.ceil(number / unit) * unit)


def describe_model_reading(
    headers: Sequence[Header], size: tuple[int, int], fit: str, colour: str, depth: int
) -> list[str]:
    """Return lines on what a model's way of reading changes in pictures, each counted."""
    lines = []
    if sizes := describe_sizes(headers, size, fit):
        lines.append(f"pictures of another size are {FITS[fit]}, as the model's were: {sizes}")
    coloured = [header for header in headers if not header.grey]
    if colour == "grey" and coloured:
        lines.append(f"in colour: {len(coloured)} of {_count(headers)}, read as grey, as the model's were")
    grey = [header for header in headers if header.grey]
    if colour == "rgb" and grey:
        lines.append(f"grey: {len(grey)} of {_count(headers)}, read as RGB, as the model's were")
    deep = [header for header in headers if header.depth > depth]
    if deep:
        most = max(header.depth for header in deep)
        lines.append(f"of {most} bits: {len(deep)} of {_count(headers)}, read with {depth}, as the model's were")
    return lines


def describe_mixed_colours(headers: Sequence[Header], colour: str) -> list[str]:
    """Return a line where grey pictures among others are read in colour."""
    grey = [header for header in headers if header.grey]
    if colour != "rgb" or not grey:
        return []
    return [f"grey: {len(grey)} of {_count(headers)}; all are read as RGB"]


def _count(headers: Sequence[Header]) -> str:
    return f"{len(headers):,} picture{'' if len(headers) == 1 else 's'}"

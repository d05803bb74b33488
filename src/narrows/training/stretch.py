"""Values far from all others, or padding, that make the range of pictures, so that the rest fills little of it."""

from __future__ import annotations

import numpy as np

from narrows.data.source import Source

LOOKED_AT = 2**20  # values of all pictures together, about
RARE = 0.001  # share of the values at either end that may lie far from all others
FAR = 0.5  # share of the distance between the ends, beyond the usual values
PADDING = 0.1  # the same where many values are the smallest one
LEAST_VALUES = 16  # different ones, fewer are no shades


def describe_stretch(source: Source) -> str:
    """Return a line where values far from all others make the range of pictures; "" where none do, and for bytes.

    Examples
    --------
    >>> import torch
    >>> from narrows.data.source import Rows
    >>> x = torch.arange(4096, dtype=torch.int32).view(16, 1, 16, 16)
    >>> describe_stretch(Rows(x))
    ''
    >>> x[0, 0, 0, 0] = 65535
    >>> describe_stretch(Rows(x)).partition(",")[0]
    'values go from 1 to 65535'
    """
    chunks = [chunk.numpy().reshape(-1) for chunk in source.chunks()]
    if chunks[0].dtype in (np.uint8, np.bool_):
        return ""
    low, high = float(min(chunk.min() for chunk in chunks)), float(max(chunk.max() for chunk in chunks))
    step = max(1, sum(len(chunk) for chunk in chunks) // LOOKED_AT)
    some = np.concatenate([chunk[::step] for chunk in chunks]).astype(np.float64)
    inner = some[(some > low) & (some < high)]
    if len(np.unique(inner)) < LEAST_VALUES:
        return ""
    first, last = (float(end) for end in np.quantile(inner, [RARE, 1 - RARE]))
    is_padded = (some == low).mean() > RARE and first - low > PADDING * (high - low) and low < 0
    if not (is_padded or max(first - low, high - last) > FAR * (high - low)):
        return ""
    return (
        f"values go from {low:g} to {high:g}, but nearly all between them from {first:.6g} to {last:.6g}, which fill a "
        f"small part of the range: clip them to these first, or take the scaling robust"
    )

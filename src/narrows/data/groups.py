"""Groups of samples that belong together, such as those of one patient or one lot."""

from __future__ import annotations

from typing import Any

import numpy as np

from narrows.data.labels import find_gaps
from narrows.errors import DataError


def number_groups(groups: Any, count: int, slices: int = 1) -> np.ndarray:
    """Return the number (N,) of each sample's group, counted from 0 in the order of their first samples.

    Parameters
    ----------
    groups : a value of any kind for each sample. Gaps (None, NaN, NaT, masked values, empty texts) are each a group of
        their own.
    count : of the samples, N.
    slices : of a user's sample, where each is a sample here; then there may be a value for each of the user's.

    Raises
    ------
    DataError : if there is not one value per sample.

    Examples
    --------
    >>> number_groups(["Ann", None, "Bob", "Ann", None], 5)
    array([0, 1, 2, 0, 3])
    """
    column = groups if isinstance(groups, np.ndarray) else np.asarray(groups, dtype=object)
    if column.ndim == 1 and len(column) * slices == count:
        column = column.repeat(slices)
    if column.shape != (count,):
        raise DataError(f"groups must be one value per sample, {count:,}, however: their shape is {column.shape}")
    gaps = np.isnat(column) if column.dtype.kind in "mM" else find_gaps(column)
    gaps |= np.ma.getmaskarray(column)
    numbers: dict[Any, int] = {}
    keys = [object() if gap else value for value, gap in zip(np.asarray(column).tolist(), gaps, strict=True)]
    try:
        return np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    except TypeError:  # lists, and what else has no hash
        raise DataError("groups must be texts, numbers or other single values, however: some are lists") from None

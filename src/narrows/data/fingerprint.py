"""A short text that tells one set of samples from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from narrows.data.samples import Samples


def find_fingerprint(samples: Samples) -> str:
    """Return the SHA-256 of the samples' values, types and shapes, and of their targets where there are some.

    Examples
    --------
    >>> x = np.zeros((3, 2))
    >>> find_fingerprint(Samples(x)) == find_fingerprint(Samples(x.copy())), find_fingerprint(Samples(x + 1))[:8]
    (True, '...')
    """
    digest = hashlib.sha256()
    for values in (samples.x, samples.target):
        for array in _arrays_of(values):
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays_of(values: object) -> Iterable[np.ndarray]:
    """Return an array, or the pictures that patches are cut from."""
    if values is None:
        return ()
    return (values,) if isinstance(values, np.ndarray) else values.pictures  # type: ignore[attr-defined]

"""Arrow's numbers as arrays and back.

pyarrow's own ways, `pyarrow.array` and `to_numpy`, import pandas where it is installed, which takes a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def as_array(column: pa.ChunkedArray | pa.Array, gap: float = np.nan) -> np.ndarray:
    """Return a column of numbers or truth values as an array (N,), with `gap` for nulls.

    >>> import pyarrow
    >>> as_array(pyarrow.chunked_array([[1, None], [3]]))
    array([ 1., nan,  3.])
    """
    import pyarrow as pa

    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    arrays = [_of_chunk(chunk, gap) for chunk in chunks]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays) if arrays else np.zeros(0)


def as_arrow(values: np.ndarray, gaps: np.ndarray | None = None, type_: pa.DataType | None = None) -> pa.Array:
    """Return an array of numbers or truth values (N,) as a column, null where `gaps`.

    Parameters
    ----------
    type_ : that of the column, of as many bits as a value has; by default that of the array.

    >>> as_arrow(np.array([1, 2]), np.array([True, False])).to_pylist()
    [None, 2]
    """
    import pyarrow as pa

    type_ = pa.from_numpy_dtype(values.dtype) if type_ is None else type_
    data = np.packbits(values, bitorder="little") if values.dtype == bool else np.ascontiguousarray(values)
    valid = None if gaps is None else pa.py_buffer(np.packbits(~gaps, bitorder="little").tobytes())
    return pa.Array.from_buffers(type_, len(values), [valid, pa.py_buffer(data.tobytes())])


def texts_as_arrow(texts: Sequence[str]) -> pa.Array:
    """Return texts as a column.

    >>> texts_as_arrow(["a", "bc"]).to_pylist()
    ['a', 'bc']
    """
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"".join(encoded)))


def release_memory() -> None:
    """Give back what Arrow keeps of memory that it no longer uses.

    >>> release_memory()
    """
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def _of_chunk(chunk: pa.Array, gap: float) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_boolean(chunk.type):
        chunk = chunk.cast("uint8")
    if not chunk.null_count:
        return np.from_dlpack(chunk)
    valid = np.from_dlpack(chunk.is_valid().cast("uint8")).astype(bool)
    plain = pa.Array.from_buffers(chunk.type, len(chunk), [None, chunk.buffers()[1]], offset=chunk.offset)
    return np.where(valid, np.from_dlpack(plain), gap)

"""The cells of a column that numbers stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from narrows.tables.arrow import as_arrow, texts_as_arrow
from narrows.tables.column import UNITS_PER_SECOND, UNSEEN, Column, arrow_type, is_text

if TYPE_CHECKING:
    import pyarrow as pa


def decode_cells(column: Column, numbers: np.ndarray, empty: np.ndarray) -> pa.Array:
    """Return the cells that numbers (N,) stand for, null where `empty`; see `Columns.decode`.

    >>> decode_cells(Column("born", "time", "date32[day]"), np.array([86_400.0]), np.array([False])).to_pylist()
    [datetime.date(1970, 1, 2)]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = arrow_type(column.dtype)
    if pa.types.is_null(type_) or column.missing == 1:  # nothing was learned of it
        return pa.nulls(len(numbers), type_)
    if column.kind == "category":
        last = max(len(column.categories) - 1, 0)
        empty = empty | (numbers == UNSEEN) | (len(column.categories) == 0)
        index = np.clip(np.rint(np.where(empty, 0, numbers)), 0, last).astype(np.int32)
        texts = pc.take(texts_as_arrow(column.categories), as_arrow(index, empty))
        return texts.dictionary_encode() if column.dtype == "dictionary" else texts.cast(type_)
    filled = np.where(empty, 0, numbers)
    if column.kind == "boolean":
        return as_arrow(filled >= 0.5, empty).cast(type_)
    if column.kind == "time":
        filled = np.rint(filled / column.step) * column.step if column.step else filled
        if column.order == "time of day" and is_text(type_):
            return _clocks(filled, empty).cast(type_)
        return _times(filled, empty, type_)
    if pa.types.is_integer(type_):
        info = np.iinfo(type_.to_pandas_dtype())
        whole = np.rint(np.clip(filled, float(info.min), float(info.max))) if filled.dtype.kind == "f" else filled
        return as_arrow(_as_integers(whole, info), empty)
    rounded = np.rint(filled) if column.kind == "integer" else filled
    if pa.types.is_decimal(type_):
        rounded = np.round(rounded, type_.scale)
        texts = texts_as_arrow([f"{value:.{type_.scale}f}" for value in rounded])
        return pc.if_else(as_arrow(empty), pa.NULL, texts).cast(type_)
    result = as_arrow(rounded, empty)
    return result if result.type == type_ else result.cast(type_, safe=False)


def _as_integers(whole: np.ndarray, info: Any) -> np.ndarray:
    """Return whole numbers as integers; the largest float of 64 bits lies above the largest integer."""
    if whole.dtype.kind != "f":
        return whole.astype(info.dtype)
    top = whole >= float(info.max)
    integers = np.where(top, 0, whole).astype(info.dtype)
    integers[top] = info.max
    return integers


def _clocks(filled: np.ndarray, empty: np.ndarray) -> pa.Array:
    """Return times of day as texts, with seconds where one has some."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = _times(filled, empty, pa.time32("s")).cast(pa.string())
    return times if (filled % 60).any() else pc.utf8_slice_codeunits(times, 0, 5)


def _times(filled: np.ndarray, empty: np.ndarray, type_: pa.DataType) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date(type_):
        days = np.clip(np.rint(filled / 86_400), -(2**31), 2**31 - 1).astype(np.int32)
        return as_arrow(days, empty, pa.date32()).cast(type_)
    if pa.types.is_integer(type_):  # 20230623
        days = _times(filled, empty, pa.date32())
        return pc.strftime(days, format="%Y%m%d").cast(type_)
    if is_text(type_):
        moments = _times(filled, empty, pa.timestamp("s"))
        return moments.cast(pa.date32()).cast(type_) if not (filled % 86_400).any() else moments.cast(type_)
    per_second = UNITS_PER_SECOND[type_.unit]
    if pa.types.is_time(type_):
        filled = np.clip(filled, 0, 86_399.999)
    precise = min(per_second, 10**6)  # a float of 64 bits tells microseconds apart
    limit = 2**63 // per_second - 1
    units = np.rint(np.clip(filled, -limit, limit) * precise).astype(np.int64) * (per_second // precise)
    small = pa.int32() if type_.bit_width == 32 else pa.int64()
    return as_arrow(units, empty).cast(small).cast(type_)

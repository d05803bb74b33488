"""What is known of one column of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from narrows.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("number", "integer", "boolean", "category", "time")
UNSEEN = -1.0  # a category that the columns do not know
OTHER = "other"  # stands for all rare categories of a column of very many
TEXT = "string"  # the type of texts
UNITS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Column:
    """What is known of a column.

    Attributes
    ----------
    name : as people wrote it.
    kind : one of KINDS.
    dtype : the type that its values come back as, as Arrow writes it: "double", "int64", "date32[day]", "string".
    categories : their texts; a cell's number is the position of its own.
    missing : the share of gaps, in [0, 1].
    step : of times, of which all are whole multiples, in seconds: 86,400 where all are days; 0 where there is none.
    order : how times in texts are written, one of `cells.ORDERS` such as "day first"; "" for anything else.
    """

    name: str
    kind: str = "number"
    dtype: str = "double"
    categories: tuple[str, ...] = ()
    missing: float = 0.0
    step: float = 0.0
    order: str = ""


def arrow_type(text: str) -> pa.DataType:
    """Return the Arrow type of a text such as "int64" or "timestamp[us, tz=UTC]"; a DataError for any other text.

    >>> arrow_type("decimal128(10, 2)")
    Decimal128Type(decimal128(10, 2))
    """
    import pyarrow as pa

    if found := re.fullmatch(r"timestamp\[(\w+), tz=([\w/+:-]+)\]", text):
        return pa.timestamp(found[1], found[2])
    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", text):
        return (pa.decimal256 if found[1] == "256" else pa.decimal128)(int(found[2]), int(found[3]))
    if text == "dictionary":
        return pa.dictionary(pa.int32(), pa.string())
    try:
        return pa.type_for_alias(text)
    except ValueError:
        raise DataError(f"there is no type {text[:100]!r} of a column's values") from None


def is_text(type_: pa.DataType) -> bool:
    """Return whether an Arrow type is one of texts."""
    import pyarrow as pa

    return pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)

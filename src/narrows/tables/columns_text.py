"""The columns that a model learned as bytes in its file: one text of JSON in UTF-8."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from narrows.errors import DataError
from narrows.tables.cells import ORDERS
from narrows.tables.column import KINDS, Column, arrow_type
from narrows.tables.columns import Columns

MAX_TEXT = 100_000  # characters of a name or a category, as many as people may have in a cell
MAX_STEP = 86_400
KEYS = {"items", "label", "beside", "gaps"}
COLUMN_KEYS = {"name", "kind", "dtype", "categories", "missing", "step", "order"}
ADDED = {"order"}  # that earlier files do not have


def to_bytes(columns: Columns) -> bytes:
    """Return columns as bytes, which `from_bytes` takes.

    Examples
    --------
    >>> columns = Columns((Column("colour", "category", "string", ("blue", "red")),), label="kind")
    >>> from_bytes(to_bytes(columns)) == columns
    True
    """
    return json.dumps(asdict(columns), ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def from_bytes(data: bytes) -> Columns:
    """Return the columns that bytes hold; a DataError with the reason for bytes that `to_bytes` never makes."""
    try:
        values = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        raise DataError("its columns are no JSON") from None
    if not isinstance(values, dict) or set(values) != KEYS or not isinstance(values["items"], list):
        raise DataError("its columns are not written as narrows writes them")
    items = tuple(map(_read_column, values["items"]))
    label, beside, gaps = values["label"], values["beside"], values["gaps"]
    if not (label is None or _is_text(label)) or not _are(beside, _is_text) or not _are(gaps, _is_text):
        raise DataError("its columns are not written as narrows writes them")
    if len({column.name for column in items}) < len(items):
        raise DataError("two of its columns have one name")
    return Columns(items, label, tuple(beside), tuple(gaps))


def _read_column(value: Any) -> Column:
    good = (
        isinstance(value, dict)
        and set(value) | ADDED == COLUMN_KEYS
        and _is_text(value["name"])
        and value["kind"] in KINDS
        and _is_text(value["dtype"])
        and _are(value["categories"], _is_text)
        and len(set(value["categories"])) == len(value["categories"])
        and all(isinstance(value[key], int | float) for key in ("missing", "step"))
        and 0 <= value["missing"] <= 1
        and 0 <= value["step"] <= MAX_STEP
        and value.get("order", "") in ("", *ORDERS)
    )
    if not good:
        raise DataError("one of its columns is not written as narrows writes it")
    arrow_type(value["dtype"])
    return Column(**{**value, "categories": tuple(value["categories"])})


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _are(values: Any, rule: Callable[[Any], bool]) -> bool:
    return isinstance(values, list) and all(map(rule, values))

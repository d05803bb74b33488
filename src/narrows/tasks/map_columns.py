"""The columns of a table's samples as people see them on a map: texts of categories, dates of times, gaps as gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from narrows.tables.column import Column

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["", "number", "integer", "time", "category"]
Clock = Literal["", "date", "moment", "moment in UTC", "time of day"]

TRUTH = ("False", "True")  # the texts of truth values
FEW = 30  # texts of a column that is not learned, up to which it colours: as many as have a colour of their own
DAY = 86_400  # seconds
LAST = 8.64e12  # seconds since 1970 that a page can write
LARGEST = 2**53  # up to here floats of 64 bits hold every whole number


@dataclass(frozen=True, eq=False)
class MapColumn:
    """A column of the samples on a map.

    Attributes
    ----------
    name : as people wrote it.
    kind : "number", "integer", "time" or "category"; "" for a column of an array, of which nobody said.
    values : float64 (N,), NaN for gaps: seconds since 1970 for times; for categories the position of their text,
        UNSEEN for one that the model never saw.
    texts : of the categories.
    clock : how times are written: "date", "moment", "moment in UTC" for those of a time zone, or "time of day".
    is_learned : whether the model learned it; other columns come along.
    """

    name: str
    kind: Kind
    values: np.ndarray
    texts: tuple[str, ...] = ()
    clock: Clock = ""
    is_learned: bool = True

    @property
    def unknown(self) -> str:
        """The name of categories that the model never saw."""
        return "unknown to the model" if "unknown" in self.texts else "unknown"

    @property
    def can_colour(self) -> bool:
        """Whether points can be coloured by it: by every column that is learned, and by others that tell groups.

        Of the others those of numbers and times do; whole numbers that are all different are ids and do not, and texts
        do where there are at most FEW and each stands for two rows on average.

        Examples
        --------
        >>> rows = np.arange(6.0)
        >>> [MapColumn("id", "integer", values, is_learned=False).can_colour for values in (rows, rows // 2)]
        [False, True]
        """
        if self.is_learned:
            return True
        known = self.values[~np.isnan(self.values)]
        different = len(np.unique(known))
        if self.kind == "category":
            return 0 < different <= min(FEW, len(known) / 2)
        return different > 0 and (self.kind != "integer" or different < len(known))


def learned_column(column: Column, values: np.ndarray) -> MapColumn:
    """Return a column that a model learned, of numbers (N,) as `Columns.encode` makes them.

    Examples
    --------
    >>> learned_column(Column("paid", "boolean", "bool"), np.array([0.0, np.nan])).texts
    ('False', 'True')
    """
    values = np.asarray(values, np.float64)
    if column.kind == "boolean":
        return MapColumn(column.name, "category", np.where(np.isnan(values), np.nan, values >= 0.5), TRUTH)
    if column.kind == "category":
        return MapColumn(column.name, "category", values, column.categories)
    if column.kind == "time":
        return MapColumn(column.name, "time", values, clock=_find_clock(column.dtype, values))
    return MapColumn(column.name, "integer" if column.kind == "integer" else "number", values)


def kept_column(name: str, cells: pa.ChunkedArray) -> MapColumn:
    """Return a column that no model learned, of its cells.

    Examples
    --------
    >>> import pyarrow
    >>> column = kept_column("customer", pyarrow.chunked_array([["b", None, "a", "b"]]))
    >>> column.texts, column.values
    (('b', 'a'), array([ 0., nan,  1.,  0.]))
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from narrows.tables.arrow import as_array, texts_as_arrow
    from narrows.tables.columns import seconds
    from narrows.tables.text_columns import encode_texts

    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    type_ = cells.type
    if pa.types.is_boolean(type_):
        return MapColumn(name, "category", as_array(cells).astype(np.float64), TRUTH, is_learned=False)
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_) or pa.types.is_time(type_):
        values = seconds(cells)
        return MapColumn(name, "time", values, clock=_find_clock(str(type_), values), is_learned=False)
    if pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return MapColumn(name, "number", as_array(cells.cast(pa.float64())), is_learned=False)
    if pa.types.is_integer(type_):
        values = as_array(cells).astype(np.float64)
        if not (np.abs(values) >= LARGEST).any():
            return MapColumn(name, "integer", values, is_learned=False)
    try:
        texts = cells.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # such as lists and bytes
        shown = texts_as_arrow(["" if value is None else str(value) for value in cells.to_pylist()])
        texts = pa.chunked_array([pc.if_else(cells.combine_chunks().is_valid(), shown, None)])
    different, own = encode_texts(texts)
    return MapColumn(name, "category", np.where(own < 0, np.nan, own), tuple(different), is_learned=False)


def show_times(values: np.ndarray, clock: Clock) -> list[str]:
    """Return times (n,) in seconds since 1970, none a gap, as people write them.

    Examples
    --------
    >>> show_times(np.array([86_400.0]), "date"), show_times(np.array([37_800.0]), "time of day")
    (['1970-01-02'], ['10:30'])
    """
    values = np.clip(values, -LAST, LAST)
    if clock == "date":
        return np.rint(values / DAY).astype("datetime64[D]").astype(str).tolist()
    texts = np.rint(values).astype("datetime64[s]").astype(str).tolist()
    short = [text.removesuffix(":00") for text in texts]
    if clock == "time of day":
        return [text.rpartition("T")[2] for text in short]
    zone = " UTC" if clock == "moment in UTC" else ""
    return [text.replace("T", " ") + zone for text in short]


def _find_clock(dtype: str, values: np.ndarray) -> Clock:
    """Return how times of a type, as Arrow writes it, are written."""
    known = values[~np.isnan(values)]
    if dtype.startswith(("time32", "time64")) or (
        dtype == "string" and len(known) and ((known >= 0) & (known < DAY)).all()
    ):
        return "time of day"
    if "tz=" in dtype:
        return "moment in UTC"
    return "date" if not (known % DAY).any() else "moment"

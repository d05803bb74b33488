"""Writing a map as a table, a row per sample."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from narrows.tables.arrow import as_arrow, texts_as_arrow
from narrows.tables.write import TEXTS, write_table
from narrows.tasks.mapping import Map

if TYPE_CHECKING:
    import pyarrow as pa


def write_map_table(path: str | PathLike[str], mapped: Map, overwrite: bool = False) -> None:
    """Write a map as a table, a row per sample, in the format that the ending names.

    The columns that are not learned, such as ids, come first. Where one of them is named x, the map's is "map x", and
    so with its other columns.

    Raises DataError where the path exists or cannot be written.
    """
    import pyarrow as pa

    kept = {} if mapped.kept is None else dict(zip(mapped.kept.column_names, mapped.kept.columns, strict=True))
    own = {f"map {name}" if name in kept else name: values for name, values in mapped.table().items()}
    if Path(path).suffix.lower() in TEXTS:  # as few digits as tell the number
        own = {name: values.astype(str) for name, values in own.items()}
    write_table(Path(path), pa.table(kept | {name: _as_arrow(values) for name, values in own.items()}), overwrite)


def _as_arrow(values: np.ndarray) -> pa.Array:
    """Return numbers or texts (N,) as a column, null where they are masked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    gaps = np.ma.getmaskarray(values)
    if values.dtype.kind != "U":
        return as_arrow(np.asarray(values), gaps)
    return pc.if_else(as_arrow(gaps), pa.NULL, texts_as_arrow(np.asarray(values).tolist()))

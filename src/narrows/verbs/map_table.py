"""Writing a map as a table, a row per sample."""

from __future__ import annotations

from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from narrows.errors import DataError
from narrows.files import whole
from narrows.tables.formulas import write_rows
from narrows.tables.write import plain_cell
from narrows.tasks.mapping import Map


def write_table(path: str | PathLike[str], mapped: Map, overwrite: bool = False) -> None:
    """Write a map as a table, a row per sample: a .parquet file, else a .csv file.

    The columns that are not learned, such as ids, come first. Where one of them is named x, the map's is "map x", and
    so with its other columns.

    Raises DataError where the path exists or cannot be written, and for Parquet without pyarrow.
    """
    kept = {} if mapped.kept is None else dict(zip(mapped.kept.column_names, mapped.kept.columns, strict=True))
    own = {f"map {name}" if name in kept else name: values for name, values in mapped.table().items()}
    check_table(path)
    with whole(Path(path), overwrite) as temporary:
        if temporary.suffix.lower() == ".parquet":
            import pyarrow
            import pyarrow.parquet

            columns = kept | {name: _as_arrow(values) for name, values in own.items()}
            pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
            return
        cells = [[plain_cell(value) for value in column.to_pylist()] for column in kept.values()]
        texts = (np.ma.filled(values.astype(str), "").tolist() for values in own.values())
        write_rows(temporary, [[*kept, *own], *zip(*cells, *texts, strict=True)])


def _as_arrow(values: np.ndarray) -> Any:
    import pyarrow

    return pyarrow.array(np.asarray(values), mask=np.ma.getmaskarray(values))


def check_table(path: str | PathLike[str]) -> None:
    """Raise a DataError where the table cannot be written: a .parquet file without pyarrow.

    Examples
    --------
    >>> check_table("map.csv")
    """
    if Path(path).suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise DataError(f"{path} needs pyarrow; write pip install 'narrows[parquet]', or choose FILE.csv with -o")

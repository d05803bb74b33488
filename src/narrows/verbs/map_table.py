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
from narrows.tasks.mapping import Map


def write_table(path: str | PathLike[str], mapped: Map, overwrite: bool = False) -> None:
    """Write a map as a table, a row per sample: a .parquet file, else a .csv file.

    Raises DataError where the path exists or cannot be written, and for Parquet without pyarrow.
    """
    columns = mapped.table()
    check_table(path)
    with whole(Path(path), overwrite) as temporary:
        if temporary.suffix.lower() == ".parquet":
            import pyarrow
            import pyarrow.parquet

            pyarrow.parquet.write_table(pyarrow.table({key: _as_arrow(v) for key, v in columns.items()}), temporary)
            return
        texts = (np.ma.filled(values.astype(str), "") for values in columns.values())
        write_rows(temporary, [list(columns), *zip(*(values.tolist() for values in texts), strict=True)])


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

"""Writing a map as a table, a row per sample."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

from narrows.errors import DataError
from narrows.files import whole
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

            pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
            return
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*(values.astype(str) for values in columns.values()), strict=True))


def check_table(path: str | PathLike[str]) -> None:
    """Raise a DataError where the table cannot be written: a .parquet file without pyarrow.

    Examples
    --------
    >>> check_table("map.csv")
    """
    if Path(path).suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise DataError(f"{path} needs pyarrow; write pip install 'narrows[parquet]', or choose FILE.csv with -o")

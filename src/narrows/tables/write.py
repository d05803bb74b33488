"""Write tables in the format that the path's ending names, in lower or upper case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows.files import whole
from narrows.tables.formulas import write_rows

if TYPE_CHECKING:
    import pyarrow as pa


def write_table(path: str | Path, table: pa.Table, overwrite: bool = False) -> None:
    """Write an Arrow table: .csv, .tsv, .parquet, .feather, .arrow or .jsonl.

    Gaps are empty cells of .csv and .tsv; whole numbers, times and truth values are written as such.

    Raises DataError where the path exists or cannot be written.

    Examples
    --------
    >>> import pyarrow, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> write_table(path, pyarrow.table({"n": [1, None], "colour": ["red", "blue"]}))
    >>> path.read_text().splitlines()
    ['n,colour', '1,red', ',blue']
    """
    with whole(Path(path), overwrite) as temporary:
        WRITERS[Path(path).suffix.lower()](temporary, table)


def _write_csv(path: Path, table: pa.Table, delimiter: str = ",") -> None:
    write_rows(path, _rows(table), delimiter)


def _rows(table: pa.Table) -> Iterator[Sequence[Any]]:
    yield table.column_names
    for batch in table.to_batches(max_chunksize=10_000):
        yield from zip(*([plain_cell(value) for value in column.to_pylist()] for column in batch.columns), strict=True)


def _write_tsv(path: Path, table: pa.Table) -> None:
    _write_csv(path, table, "\t")


def _write_parquet(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, path)


def _write_feather(path: Path, table: pa.Table) -> None:
    import pyarrow.feather

    pyarrow.feather.write_feather(table, str(path))


def _write_json_lines(path: Path, table: pa.Table) -> None:
    with path.open("w", encoding="utf-8") as file:
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")


def plain_cell(value: Any) -> Any:
    """Return a value as the csv module writes it as people do: a gap as nothing, a moment with a space.

    >>> plain_cell(None), plain_cell(datetime(2023, 6, 23, 10))
    ('', '2023-06-23 10:00:00')
    """
    if value is None or value != value:
        return ""
    return value.isoformat(" ") if isinstance(value, datetime) else value


TEXTS = (".csv", ".tsv")  # endings of tables of text
WRITERS: dict[str, Callable[[Path, Any], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
    ".feather": _write_feather,
    ".arrow": _write_feather,
    ".jsonl": _write_json_lines,
}

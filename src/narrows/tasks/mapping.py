"""A map: where samples lie in two dimensions, and what is known of each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from narrows.data.read import Samples
from narrows.errors import DataError
from narrows.files import whole
from narrows.modelfile import Model
from narrows.tasks.encode import check_map, encode_map
from narrows.tasks.score import errors
from narrows.tasks.units import as_samples, in_chunks


@dataclass(frozen=True, eq=False)
class Map:
    """Samples on a model's map, in the order in which they were read.

    Attributes
    ----------
    points : where each lies, float32 (N, 2).
    errors : the MSE per value of each one's reconstruction, in model's units, float64 (N,).
    x : the samples themselves, in the user's layout, units and type.
    labels : whole numbers or texts (N,), None where none are known.
    names : a name per sample, the relative paths of pictures, else None.
    columns : a table's column names, x0, x1, ... where it has none; None for pictures.
    origin : a short name of the data.
    """

    points: np.ndarray
    errors: np.ndarray
    x: np.ndarray
    labels: np.ndarray | None = None
    names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    origin: str = ""

    def __len__(self) -> int:
        return len(self.points)

    def table(self) -> dict[str, np.ndarray]:
        """Return columns for other tools: x, y, label and name where they are known, and error."""
        known = {"label": self.labels, "name": None if self.names is None else np.array(self.names)}
        columns = {"x": self.points[:, 0], "y": self.points[:, 1]}
        return columns | {key: values for key, values in known.items() if values is not None} | {"error": self.errors}


def make_map(model: Model, samples: Samples) -> Map:
    """Place samples on a model's map.

    Parameters
    ----------
    samples : as `read` returns them, of the model's shape.

    Raises
    ------
    SpecError : for a model without a map.
    DataError : for samples of another shape, for fewer than two, and where all lie at one spot.
    """
    check_map(model)
    check_differ(model, samples)
    points, x = encode_map(model, samples.x), samples.x
    if (points == points[0]).all():
        raise DataError(
            f"a map shows how samples differ, however: this model puts all {len(points):,} of {_name(samples)} at one "
            f"spot; train one on samples such as these"
        )
    columns = model.column_names if len(model.network.shape) == 1 else None
    return Map(points, errors(model, x), x, samples.labels, samples.names, columns, samples.origin)


def check_differ(model: Model, samples: Samples) -> None:
    """Raise a DataError where there are fewer than two samples, or all are equal: they make no map."""
    x, _ = as_samples(model, samples.x)
    if len(x) < 2:
        raise DataError(f"a map shows how samples lie to each other, however: {_name(samples)} holds one; give it more")
    if all(bool((chunk == x[:1]).all()) for chunk in in_chunks(model.network, x)):
        raise DataError(
            f"a map shows how samples differ, however: all {len(x):,} of {_name(samples)} are equal; give it samples "
            f"that differ"
        )


def _name(samples: Samples) -> str:
    return samples.origin or "the data"


def write_table(path: str | Path, mapped: Map, overwrite: bool = False) -> None:
    """Write a map as a table, a row per sample: a .parquet file, else a .csv file.

    Raises DataError where the path exists or cannot be written, and for Parquet without pyarrow.
    """
    columns = mapped.table()
    check_table(path)
    with whole(path, overwrite) as temporary:
        if temporary.suffix == ".parquet":
            import pyarrow
            import pyarrow.parquet

            pyarrow.parquet.write_table(pyarrow.table(columns), temporary)
            return
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*(values.astype(str) for values in columns.values()), strict=True))


def check_table(path: str | Path) -> None:
    """Raise a DataError where a table of this ending cannot be written here.

    Examples
    --------
    >>> check_table("map.csv")
    """
    if Path(path).suffix == ".parquet" and find_spec("pyarrow") is None:
        raise DataError(f"{path} needs pyarrow; write pip install 'narrows[parquet]', or choose FILE.csv with -o")

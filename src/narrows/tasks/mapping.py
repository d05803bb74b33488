"""Samples on a map: their positions, errors, labels and names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.modelfile import Model
from narrows.tables.columns import Columns
from narrows.tasks.encode import check_map
from narrows.tasks.map_columns import MapColumn, kept_column, learned_column
from narrows.tasks.session import Session
from narrows.tasks.units import in_chunks

if TYPE_CHECKING:
    import pyarrow as pa

    from narrows.tables.noticing import Beside

LABEL = "label"


@dataclass(frozen=True, eq=False)
class Map:
    """Samples on a model's map, in the order in which they were read.

    Attributes
    ----------
    points : the positions, float32 (N, 2).
    errors : the MSE per value of each reconstruction, in model's units, float64 (N,).
    x : the samples, in the user's layout, units and type.
    labels : whole numbers or texts (N,), None where none are known.
    names : a name per sample, the relative paths of pictures, else None.
    columns : a table's column names, x0, x1, ... where it has none; None for pictures.
    origin : a short name of the data.
    samples : `x` as (N, C, *grid), in the units that the model was trained in.
    codes : of the samples, float32 (N, k).
    known : the kinds and categories of the columns, None where nobody said them.
    kept : the columns of the table that are not learned, such as ids, but for that of the labels.
    label_name : the name of the column that holds the labels; "label" for labels from elsewhere.
    """

    points: np.ndarray
    errors: np.ndarray
    x: np.ndarray
    labels: np.ndarray | None = None
    names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    origin: str = ""
    samples: Tensor | None = None
    codes: np.ndarray | None = None
    known: Columns | None = None
    kept: pa.Table | None = None
    label_name: str = LABEL

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def learned_columns(self) -> tuple[MapColumn, ...]:
        """The columns that the model learned, none for pictures."""
        if self.known is not None:
            return tuple(learned_column(column, self.x[:, j]) for j, column in enumerate(self.known.items))
        return tuple(MapColumn(name, "", self.x[:, j]) for j, name in enumerate(self.columns or ()))

    @cached_property
    def kept_columns(self) -> tuple[MapColumn, ...]:
        """The columns that are not learned."""
        kept = self.kept
        return () if kept is None else tuple(kept_column(name, kept.column(name)) for name in kept.column_names)

    def table(self) -> dict[str, np.ndarray]:
        """Return the map as columns: x and y, label and name where they are known, and error.

        The `kept` columns of a table, such as ids, are not among them.
        """
        known = {"label": self.labels, "name": None if self.names is None else np.array(self.names)}
        columns = {"x": self.points[:, 0], "y": self.points[:, 1]}
        return columns | {key: values for key, values in known.items() if values is not None} | {"error": self.errors}


def make_map(model: Model, about: Samples, session: Session | None = None, is_drawn: bool = True) -> Map:
    """Return samples on a model's map.

    Parameters
    ----------
    about : samples as `read` returns them, of the model's shape.
    session : of this model and these samples, where there is one; it saves converting and encoding them again.
    is_drawn : whether the map must show how samples lie to each other; a table of positions need not.

    Raises
    ------
    SpecError : for a model without a map.
    DataError : where it is drawn, for fewer than two samples, and where all lie at one position.
    """
    check_map(model)
    session = session or Session(model, about.x)
    if is_drawn:
        check_differ(session, about)
    errors, points = session.errors, session.points  # errors first: that pass also computes the codes
    if is_drawn and (points == points[0]).all():
        raise DataError(
            f"a map shows how samples differ, however: this model puts all {len(points):,} of {_name(about)} at one "
            f"position; train one on samples such as these"
        )
    columns = model.column_names if len(model.network.shape) == 1 else None
    known = about.labels, about.names, columns, about.origin
    kept, label_name = (None, LABEL) if about.beside is None else _split_labels(about.beside, about.labels)
    beside = model.card.table, kept, label_name
    return Map(points, errors, session.x, *known, session.samples, session.codes, *beside)


def check_differ(session: Session, about: Samples) -> None:
    """Raise a DataError where no map can be made: there are fewer than two samples, or all are equal."""
    x = session.samples
    if len(x) < 2:
        raise DataError(f"a map shows how samples lie to each other, however: {_name(about)} holds one; give it more")
    if all(bool((chunk == x[:1]).all()) for chunk in in_chunks(session.model.network, x)):
        raise DataError(
            f"a map shows how samples differ, however: all {len(x):,} of {_name(about)} are equal; give it samples "
            f"that differ"
        )


def _split_labels(beside: Beside, labels: np.ndarray | None) -> tuple[pa.Table, str]:
    """Return the columns that are not learned but for that of the labels, and the name of the latter."""
    kept = beside.kept
    if beside.label is not None and labels is not None:
        own = np.ma.asarray(labels).astype(str).tolist()  # other ones, of a file, may have taken the column's place
        for name in kept.column_names:
            if kept.column(name).equals(beside.label) and beside.label.cast("string").to_pylist() == own:
                return kept.drop_columns([name]), name
    return kept, LABEL


def _name(samples: Samples) -> str:
    return samples.origin or "the data"

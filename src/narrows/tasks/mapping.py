"""Samples on a map: their positions, errors, labels and names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.modelfile import Model
from narrows.tasks.encode import check_map
from narrows.tasks.session import Session
from narrows.tasks.units import in_chunks


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

    def __len__(self) -> int:
        return len(self.points)

    def table(self) -> dict[str, np.ndarray]:
        """Return the map as columns: x and y, label and name where they are known, and error."""
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
    return Map(points, errors, session.x, *known, session.samples, session.codes)


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


def _name(samples: Samples) -> str:
    return samples.origin or "the data"

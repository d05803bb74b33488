"""What every reader returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

    from narrows.data.axes import Axes
    from narrows.tables.columns import Columns
    from narrows.tables.noticing import Beside


@dataclass(frozen=True, eq=False)
class Samples:
    """Data in the user's layout, units and type, and what is known about it.

    Attributes
    ----------
    x : the data, one sample per entry of the first dimension; or `Crops` of pictures at full resolution.
    target : what `x` should become, arranged like `x`; None where that is `x` itself.
    labels : (N,) integers or texts, for the colours of a map and for metrics; training never sees them.
    names : a name per sample, the relative paths of pictures.
    columns : a table's column names.
    table : the kinds, categories and types of these columns.
    beside : what else belongs to the table: the columns that are not learned, and the kind of frame.
    skipped : files that could not be read, as (name, reason).
    reading : how pictures were read (size [H, W], fit, colour, depth); {} for anything else.
    notes : lines that a person should see.
    origin : a short name to show, never a full path.
    test : the name of the test split, where this is the training split of a named data set.
    groups : (N,) values of any kind; samples of one group stay on one side of the validation split.
    axes : how the axes of the user's array were arranged, where they were named; `x` is (N, H, W) or (N, H, W, C).

    Examples
    --------
    >>> Samples(np.zeros((5, 3)), labels=np.arange(5)).columns is None
    True
    """

    x: Any
    target: Any = None
    labels: np.ndarray | None = None
    names: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    table: Columns | None = None
    beside: Beside | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    reading: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    origin: str = ""
    test: str | None = None
    groups: np.ndarray | None = None
    axes: Axes | None = None

    def back(self, results: np.ndarray) -> Any:
        """Return results like `x` as the user gave them: an array arranged like theirs, or a frame of the same kind."""
        if self.beside is not None and self.beside.back is not None:
            return self.beside.back(self.as_table(results))
        return self.arrange(results)

    def arrange(self, results: np.ndarray) -> np.ndarray:
        """Return results like `x` as the user's array was arranged."""
        return results if self.axes is None else self.axes.back(results)

    def as_table(self, results: np.ndarray) -> pa.Table:
        """Return results like a table's `x` (N, D) as a table with all columns of the one that was read, in its order.

        >>> import pyarrow
        >>> from narrows.data.tables import TableOptions, read_table
        >>> samples = read_table(pyarrow.table({"n": [1, 2], "name": ["Ann", "Bob"]}), "the frame", TableOptions())
        >>> samples.as_table(samples.x + 0.2).to_pylist()
        [{'n': 1, 'name': 'Ann'}, {'n': 2, 'name': 'Bob'}]
        """
        assert self.table is not None, "the samples are of a table"
        assert self.beside is not None, "the samples are of a table"
        return self.beside.join(self.table.decode(results))

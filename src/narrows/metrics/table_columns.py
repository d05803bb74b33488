"""What is shown of a table's columns: their kinds, and how often a category is hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from narrows.modelfile import Model
from narrows.tables.column import Column

NUMERIC = ("number", "integer", "time")  # kinds whose values have a size: their errors have units
CHOSEN = ("category", "boolean")  # kinds whose values are hit or missed


@dataclass(frozen=True, eq=False)
class Hits:
    """How often a model answers with the very category of a cell; both are shares of the observed cells, in [0, 1].

    Attributes
    ----------
    right : by the position of the column; NaN where all cells are gaps.
    commonest : the same of answering the most frequent value each time.
    """

    right: dict[int, float]
    commonest: dict[int, float]


def table_columns(model: Model) -> tuple[Column, ...]:
    """Return what is known of a table's columns; those that the scaling takes for categories are of that kind.

    The categories of an array have no texts.
    """
    columns, scaling = model.columns.items, model.network.scaling
    if not scaling.has_categories:
        return columns
    ones = torch.ones(len(columns), dtype=torch.float64, device=model.network.device)
    unknown = scaling.back_deviation(ones).isnan().tolist()
    return tuple(
        replace(column, kind="category") if is_category and column.kind in NUMERIC else column
        for column, is_category in zip(columns, unknown, strict=True)
    )


def is_mixed(columns: Sequence[Column]) -> bool:
    """Return whether there are other columns than numbers.

    Examples
    --------
    >>> is_mixed([Column("a")]), is_mixed([Column("a"), Column("b", "time")])
    (False, True)
    """
    return any(column.kind not in ("number", "integer") for column in columns)


def of_kind(columns: Sequence[Column], kinds: Sequence[str]) -> list[int]:
    """Return the positions of the columns of some kinds.

    Examples
    --------
    >>> of_kind([Column("a"), Column("b", "boolean")], CHOSEN)
    [1]
    """
    return [i for i, column in enumerate(columns) if column.kind in kinds]


def come_back(columns: Sequence[Column], values: np.ndarray) -> np.ndarray:
    """Return reconstructed values (N, C), in user's units, as people get them: integers and booleans are whole.

    Examples
    --------
    >>> come_back([Column("a", "integer"), Column("b")], np.array([[1.6, 1.6]]))
    array([[2. , 1.6]])
    """
    values = values.copy()
    whole = of_kind(columns, ("integer", "category"))
    values[:, whole] = np.rint(values[:, whole])
    booleans = of_kind(columns, ("boolean",))
    values[:, booleans] = values[:, booleans] >= 0.5
    return values


def count_hits(positions: Sequence[int], x: np.ndarray, restored: np.ndarray) -> Hits:
    """Return how often reconstructions hit the categories of columns.

    Parameters
    ----------
    positions : of the columns in the table.
    x, restored : whole numbers (N, C), a column for each position; in `x` NaN for gaps, and negative for a category
        that the model never saw, which no answer hits.

    Examples
    --------
    >>> count_hits([7], np.array([[0.0], [2.0], [2.0], [2.0], [np.nan]]), np.array([[0.0], [2.0], [1.0], [1.0], [1.0]]))
    Hits(right={7: 0.5}, commonest={7: 0.75})
    """
    right, commonest = {}, {}
    for position, cells, answers in zip(positions, x.T, restored.T, strict=True):
        known = ~np.isnan(cells)
        _, counts = np.unique(cells[cells >= 0], return_counts=True)
        right[position] = float((answers[known] == cells[known]).mean()) if known.any() else np.nan
        commonest[position] = float(counts.max(initial=0) / known.sum()) if known.any() else np.nan
    return Hits(right, commonest)

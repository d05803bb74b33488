"""How the points of a map are coloured: a colour for each label, or for each step of a number."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hls_to_rgb
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from narrows.data.labels import group_labels
from narrows.errors import DataError, did_you_mean
from narrows.tables.column import UNSEEN
from narrows.tasks.map_columns import FEW, MapColumn
from narrows.tasks.mapping import LABEL, Map
from narrows.view.figure import FAINT, GAP, GREY, NOT_LABELLED, Mark, shorten_all
from narrows.view.scale import STEPS, find_edges, name_step, step_of

# Petroff, "Accessible Color Sequences for Data Visualization", 2021: ten that colour-blind people tell apart too
PALETTE = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
MARKS: tuple[Mark, ...] = ("dot", "square", "diamond")  # more groups than colours take the next mark
MAX_GROUPS = len(PALETTE) * len(MARKS)
GOLDEN = 0.6180339887  # of a turn
MAX_NAME = 14  # characters of a group's name
ERROR = "error"
OTHERS_COLOUR = "#cfc4ea"  # of a column's rare categories: pale, and no grey, which gaps have
UNKNOWN_COLOUR = "#e0218a"  # of categories that the model never saw: on light and dark ground


@dataclass(frozen=True, eq=False)
class Group:
    """Points that are drawn alike: their name, their indices, their colour and their mark."""

    name: str
    index: np.ndarray
    colour: str
    mark: Mark = "dot"


@dataclass(frozen=True, eq=False)
class Colouring:
    """The groups of a map's points.

    Attributes
    ----------
    by : what the points are grouped by, "" for one group of all.
    are_kinds : whether the groups are kinds, rather than steps of a number.
    """

    by: str
    groups: tuple[Group, ...]
    are_kinds: bool = False

    def colours(self, count: int) -> list[str]:
        """Return the colour of each of `count` points."""
        colours = [FAINT] * count
        for group in self.groups:
            for point in group.index.tolist():
                colours[point] = group.colour
        return colours


def colour(mapped: Map, by: str | None = None) -> Colouring:
    """Return how the points of a map are coloured.

    Parameters
    ----------
    by : "label" or the name of the labels' column, "error", or the name of a table's column; labels by default, where
        there are any.

    Raises DataError where the map does not hold that, and for a column of ids, see `MapColumn.can_colour`.

    Examples
    --------
    >>> points, errors = np.zeros((4, 2)), np.arange(4.0)
    >>> [group.name for group in colour(Map(points, errors, points, labels=np.array([3, 7, 7, 3]))).groups]
    ['3', '7']
    """
    if by is None and mapped.labels is None:
        return Colouring("", (Group("", np.arange(len(mapped)), PALETTE[0]),))
    if mapped.labels is not None and by in (None, LABEL, mapped.label_name):
        return _by_kind(mapped.label_name, mapped.labels)
    if by == ERROR:
        return _by_steps(by, mapped.errors)
    columns = (*mapped.learned_columns, *mapped.kept_columns)
    found = next((column for column in columns if column.name == by), None)
    if found is None:
        labels = [] if mapped.labels is None else [mapped.label_name]
        known = [*labels, ERROR, *(column.name for column in columns if column.can_colour)]
        raise DataError(f"points cannot be coloured by {by!r}; {did_you_mean(str(by), known)}")
    if not found.can_colour:
        raise DataError(
            f"points are coloured by columns that tell groups, however: {by!r} is not learned, and its values are ids, "
            f"or more than {FEW} different texts; choose another one"
        )
    return colour_column(found)


def colour_column(column: MapColumn) -> Colouring:
    """Return how points are coloured by a column: numbers and times by steps of a scale, categories as kinds.

    Of an array, of which nobody said a kind, few whole numbers are kinds.

    Examples
    --------
    >>> column = MapColumn("size", "category", np.array([1.0, 0, np.nan, -1, 0]), ("large", "small"))
    >>> [(group.name, len(group.index)) for group in colour_column(column).groups]
    [('large', 2), ('small', 1), ('unknown', 1), ('gap', 1)]
    """
    if not column.kind:
        return _by_kind(column.name, np.ma.masked_invalid(column.values), GAP)
    gaps = np.flatnonzero(np.isnan(column.values))
    rest = [Group(GAP, gaps, GREY)] if len(gaps) else []
    if column.kind != "category":
        return _by_scale(column, rest)
    unseen = np.flatnonzero(column.values == UNSEEN)
    if len(unseen):
        rest.insert(0, Group(column.unknown, unseen, UNKNOWN_COLOUR))
    known = np.ma.masked_less(np.nan_to_num(column.values, nan=UNSEEN), 0)
    places, own = group_labels(known)
    return _kinds(column.name, [column.texts[int(place)] for place in places], own, rest, OTHERS_COLOUR)


def kind_colours(count: int) -> list[str]:
    """Return a colour for each of `count` kinds: those of PALETTE, then hues that lie apart by the golden angle.

    Examples
    --------
    >>> colours = kind_colours(60)
    >>> colours[:10] == list(PALETTE), len(set(colours))
    (True, 60)
    """
    more = range(count - len(PALETTE))
    tones = [hls_to_rgb(i * GOLDEN % 1, (0.42, 0.58, 0.7)[i % 3], (0.85, 0.6)[i // 3 % 2]) for i in more]
    return [*PALETTE[:count], *("#" + "".join(f"{round(255 * part):02x}" for part in tone) for tone in tones)]


def _by_kind(by: str, values: np.ndarray, unknown: str = NOT_LABELLED) -> Colouring:
    """Return a group per value; of fractions and of too many numbers, a group per step.

    `unknown` is the name of the points whose value is masked.
    """
    kinds, own = group_labels(values)
    rest = np.flatnonzero(own < 0)
    unlabelled = [Group(unknown, rest, GREY)] if len(rest) else []
    if kinds.dtype.kind in "biuf" and (len(kinds) > MAX_GROUPS or (kinds != np.round(kinds)).any()):
        return _by_steps(by, values, unlabelled)
    return _kinds(by, [_name(kind) for kind in kinds], own, unlabelled)


def _kinds(
    by: str, kinds: Sequence[str], own: np.ndarray, rest: Sequence[Group], others_colour: str = FAINT
) -> Colouring:
    """Return a group per kind, of very many the most frequent and one of all others; `own` is -1 for the `rest`."""
    counts = np.bincount(own[own >= 0], minlength=len(kinds))
    shown = np.sort(np.argsort(-counts, kind="stable")[: MAX_GROUPS - (len(kinds) > MAX_GROUPS)]).tolist()
    names = shorten_all([printable(kinds[kind]) for kind in shown], MAX_NAME)
    groups = [Group(names[i], np.flatnonzero(own == kind), *_looks(i)) for i, kind in enumerate(shown)]
    if len(kinds) > len(shown):
        others = np.flatnonzero(~np.isin(own, [-1, *shown]))
        groups.append(Group(f"{len(kinds) - len(shown)} others", others, others_colour))
    return Colouring(by, (*groups, *rest), are_kinds=True)


def _looks(i: int) -> tuple[str, Mark]:
    return PALETTE[i % len(PALETTE)], MARKS[i // len(PALETTE)]


def _by_steps(by: str, values: np.ndarray, unlabelled: Sequence[Group] = ()) -> Colouring:
    """Return groups of about as many points each, by rising values; steps of equal width would hold too few points."""
    known = np.flatnonzero(~np.ma.getmaskarray(values))
    values = np.asarray(values[known], np.float64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, len(STEPS) + 1)))
    step = np.clip(np.searchsorted(edges, values, "right") - 1, 0, max(len(edges) - 2, 0))
    ends = list(pairwise(edges)) or [(edges[0], edges[0])]
    groups = (Group(f"{low:.3g} to {high:.3g}", known[step == i], STEPS[i]) for i, (low, high) in enumerate(ends))
    return Colouring(by, (*groups, *unlabelled))


def _by_scale(column: MapColumn, rest: Sequence[Group]) -> Colouring:
    """Return groups by rising values: one for each of few different ones, else of about as many points each."""
    known = np.flatnonzero(~np.isnan(column.values))
    values = column.values[known]
    edges = find_edges(values)
    step = np.searchsorted(edges, values, "right") - 1
    groups = []
    for i in range(len(edges)):
        own = step == i
        name = name_step(column, values[own])
        groups.append(Group(name, known[own], STEPS[step_of(i, len(edges))]))
    return Colouring(column.name, (*groups, *rest))


def _name(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def printable(text: str) -> str:
    """Return a text of the data for one line of a picture: what no font draws is a box.

    >>> printable("a\\nb")
    'a□b'
    """
    return "".join(c if c.isprintable() else "□" for c in text)

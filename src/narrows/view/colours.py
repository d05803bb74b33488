"""How the points of a map are coloured: a colour for each label, or for each step of a number."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hls_to_rgb
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from narrows.data.labels import group_labels
from narrows.errors import DataError, did_you_mean
from narrows.tasks.mapping import Map
from narrows.view.figure import FAINT, GAP, GREY, NOT_LABELLED, Mark, shorten_all

# Petroff, "Accessible Color Sequences for Data Visualization", 2021: ten that colour-blind people tell apart too
PALETTE = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
MARKS: tuple[Mark, ...] = ("dot", "square", "diamond")  # more groups than colours take the next mark
MAX_GROUPS = len(PALETTE) * len(MARKS)
# viridis (Smith and van der Walt, 2015) but for its palest end: rises in lightness, so that all see the order
STEPS = ("#440154", "#443983", "#31688e", "#21918c", "#35b779", "#90d743")
GOLDEN = 0.6180339887  # of a turn
MAX_NAME = 14  # characters of a group's name
LABEL, ERROR = "label", "error"


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
    by : "label", "error", or the name of a table's column; labels by default, where there are any.

    Raises DataError where the map does not hold that.

    Examples
    --------
    >>> points, errors = np.zeros((4, 2)), np.arange(4.0)
    >>> [group.name for group in colour(Map(points, errors, points, labels=np.array([3, 7, 7, 3]))).groups]
    ['3', '7']
    """
    if by is None and mapped.labels is None:
        return Colouring("", (Group("", np.arange(len(mapped)), PALETTE[0]),))
    by = by or LABEL
    columns = mapped.columns or ()
    if by == LABEL and mapped.labels is not None:
        return _by_kind(by, mapped.labels)
    if by == ERROR:
        return _by_steps(by, mapped.errors)
    if by in columns:
        return _by_kind(by, np.ma.masked_invalid(mapped.x[:, columns.index(by)]), GAP)
    known = [*([LABEL] if mapped.labels is not None else []), ERROR, *columns]
    raise DataError(f"points cannot be coloured by {by!r}; {did_you_mean(by, known)}")


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
    counts = np.bincount(own[own >= 0], minlength=len(kinds))
    shown = np.sort(np.argsort(-counts, kind="stable")[: MAX_GROUPS - (len(kinds) > MAX_GROUPS)]).tolist()
    names = shorten_all([_name(kinds[kind]) for kind in shown], MAX_NAME)
    groups = [Group(names[i], np.flatnonzero(own == kind), *_looks(i)) for i, kind in enumerate(shown)]
    if len(kinds) > len(shown):
        others = np.flatnonzero(~np.isin(own, [-1, *shown]))
        groups.append(Group(f"{len(kinds) - len(shown)} others", others, FAINT))
    return Colouring(by, (*groups, *unlabelled), are_kinds=True)


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


def _name(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "□" for c in text)

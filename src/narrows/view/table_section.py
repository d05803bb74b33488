"""The sections of a table's report: its columns, their correlations, and the oddest rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from narrows.metrics.correlations import rank_correlations
from narrows.metrics.evaluate import column_table, worst_columns
from narrows.metrics.reconstruction import by_scaling, in_users_units, observed_values, pick, reconstruct_tensor
from narrows.metrics.table import Cell, Table
from narrows.metrics.table_columns import NUMERIC, come_back, table_columns
from narrows.tables.column import Column
from narrows.tables.columns import Columns, find_unseen
from narrows.view.cell_texts import GAP, cell_texts
from narrows.view.charts import draw_columns
from narrows.view.correlation_map import draw_correlations
from narrows.view.figure import shorten
from narrows.view.histograms import draw_histograms, per_cent
from narrows.view.page import Page
from narrows.view.study import Study
from narrows.view.times import ticks_of

MAX_VALUES = 2**22  # cells of a table that are shown
MAX_HISTOGRAMS, MAX_PREDICTED = 24, 6
MAX_CORRELATED, MAX_PAIRED = 24, 300  # columns in the picture of correlations, and of which pairs are compared
CHANGED = 5  # pairs of columns that are listed
ODDEST, CELLS = 10, 3  # rows, and cells of each
TRIED = 12  # cells of a row, of which some may be met
MOST_NAMES = 5  # columns in a sentence
LONG = 60  # characters of a column's name in the table of them
UNSEEN_TEXT = "a category that the model never saw"
LEAST_SHARE = 0.01  # of a row's error, below which a cell does not stand out


@dataclass(frozen=True, eq=False)
class TableRows:
    """The rows of a table beside their reconstructions, in user's units.

    Attributes
    ----------
    columns : what is known of the columns.
    x, restored : (N, C), float64; NaN in `x` for gaps and for categories that the model does not know.
    """

    columns: tuple[Column, ...]
    x: np.ndarray
    restored: np.ndarray

    @property
    def varies(self) -> np.ndarray:
        """Whether there are different values in each column (C,)."""
        low, high = (np.where(np.isnan(self.x), end, self.x) for end in (np.inf, -np.inf))
        return low.min(0) < high.max(0)


def take_rows(seen: Study) -> TableRows:
    """Return the measured rows of a study, or of very wide tables some of them."""
    network = seen.model.network
    index = pick(len(seen.index), max(100, MAX_VALUES // network.values))
    samples, columns = seen.samples[torch.from_numpy(index)], table_columns(seen.model)
    restored = in_users_units(network, reconstruct_tensor(network, samples).restored)
    return TableRows(columns, observed_values(network, samples), come_back(columns, restored))


def add_columns(page: Page, seen: Study) -> None:
    """Add the errors of a table's columns, their histograms, predicted against true values, and the correlations."""
    rows, order = take_rows(seen), worst_columns(seen.model, seen.measured)
    table = column_table(seen.model, seen.measured)
    page.table(replace(table, rows=tuple((shorten(str(name), LONG), *cells) for name, *cells in table.rows)))
    page.text(_describe_gaps(seen, rows))
    page.section("The columns before and after")
    _add_histograms(page, rows, order, seen.model.columns)
    _add_predicted(page, rows, order)
    _add_correlations(page, rows, order)


def add_oddest(page: Page, seen: Study, names: Sequence[str] | None) -> None:
    """Add the rows with the largest errors, and of each the cells that stand out, as they came."""
    errors = seen.measured.errors
    oddest = np.argsort(-errors, kind="stable")[:ODDEST]
    table: list[tuple[Cell, ...]] = []
    for i, (position, cells) in enumerate(zip(oddest, _outstanding_cells(seen, oddest), strict=True)):
        error = float(errors[position])
        table.append((i + 1, seen.name(position, names), error, seen.ratio(error), cells))
    kept = "times the usual" if seen.model.card.error_quantiles else "times the median"
    heading = ("oddest", "row", "MSE", kept, "cells that stand out: value (expected value)")
    page.table(Table(f"The oddest {len(oddest)} of {seen.counted}", heading, tuple(table)))


def _outstanding_cells(seen: Study, positions: np.ndarray) -> list[str]:
    """Return the cells with the largest errors of each of some rows, in words."""
    network, samples, found = seen.model.network, seen.samples[torch.from_numpy(positions)], seen.at(positions)
    columns = table_columns(seen.model)
    costs = np.nan_to_num(by_scaling(network.scaling, network.scaling.fold, found.squares))
    near = np.unique(np.argsort(-costs, axis=1, kind="stable")[:, :TRIED])  # a table may have very many columns
    shares = costs[:, near] / costs.sum(1, keepdims=True).clip(1e-30)
    some = _named([columns[j] for j in near], seen.model.columns)
    answers = come_back(columns, in_users_units(network, found.restored))
    came, expected = (cell_texts(some, values[:, near]) for values in (observed_values(network, samples), answers))
    unseen = find_unseen(some, samples.numpy()[:, near])
    result = []
    for i, share in enumerate(shares):
        cells = (
            f"{shorten(some.names[k])}: {UNSEEN_TEXT if unseen[i, k] else shorten(came[k][i])} "
            f"({shorten(expected[k][i])})"
            for k in np.argsort(-share, kind="stable").tolist()
            if share[k] > LEAST_SHARE and (unseen[i, k] or came[k][i] not in (GAP, expected[k][i]))
        )
        result.append("; ".join(islice(cells, CELLS)) or "no single cell")
    return result


def _named(columns: Sequence[Column], known: Columns) -> Columns:
    """Return columns of which categories without texts are called by their numbers."""
    items = (replace(c, kind="number") if c.kind == "category" and not c.categories else c for c in columns)
    return replace(known, items=tuple(items))


def _describe_gaps(seen: Study, rows: TableRows) -> str:
    """Return the sentences on the gaps and on categories that the model does not know; "" where there are none."""
    gaps = np.isnan(rows.x).mean(0)
    if not gaps.any():
        return ""
    order = np.argsort(-gaps, kind="stable")[: (gaps > 0).sum()]
    shares = [f"{shorten(rows.columns[i].name)}: {per_cent(gaps[i])}" for i in order[:MOST_NAMES]]
    more = len(order) - len(shares)
    others = f"; and {more:,} other column{'s' if more != 1 else ''}" if more else ""
    words = f"Gaps count nowhere: {per_cent(gaps.mean())} of the cells ({'; '.join(shares)}{others})."
    unseen = seen.model.columns.count_unseen(seen.samples.numpy())
    if unseen:
        named = [f"{shorten(name)}: {count:,}" for name, count in islice(unseen.items(), MOST_NAMES)]
        words += f" Categories that the model never saw count as wrong answers ({'; '.join(named)})."
    return words


def _add_histograms(page: Page, rows: TableRows, order: np.ndarray, known: Columns) -> None:
    """Add the histograms of all columns in their order; of many columns those of the worst explained."""
    count = len(rows.columns)
    drawn = np.arange(count) if count <= MAX_HISTOGRAMS else np.sort(order[:MAX_HISTOGRAMS])
    shown = [rows.columns[i] for i in drawn]
    texts = cell_texts(replace(known, items=tuple(shown)), np.array([[0.0], [1.0]]).repeat(len(drawn), 1))
    columns = [
        replace(column, categories=tuple(pair)) if column.kind == "boolean" else column
        for column, pair in zip(shown, texts, strict=True)
    ]
    some = "" if len(drawn) == count else f" The {len(drawn)} of {count:,} columns that are explained worst."
    page.picture(
        "histograms.svg",
        draw_histograms(columns, rows.x[:, drawn], rows.restored[:, drawn]),
        f"Histograms of {len(drawn)} columns, of the data and of their reconstructions.",
        "How often each value occurs in the data, grey, and among the reconstructions of the same cells; of a category "
        f"the likeliest one, and beside the bars the share in the data.{some}",
    )


def _add_predicted(page: Page, rows: TableRows, order: np.ndarray) -> None:
    """Add predicted against true values of the worst columns of numbers and times that vary."""
    varies = rows.varies
    index = [i for i in order.tolist() if rows.columns[i].kind in NUMERIC and varies[i]][:MAX_PREDICTED]
    if not index:
        return
    some = pick(len(rows.x), 1000)
    names = [rows.columns[i].name for i in index]
    marks = [ticks_of(rows.columns[i]) for i in index]
    page.picture(
        "columns.svg",
        draw_columns(rows.x[np.ix_(some, index)], rows.restored[np.ix_(some, index)], names, marks),
        f"Predicted against true values of the columns {', '.join(map(shorten, names))}.",
        "The columns of numbers and times with the largest error against their own spread, in their own units. Of a "
        "perfect model all dots are on the line; of one that knows nothing they are level. Rare values far from all "
        "others are drawn at the edge.",
    )


def _add_correlations(page: Page, rows: TableRows, order: np.ndarray) -> None:
    """Add the correlations between columns of numbers, times and booleans, in the data and in the reconstructions."""
    varies = rows.varies
    fit = [i for i in order.tolist() if rows.columns[i].kind != "category" and varies[i]][:MAX_PAIRED]
    if len(fit) < 2:
        return
    fit.sort()
    x = rows.x[:, fit]
    data, made = (rank_correlations(values) for values in (x, np.where(np.isnan(x), np.nan, rows.restored[:, fit])))
    if np.isnan(made - data)[np.tril_indices(len(fit), -1)].all():
        return
    names = [rows.columns[i].name for i in fit]
    strength = np.nanmax(np.abs(np.where(np.eye(len(fit), dtype=bool), 0.0, data)), 0, initial=0.0)
    drawn = np.sort(np.argsort(-strength, kind="stable")[:MAX_CORRELATED])
    page.heading("Correlations kept")
    some = "" if len(drawn) == len(fit) else f" The {len(drawn)} columns with the strongest correlations."
    page.picture(
        "correlations.svg",
        draw_correlations([names[i] for i in drawn], data[np.ix_(drawn, drawn)], made[np.ix_(drawn, drawn)]),
        f"Rank correlations between {len(drawn)} columns, in the data and in the reconstructions.",
        "Rank correlations of numbers, times and booleans: in the data below the diagonal, in the reconstructions of "
        "the same cells above it. The larger a square, the stronger. Where all are kept, the picture is its own mirror "
        f"image.{some}",
    )
    page.table(_changed_table(names, data, made))


def _changed_table(names: Sequence[str], data: np.ndarray, made: np.ndarray) -> Table:
    """Return the pairs of columns whose correlation is most unlike that of their reconstructions."""
    second, first = np.tril_indices(len(names), -1)
    changes = np.abs(made - data)[second, first]
    known = int((~np.isnan(changes)).sum())
    listed = np.argsort(-changes, kind="stable")[: min(CHANGED, known)]  # NaN is sorted last
    rows = tuple(
        (shorten(names[i]), shorten(names[j]), _two_digits(data[i, j]), _two_digits(made[i, j]))
        for i, j in zip(first[listed].tolist(), second[listed].tolist(), strict=True)
    )
    note = f"Over {known:,} pair{'s' if known != 1 else ''} of columns a correlation changes by "
    note += f"{np.nanmean(changes):.2f} on average."
    if len(names) == MAX_PAIRED:
        note += f" The pairs are those of the {MAX_PAIRED} columns that are explained worst."
    columns = ("column", "beside", "in the data", "in the reconstructions")
    return Table("Correlations that changed most", columns, rows, note)


def _two_digits(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:.2f}"  # no minus before zero

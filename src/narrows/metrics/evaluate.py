"""Every table that a model and data allow, with the plain methods beside it.

The plain methods of a reconstruction are PCA that keeps as many numbers, and doing nothing: answering the mean.
Everything is measured in model's units, per value, and PCA's output is clamped where the model's is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from narrows.metrics.durations import show_duration
from narrows.metrics.map_table import map_table
from narrows.metrics.measured import Measured, measure
from narrows.metrics.pca_reference import describe_work, fit_pca
from narrows.metrics.reconstruction import fold_costs, take
from narrows.metrics.table import Cell, Table
from narrows.metrics.table_columns import CHOSEN, is_mixed, table_columns
from narrows.model.network import Network
from narrows.model.summary import describe_code
from narrows.modelfile import Model
from narrows.spec import shown
from narrows.tables.column import Column
from narrows.tasks.encode import has_map
from narrows.tasks.score import times_usual
from narrows.tasks.units import as_samples

NO_VERDICT = (
    "The mean is that of the very samples measured, and no PCA stands beside the model, as the training data are not "
    "known: give them as the reference."
)
MAX_WORST, MAX_BEST = 20, 10  # columns of a table that are listed


def evaluate(
    model: Model,
    x: np.ndarray,
    reference: np.ndarray,
    reference_name: str,
    labels: np.ndarray | None = None,
    reference_labels: np.ndarray | None = None,
    is_own: bool = False,
) -> list[Table]:
    """Return every table that the model and the data allow.

    Parameters
    ----------
    x : what to measure on, in the user's layout; at most 10,000 samples of it are.
    reference : what PCA is fitted on, best the training data.
    reference_name : what to call that in the notes.
    labels : of the samples of `x`, None where there are none.
    reference_labels : of the samples of the reference; None where these are those of `x`.
    is_own : whether the reference is `x` itself, as the training data are not known: PCA learns from what is measured
        then, so no errors stand beside the model's.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, _ = as_samples(model, take(x))
    components = fit_pca(model, reference)
    measured = measure(model, samples, components)
    tables = [reconstruction_table(model, measured, reference_name, is_own), error_table(model, measured.errors)]
    if len(model.network.shape) == 1:
        tables.append(column_table(model, replace(measured, pca=None) if is_own else measured))
    if has_map(model) and len(samples) > 1:
        known = None if reference_labels is None else (reference, reference_labels)
        own = None if labels is None else take(labels)
        tables.append(map_table(model, take(x), measured, own, known, reference_name))
    return tables


def reconstruction_table(model: Model, measured: Measured, reference_name: str, is_own: bool = False) -> Table:
    """Return the model's MSE beside that of PCA at the same code size and of doing nothing.

    Where the reference `is_own`, the very samples measured, there is no PCA.

    `measured` must hold a PCA. A model whose code alone does not hold a sample keeps no known number of values, so it
    stands beside doing nothing alone.
    """
    network, recipe, beside = model.network, model.card.recipe, measured.pca
    assert beside is not None
    components, nothing = beside.components, beside.nothing
    pca_kept = min(network.code_size, len(components.axes))
    found = [
        ("this model", network.code_size, measured.mse),
        ("PCA", pca_kept, beside.mse),
        ("doing nothing: the mean", 0, nothing),
    ]
    fitted = f"fitted on {components.rows:,} samples of {reference_name}."
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    if network.has_code:
        columns = ("method", "numbers kept", "MSE", "variance explained")
        found = [row for row in found if not (is_own and row[0] == "PCA")]
        rows = tuple((method, kept, mse, explained_share(mse, nothing)) for method, kept, mse in found)
        work = describe_work(network.code_size, beside.needed, len(components.axes))
        clamped = "PCA's output is clamped to the range, as the model's is." if components.limits else ""
        note = [NO_VERDICT] if is_own else [work, f"PCA and the mean are {fitted}", clamped]
    else:
        columns = ("method", "MSE", "variance explained")
        rows = tuple((method, mse, explained_share(mse, nothing)) for method, _, mse in found if method != "PCA")
        note = [f"Code: {describe_code(network)}.", f"The mean is {fitted}"]
    note.append(f"MSE per value, in units of {shown(network.texts['scaling'])}.")
    if recipe.get("was_cut"):
        done, asked = recipe["steps"], recipe["steps_asked"]
        note.append(f"Its training was cut by the cap on seconds, to {done:,} of {asked:,} steps.")
    count = f"{len(measured.errors):,} sample{'s' if len(measured.errors) != 1 else ''}"
    return Table(f"Reconstruction of {count}", columns, rows, " ".join(filter(None, note)))


def explained_share(mse: float, nothing: float) -> str:
    """Return in per cent how much smaller `mse` is than `nothing`, the MSE of answering the mean; "-" where that is 0.

    Examples
    --------
    >>> explained_share(0.02, 0.1)
    '80.0 %'
    """
    return "-" if nothing <= 0 else f"{100 * (1 - mse / nothing):.1f} %"


def error_table(model: Model, sample_errors: np.ndarray) -> Table:
    """Return quantiles of the samples' errors (N,), and how the median compares with held-out training data."""
    levels = {"least": 0.0, "median": 0.5, "95 of 100 are below": 0.95, "largest": 1.0}
    rows = tuple((name, float(np.quantile(sample_errors, level))) for name, level in levels.items())
    times = times_usual(model, sample_errors)
    note = "" if times is None else f"The median is {times:.3g} times the usual one, that of held-out training data."
    return Table("Error of single samples", ("sample", "MSE"), rows, note)


def column_table(model: Model, measured: Measured) -> Table:
    """Return the error of every column of a table against the column's own spread, the worst first.

    A category and a boolean has the share of its cells that are hit instead. Of many columns the worst and the best are
    listed.
    """
    order, beside, known = worst_columns(model, measured), measured.pca, table_columns(model)
    network, errors = model.network, [measured.value_errors] + ([beside.value_errors] if beside else [])
    variance, *mses = (fold_costs(network, costs) for costs in (measured.variance, *errors))
    error, spread = _in_own_units(network, mses[0]), _in_own_units(network, variance)
    shares = [[explained_share(*pair) for pair in zip(mse.tolist(), variance.tolist(), strict=True)] for mse in mses]
    found: dict[str, Sequence[Cell]] = {"column": model.column_names}
    if is_mixed(known):
        found["kind"] = [column.kind for column in known]
    found["error"] = [_show_deviation(*pair) for pair in zip(known, error.tolist(), strict=True)]
    found["spread"] = [_show_deviation(*pair) for pair in zip(known, spread.tolist(), strict=True)]
    if measured.hits is not None:
        found["right"] = _show_shares(measured.hits.right, len(known))
        found["most frequent"] = _show_shares(measured.hits.commonest, len(known))
    found |= dict(zip(("explained by this model", "by PCA"), shares, strict=False))
    listed = [*order[:MAX_WORST], *order[-MAX_BEST:]] if len(order) > MAX_WORST + MAX_BEST else order
    rows = tuple(tuple(cells[i] for cells in found.values()) for i in listed)
    return Table("Columns, the worst first", tuple(found), rows, _describe_columns(model, measured, error))


def _describe_columns(model: Model, measured: Measured, error: np.ndarray) -> str:
    """Return what the table of columns with the errors (C,) shows, in user's units."""
    note = "Error: root of the mean squared error. Spread: the column's standard deviation. Both in its own units"
    logarithm = ", in which the values far from all others count by their logarithm"
    note += f"{logarithm}." if model.network.scaling.shortens else "."
    if measured.hits is not None:
        note += (
            " Right: the share of cells whose likeliest category is the true one; most frequent: that of answering the"
            " most frequent one."
        )
    elif np.isnan(error).any():
        note += " '-': the scaling does not give it in units of the column."
    if len(error) > MAX_WORST + MAX_BEST:
        note += f" The worst {MAX_WORST} and the best {MAX_BEST} of {len(error):,} columns."
    return note


def worst_columns(model: Model, measured: Measured) -> np.ndarray:
    """Return the indices of a table's columns by their error over their own spread, the largest first.

    Columns that do not vary come last.
    """
    errors, variance = (fold_costs(model.network, costs) for costs in (measured.value_errors, measured.variance))
    varies = variance > 0
    return np.lexsort((-errors / np.where(varies, variance, 1.0), ~varies))


def _in_own_units(network: Network, costs: np.ndarray) -> np.ndarray:
    """Return the roots of folded costs (C,) in user's units, NaN where that cannot be said."""
    deviations = torch.from_numpy(np.sqrt(costs)).to(network.device)
    return network.scaling.back_deviation(deviations).cpu().numpy()


def _show_deviation(column: Column, value: float) -> Cell:
    if column.kind in CHOSEN or np.isnan(value):
        return "-"
    return show_duration(value) if column.kind == "time" else value


def _show_shares(shares: Mapping[int, float], count: int) -> list[Cell]:
    """Return shares by column for a table, "-" for columns that have none."""
    found = (shares.get(i, np.nan) for i in range(count))
    return ["-" if np.isnan(share) else f"{100 * share:.1f} %" for share in found]

"""The sections of a report: each adds its texts, pictures and tables to a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from narrows.metrics.evaluate import reconstruction_table
from narrows.metrics.names import name_metrics
from narrows.metrics.table import Cell, Table, show_cell
from narrows.model.summary import describe_code
from narrows.modelfile import Model
from narrows.view.charts import DAMAGED, draw_codes, draw_errors, draw_losses
from narrows.view.network_drawing import draw_network, steps
from narrows.view.page import Page
from narrows.view.pictures import as_images, draw_rows
from narrows.view.study import Studies, Study, first_of

WORST = 5  # samples, by their error
MAX_SKIPPED = 50  # files that are listed


def add_network(page: Page, model: Model, name: str = "network.svg") -> None:
    """Add the drawn network."""
    summary = "; ".join(f"{' and '.join(step.names)} {describe_shape(step.shape)}" for step in steps(model.network))
    page.picture(name, draw_network(model.network), f"The network, layer by layer: {summary}.".replace("\n", " "))
    note = describe_code(model.network).partition(": ")[2]
    page.text(f"The code is {note}." if note else "")


def add_losses(
    page: Page,
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    damaged: bool,
    published: Mapping[str, Mapping[int, float]] | None = None,
) -> None:
    """Add the loss curves of runs, see `draw_losses`; of a single epoch a sentence."""
    if not any(runs.values()):
        page.text("The history of this run is not at hand.")
        return
    if published is None and all(len(rows) == 1 for rows in runs.values()):  # a curve of one point shows nothing
        (rows,) = runs.values()
        held_out = rows[0]["val_mse"]
        how = DAMAGED if damaged else ""
        after = "" if held_out is None else f", and {show_cell(held_out)} on held-out samples after it{how}"
        page.text(f"One epoch: mean squared error {show_cell(rows[0]['train_mse'])} while the weights moved{after}.")
        return
    ends = "; ".join(
        f"{name} ends at {show_cell(rows[-1]['train_mse'])}".strip() for name, rows in runs.items() if rows
    )
    page.picture(
        "losses.svg",
        draw_losses(runs, damaged, published),
        f"Training loss per epoch: {ends}.",
        "Mean squared error per value, on a logarithmic scale. The training error is the mean over the epoch's samples "
        "while the weights move, so it lags behind; the validation error is taken after the epoch, on samples kept out "
        f"of training{DAMAGED if damaged else ''}.",
    )


def add_rows(page: Page, name: str, studies: Studies) -> None:
    """Add pictures drawn at random, and their reconstructions by each model and by PCA at the first one's code size."""
    seen = first_of(studies)
    rows = {"data": seen.drawn.x}
    for made, other in studies.items():
        rows[f"{made}\nMSE {show_cell(other.measured.mse)}"] = other.drawn.restored
    if seen.pca:
        rows[f"PCA-{seen.pca_kept}\nMSE {show_cell(seen.pca.mse)}"] = seen.pca_drawn()
    low, high = seen.limits
    words = f"{seen.count_drawn}; all on one scale, {low:g} black and {high:g} white"
    made = ", ".join(label.replace("\n", ", ") for label in list(rows)[1:])
    add_pictures(page, name, seen, rows, f"{words}, above what is made of them. {made}.", f"{words}.")


def add_comparison(page: Page, seen: Study) -> None:
    """Add the model's error beside that of the plain methods."""
    if seen.pca:
        page.table(reconstruction_table(seen.model, seen.measured, "the training data"))
    else:
        page.text(f"The mean squared error per value is {show_cell(seen.measured.mse)}, in units of {seen.units}.")


def add_codes(page: Page, codes: np.ndarray, labels: np.ndarray | None) -> None:
    """Add the codes (N, k), drawn by the two of their numbers with the largest variance."""
    page.section("The codes")
    colour = "" if labels is None else ", coloured by their labels, which training never saw"
    words = f"{len(codes):,} samples by the numbers of their code that vary most{colour}."
    page.picture("codes.svg", draw_codes(codes, labels), words, words)


def add_errors(page: Page, seen: Study, names: Sequence[str] | None) -> None:
    """Add a histogram of the samples' errors, and of pictures the worst samples by name."""
    page.section("Errors of single samples")
    errors, kept = seen.measured.errors, bool(seen.model.card.error_quantiles)
    words = f"Histogram of the errors of {len(errors):,} samples, median {show_cell(float(np.median(errors)))}."
    page.picture("errors.svg", draw_errors(errors, seen.usual if kept else None), words)
    if seen.is_table:
        return
    worst = np.argsort(-errors, kind="stable")[:WORST]
    found = seen.at(worst)
    rows = {"data": found.x, "this model": found.restored}
    alt = f"The {len(worst)} samples with the largest error above their reconstructions."
    numbers = {"data": [str(i + 1) for i in range(len(worst))]}
    add_pictures(page, "worst.svg", seen, rows, alt, "", numbers)
    columns = ("worst", "sample", "MSE", "times the usual" if kept else "times the median")
    table = tuple(
        (i + 1, seen.name(position, names), float(errors[position]), seen.ratio(errors[position]))
        for i, position in enumerate(worst)
    )
    page.table(Table(f"The worst {len(worst)} of {seen.counted}", columns, table))


def add_facts(page: Page, model: Model, skipped: Sequence[tuple[str, str]]) -> None:
    """Add the parts, data, metrics and recipe of the model as texts, and the files that were skipped."""
    page.section("The model in texts")
    card, network = model.card, model.network
    rows: list[tuple[Cell, ...]] = list(network.texts.items())
    rows += [("data", card.origin or "an array"), ("one sample", f"{describe_shape(network.shape)}, {card.dtype}")]
    rows += [(f"pictures: {key}", _reading(value)) for key, value in card.reading.items()]
    rows += [(f"MSE: {name}", value) for name, value in name_metrics(model).items()]
    page.table(Table("Parts, data and figures", ("what", "value"), tuple(rows)))
    recipe = tuple(
        (_spaced(key), _plain(value)) for key, value in card.recipe.items() if not (value is None or value is False)
    )
    if recipe:
        page.table(Table("Recipe", ("what", "value"), recipe))
    if skipped:
        more = f"The first {MAX_SKIPPED} of {len(skipped):,}." if len(skipped) > MAX_SKIPPED else ""
        title = f"Files that were skipped: {len(skipped):,}"
        page.table(Table(title, ("file", "reason"), tuple(map(tuple, skipped[:MAX_SKIPPED])), more))


def add_pictures(
    page: Page,
    name: str,
    seen: Study,
    rows: Mapping[str, np.ndarray],
    alt: str,
    caption: str,
    captions: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> None:
    """Add rows of samples, flat (n, D) and in model's units, as pictures; see `Page.picture` and `draw_rows`."""
    images = {label: as_images(seen.back(values)) for label, values in rows.items()}
    page.picture(name, draw_rows(images, seen.limits, captions), alt, caption)


def describe_shape(shape: Sequence[int]) -> str:
    """Return a shape as text.

    >>> describe_shape((1, 28, 28))
    '1×28×28'
    """
    return "×".join(map(str, shape))


def _reading(value: Any) -> str:
    return describe_shape(value) if isinstance(value, list) else "each its own" if value is None else str(value)


def _spaced(key: str) -> str:
    return key.replace("_", " ").replace("mse", "MSE")


def _plain(value: Any) -> Cell:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else "yes"

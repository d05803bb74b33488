"""The page about a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from narrows.metrics.comparison import Comparison
from narrows.metrics.names import name_held_out
from narrows.metrics.reconstruction import take
from narrows.metrics.table import show_cell
from narrows.modelfile import Model
from narrows.tasks.encode import encode
from narrows.tasks.reconstruct import learned_from_noisy, was_damaged, was_validated_damaged
from narrows.view import sections
from narrows.view.denoising_section import add_methods, add_restored
from narrows.view.map_section import add_map
from narrows.view.noise_section import add_noise, add_unlike
from narrows.view.page import Page, Report
from narrows.view.study import Study, study
from narrows.view.table_section import add_columns, add_oddest

DRAWN_CODE = 3  # numbers of a picture's code at most, for two of them to be worth drawing
MAP_SIZE = 2  # numbers of a code that is a map itself, and is drawn as one
History = Sequence[Mapping[str, Any]]


def run_report(
    model: Model,
    history: History,
    x: np.ndarray,
    *,
    x_name: str,
    reference: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    labels: np.ndarray | None = None,
    skipped: Sequence[tuple[str, str]] = (),
    comparisons: Sequence[Comparison] = (),
    reference_name: str = "the training data",
) -> Report:
    """Return the page of a run.

    Parameters
    ----------
    history : a mapping per epoch with `epoch`, `train_mse`, `val_mse` and `seconds`; empty where it is not known.
    x : the data that the page is about, in the user's layout and units; at most 10,000 samples are measured.
    x_name : "test", "validation" or "training" for a part of the training data, else the data's name.
    reference : the training data, which PCA is fitted on; None leaves PCA out.
    names, labels : of the samples of `x`.
    skipped : files that could not be read, as (name, reason).
    comparisons : with the plain denoisers; they have been run.
    reference_name : of the data on which their settings were chosen.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    seen = study(model, x, x_name, reference)
    shown = None if labels is None else take(np.asanyarray(labels))
    page = Page(f"{model.card.origin or 'data'}, {model.card.recipe.get('preset') or 'auto'}", _lead(seen, x_name))
    page.key_metrics(_key_metrics(seen, history))
    page.section("The network")
    sections.add_network(page, model)
    _add_training(page, model, history)
    _add_reconstructions(page, seen)
    add_map(page, model, take(x), shown, seen.measured.errors)
    _add_codes(page, seen, take(x), shown)
    if was_damaged(model) and not seen.is_table:
        add_restored(page, model, x)
    for i, comparison in enumerate(comparisons):
        page.section(f"Denoising {comparison.corruption}, all methods")
        add_methods(page, comparison, reference_name, f"methods-{i + 1}.svg")
    add_noise(page, {"restored": seen})
    add_unlike(page, {"this model": seen})
    sections.add_errors(page, seen, names)
    if seen.is_table:
        add_oddest(page, seen, names)
    sections.add_facts(page, model, skipped)
    return page.report()


def _add_training(page: Page, model: Model, history: History) -> None:
    page.section("Training")
    sections.add_losses(page, {"": history}, was_validated_damaged(model))
    page.text(_describe_kept(model), _describe_validation(model))
    if learned_from_noisy(model):
        page.text("The training errors are taken over the hidden pixels alone, the validation errors over all of them.")
    if model.card.recipe.get("self_supervised"):
        page.text(
            "It learned from noisy pictures alone: in the first part of training the errors are taken against the noisy"
            " values, in the second against what the network itself had made of them by then, where no pixel is hidden."
        )


def _add_reconstructions(page: Page, seen: Study) -> None:
    page.section("What comes back")
    if not seen.is_table:
        sections.add_rows(page, "reconstructions.svg", {"this model": seen})
    sections.add_comparison(page, seen)
    if seen.is_table:
        add_columns(page, seen)


def _add_codes(page: Page, seen: Study, x: np.ndarray, labels: np.ndarray | None) -> None:
    """Add the codes, unless they are a map themselves, or two of a picture's many numbers would say little."""
    network = seen.model.network
    has_few = seen.is_table or network.code_size <= DRAWN_CODE
    if network.has_code and network.code_size != MAP_SIZE and has_few:
        sections.add_codes(page, encode(seen.model, x), labels)


def _lead(seen: Study, x_name: str) -> str:
    network = seen.model.network
    trained = ", which it was trained on" if x_name == "training" else ""
    does = f"turns {math.prod(network.shape):,} numbers into {network.code_size:,} and back"
    if not network.has_code:
        does = "restores: what goes round its narrow place keeps what the code does not hold"
    return f"An autoencoder that {does}, measured on {seen.counted}{trained}."


def _key_metrics(seen: Study, history: History) -> list[tuple[str, str]]:
    network = seen.model.network
    items = [(show_cell(seen.measured.mse), f"MSE per value, {seen.counted}")]
    if network.has_code:
        items.insert(0, (f"{network.code_size:,} for {math.prod(network.shape):,}", "numbers: the code for the data"))
    if seen.pca:
        found, needed = len(seen.pca.components.axes), seen.pca.needed
        items.append((show_cell(seen.pca.mse), f"MSE of PCA with {seen.pca_kept:,} components"))
        if needed != 0:
            items.append((f"over {found:,}" if needed is None else f"{needed:,}", "PCA components do the same work"))
    if history:
        epochs = int(history[-1].get("epoch") or len(history))
        items.append((describe_seconds(history), f"training, {epochs:,} epoch{'s' if epochs != 1 else ''}"))
    return items


def _describe_kept(model: Model) -> str:
    """Return a sentence on which weights were kept; "" where it is the last ones."""
    kept, steps = (model.card.recipe.get(key) for key in ("kept_step", "steps"))
    if kept is None or kept == steps:
        return ""
    if kept:
        return f"The weights of step {kept:,} are kept: on the {name_held_out(model)} the last ones were worse."
    start = "PCA, from which training began," if model.network.backbone.starts_as_pca else "The start of training"
    return f"{start} is kept: on the {name_held_out(model)} nothing that was learned was surely better."


def _describe_validation(model: Model) -> str:
    """Return a sentence on the validation MSE of the model, where the errors of the epochs are of damaged samples."""
    mse = model.card.metrics.get("validation_mse")
    if mse is None or not was_validated_damaged(model):
        return ""
    return f"The model's validation MSE is {show_cell(mse)}: over the same samples as they are, undamaged."


def describe_seconds(history: History) -> str:
    """Return how long the epochs of a history took together, in seconds."""
    seconds = sum(row.get("seconds") or 0.0 for row in history)
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"

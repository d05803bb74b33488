"""The page about a run, and the page about the tutorial's two networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from narrows.metrics.comparison import Comparison
from narrows.metrics.evaluate import Cell, Table, describe_work, take
from narrows.modelfile import Model
from narrows.presets import PRESETS
from narrows.tasks.encode import encode
from narrows.tasks.reconstruct import was_damaged, was_validated_damaged
from narrows.view import sections
from narrows.view.denoising_section import add_methods, add_restored
from narrows.view.map_section import add_map
from narrows.view.page import Page, Report, number
from narrows.view.study import Study, study

TUTORIAL_BATCH = 20  # its losses are sums over samples divided by the number of batches
DRAWN_CODE = 3  # numbers of a picture's code up to which two of them tell enough to be drawn
MAP_SIZE = 2  # of a code that is a map
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
    x : what the model is shown on, in the user's layout and units; at most 10,000 samples are measured.
    x_name : "test", "validation" or "training" for a part of the training data, else the data's name.
    reference : the training data, which PCA learns from; None leaves PCA out.
    names, labels : of the samples of `x`.
    skipped : files that could not be read, as (name, reason).
    comparisons : with the plain denoisers, which have been run.
    reference_name : of the data on which their settings were chosen.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    seen = study(model, x, x_name, reference)
    page = Page(f"{model.card.origin or 'data'}, {model.card.recipe.get('preset') or 'auto'}", _lead(seen, x_name))
    page.figures(_key_figures(seen, history))
    page.section("The network")
    sections.add_network(page, model)
    page.section("Training")
    sections.add_losses(page, {"": history}, was_validated_damaged(model))
    page.text(_describe_kept(model))
    if model.card.recipe.get("self_supervised"):
        page.text(
            "It learned from noisy pictures alone: in the first part of training the errors are taken against the noisy"
            " values, in the second against what the network itself had made of them by then."
        )
    page.section("What comes back")
    if not seen.is_table:
        sections.add_rows(page, "reconstructions.svg", {"this model": seen})
    sections.add_comparison(page, seen)
    if seen.is_table:
        sections.add_columns(page, seen)
    own = None if labels is None else take(np.asarray(labels))
    add_map(page, model, take(x), own)
    has_others = seen.is_table or model.network.code_size <= DRAWN_CODE
    if model.network.has_code and model.network.code_size != MAP_SIZE and has_others:
        sections.add_codes(page, encode(model, take(x)), own)
    if was_damaged(model) and not seen.is_table:
        add_restored(page, model, x)
    for i, comparison in enumerate(comparisons):
        page.section(f"Denoising {comparison.corruption}, all methods")
        add_methods(page, comparison, reference_name, f"methods-{i + 1}.svg")
    sections.add_noise(page, {"restored": seen})
    sections.add_unlike(page, {"this model": seen})
    sections.add_errors(page, seen, names)
    sections.add_facts(page, model, skipped)
    return page.report()


def demo_report(
    runs: Mapping[str, tuple[Model, History]],
    x_test: np.ndarray,
    reference: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    comparison: Comparison | None = None,
    explorer: str = "",
    commands: Sequence[str] = (),
) -> Report:
    """Return the page of the tutorial's two networks.

    Parameters
    ----------
    runs : models and histories by preset, trained on the same data with the same scaling.
    x_test, reference : test and training pictures, in the user's layout and units.
    labels : of the test pictures, for the map of the first model that has one.
    comparison : of their denoising, and a third network's that was trained with noise; it has been run.
    explorer : the file of that map's page to walk in, beside this page; none where it is empty.
    commands : what to type next.

    Raises DataError for an array whose samples are not of the models' shape.
    """
    studies: dict[str, Study] = {}
    for name, (model, _) in runs.items():
        before = next(iter(studies.values()), None)
        fitted = before.pca.components if before and before.pca else None
        studies[name] = study(model, x_test, "test", reference, fitted)
    histories = {name: history for name, (_, history) in runs.items()}
    page = Page("Two autoencoders learn handwritten digits", _demo_lead(studies))
    figures = [(number(seen.measured.mse), f"MSE on test digits, {name}") for name, seen in studies.items()]
    page.figures([*figures, *((_trained(history), f"training, {name}") for name, history in histories.items())])
    page.section("The two networks")
    page.text("Each bar is as high as the values that leave its layer are many. The narrow place is the code.")
    for name, (model, _) in runs.items():
        page.heading(name)
        sections.add_network(page, model, f"network-{name}.svg")
    page.section("Training")
    damaged = any(was_validated_damaged(model) for model, _ in runs.values())
    sections.add_losses(page, histories, damaged, {name: _true_mse(name) for name in runs})
    page.text(
        "The tutorial's losses are divided by 20 here: it divides a sum over samples by the number of batches, and a "
        "batch has 20 samples, so what it prints is 20 times the mean squared error."
    )
    for name, history in histories.items():
        page.table(_published_table(name, history, studies[name].measured.mse))
    page.section("What comes back")
    sections.add_rows(page, "reconstructions.svg", studies)
    page.table(_size_table(studies))
    page.text(*(_work(name, seen) for name, seen in studies.items()))
    sections.add_noise(page, studies)
    if comparison is not None:
        page.section("Trained to denoise")
        page.text(
            "The last row is a network of the same layers that saw noise in training: from noisy to clean. Beside it "
            "are the networks above, which never did, and the plain filters, which know nothing of digits."
        )
        add_methods(page, comparison, "the training digits")
    _add_demo_map(page, runs, take(x_test), None if labels is None else take(labels), explorer)
    sections.add_unlike(page, studies)
    if commands:
        page.section("Next")
        page.text("On these models, and then on your own pictures:")
        page.commands(commands)
    return page.report()


def _add_demo_map(
    page: Page, runs: Mapping[str, tuple[Model, History]], x: np.ndarray, labels: np.ndarray | None, explorer: str
) -> None:
    """Add the map of the first of the models that has one, with a way to its page to walk in."""
    mapped = next(((name, model) for name, (model, _) in runs.items() if model.head is not None), None)
    if mapped is None:
        return
    name, model = mapped
    recipe = model.card.recipe
    add_map(page, model, x, labels)
    page.text(
        f"A small network beside {name} turns its {model.network.code_size:,} numbers into two and back. It was fitted "
        f"on the codes of {recipe['map_samples']:,} training digits in {recipe['map_seconds']:.0f} s, without their "
        f"labels; narrows map gives one to any model. The preset map draws the whole network to such places, takes "
        f"longer and parts the groups better."
    )
    if explorer:
        page.link(explorer, "Walk in this map: every digit, what the model decodes anywhere, and one to draw yourself")


def _lead(seen: Study, x_name: str) -> str:
    network = seen.model.network
    trained = ", which it was trained on" if x_name == "training" else ""
    does = f"turns {math.prod(network.shape):,} numbers into {network.code_size:,} and back"
    if not network.has_code:
        does = "restores: what goes round its narrow place keeps what the code does not hold"
    return f"An autoencoder that {does}, measured on {seen.counted}{trained}."


def _demo_lead(studies: Mapping[str, Study]) -> str:
    sizes = " and ".join(f"{seen.model.network.code_size:,}" for seen in studies.values())
    values = math.prod(next(iter(studies.values())).model.network.shape)
    return (
        f"They squeeze the {values:,} pixels of a digit through {sizes} numbers and draw it again. All digits shown "
        "are test digits, which training never saw."
    )


def _key_figures(seen: Study, history: History) -> list[tuple[str, str]]:
    network = seen.model.network
    items = [(number(seen.measured.mse), f"MSE per value, {seen.counted}")]
    if network.has_code:
        items.insert(0, (f"{network.code_size:,} for {math.prod(network.shape):,}", "numbers: the code for the data"))
    if seen.pca:
        found, needed = len(seen.pca.components.axes), seen.pca.needed
        items.append((number(seen.pca.mse), f"MSE of PCA with {seen.pca_kept:,} components"))
        items.append((f"over {found:,}" if needed is None else f"{needed:,}", "PCA components do the same work"))
    if history:
        epochs = int(history[-1].get("epoch") or len(history))
        items.append((_trained(history), f"training, {epochs:,} epoch{'s' if epochs != 1 else ''}"))
    return items


def _describe_kept(model: Model) -> str:
    """Return a sentence on weights that were kept in place of the last ones, "" where these were."""
    kept, steps = (model.card.recipe.get(key) for key in ("kept_step", "steps"))
    if kept is None or kept == steps:
        return ""
    if kept:
        return f"The weights of step {kept:,} are kept: on the validation share the last ones were worse."
    start = "PCA, from which training began," if model.network.backbone.starts_as_pca else "The start of training"
    return f"{start} is kept: on the validation share nothing that was learned was surely better."


def _trained(history: History) -> str:
    seconds = sum(row.get("seconds") or 0.0 for row in history)
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s"


def _work(name: str, seen: Study) -> str:
    if seen.pca is None:
        return ""
    said = describe_work(seen.model.network.code_size, seen.pca.needed, len(seen.pca.components.axes))
    return f"{name}: {said[0].lower()}{said[1:]}"


def _size_table(studies: Mapping[str, Study]) -> Table:
    """Return each network's error beside that of PCA that keeps as many numbers."""
    rows = tuple(
        (name, seen.model.network.code_size, seen.measured.mse, seen.pca.mse)
        for name, seen in studies.items()
        if seen.pca
    )
    note = "MSE on the test digits, pixels from 0 to 1. PCA is fitted on training digits and clamped to that range."
    return Table("At the same code size", ("network", "numbers kept", "MSE", "MSE of PCA"), rows, note)


def _true_mse(preset: str) -> dict[int, float]:
    """Return the losses that the preset's source printed as true MSEs, by epoch."""
    printed = PRESETS.get(preset, {}).get("published", {}).get("printed", {})
    return {epoch: loss / TUTORIAL_BATCH for epoch, loss in printed.items()}


def _published_table(name: str, history: History, test_mse: float) -> Table:
    """Return the tutorial's losses beside ours, epoch by epoch."""
    published, ours = _true_mse(name), {int(row["epoch"]): row for row in history}
    last = max(ours, default=0)
    rows: list[tuple[Cell, ...]] = []
    for epoch in sorted({*published, last} - {0}):
        row, true = ours.get(epoch, {}), published.get(epoch)
        cells = (true and true * TUTORIAL_BATCH, true, row.get("train_mse"), row.get("val_mse"))
        rows.append((f"{epoch}", *("–" if cell is None else f"{cell:.6f}" for cell in cells)))
    columns = ("epoch", "the tutorial printed", "its true MSE", "ours, training", "ours, validation")
    note = f"Ours at the end, on the test digits: {test_mse:.6f}."
    if published:
        note += f" The tutorial's last, on its training digits: {published[max(published)]:.6f}."
    return Table(name, columns, tuple(rows), note)

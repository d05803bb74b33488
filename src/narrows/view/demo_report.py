"""The page about the tutorial's two networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from narrows.metrics.comparison import Comparison
from narrows.metrics.pca_reference import describe_work
from narrows.metrics.reconstruction import take
from narrows.metrics.table import Cell, Table, show_cell
from narrows.modelfile import Model
from narrows.presets import PRESETS
from narrows.tasks.reconstruct import was_validated_damaged
from narrows.view import sections
from narrows.view.denoising_section import add_methods
from narrows.view.map_section import add_map
from narrows.view.noise_section import add_noise, add_unlike
from narrows.view.page import Page, Report
from narrows.view.report import History, describe_seconds
from narrows.view.study import Studies, Study, study

TUTORIAL_BATCH = 20  # samples; it prints a sum over samples divided by the number of batches
Runs = Mapping[str, tuple[Model, History]]  # by preset


def demo_report(
    runs: Runs,
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
    comparison : of how these two denoise, and a third network that was trained with noise; it has been run.
    explorer : the file of the explorer of that map, beside this page; "" for none.
    commands : what to type next.

    Raises DataError for an array whose samples are not of the models' shape.
    """
    studies = _study_all(runs, x_test, reference)
    page = Page("Two autoencoders learn handwritten digits", _lead(studies))
    errors = [(show_cell(seen.measured.mse), f"MSE on test digits, {name}") for name, seen in studies.items()]
    page.key_metrics([*errors, *((describe_seconds(h), f"training, {name}") for name, (_, h) in runs.items())])
    _add_networks(page, runs)
    _add_training(page, runs, studies)
    page.section("What comes back")
    sections.add_rows(page, "reconstructions.svg", studies)
    page.table(_size_table(studies))
    page.text(*(_work(name, seen) for name, seen in studies.items()))
    add_noise(page, studies)
    if comparison is not None:
        _add_comparison(page, comparison)
    _add_map(page, runs, take(x_test), None if labels is None else take(labels), explorer)
    add_unlike(page, studies)
    if commands:
        page.section("Next")
        page.text("On these models, and then on your own pictures:")
        page.commands(commands)
    return page.report()


def _study_all(runs: Runs, x_test: np.ndarray, reference: np.ndarray) -> dict[str, Study]:
    """Return a study of each model; PCA is fitted once."""
    studies: dict[str, Study] = {}
    for name, (model, _) in runs.items():
        before = next(iter(studies.values()), None)
        fitted = before.pca.components if before and before.pca else None
        studies[name] = study(model, x_test, "test", reference, fitted)
    return studies


def _add_networks(page: Page, runs: Runs) -> None:
    page.section("The two networks")
    page.text("Each bar is as high as the values that leave its layer are many. The narrow place is the code.")
    for name, (model, _) in runs.items():
        page.heading(name)
        sections.add_network(page, model, f"network-{name}.svg")


def _add_training(page: Page, runs: Runs, studies: Studies) -> None:
    """Add the losses, beside those that the tutorial printed."""
    page.section("Training")
    damaged = any(was_validated_damaged(model) for model, _ in runs.values())
    histories = {name: history for name, (_, history) in runs.items()}
    sections.add_losses(page, histories, damaged, {name: _true_mse(name) for name in runs})
    page.text(
        "The tutorial's losses are divided by 20 here: it divides a sum over samples by the number of batches, and a "
        "batch has 20 samples, so what it prints is 20 times the mean squared error."
    )
    for name, history in histories.items():
        page.table(_published_table(name, history, studies[name].measured.mse))


def _add_comparison(page: Page, comparison: Comparison) -> None:
    """Add how a network that was trained to denoise compares with the other two, and with the filters."""
    page.section("Trained to denoise")
    page.text(
        "The last row is a network of the same layers that saw noise in training: from noisy to clean. Beside it "
        "are the networks above, which never did, and the plain filters, which know nothing of digits."
    )
    add_methods(page, comparison, "the training digits")


def _add_map(page: Page, runs: Runs, x: np.ndarray, labels: np.ndarray | None, explorer: str) -> None:
    """Add the map of the first of the models that has one, with a link to its explorer."""
    mapped = next(((name, model) for name, (model, _) in runs.items() if model.map_head is not None), None)
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


def _lead(studies: Studies) -> str:
    sizes = " and ".join(f"{seen.model.network.code_size:,}" for seen in studies.values())
    values = math.prod(next(iter(studies.values())).model.network.shape)
    return (
        f"They squeeze the {values:,} pixels of a digit through {sizes} numbers and draw it again. All digits shown "
        "are test digits, which training never saw."
    )


def _work(name: str, seen: Study) -> str:
    if seen.pca is None:
        return ""
    said = describe_work(seen.model.network.code_size, seen.pca.needed, len(seen.pca.components.axes))
    return f"{name}: {said[0].lower()}{said[1:]}"


def _size_table(studies: Studies) -> Table:
    """Return a table of each network's error beside that of PCA at the same code size."""
    rows = tuple(
        (name, seen.model.network.code_size, seen.measured.mse, seen.pca.mse)
        for name, seen in studies.items()
        if seen.pca
    )
    note = "MSE on the test digits, pixels from 0 to 1. PCA is fitted on training digits and clamped to that range."
    return Table("At the same code size", ("network", "numbers kept", "MSE", "MSE of PCA"), rows, note)


def _true_mse(preset: str) -> dict[int, float]:
    """Return the losses that the preset's source printed, converted to MSEs, by epoch."""
    published = PRESETS[preset].published if preset in PRESETS else None
    printed = published.printed if published else {}
    return {epoch: loss / TUTORIAL_BATCH for epoch, loss in printed.items()}


def _published_table(name: str, history: History, test_mse: float) -> Table:
    """Return a table of the losses that the tutorial printed beside ours, by epoch."""
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

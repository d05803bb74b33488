"""The sections of a report: each adds its texts, pictures and tables to a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from narrows.metrics.evaluate import (
    Cell,
    Table,
    column_table,
    reconstruction_table,
    worst_columns,
)
from narrows.metrics.psnr_ssim import psnr
from narrows.model.summary import describe_code
from narrows.modelfile import Model
from narrows.tasks.reconstruct import was_damaged
from narrows.view import charts as draw
from narrows.view.page import Page, number
from narrows.view.study import Study, median_filter

WORST = 5  # samples, by their error
WORST_COLUMNS = 6
NOISE = (0.08, 0.5)  # in model's units
MAX_SKIPPED = 50  # files that are listed
Studies = Mapping[str, Study]  # by the words for what each model makes


def add_network(page: Page, model: Model, name: str = "network.svg") -> None:
    """Add the drawn network."""
    told = "; ".join(f"{' and '.join(step.names)} {_shape(step.shape)}" for step in draw.steps(model.network))
    page.picture(name, draw.draw_network(model.network), f"The network, layer by layer: {told}.".replace("\n", " "))
    note = describe_code(model.network).partition(": ")[2]
    page.text(f"The code is {note}." if note else "")


def add_losses(
    page: Page,
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    damaged: bool,
    published: Mapping[str, Mapping[int, float]] | None = None,
) -> None:
    """Add the loss curves of runs by name, see `draw_losses`."""
    if not any(runs.values()):
        page.text("The history of this run is not at hand.")
        return
    if published is None and all(len(rows) == 1 for rows in runs.values()):  # a curve of one point shows nothing
        (rows,) = runs.values()
        held_out = rows[0]["val_mse"]
        after = "" if held_out is None else f", and {number(held_out)} on held-out samples after it"
        page.text(f"One epoch: mean squared error {number(rows[0]['train_mse'])} while the weights moved{after}.")
        return
    ends = "; ".join(f"{name} ends at {number(rows[-1]['train_mse'])}".strip() for name, rows in runs.items() if rows)
    seed = ", damaged with a fixed seed" if damaged else ""
    page.picture(
        "losses.svg",
        draw.draw_losses(runs, damaged, published),
        f"Training loss per epoch: {ends}.",
        "Mean squared error per value, on a logarithmic scale. The training error is the mean over the epoch's samples "
        "while the weights move, so it lags behind; the validation error is taken after the epoch, on samples kept out "
        f"of training{seed}.",
    )


def add_rows(page: Page, name: str, studies: Studies) -> None:
    """Add the first pictures above their reconstructions by each model, and by PCA of the first one's size."""
    seen = _any(studies)
    rows = {"data": seen.first.x}
    for made, other in studies.items():
        rows[f"{made}\nMSE {number(other.measured.mse)}"] = other.first.restored
    if seen.pca:
        rows[f"PCA-{seen.pca_kept}\nMSE {number(seen.pca.mse)}"] = seen.pca_first()
    low, high = seen.limits
    words = (
        f"The first {len(seen.first.x)} {seen.words}, not chosen; all on one scale, {low:g} black and {high:g} white"
    )
    made = ", ".join(label.replace("\n", ", ") for label in list(rows)[1:])
    _add_pictures(page, name, seen, rows, f"{words}, above what is made of them. {made}.", f"{words}.")


def add_comparison(page: Page, seen: Study) -> None:
    """Add the model's error beside that of the plain methods."""
    if seen.pca:
        page.table(reconstruction_table(seen.model, seen.measured, "the training data"))
    else:
        page.text(f"The mean squared error per value is {number(seen.measured.mse)}, in units of {seen.units}.")


def add_columns(page: Page, seen: Study) -> None:
    """Add a table's columns: figures, and predicted against true values of the worst."""
    page.table(column_table(seen.model, seen.measured))
    index, some = worst_columns(seen.model, seen.measured)[:WORST_COLUMNS], seen.some()
    names = [seen.model.column_names[i] for i in index]
    true, predicted = (seen.back(values)[:, index] for values in (some.x, some.restored))
    page.picture(
        "columns.svg",
        draw.draw_columns(true, predicted, names),
        f"Predicted against true values of the columns {', '.join(names)}.",
        f"The {len(names)} columns with the largest error against their own spread, in their own units. Of a perfect "
        "model all dots are on the line; of one that knows nothing they are level.",
    )


def add_codes(page: Page, codes: np.ndarray, labels: np.ndarray | None) -> None:
    """Add the codes (N, k), by the two numbers of the largest variance."""
    page.section("The codes")
    colour = "" if labels is None else ", coloured by their labels, which training never saw"
    words = f"{len(codes):,} samples by the numbers of their code that vary most{colour}."
    page.picture("codes.svg", draw.draw_codes(codes, labels), words, words)


def add_noise(page: Page, studies: Studies) -> None:
    """Add what the models make of noise: of one picture, or of a table's rows."""
    page.section("Noise in, and what comes out")
    page.text(_noise_words(studies))
    seen = _any(studies)
    if seen.is_table:
        page.table(_noise_table(seen))
        return
    panels = [_noise_panels(studies, std) for std in NOISE]
    told = "; ".join(f"{p.title}: {p.words}".replace("\n", ", ") for row in panels for p in row[1:])
    page.picture(
        "noise.svg",
        draw.draw_panels(panels, seen.limits),
        f"One sample clean, with noise of {NOISE[0]} and of {NOISE[1]}, and restored. {told}.",
        f"The first of the {seen.words}. Noise is given in {seen.noise_units}; PSNR is against the clean picture, "
        f"over a range of {seen.data_range:g}. The median filter is the plain method, and knows nothing of the data.",
    )


def add_unlike(page: Page, studies: Studies) -> None:
    """Add what the models make of data unlike those of training: inverted pictures, or shuffled columns."""
    page.section("Data unlike those of training")
    seen = _any(studies)
    x = seen.back(seen.some().x)
    if seen.is_table:
        shuffled = np.random.default_rng(0).permuted(x, axis=0)
        page.text(
            f"Rows whose columns were shuffled, each by itself, have an error {seen.times(shuffled)} the usual. The "
            "closer to once, the less the model has learned of how the columns hang together."
        )
        return
    inverted = sum(seen.limits) - seen.back(seen.first.x)
    rows = {"data, inverted": seen.through(inverted).x}
    for made, other in studies.items():
        times = other.times(sum(other.limits) - x)
        rows[f"{made}\nerror {times} the usual"] = other.through(inverted).restored
    _add_pictures(
        page,
        "inverted.svg",
        seen,
        rows,
        f"Inverted pictures above what is made of them. {'; '.join(list(rows)[1:])}.".replace("\n", ": "),
        "The same samples, inverted. An autoencoder is only as good as its training data resemble what it gets: the "
        "error tells, and narrows says so when it reads such data.",
    )


def add_errors(page: Page, seen: Study, names: Sequence[str] | None) -> None:
    """Add the spread of the errors, and the worst samples by name."""
    page.section("Errors of single samples")
    errors, kept = seen.measured.errors, bool(seen.model.card.error_quantiles)
    words = f"Histogram of the errors of {len(errors):,} samples, median {number(float(np.median(errors)))}."
    page.picture("errors.svg", draw.draw_errors(errors, seen.usual if kept else None), words)
    worst = np.argsort(-errors, kind="stable")[:WORST]
    passed = seen.at(worst)
    if not seen.is_table:
        rows = {"data": passed.x, "this model": passed.restored}
        alt = f"The {len(worst)} samples with the largest error above their reconstructions."
        _add_pictures(page, "worst.svg", seen, rows, alt, "", [str(i + 1) for i in range(len(worst))])
    columns: tuple[str, ...] = ("worst", "sample", "MSE", "times the usual" if kept else "times the median")
    table: list[tuple[Cell, ...]] = []
    for i, place in enumerate(worst):
        row = (i + 1, seen.name(place, names), float(errors[place]), seen.ratio(errors[place]))
        table.append((*row, seen.missed(passed.squares[i])) if seen.is_table else row)
    columns += ("most of it in",) if seen.is_table else ()
    page.table(Table(f"The worst {len(worst)} of {seen.counted}", columns, tuple(table)))


def add_facts(page: Page, model: Model, skipped: Sequence[tuple[str, str]]) -> None:
    """Add what the model and its data are, in texts that build it again, and the files that were skipped."""
    page.section("The model in texts")
    card, network = model.card, model.network
    rows: list[tuple[Cell, ...]] = list(network.texts.items())
    rows += [("data", card.origin or "an array"), ("one sample", f"{_shape(network.shape)}, {card.dtype}")]
    rows += [(f"pictures: {key}", _reading(value)) for key, value in card.reading.items()]
    rows += [(_spaced(key), float(value)) for key, value in card.metrics.items()]
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


def _add_pictures(
    page: Page,
    name: str,
    seen: Study,
    rows: Mapping[str, np.ndarray],
    alt: str,
    caption: str,
    captions: Sequence[str] = (),
) -> None:
    """Add rows of flat samples (n, D) in model's units as pictures in the user's."""
    images = {label: _images(seen.back(values)) for label, values in rows.items()}
    page.picture(name, draw.draw_rows(images, seen.limits, captions), alt, caption)


def _any(studies: Studies) -> Study:
    return next(iter(studies.values()))


def _images(samples: np.ndarray) -> np.ndarray:
    return np.moveaxis(samples, 1, -1)


def _noise_words(studies: Studies) -> str:
    clean = [made for made, seen in studies.items() if not was_damaged(seen.model)]
    if not clean:
        return f"In training the input was damaged by {_any(studies).model.network.texts['corruption']}."
    if len(studies) == 1:
        return (
            "This model was trained on clean data only: it never saw noise in training, and removes only what its "
            "code has no room for."
        )
    return (
        f"Trained on clean data only: {' and '.join(clean)} never saw noise in training, and remove only what their "
        "codes have no room for. A denoising autoencoder is trained from noisy to clean."
    )


def _noise_panels(studies: Studies, std: float) -> list[draw.Panel]:
    """Return the first sample clean, damaged, restored by each model and by a median filter, with words."""
    seen = _any(studies)
    clipped = "clipped" if seen.clips else "not clipped"
    clean = seen.typed(seen.back(seen.first.x[:1]))
    noisy = seen.damage(clean, std)
    results = {f"noise {std:g}": noisy}
    for made, other in studies.items():
        results[made] = other.typed(other.back(other.through(noisy).restored))
    results["3×3 median filter"] = seen.typed(median_filter(noisy.astype(np.float64)))
    panels = [draw.Panel("clean", _images(clean)[0], _extent(clean))]
    for title, result in results.items():
        said = clipped if result is noisy else f"input {clipped}"
        words = f"{_extent(result)}\nPSNR {psnr(result, clean, seen.data_range)[0]:.1f} dB\n{said}"
        panels.append(draw.Panel(title, _images(result)[0], words))
    return panels


def _noise_table(seen: Study) -> Table:
    """Return the error of damaged rows before and after the model."""
    clean = seen.some().x
    rows = []
    for std in NOISE:
        noisy = seen.through(seen.damage(seen.back(clean), std))
        damaged, restored = (float(np.square(v - clean).mean(dtype=np.float64)) for v in (noisy.x, noisy.restored))
        rows.append((f"noise {std:g}", damaged, restored))
    note = f"MSE against the clean rows, over {len(clean):,} of them, in units of {seen.units}. Noise in "
    note += f"{seen.noise_units}, {'clipped to the range' if seen.clips else 'not clipped'}."
    return Table(
        "Noise before and after the model", ("damage", "MSE of the damaged", "MSE restored"), tuple(rows), note
    )


def _extent(samples: np.ndarray) -> str:
    """Return the shape, smallest and largest value of one picture (1, C, H, W) in words."""
    image = _images(samples)[0]
    shape = image.shape[:2] if image.shape[2] == 1 else image.shape
    return f"{_shape(shape)}, min {image.min():.3g}, max {image.max():.3g}"


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _reading(value: Any) -> str:
    return _shape(value) if isinstance(value, list) else str(value)


def _spaced(key: str) -> str:
    return key.replace("_", " ").replace("mse", "MSE")


def _plain(value: Any) -> Cell:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else "yes"

"""The sections of a report that show noise, and data unlike those of training."""

from __future__ import annotations

import numpy as np

from narrows.metrics.denoisers import median_3x3
from narrows.metrics.psnr_ssim import psnr
from narrows.metrics.reconstruction import Reconstructed
from narrows.metrics.table import Table
from narrows.tasks.reconstruct import was_damaged
from narrows.view.page import Page
from narrows.view.pictures import Panel, as_images, draw_panels
from narrows.view.sections import add_pictures, describe_shape
from narrows.view.study import Studies, Study, first_of

NOISE = (0.08, 0.5)  # standard deviations, in model's units


def add_noise(page: Page, studies: Studies) -> None:
    """Add data with noise and what the models make of them: one picture, or the errors of a table's rows."""
    page.section("Noise in, and what comes out")
    page.text(_noise_words(studies))
    seen = first_of(studies)
    if seen.is_table:
        page.table(_noise_table(seen))
        return
    panels = [_noise_panels(studies, std) for std in NOISE]
    summary = "; ".join(f"{p.title}: {p.words}".replace("\n", ", ") for row in panels for p in row[1:])
    page.picture(
        "noise.svg",
        draw_panels(panels, seen.limits),
        f"One sample clean, with noise of {NOISE[0]} and of {NOISE[1]}, and restored. {summary}.",
        f"The first of the samples above. Noise is given in {seen.noise_units}; PSNR is against the clean picture, "
        f"over a range of {seen.data_range:g}. The median filter is the plain method, and knows nothing of the data.",
    )


def add_unlike(page: Page, studies: Studies) -> None:
    """Add what the models make of data unlike those of training: inverted pictures, or shuffled columns."""
    page.section("Data unlike those of training")
    seen = first_of(studies)
    x = seen.back(seen.some().x)
    if seen.is_table:
        shuffled = np.random.default_rng(0).permuted(x, axis=0)
        page.text(
            f"Rows whose columns were shuffled, each by itself, have an error {seen.times(shuffled)} the usual. The "
            "closer to once, the less the model has learned of how the columns hang together."
        )
        return
    inverted = sum(seen.limits) - seen.back(seen.drawn.x)
    rows = {"data, inverted": seen.reconstruct(inverted).x}
    for made, other in studies.items():
        times = other.times(sum(other.limits) - x)
        rows[f"{made}\nerror {times} the usual"] = other.reconstruct(inverted).restored
    add_pictures(
        page,
        "inverted.svg",
        seen,
        rows,
        f"Inverted pictures above what is made of them. {'; '.join(list(rows)[1:])}.".replace("\n", ": "),
        "The same samples, inverted. An autoencoder is only as good as its training data resemble what it gets: the "
        "error tells, and narrows says so when it reads such data.",
    )


def _noise_words(studies: Studies) -> str:
    clean = [made for made, seen in studies.items() if not was_damaged(seen.model)]
    if not clean:
        return f"In training the input was damaged by {first_of(studies).model.network.texts['corruption']}."
    if len(studies) == 1:
        return (
            "This model was trained on clean data only: it never saw noise in training, and removes only what its "
            "code has no room for."
        )
    return (
        f"Trained on clean data only: {' and '.join(clean)} never saw noise in training, and remove only what their "
        "codes have no room for. A denoising autoencoder is trained from noisy to clean."
    )


def _noise_panels(studies: Studies, std: float) -> list[Panel]:
    """Return panels of the first drawn sample: clean, with noise, restored by each model and by a median filter."""
    seen = first_of(studies)
    clipped = "clipped" if seen.clips else "not clipped"
    clean = seen.typed(seen.back(seen.drawn.x[:1]))
    noisy = seen.damage(clean, std)
    results = {f"noise {std:g}": noisy}
    for made, other in studies.items():
        results[made] = other.typed(other.back(other.reconstruct(noisy).restored))
    results["3×3 median filter"] = seen.typed(median_3x3(noisy.astype(np.float64)))
    panels = [Panel("clean", as_images(clean)[0], _extent(clean))]
    for title, result in results.items():
        note = clipped if result is noisy else f"input {clipped}"
        words = f"{_extent(result)}\nPSNR {psnr(result, clean, seen.data_range)[0]:.1f} dB\n{note}"
        panels.append(Panel(title, as_images(result)[0], words))
    return panels


def _noise_table(seen: Study) -> Table:
    """Return the error of rows with noise, before and after the model."""
    clean = seen.some().x
    rows = []
    for std in NOISE:
        noisy = seen.reconstruct(seen.damage(seen.back(clean), std))
        scaling = seen.model.network.scaling
        damaged, restored = (Reconstructed(clean, np.nan_to_num(v), scaling).mse for v in (noisy.x, noisy.restored))
        rows.append((f"noise {std:g}", damaged, restored))
    note = f"MSE against the clean rows, over {len(clean):,} of them, in units of {seen.units}. Noise in "
    note += f"{seen.noise_units}, {'clipped to the range' if seen.clips else 'not clipped'}."
    return Table(
        "Noise before and after the model", ("damage", "MSE of the damaged", "MSE restored"), tuple(rows), note
    )


def _extent(samples: np.ndarray) -> str:
    """Return the shape, the smallest and the largest value of one picture (1, C, H, W) in words."""
    image = as_images(samples)[0]
    shape = image.shape[:2] if image.shape[2] == 1 else image.shape
    return f"{describe_shape(shape)}, min {image.min():.3g}, max {image.max():.3g}"

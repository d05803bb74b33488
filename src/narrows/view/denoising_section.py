"""The sections of a report that show how a model denoises."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np

from narrows.metrics.comparison import Comparison, Score, choose, restore
from narrows.metrics.denoisers import median_3x3
from narrows.metrics.trial import SHOWN, make_trial
from narrows.modelfile import Model
from narrows.tasks.reconstruct import learned_from_noisy
from narrows.view.page import Page
from narrows.view.pictures import as_images, draw_methods, draw_rows

DRAWN = "drawn at random with a fixed seed"
WORDS = 24  # characters in a line below a picture
RESTORED, RESTORED_VALUES = 200, 2**18  # pictures that are damaged as in training, and the values of them all


def add_restored(page: Page, model: Model, x: np.ndarray) -> None:
    """Add pictures damaged as in training, and restored by the model and by a median filter.

    Of a model that learned from noisy pictures, add such pictures as they are and restored: no clean ones are known.
    """
    page.section("Denoising")
    corruption = model.network.texts["corruption"]
    if learned_from_noisy(model):
        trial = make_trial(model, choose(x, SHOWN, RESTORED_VALUES), "none")
        rows = {"data": trial.clean, "this model": restore(model, trial.clean)}
        words = (
            f"{len(trial.clean)} pictures as they came, {DRAWN}, above what the model makes of them; no clean ones are "
            "known."
        )
        page.picture("restored.svg", draw_rows(_all_as_images(rows), trial.ends), words, words)
        return
    trial = make_trial(model, choose(x, RESTORED, RESTORED_VALUES), corruption)
    scores = [
        Score.of("damaged", trial, trial.damaged),
        Score.of("this model", trial, restore(model, trial.damaged)),
        Score.of("3×3 median", trial, trial.clamp(median_3x3(trial.damaged))),
    ]
    rows, captions = {"clean": trial.clean[trial.drawn]}, {}
    for score in scores:
        label = f"{score.method}\nPSNR {score.mean_psnr:.1f} dB"
        rows[label] = score.shown
        captions[label] = [f"{value:.1f} dB" for value in score.psnr[trial.drawn]]
    summary = "; ".join(f"{s.method} {s.mean_psnr:.1f} dB" for s in scores)
    page.picture(
        "restored.svg",
        draw_rows(_all_as_images(rows), trial.ends, captions),
        f"Pictures clean, damaged and restored. Mean PSNR: {summary}.",
        f"Damaged by {corruption} with a fixed seed, as in training. PSNR: the mean over {len(trial.clean):,} pictures "
        f"over a range of {trial.data_range:.4g}; {len(trial.drawn)} of them, {DRAWN}, are "
        f"shown with their own below. {trial.clip_rule}",
    )
    page.text("All plain filters, each at its best: narrows evaluate RUN DATA --corruption with a damage as text.")


def add_methods(page: Page, comparison: Comparison, reference_name: str, name: str = "methods.svg") -> None:
    """Add the table of a comparison that has been run, and one picture as each method restores it."""
    trial = comparison.trial
    page.table(comparison.table(reference_name))
    shown = trial.drawn[0]
    results = {"clean": (as_images(trial.clean)[shown], "")}
    for score in comparison.scores:
        results[score.method] = (
            as_images(score.shown)[0],
            f"PSNR {score.psnr[shown]:.1f} dB\n{fill(score.setting, WORDS)}".strip(),
        )
    summary = "; ".join(f"{score.method} {score.psnr[shown]:.1f} dB" for score in comparison.scores)
    page.picture(
        name,
        draw_methods(results, trial.ends),
        f"One picture, damaged by {comparison.corruption}, through all methods. PSNR: {summary}.",
        f"A measured picture, {DRAWN}, and damaged by {comparison.corruption}; PSNR is of this picture alone.",
    )


def _all_as_images(rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {label: as_images(pictures) for label, pictures in rows.items()}

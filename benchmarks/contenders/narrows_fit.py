"""narrows with the recipe of its preset, or its default: what `narrows train mnist --preset tutorial-...` runs.

`--batch-size` and `--rate` do not touch it. Its clock holds what every epoch measures on its validation share, which
the peers do not do.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from course import Course
from layers import count_parameters, finish_imports
from narrows.data.read import read
from narrows.training import Fit


def main() -> None:
    """Train with narrows and print the row."""
    course = Course("narrows", "narrows", "torch", "numpy", all_images=True)
    options = course.options
    samples = replace(read("mnist"), x=course.train, labels=None, test=None)

    @torch.no_grad()
    def restore(x: np.ndarray) -> np.ndarray:
        return fit.network.reconstruct(torch.from_numpy(x * np.float32(255))[:, None]).numpy() / 255

    preset = None if options.model == "default" else f"tutorial-{options.model}"
    finish_imports()
    course.begin()
    began = time.perf_counter()
    fit = Fit(samples, preset=preset, epochs=options.epochs, seed=options.seed, device="cpu")
    for progress in fit:
        if progress.epoch_ends and course.epoch_ends(restore):
            break
    model = fit.finish()
    wall = time.perf_counter() - began
    recipe = model.card.recipe
    course.end(
        restore,
        count_parameters(fit.network),
        f"{recipe['optimizer']}, {recipe['schedule']}, batch {recipe['batch_size']}",
        train_images=recipe["train_samples"],
        loop_seconds=recipe["seconds"],
        fit_seconds=wall,
        validation_mse=model.card.metrics.get("validation_mse"),
    )


if __name__ == "__main__":
    main()

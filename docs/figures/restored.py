"""Ten noisy digits and what the preset "denoise" makes of them, which saw noisy and clean training digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paths  # noqa: F401  benchmarks/ becomes importable
import record
from narrows.data.read import read
from narrows.metrics.psnr_ssim import psnr
from narrows.modelfile import load, save
from narrows.tasks.corrupt import corrupt
from narrows.tasks.reconstruct import denoise
from narrows.training import Fit

from experiments import Size
from noise import encode

NOISE = "gaussian(0.25)"
COUNT = 10  # the first test digits


def run_restored(size: Size, cache: Path) -> dict[str, Any]:
    """Return the row of the digits, noisy and restored, with the PSNR of each; the trained model is kept in `cache`."""
    place = cache / "denoiser.safetensors"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        fit = Fit(read(size.images("train")), preset="denoise", max_seconds=size.denoiser_seconds, device="cpu")
        save(place, fit.run())
    model, digits = load(place), size.images("test")[:COUNT]
    noisy, _ = corrupt(digits, NOISE)
    row = record.stamp() | {"of": "restored", "noise": NOISE, "texts": model.network.texts, "recipe": model.card.recipe}
    for name, x in {"noisy": noisy, "restored": denoise(model, noisy)}.items():
        row[name] = {"shown": encode(x / 255), "psnr": psnr(x[:, None], digits[:, None], 255).tolist()}
    return row

"""One default model beside the specialists and the plain methods, verb by verb, on MNIST.

python benchmarks/verbs.py            # trains all three, about ten minutes on two cores
python benchmarks/verbs.py --docs     # writes the table into README.md
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from narrows.data.read import read
from narrows.metrics.comparison import Comparison
from narrows.modelfile import Model, load, save
from narrows.tasks.encode import decode_map, encode_map, has_map
from narrows.training import Fit
from narrows.training.map_head import add_default_head, gets_map
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

import record

MODELS = {"default": None, "denoise": "denoise", "map": "map"}
NOISE = "gaussian(0.25)"
CODE = 32  # numbers of the default model's code for digits
PACKAGES = ("torch", "scikit-learn", "numpy", "narrows")
FOLDER = record.ROOT / "runs" / "verbs"
BEGIN, END = "<!-- verbs -->", "<!-- /verbs -->"


def train(preset: str | None, seed: int) -> Model:
    """Train one model as `narrows train mnist` does."""
    fit = Fit(read("mnist"), preset=preset, seed=seed, device="cpu")
    model = fit.run()
    return add_default_head(fit.training, fit.end) if gets_map(fit.training) else model


def measure(model: Model) -> dict[str, Any]:
    """Return what a model reaches on the test images, verb by verb; what it does not do is left out."""
    test, training = read("mnist:test"), read("mnist:train")
    row: dict[str, Any] = {"seconds": model.card.recipe["seconds"], "map_seconds": model.card.recipe.get("map_seconds")}
    if model.network.has_code:
        row |= {"numbers": model.network.code_size, "mse": model.card.metrics["test_mse"]}
    if has_map(model):
        began = time.perf_counter()
        points = encode_map(model, test.x)
        row["place_seconds"] = time.perf_counter() - began
        row |= measure_map(encode_map(model, training.x), points)
        row["map_mse"] = float(np.square(decode_map(model, points) / 255.0 - test.x / 255.0).mean())
    return row


def measure_map(known: np.ndarray, points: np.ndarray) -> dict[str, float]:
    """Return how often the nearest training images on a map tell a test image's digit."""
    labels, truth = (read(f"mnist:{part}").labels for part in ("train", "test"))
    return {f"{k}-NN": float(KNeighborsClassifier(k).fit(known, labels).score(points, truth)) for k in (1, 5)}


def measure_plain() -> dict[str, Any]:
    """Return what PCA reaches, fitted on all training images, its output clamped to [0, 1]."""
    known, values = (read(f"mnist:{part}").x.reshape(-1, 784) / 255.0 for part in ("train", "test"))
    row: dict[str, Any] = {}
    for key, count in (("mse", CODE), ("map_mse", 2)):
        pca = PCA(count, svd_solver="covariance_eigh").fit(known)
        points = pca.transform(values)
        row[key] = float(np.square(pca.inverse_transform(points).clip(0, 1) - values).mean())
    return row | measure_map(pca.transform(known), points)


def describe(results: dict[str, Any]) -> str:
    """Return the table."""
    rows = results["rows"]
    names = ["default", "denoise", "map", "plain"]

    def cells(key: str, show: Any) -> list[str]:
        return ["-" if rows[name].get(key) is None else show(rows[name][key]) for name in names]

    def share(value: float) -> str:
        return f"{100 * value:.1f} %"

    body = [
        ["`reconstruct`: test MSE", *cells("mse", record.small)],
        [f"`denoise`, `{NOISE}`: PSNR, dB", *cells("psnr", lambda value: f"{value:.2f}")],
        ["`map`: 1-NN", *cells("1-NN", share)],
        ["`map`: 5-NN", *cells("5-NN", share)],
        ["`map`: test MSE from two numbers", *cells("map_mse", record.small)],
        ["seconds of the steps of training", *cells("seconds", record.short)],
        ["seconds of the map head", *cells("map_seconds", record.short)],
    ]
    head = ["MNIST", "default", "`--preset denoise`", "`--preset map`", "plain"]
    note = (
        f"Reconstruction from {rows['default']['numbers']} numbers (PCA {CODE}), the preset map's from two. Denoising: "
        f"{rows['plain']['filter']}, the best of the plain filters, each at its best. k-NN: test images whose digit is "
        f"that of most of the nearest of the 60,000 training images on the map; PCA's map has two components. "
        f"Before its steps the preset map finds neighbours and places; docs/map.md has its whole time. One seed."
    )
    return f"{record.make_table(head, body)}\n\n{note}\n"


def main() -> None:
    """Train and measure, and write verbs.json and verbs.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--models", type=Path, default=FOLDER, help="where trained models are kept")
    parser.add_argument("--fresh", action="store_true", help="train and measure again")
    parser.add_argument("--docs", action="store_true", help="write the table that is there into README.md")
    options = parser.parse_args()
    path = options.results / "verbs.json"
    if options.docs:
        readme = record.ROOT / "README.md"
        before, rest = readme.read_text().split(BEGIN)
        table = describe(record.load(path))
        record.write(readme, f"{before}{BEGIN}\n{table}{END}{rest.split(END)[1]}")
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    results: dict[str, Any] = {"rows": {}, "run": record.describe_run(*PACKAGES)}
    models = {}
    for name, preset in MODELS.items():
        file = options.models / f"{name}-{options.seed}.safetensors"
        if options.fresh or not file.exists():
            print(f"training {name}", flush=True)
            save(file, train(preset, options.seed), overwrite=True)
        models[name] = load(file)
        results["rows"][name] = record.stamp() | measure(models[name])
        print(f"  {results['rows'][name]}", flush=True)
    comparison = Comparison(models, read("mnist:test").x, read("mnist:train").x, NOISE)
    scores = {score.method: score for score in comparison}
    for name in models:
        results["rows"][name]["psnr"] = scores[name].mean_psnr
    best = max((score for score in scores.values() if score.method not in models), key=lambda score: score.mean_psnr)
    results["rows"]["plain"] = record.stamp() | measure_plain() | {"psnr": best.mean_psnr, "filter": best.method}
    record.save(path, results)
    source = record.source_lines({"run": results["run"], "rows": list(results["rows"].values())})
    record.write(options.results / "verbs.md", f"# Verb by verb\n\n{describe(results)}\n{source}\n")
    print(options.results / "verbs.md")


if __name__ == "__main__":
    main()

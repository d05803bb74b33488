"""The test error of MNIST by the size of the code, beside PCA that keeps as many numbers.

python benchmarks/codes.py            # 60 seconds of training for every size
python benchmarks/codes.py --long     # and 300 seconds for 64 and 128
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
from narrows.training import Fit
from sklearn.decomposition import PCA

import mnist
import record

SIZES = (2, 8, 16, 32, 64, 128)
LONG_SIZES, LONG_SECONDS = (64, 128), 300.0
MANY_EPOCHS = 1000  # more than LONG_SECONDS hold: the seconds are the budget
PACKAGES = ("torch", "scikit-learn", "numpy", "narrows")


def measure_fit(size: int, max_seconds: float, seed: int) -> dict[str, Any]:
    """Return what narrows reaches with a code of `size` numbers and its own choice of everything else."""
    began = time.perf_counter()
    epochs = MANY_EPOCHS if max_seconds >= LONG_SECONDS else None
    options: dict[str, Any] = {"epochs": epochs, "max_seconds": max_seconds, "seed": seed, "device": "cpu"}
    fit = Fit(read("mnist"), bottleneck=f"linear({size})", **options)
    card = fit.run().card
    return {
        "test_mse": card.metrics["test_mse"],
        "validation_mse": card.metrics["validation_mse"],
        "seconds": card.recipe["seconds"],
        "wall_seconds": time.perf_counter() - began,
        "epochs": card.recipe["epochs"],
        "steps": card.recipe["steps"],
        "steps_asked": card.recipe["steps_asked"],
        "backbone": fit.plan.texts["backbone"],
        "corruption": fit.plan.texts["corruption"],
        "recipe": f"{card.recipe['optimizer']}, {card.recipe['schedule']}, batch {card.recipe['batch_size']}",
    }


def measure_pca(size: int) -> float:
    """Return the test MSE of PCA with `size` components of all training images, clamped to [0, 1]."""
    train, test = (mnist.as_values(mnist.read_images(part)).reshape(-1, 784) for part in ("train", "t10k"))
    pca = PCA(size, svd_solver="covariance_eigh").fit(train)
    restored = np.clip(pca.inverse_transform(pca.transform(test)), 0, 1)
    return float(np.square(restored - test, dtype=np.float64).mean())


def describe(results: dict[str, Any]) -> str:
    """Return the page of the results."""
    rows = sorted(results["rows"], key=lambda row: (row["max_seconds"], row["size"], row["seed"]))
    body = [
        [
            str(row["size"]),
            f"{row['max_seconds']:g}",
            record.short(row["seconds"]),
            f"{row['epochs']}",
            record.small(row["test_mse"]),
            record.small(row["pca_mse"]),
            f"{row['pca_mse'] / row['test_mse']:.2f}",
        ]
        for row in rows
    ]
    head = ["code", "seconds allowed", "trained, s", "epochs", "test MSE", "PCA's test MSE", "PCA / narrows"]
    recipes = dict.fromkeys(f"{row['backbone']}, {row['corruption']}, {row['recipe']}" for row in rows)
    return "\n".join(
        [
            "# MNIST by the size of the code",
            "",
            record.make_table(head, body),
            "",
            f"MSE per pixel in [0, 1] over the 10,000 test images, one seed. Chosen by narrows: {'; '.join(recipes)}. "
            f"PCA: scikit-learn's on all 60,000 training images, its output clamped to [0, 1].",
            "",
            record.source_lines(results),
            "",
        ]
    )


def main() -> None:
    """Measure the rows that are not there yet, and write codes.json and codes.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--max-seconds", type=float, default=60.0)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--long", action="store_true", help=f"{LONG_SIZES} with {LONG_SECONDS:g} seconds too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    path = options.results / "codes.json"
    results = record.load(path) or {"rows": []}
    results["run"] = record.describe_run(*PACKAGES)
    wanted = [(size, options.max_seconds) for size in options.sizes]
    wanted += [(size, LONG_SECONDS) for size in LONG_SIZES] if options.long else []
    for size, max_seconds in wanted:
        key = {"size": size, "max_seconds": max_seconds, "seed": options.seed}
        same = [row for row in results["rows"] if key.items() <= row.items()]
        if same and not options.fresh:
            continue
        print(f"a code of {size}, {max_seconds:g} s", flush=True)
        row = key | record.stamp() | {"threads": options.threads, "pca_mse": measure_pca(size)}
        row |= measure_fit(size, max_seconds, options.seed)
        print(f"  test MSE {row['test_mse']:.6f}, PCA {row['pca_mse']:.6f}", flush=True)
        results["rows"] = [other for other in results["rows"] if other not in same] + [row]
        record.save(path, results)
    record.write(options.results / "codes.md", describe(results))
    print(options.results / "codes.md")


if __name__ == "__main__":
    main()

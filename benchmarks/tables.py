"""The default model of tables beside PCA with as many numbers: 30 tables, three seeds, held-out rows.

    python benchmarks/tables.py --outliers FOLDER       # the X of the .npz files in it, as ADBench has them
    python benchmarks/tables.py --other FOLDER          # other tables, .npz with X or .csv of numbers: only printed

Three quarters of the rows, drawn by the seed, are given to `narrows.Autoencoder()`; it and PCA, which learns from the
same rows, are measured on the rest, in the units of the model's scaling. Rows that are measured already stay.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from narrows.data.read import read
from narrows.training import Fit
from sklearn import datasets
from sklearn.decomposition import PCA

import record

SEEDS = (0, 1, 2)
ALLOWED = 1.02  # times PCA's MSE
HARDLY = 0.1  # of the deviation of PCA's output
PACKAGES = ("torch", "numpy", "scikit-learn", "narrows")


def shipped() -> dict[str, np.ndarray]:
    """Return the tables that come with scikit-learn."""
    names = ("iris", "wine", "breast_cancer", "digits", "diabetes", "linnerud")
    return {name: getattr(datasets, f"load_{name}")().data for name in names}


def made() -> dict[str, np.ndarray]:
    """Return four tables of a seed: heavy tails, one mistyped cell, whole numbers, a hundred rows."""
    random = np.random.default_rng(0)
    hidden = np.tanh(random.normal(size=(2000, 4)) @ random.normal(size=(4, 48))) @ random.normal(size=(48, 20)) / 5
    noisy = hidden + 0.1 * random.normal(size=hidden.shape)
    heavy = np.sign(noisy) * np.expm1(1.5 * np.abs(noisy))
    heavy[:, :5] = random.standard_t(1.5, size=(2000, 5))

    x, y = random.normal(size=(2, 340))
    noise = 0.1 * random.normal(size=(2, 340))
    mistyped = np.stack([x, y, x**2 + noise[0], np.sin(2 * y) + noise[1]], 1) + 5
    mistyped[17, 2] *= 1e3

    whole = random.poisson(np.abs(random.gamma(2, size=(1500, 3)) @ random.normal(size=(3, 12))) * 3)

    z = random.normal(size=(100, 3))
    mixed = z @ random.normal(size=(3, 5)) + 0.3 * random.normal(size=(100, 5))
    hundred = np.concatenate([z, mixed, z**2 + 0.2 * random.normal(size=(100, 3))], 1)
    return {"heavy tails": heavy, "one wild cell": mistyped, "whole numbers": whole, "100 rows": hundred}


def from_folder(folder: Path) -> dict[str, np.ndarray]:
    """Return the tables of a folder by their names."""
    tables = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".npz":
            tables[path.stem] = np.load(path, allow_pickle=True)["X"]
        elif path.suffix == ".csv":
            tables[path.stem] = read(path).x
    return tables


def split(x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return three quarters of the rows, and the rest."""
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order[: len(x) * 3 // 4]], x[order[len(x) * 3 // 4 :]]


def measure(x: np.ndarray, seed: int) -> dict[str, Any]:
    """Return how the default model and PCA do on held-out rows of a table."""
    given, rest = split(x, seed)
    began = time.perf_counter()
    fit = Fit(read(given), seed=seed, device="cpu")
    network = fit.run().network
    seconds = time.perf_counter() - began

    def scaled(rows: np.ndarray) -> torch.Tensor:
        return network.scaling(torch.from_numpy(rows))

    wanted = scaled(rest).numpy()
    restored = network.in_blocks(lambda rows: network.restore(rows), scaled(rest)).numpy()
    pca = PCA(network.code_size).fit(scaled(given).double().numpy())
    plain = pca.inverse_transform(pca.transform(wanted))
    usual, found = plain.std(0), restored.std(0)
    varies = (wanted.std(0) > 1e-6) & (usual > 1e-3)
    return {
        "rows": len(x),
        "columns": x.shape[1],
        "code": network.code_size,
        "mse": float(np.square(restored - wanted, dtype=np.float64).mean()),
        "pca_mse": float(np.square(plain - wanted).mean()),
        "median_error": float(np.median(np.abs(restored - wanted))),
        "pca_median_error": float(np.median(np.abs(plain - wanted))),
        "hardly_varying": int((varies & (found < HARDLY * usual)).sum()),
        "kept_step": fit.training.snapshots.kept_step,
        "steps": fit.training.last.step,
        "texts": fit.plan.texts,
        "optimizer": repr(fit.plan.optimizer),
        "batch_size": fit.plan.batch_size,
        "seconds": seconds,
    }


def describe(results: dict[str, Any]) -> str:
    """Return the page of the results."""
    rows = results["rows"]
    names = list(dict.fromkeys(row["table"] for row in rows))
    body = []
    for name in names:
        own = [row for row in rows if row["table"] == name]
        first = own[0]
        body.append(
            [
                name,
                f"{first['rows']:,} x {first['columns']:,}",
                f"{first['code']}",
                record.small(statistics.median(row["mse"] for row in own)),
                record.small(statistics.median(row["pca_mse"] for row in own)),
                record.spread((row["mse"] / row["pca_mse"] for row in own), lambda ratio: f"{ratio:.3f}"),
                f"{statistics.median(row['median_error'] / row['pca_median_error'] for row in own):.2f}",
                f"{sum(row['kept_step'] == 0 for row in own)} of {len(own)}",
                record.short(statistics.median(row["seconds"] for row in own)),
            ]
        )
    ratios = [row["mse"] / row["pca_mse"] for row in rows]
    robust = [row["median_error"] / row["pca_median_error"] for row in rows]
    fell = sum(row["kept_step"] == 0 for row in rows)
    lines = [
        "# The default model of tables beside PCA",
        "",
        f"{len(names)} tables, {len(rows)} fits. MSE over PCA's: median {statistics.median(ratios):.3f}, largest "
        f"{max(ratios):.3f}; above {ALLOWED} in {sum(ratio > ALLOWED for ratio in ratios)} fits. Median error over "
        f"PCA's: median {statistics.median(robust):.3f}. The start, PCA, was kept in {fell} fits "
        f"({100 * fell / len(rows):.0f} %). Columns whose output hardly varies: "
        f"{sum(row['hardly_varying'] for row in rows)}.",
        "",
        record.make_table(
            (
                "table",
                "rows x columns",
                "code",
                "MSE",
                "PCA's MSE",
                "MSE / PCA's",
                "median error / PCA's",
                "PCA kept",
                "s",
            ),
            body,
        ),
        "",
        "MSE per cell of held-out rows, a quarter of the table, in units of the model's scaling, `robust(tail=4.0)`: "
        "medians over the seeds; of the ratio also the least and the largest. Median error: the median over cells of "
        "the absolute error, which a few cells do not rule. PCA keeps as many numbers and learns from the same three "
        "quarters; the model keeps a tenth of these out to choose its weights by. PCA kept: fits whose weights are "
        "those of the start. Seconds of the whole fit, one thread.",
        "",
        record.source_lines(results),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what is not measured yet, and write the results and their page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outliers", type=Path, help="a folder of .npz tables, beside those that are shipped and made")
    parser.add_argument("--other", type=Path, help="a folder of other tables, measured alone and printed, not recorded")
    parser.add_argument("--fresh", action="store_true", help="measure all anew")
    given = parser.parse_args()
    torch.set_num_threads(1)
    path = record.RESULTS / "tables.json"
    if given.other:
        tables, results = from_folder(given.other), {"run": record.describe_run(*PACKAGES), "rows": []}
    else:
        tables = (from_folder(given.outliers) if given.outliers else {}) | shipped() | made()
        results = {} if given.fresh else record.load(path)
        results = {"run": record.describe_run(*PACKAGES), "rows": results.get("rows", [])}
    known = {(row["table"], row["seed"]) for row in results["rows"]}
    for name, x in tables.items():
        for seed in SEEDS:
            if (name, seed) in known:
                continue
            row = {"table": name, "seed": seed} | record.stamp() | measure(np.asarray(x), seed)
            results["rows"].append(row)
            ratio = row["mse"] / row["pca_mse"]
            print(
                f"{name}, seed {seed}: {ratio:.3f} of PCA's MSE, step {row['kept_step']}, {row['seconds']:.1f} s",
                flush=True,
            )
            if not given.other:
                record.save(path, results)
    page = describe(results)
    print(page)
    if not given.other:
        record.write(path.with_suffix(".md"), page)


if __name__ == "__main__":
    main()

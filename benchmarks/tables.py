"""The default model of tables beside PCA with as many numbers: 34 tables, three seeds, held-out rows.

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


def mixed() -> dict[str, tuple[np.ndarray, str]]:
    """Return four tables of numbers and categories with gaps, of a seed, and the kinds of their columns."""
    random = np.random.default_rng(0)
    wine, cancer = datasets.load_wine(), datasets.load_breast_cancer()
    whole = {"wine and its class": (np.column_stack([wine.data[:, :6], wine.target, wine.data[:, 6:]]), "n6 c3 n7")}
    steps = cancer.data.copy()
    for j in range(0, 30, 5):
        steps[:, j] = np.searchsorted(np.quantile(steps[:, j], (0.25, 0.5, 0.75)), steps[:, j])
    whole["breast_cancer in steps"] = np.column_stack([steps, cancer.target]), "c4 n4 " * 6 + "c2"
    diabetes = datasets.load_diabetes(scaled=False).data
    diabetes[:, 1] -= 1
    whole["diabetes and sex"] = diabetes, "n1 c2 n8"

    hidden = np.tanh(random.normal(size=(2000, 4)) @ random.normal(size=(4, 40))) @ random.normal(size=(40, 24)) / 4
    numbers = hidden[:, :8] + 0.2 * random.normal(size=(2000, 8))
    numbers[:, 0], numbers[:, 1] = np.expm1(numbers[:, 0]), np.round(3 * numbers[:, 1])
    kinds = [hidden[:, i : i + k] + random.gumbel(size=(2000, k)) / 4 for i, k in ((8, 2), (10, 3), (13, 5), (18, 6))]
    whole["people"] = np.column_stack([numbers, *(scores.argmax(1) for scores in kinds)]), "n8 c2 c3 c5 c6"
    return {name: (np.where(random.random(x.shape) < 0.15, np.nan, x), kinds) for name, (x, kinds) in whole.items()}


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


def measure(x: np.ndarray, seed: int, kinds: str | None = None) -> dict[str, Any]:
    """Return how the default model and PCA do on held-out rows of a table; `kinds` are those of mixed columns."""
    given, rest = split(x, seed)
    began = time.perf_counter()
    fit = Fit(read(given), seed=seed, device="cpu", scaling=None if kinds is None else f"columns({kinds!r})")
    network = fit.run().network
    seconds = time.perf_counter() - began
    scaling = network.scaling

    def filled(rows: torch.Tensor) -> np.ndarray:
        return scaling.fill(rows).double().numpy()

    def mse(output: np.ndarray) -> float:
        return scaling.mean_squares(torch.from_numpy(output).double(), wanted.double()).mean().item()

    wanted = scaling(torch.from_numpy(rest))
    restored = network.in_blocks(network.restore, wanted).numpy()
    pca = PCA(network.code_size).fit(filled(scaling(torch.from_numpy(given))))
    plain = scaling.clamp(torch.from_numpy(pca.inverse_transform(pca.transform(filled(wanted))))).numpy()
    usual, found = plain.std(0), restored.std(0)
    varies = (filled(wanted).std(0) > 1e-6) & (usual > 1e-3)
    return {
        "rows": len(x),
        "columns": x.shape[1],
        "code": network.code_size,
        "mse": mse(restored),
        "pca_mse": mse(plain),
        "median_error": float(np.nanmedian(np.abs(restored - wanted.numpy()))),
        "pca_median_error": float(np.nanmedian(np.abs(plain - wanted.numpy()))),
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
        "MSE per cell of held-out rows, a quarter of the table, in units of the model's scaling, `robust(tail=4.0)`; "
        "for the last four, with gaps and categories, `columns`: of a category the Brier score, of a gap nothing; "
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
        tables = tables | mixed()
    known = {(row["table"], row["seed"]) for row in results["rows"]}
    for name, table in tables.items():
        x, kinds = table if isinstance(table, tuple) else (table, None)
        for seed in SEEDS:
            if (name, seed) in known:
                continue
            row = {"table": name, "seed": seed} | record.stamp() | measure(np.asarray(x), seed, kinds)
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

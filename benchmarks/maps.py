"""Maps of MNIST in two dimensions: narrows beside a plain autoencoder, PCA, t-SNE and UMAP, in one run.

    python benchmarks/maps.py --seeds 5                     # narrows and UMAP in turn, five times, the others once
    python benchmarks/maps.py --toy --results /tmp/toy      # a few images: does it all run?
    python benchmarks/maps.py --methods narrows umap        # some of them

A row is written as soon as it is measured, and not measured again when it is there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import record

SCRIPT = Path(__file__).resolve().parent / "contenders" / "map_method.py"
POINTS = record.ROOT / "runs" / "maps"  # not in git: what the guide's pictures are drawn from
METHODS = {  # by the name in the results: what the table calls it
    "narrows": "narrows, preset map",
    "autoencoder": "plain autoencoder, linear(2) in the same preset",
    "pca": "PCA",
    "tsne": "t-SNE (openTSNE)",
    "umap": "UMAP (umap-learn)",
}
FIGURES = {  # by the key of a row: the head of the column
    "1-NN": "1-NN, %",
    "5-NN": "5-NN, %",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "V-measure": "V-measure",
    "silhouette": "silhouette",
    "test_mse": "test MSE",
    "fit_seconds": "fit, s",
    "place_seconds": "placing, s",
}
REPEATED = ("narrows", "umap")  # whose times are compared, in turn, as the machine's speed comes and goes
TOY = ("--images", "6000", "1000", "--max-seconds", "10")
PACKAGES = ("narrows", "torch", "numpy", "scikit-learn", "openTSNE", "umap-learn")
Row = dict[str, Any]


def spawn(method: str, seed: int, options: argparse.Namespace) -> Row:
    """Run a method in a process of its own and return its row."""
    row: Row = {"method": method, "seed": seed, "threads": options.threads} | record.stamp()
    folder = (options.results if options.toy else POINTS) / f"{method}-{seed}"
    command = [sys.executable, str(SCRIPT), "--method", method, "--seed", str(seed), "--folder", str(folder)]
    command += ["--threads", str(options.threads)] + ([*TOY] if options.toy else [])
    limits = {f"{library}_NUM_THREADS": str(options.threads) for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    done = subprocess.run(command, env=os.environ | limits, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{method}, seed {seed}:\n{done.stderr[-3000:]}")
    return row | json.loads(done.stdout.splitlines()[-1])


def describe(results: Row) -> str:
    """Return the page of the results."""
    rows = results["rows"]
    body = []
    for method, name in METHODS.items():
        mine = [row for row in rows if row["method"] == method]
        if mine:
            cells = [record.spread((row[key] for row in mine if row[key] is not None), shown(key)) for key in FIGURES]
            body.append([name, str(len(mine)), *cells])
    first = rows[0]
    recipes = dict.fromkeys(f"{METHODS[row['method']]}: {row['recipe']}" for row in rows)
    lines = ["# MNIST in two dimensions", "", record.make_table(["method", "runs", *FIGURES.values()], body), ""]
    lines += [
        f"Fitted on {first['train_images']:,} images, {first['test_images']:,} test images placed; median (least to "
        "largest) over the runs, which differ in their seed or, of UMAP, in chance. 1-NN and 5-NN: test images whose "
        "label is that of most of the nearest training images on the map. Trustworthiness and continuity: of the first "
        "10,000 training images, k = 5. V-measure and silhouette: of k-means with ten clusters on the test images' "
        "points, the silhouette on 5,000 of them. MSE per pixel in [0, 1], from the two numbers alone; t-SNE has no "
        "way back, and umap-learn's own takes far too long for 10,000 images. Seconds: with the images as bytes in "
        "memory, imports and compilation not counted; narrows measures its validation share within them.",
        "",
        *(f"- {recipe}." for recipe in recipes),
        "",
        record.source_lines(results),
        "",
    ]
    return "\n".join(lines)


def shown(key: str) -> Any:
    """Return what writes a figure of that key."""
    if key.endswith("-NN"):
        return lambda value: f"{100 * value:.2f}"
    if key.endswith("seconds"):
        return record.short
    return record.small if key == "test_mse" else lambda value: f"{value:.3f}"


def main() -> None:
    """Measure the rows that are not there yet, and write maps.json and maps.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=1, help="of narrows, and runs of UMAP; the others run once")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument("--toy", action="store_true", help="few images: does it all run?")
    options = parser.parse_args()
    options.results = options.results.resolve()
    if options.toy and options.results == record.RESULTS:
        parser.error("--toy needs --results FOLDER, since its figures mean nothing")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])  # its processes inherit that
    path = options.results / "maps.json"
    results = record.load(path) or {"rows": []}
    results["run"] = record.describe_run(*PACKAGES)
    wanted = [
        (method, seed) for seed in range(options.seeds) for method in options.methods if seed == 0 or method in REPEATED
    ]
    for method, seed in wanted:
        same = [row for row in results["rows"] if (row["method"], row["seed"]) == (method, seed)]
        if same and not options.fresh:
            continue
        print(f"{METHODS[method]}, seed {seed}", flush=True)
        row = spawn(method, seed, options)
        told = ", ".join(f"{head} {shown(key)(row[key])}" for key, head in FIGURES.items() if row[key] is not None)
        print(f"  {told}", flush=True)
        results["rows"] = [other for other in results["rows"] if other not in same] + [row]
        record.save(path, results)
    record.write(options.results / "maps.md", describe(results))
    print(options.results / "maps.md")


if __name__ == "__main__":
    main()

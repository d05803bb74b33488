"""The share of the machine's matrix products that narrows' training of the linear network uses.

    python benchmarks/peak.py

Every repeat times the network's five products of a step (two forwards, three backwards) alone, in float32 and in
bfloat16, and then trains the preset tutorial-linear as `Fit` does by default.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from narrows.data.read import read
from narrows.training import Fit
from torch import Tensor

import record

WIDTH, CODE = 784, 128
PRODUCTS = 5  # of a step: two forwards, and all backwards but the gradient by the input
BATCH_SIZE = 256  # the products are timed at this size, and at narrows' where that is another
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
SECONDS = 1.0  # that a timing of products takes at least
PACKAGES = ("torch", "numpy", "narrows")


class Products:
    """The five products of a step on a batch, with nothing else: no bias, no activation, no new memory."""

    def __init__(self, batch_size: int, dtype: torch.dtype) -> None:
        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape).to(dtype)

        self.flops = PRODUCTS * 2 * batch_size * WIDTH * CODE
        x, dy = draw(batch_size, WIDTH), draw(batch_size, WIDTH)
        z, dz = draw(batch_size, CODE), draw(batch_size, CODE)
        encoder, decoder = draw(CODE, WIDTH), draw(WIDTH, CODE)  # as nn.Linear holds them
        pairs = [(x, encoder.t()), (z, decoder.t()), (dy.t(), z), (dy, decoder), (dz.t(), x)]
        self.pairs = [(a, b, torch.empty(a.shape[0], b.shape[1], dtype=dtype)) for a, b in pairs]

    def measure(self, seconds: float) -> float:
        """Return GFLOP/s over at least `seconds`, after a warm-up."""
        self._run(3)
        times, began = 0, time.perf_counter()
        while (now := time.perf_counter()) - began < seconds:
            self._run(5)
            times += 5
        return times * self.flops / (now - began) / 1e9

    def _run(self, times: int) -> None:
        for _ in range(times):
            for a, b, out in self.pairs:
                torch.mm(a, b, out=out)


def train(images: int | None, seed: int) -> dict[str, Any]:
    """Return what an epoch of narrows' default training of the linear preset takes, and how fast it computes."""
    samples = read("mnist")
    samples = replace(samples, x=samples.x[:images], labels=None, test=None)
    fit = Fit(samples, preset="tutorial-linear", seed=seed, device="cpu")
    recipe = fit.run().card.recipe
    seconds = statistics.median(row["seconds"] for row in fit.history)
    forward = 2 * 2 * WIDTH * CODE  # of a validation image: two products
    training = PRODUCTS * 2 * WIDTH * CODE * recipe["train_samples"]
    return {
        "batch_size": recipe["batch_size"],
        "epochs": len(fit.history),
        "train_samples": recipe["train_samples"],
        "epoch_seconds": seconds,
        "gflops": training / seconds / 1e9,
        "gflops_with_validation": (training + forward * recipe["validation_samples"]) / seconds / 1e9,
    }


def describe(results: dict[str, Any]) -> str:
    """Return the page of the results."""
    rows = results["rows"]
    mine = [row["narrows"] for row in rows]
    body = [["narrows, tutorial-linear", "", record.spread((row["gflops"] for row in mine), record.short), "", ""]]
    for key in rows[0]["products"]:
        dtype, batch_size = key.split()
        speeds = [row["products"][key] for row in rows]
        shares = [100 * row["narrows"]["gflops"] / row["products"][key] for row in rows]
        with_validation = [100 * row["narrows"]["gflops_with_validation"] / row["products"][key] for row in rows]
        body.append(
            [
                f"products alone, {dtype}",
                batch_size,
                record.spread(speeds, record.short),
                record.spread(shares, record.short),
                record.spread(with_validation, record.short),
            ]
        )
    epoch = record.spread((row["epoch_seconds"] for row in mine), record.short)
    head = ["what", "batch", "GFLOP/s", "narrows' share of it, %", "its validation counted too, %"]
    return "\n".join(
        [
            "# How much of the machine's matrix products training uses",
            "",
            record.make_table(head, body),
            "",
            f"Median (least to largest) of {len(rows)} repeats, products and training taking turns. narrows: "
            f"{PRODUCTS} x 2 x {WIDTH} x {CODE} operations for each of {mine[-1]['train_samples']:,} training images, "
            f"over the median epoch of each repeat, {epoch} s; that epoch ends with measuring the validation share, "
            f"whose forward products the last column counts too. Batches of {mine[-1]['batch_size']}.",
            "",
            record.source_lines(results),
            "",
        ]
    )


def main() -> None:
    """Measure, and write peak.json and peak.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--toy", action="store_true", help="few images, one repeat: does it run?")
    options = parser.parse_args()
    if options.toy and options.results == record.RESULTS:
        parser.error("--toy needs --results FOLDER, since its figures mean nothing")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    images, seconds, repeats = (3000, 0.05, 2) if options.toy else (None, SECONDS, options.repeats)
    batch_size = train(3000 if options.toy else 60_000, 0)["batch_size"]  # and a warm-up
    sizes = sorted({BATCH_SIZE, batch_size})
    products = {f"{name} {size}": Products(size, dtype) for name, dtype in DTYPES.items() for size in sizes}
    results: dict[str, Any] = {"run": record.describe_run(*PACKAGES), "threads": options.threads, "rows": []}
    for repeat in range(repeats):
        row = record.stamp()
        row["products"] = {key: product.measure(seconds) for key, product in products.items()}
        row["narrows"] = train(images, repeat)
        results["rows"].append(row)
        record.save(options.results / "peak.json", results)
        print(f"repeat {repeat + 1}: {row['products']}, narrows {row['narrows']['gflops']:.1f} GFLOP/s", flush=True)
    path = options.results / "peak.md"
    record.write(path, describe(results))
    print(path)


if __name__ == "__main__":
    main()

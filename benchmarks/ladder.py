"""Where the factor comes from: from the tutorial's loop to narrows' default, one change at a time, on the linear net.

    python benchmarks/ladder.py

Every rung keeps what the rung above it changed. Its epochs are fixed beforehand, with seed 0: the fewest of a short
list after which the validation MSE is at the target. Then it is trained with other seeds, and the test images are read
once, at the end. Rungs in bfloat16 stand apart, since they need a processor that has it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from narrows.data.layout import to_samples
from narrows.data.read import read
from narrows.data.stream import Stream
from narrows.model import Network
from narrows.model.initialise import initialise
from narrows.model.network import as_tensor
from narrows.presets import PRESETS
from narrows.spec import build
from narrows.training import Budget, Phase, train
from narrows.training.choose import SCHEDULE
from narrows.training.optim import OPTIMIZERS, SCHEDULES
from narrows.training.phase import has_fast_bfloat16

import mnist
import record

TARGET = mnist.TARGETS["linear"]
HELD_OUT = 6000
START = 1024  # samples that the start is set by
PARTS = ("backbone", "bottleneck", "corruption", "loss", "scaling")
PACKAGES = ("torch", "numpy", "narrows")


@dataclass(frozen=True)
class Rung:
    """A way to train: what changed, and everything that holds from here on."""

    change: str
    optimizer: str = "adam(0.001)"
    schedule: str = "constant()"
    batch_size: int = 20
    start: bool = False
    bfloat16: bool = False
    epochs: tuple[int, ...] = (20,)


def make_rungs() -> list[Rung]:
    """Return the rungs below the loop as published."""
    rung = Rung("all images in memory as one tensor, shuffled", epochs=(10, 15, 20))
    rungs = [rung]
    for changes in (
        {"change": "batches of 256", "batch_size": 256, "epochs": (20, 40)},
        {"change": "a higher rate that rises and falls", "optimizer": "adam(0.008)", "schedule": SCHEDULE},
        {"change": "a start at the principal components", "start": True},
        {"change": "Muon in Adam's place", "optimizer": "muon(0.05)"},
        {"change": "batches of 512", "batch_size": 512},
        {"change": "products in bfloat16", "bfloat16": True},
    ):
        rung = replace(rung, **({"epochs": (1, 2, 3, 4, 5, 6, 8, 10)} if len(rungs) > 1 else {}) | changes)
        rungs.append(rung)
    return [r for r in rungs if not r.bfloat16 or has_fast_bfloat16(torch.device("cpu"))]


def train_rung(rung: Rung, x: torch.Tensor, epochs: int, seed: int) -> tuple[Network, float]:
    """Return the trained network and the seconds from bytes in memory to the last step."""
    began = time.perf_counter()
    preset = PRESETS["tutorial-linear"]
    torch.manual_seed(seed)
    network = Network.from_texts(tuple(x.shape[1:]), **{kind: preset.texts[kind] for kind in PARTS})
    network.scaling.fit([x])
    if rung.start:
        initialise(network, x[torch.randperm(len(x))[:START]])
    stream = Stream(x, rung.batch_size)
    phase = Phase(
        network,
        stream,
        Budget(epochs * stream.steps_per_epoch),
        optimizer=build(rung.optimizer, OPTIMIZERS, "optimizer"),
        schedule=build(rung.schedule, SCHEDULES, "schedule"),
        seed=seed,
        bfloat16=rung.bfloat16,
    )
    for _ in train(phase):
        pass
    return network, time.perf_counter() - began


def measure(network: Network, x: torch.Tensor) -> float:
    """Return the MSE per value of `x`."""
    return network.in_blocks(network.errors, x).mean().item()


def climb(rung: Rung, x: torch.Tensor, held_out: torch.Tensor, test: torch.Tensor, seeds: list[int]) -> dict[str, Any]:
    """Return the row of a rung."""
    for epochs in rung.epochs:
        tried = measure(train_rung(rung, x, epochs, seed=0)[0], held_out)
        print(f"  {epochs} epochs: validation {tried:.5f}", flush=True)
        if tried <= TARGET:
            break
    seconds, errors = [], []
    for seed in seeds:
        network, taken = train_rung(rung, x, epochs, seed)
        seconds.append(taken)
        errors.append(measure(network, test))
    return {"change": rung.change, "epochs": epochs, "validation_mse": tried, "seconds": seconds, "test_mse": errors}


def as_published() -> dict[str, Any]:
    """Return the row of the loop as published: one epoch of it, times its 20."""
    script = Path(__file__).parent / "contenders" / "tutorial.py"
    command = [sys.executable, str(script), "--model", "linear", "--epochs", "1", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = json.loads(done.stdout.splitlines()[-1])
    return {"change": "the loop as published, one epoch x 20", "epochs": 20, "seconds": [20 * row["seconds"]]}


def describe(results: dict[str, Any]) -> str:
    """Return the table."""
    first = statistics.median(results["rows"][0]["seconds"])
    rows = []
    for row in results["rows"]:
        seconds = statistics.median(row["seconds"])
        errors = row.get("test_mse", [])
        worst = f"{statistics.median(errors):.5f} ({max(errors):.5f})" if errors else ""
        rows.append([row["change"], str(row["epochs"]), f"{seconds:.2f}", f"{first / seconds:.1f}", worst])
    head = ["from here on", "epochs", "seconds, median", "times faster than the first row", "test MSE, median (worst)"]
    return record.make_table(head, rows) + "\n\n" + record.source_lines(results) + "\n"


def main() -> None:
    """Climb, and write results/ladder.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    x, test = (as_tensor(to_samples(read(f"mnist:{part}").x)[0]) for part in ("train", "test"))
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    held_out, x = x[order[:HELD_OUT]], x[order[HELD_OUT:]]
    rows = [record.stamp() | as_published()]
    for rung in make_rungs():
        print(rung.change, flush=True)
        rows.append(record.stamp() | climb(rung, x, held_out, test, list(range(1, options.seeds + 1))))
        print(f"  {rows[-1]}", flush=True)
    results = {"run": record.describe_run(*PACKAGES) | {"threads": options.threads}, "rows": rows}
    record.save(options.results / "ladder.json", results)
    record.write(options.results / "ladder.md", describe(results))


if __name__ == "__main__":
    main()

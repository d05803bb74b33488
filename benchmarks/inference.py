"""How long a trained network takes to encode, decode, reconstruct and score, for one picture and for 10,000.

    python benchmarks/inference.py

The networks are the tutorial's linear one, a dense one and the default for MNIST; they are as `Fit` starts them, since
the time does not depend on what was learned.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from narrows.data.read import read
from narrows.model import Network
from narrows.model.network import as_tensor
from narrows.training import Fit

import record

NETWORKS = {
    "tutorial-linear": {"preset": "tutorial-linear"},
    "dense(hidden=[256])": {"backbone": "dense(hidden=[256])"},
    "default": {},
}
REPEATS = 30


def verbs(network: Network, x: torch.Tensor) -> dict[str, Callable[[], torch.Tensor]]:
    """Return what is timed, by name."""
    z = network.in_blocks(lambda rows: network.encode(rows).z, x)
    return {
        "encode": lambda: network.in_blocks(lambda rows: network.encode(rows).z, x),
        "decode": lambda: network.in_blocks(network.decode, z),
        "reconstruct": lambda: network.in_blocks(network.reconstruct, x),
        "score": lambda: network.in_blocks(network.errors, x),
    }


def milliseconds(function: Callable[[], torch.Tensor], repeats: int) -> float:
    """Return the median over `repeats` calls."""
    function()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        taken.append(1e3 * (time.perf_counter() - began))
    return statistics.median(taken)


def main() -> None:
    """Measure, and write results/inference.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    x = as_tensor(read("mnist:test").x)[:, None]
    rows = []
    for name, arguments in NETWORKS.items():
        network = Fit(read("mnist:test"), epochs=1, **arguments).finish().network
        for verb in verbs(network, x[:1]):
            one = milliseconds(verbs(network, x[:1])[verb], REPEATS)
            many = milliseconds(verbs(network, x)[verb], 3)
            rows.append(record.stamp() | {"network": name, "verb": verb, "one_ms": one, "ten_thousand_ms": many})
            print(rows[-1], flush=True)
    results = {"run": record.describe_run("torch", "numpy", "narrows") | {"threads": options.threads}, "rows": rows}
    record.save(options.results / "inference.json", results)
    head = ["network", "verb", "one picture, ms", "10,000 pictures, ms"]
    lines = [[r["network"], r["verb"], record.short(r["one_ms"]), record.short(r["ten_thousand_ms"])] for r in rows]
    record.write(
        options.results / "inference.md", f"{record.make_table(head, lines)}\n\n{record.source_lines(results)}\n"
    )


if __name__ == "__main__":
    main()

"""The whole command of the tutorial's linear net, shell to shell, beside importing what it is made of.

    python benchmarks/command.py

Each round times `import torch, sklearn.base` and `narrows train mnist --preset tutorial-linear`, one after
another, each in a process of its own, and reads the largest memory that it held.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import record

MIB = 2**20
NARROWS = str(Path(sys.executable).with_name("narrows"))
TRAIN = [NARROWS, "train", "mnist", "--preset", "tutorial-linear", "-o"]


def run(arguments: list[str]) -> tuple[float, float]:
    """Run a program with its arguments; return its seconds and its largest memory in MB (2^20 bytes)."""
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.execv(arguments[0], arguments)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return time.perf_counter() - began, maximum(usage) / MIB


def maximum(usage: resource.struct_rusage) -> int:
    """Return the largest memory of a process in bytes; Linux counts in KiB, macOS in bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(rounds: int) -> list[dict[str, Any]]:
    """Return a row per round."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            imports, _ = run([sys.executable, "-c", "import torch, sklearn.base"])
            _, torch_memory = run([sys.executable, "-c", "import torch"])
            seconds, memory = run([*TRAIN, f"{folder}/{number}"])
            rows.append(
                record.stamp()
                | {
                    "imports_seconds": imports,
                    "command_seconds": seconds,
                    "ratio": seconds / imports,
                    "torch_mb": torch_memory,
                    "command_mb": memory,
                    "above_torch_mb": memory - torch_memory,
                }
            )
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, and write results/command.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    options = parser.parse_args()
    rows = measure(options.rounds)
    run_of = record.describe_run("torch", "scikit-learn", "narrows")
    results = {"run": run_of, "rows": rows}
    record.save(options.results / "command.json", results)
    names = [name for name, value in rows[0].items() if isinstance(value, float) and name != "load_before"]
    lines = [[name.replace("_", " "), record.spread([row[name] for row in rows], record.short)] for name in names]
    table = record.make_table(["", "median (least to largest)"], lines)
    record.write(options.results / "command.md", f"{table}\n\n{record.source_lines(results)}\n")


if __name__ == "__main__":
    main()

"""What every benchmark writes beside its figures: where, when and by what they were taken, and tables of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
INSTRUCTIONS = {  # flags in the kernel's list -> their name, the widest first
    "avx512_bf16": "AVX-512 with bfloat16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}


def stamp() -> dict[str, Any]:
    """Return when, at which commit and where a figure is taken, and how busy the machine is just before."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": find_commit(),
        "processor": describe_processor(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def find_commit() -> str:
    """Return the commit of the working tree, with "+changes" where src or benchmarks differ from it."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", "src", "benchmarks", ":!benchmarks/results")
    return commit + ("+changes" if changed else "")


def describe_run(*packages: str) -> dict[str, Any]:
    """Return the command, the machine and the versions of `packages`, for the head of a results file."""
    script = os.path.relpath(sys.argv[0], ROOT)
    return {
        "script": script,
        "command": " ".join(["python", script, *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
    }


def describe_processor() -> str:
    """Return the processor's name and the widest instructions that it offers for products of matrices."""
    lines = dict(
        (part.strip() for part in line.split(":", 1))
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if ":" in line
    )
    flags = lines.get("flags", "").split()
    widest = next((name for flag, name in INSTRUCTIONS.items() if flag in flags), "no wide instructions known")
    return f"{lines.get('model name', platform.processor())}, {widest}"


def describe_machine() -> dict[str, Any]:
    """Return what the processor, its cores and the memory are."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": describe_processor(),
        "cores": len(os.sched_getaffinity(0)),
        "ram_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
    }


def load(path: Path) -> dict[str, Any]:
    """Return the results in `path`, {} where there are none yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def save(path: Path, results: dict[str, Any]) -> None:
    """Write `results` to `path`, whole or not at all."""
    write(path, json.dumps(results, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text)
    part.replace(path)


def spread(values: Iterable[float], show: Callable[[float], str]) -> str:
    """Return the median of `values` with the least and the largest, as `show` writes one; a dash for none."""
    values = list(values)
    if not values:
        return "-"
    middle = show(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({show(min(values))} to {show(max(values))})"


def short(value: float) -> str:
    """Return a figure with three digits that count: seconds, ratios, megabytes."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def small(value: float) -> str:
    """Return an MSE with four digits that count."""
    return f"{value:.4g}" if value >= 1 else f"{value:.6f}"


def make_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, its first column to the left and the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def source_lines(results: dict[str, Any]) -> str:
    """Return a paragraph on where the figures in `results` come from."""
    run, rows = results["run"], results["rows"]
    machine = run["machine"]
    dates = sorted(row["date"] for row in rows)
    commits = list(dict.fromkeys(row["commit"] for row in rows))
    processors = list(dict.fromkeys(row["processor"] for row in rows))
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    return (
        f"Taken by `{run['script']}` (last command: `{run['command']}`) between {dates[0]} and {dates[-1]}, at commit "
        f"{', '.join(commits)}, on {machine['cores']} cores of {' or '.join(processors)} with "
        f"{machine['ram_gib']} GiB, {machine['system']}; {versions}. Load average before a measurement: at most "
        f"{max(row['load_before'] for row in rows)}."
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()

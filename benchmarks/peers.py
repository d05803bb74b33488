"""How long each contender trains until the tutorial's quality on MNIST, or the default model's, side by side.

    python benchmarks/peers.py choose     # fix every peer's batch, rate and epochs beforehand, on a validation share
    python benchmarks/peers.py run        # rounds of all contenders, each in a process of its own; then the table
    python benchmarks/peers.py table      # write the table again from what is there

What is in the results folder is not measured again, unless `--fresh` says so. README.md beside this file says how each
figure is taken.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from itertools import product
from pathlib import Path
from typing import Any

import mnist
import record

SCRIPTS = Path(__file__).resolve().parent / "contenders"
CONTENDERS = {
    "tutorial": "tutorial.py",
    "pythae": "pythae_ae.py",
    "keras": "keras_jax.py",
    "pyod": "pyod_ae.py",
    "plain": "plain_loop.py",
    "narrows": "narrows_fit.py",
}
CANNOT = {
    **{
        (model, "pyod"): "PyOD's AutoEncoder has dense layers only and cannot be this network"
        for model in ("conv", "default")
    },
    ("default", "tutorial"): "The tutorial has no such network",
    **{(model, "plain"): "The plain loop stands for the default's layers alone" for model in ("linear", "conv")},
}
GRIDS = {  # from the middle outwards: the sooner a setting gets there, the sooner slower ones stop
    "linear": {"batch_size": [64, 32], "rate": [1e-3, 5e-4, 2e-3]},
    "conv": {"batch_size": [64, 32], "rate": [4e-3, 8e-3]},
    "default": {"batch_size": [128, 64], "rate": [1e-3, 2e-3]},
}
MARGIN = 0.01  # a budget is enough where the validation MSE is this share below the target
PROBE_SECONDS = 60.0  # of training that every setting of the grid gets
LONG_SECONDS = 600.0  # of training, after which a contender counts as not getting there
LONG_SETTINGS = 1  # settings that go on to LONG_SECONDS where none got there in PROBE_SECONDS
MANY_EPOCHS = 10_000  # more than LONG_SECONDS hold
NO_SEED = 0  # of the search for budgets; round r has the seed r + 1
PACKAGES = ("torch", "pythae", "pyod", "keras", "jax", "jaxlib", "numpy", "narrows")
TOY = {"images": 3000, "target": 0.2, "rounds": 1, "epochs": 1}

Row = dict[str, Any]


class Bench:
    """The files of results, and what is measured into them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.toy = TOY if options.toy else {}
        self.rounds = self.toy.get("rounds", options.rounds)
        self.budgets_file = options.results / "budgets.json"
        self.peers_file = options.results / "peers.json"
        self.budgets = record.load(self.budgets_file) or {"run": {}, "rule": {}, "rows": [], "budgets": {}}
        self.peers = record.load(self.peers_file) or {"run": {}, "targets": {}, "rows": []}

    def target(self, model: str) -> float:
        """Return the test MSE that counts as there."""
        return self.toy.get("target", mnist.TARGETS[model])

    def contenders(self, model: str) -> list[str]:
        """Return those asked for that can be `model`."""
        return [name for name in self.options.contenders if (model, name) not in CANNOT]

    def choose(self) -> None:
        """Fix the budgets of the contenders that have none yet."""
        self.budgets |= {
            "run": record.describe_run(*PACKAGES),
            "rule": {
                "grids": GRIDS,
                "margin": MARGIN,
                "probe_seconds": PROBE_SECONDS,
                "long_seconds": LONG_SECONDS,
                "long_settings": LONG_SETTINGS,
                "seed": NO_SEED,
                "threads": self.options.threads,
            },
        }
        for model in self.options.models:
            for name in self.contenders(model):
                known = self.budgets["budgets"].setdefault(model, {})
                if name == "narrows" or (name in known and not self.options.fresh):
                    continue
                if self.options.fresh:
                    rows = self.budgets["rows"]
                    self.budgets["rows"] = [r for r in rows if (r["model"], r["contender"]) != (model, name)]
                known[name] = self._follow_tutorial(model) if name == "tutorial" else self._search(model, name)
                record.save(self.budgets_file, self.budgets)
                print(f"{model} {name}: {known[name]}", flush=True)

    def run(self) -> None:
        """Measure the rounds that are not there yet."""
        self.peers["run"] = record.describe_run(*PACKAGES)
        self.peers["targets"] = {model: self.target(model) for model in mnist.TARGETS}
        for number, model in product(range(self.rounds), self.options.models):
            names = [name for name in self.contenders(model) if not self._gave_up(model, name)]
            for name in names if number % 2 == 0 else reversed(names):
                self._run_one(model, name, number)
        self.table()

    def table(self) -> None:
        """Write the table of what has been measured."""
        path = self.options.results / "peers.md"
        record.write(path, describe(self.peers, self.budgets))
        print(path, flush=True)

    def _follow_tutorial(self, model: str) -> Row:
        """Run the tutorial in full, once, and return the epochs after which its test MSE is at the target."""
        row = self._trial(model, "tutorial", "full", ["--watch", "test"], limit=6 * LONG_SECONDS)
        there = [epoch for epoch, mse in enumerate(row["watched"], 1) if mse <= self.target(model)]
        epochs = there[0] if there else row["epochs"]
        return {
            "reached": bool(there),
            "epochs": epochs,
            "test_mse": row["watched"][epochs - 1],
            "full_epochs": row["epochs"],
            "full_seconds": row["seconds"],
            "full_test_mse": row["watched"][-1],
        }

    def _search(self, model: str, name: str) -> Row:
        """Return the setting with the fewest seconds to the target on the validation share, and its epochs."""
        grid = GRIDS[model]
        settings = list(product(grid["batch_size"], grid["rate"]))[: 2 if self.toy else None]
        tried: list[Row] = []

        def attempt(stage: str, batch_size: int, rate: float, limit: float) -> None:
            until = self.target(model) * (1 - MARGIN)
            fastest = min((row["seconds"] for row in tried if row["reached"]), default=limit)
            arguments = ["--batch-size", str(batch_size), "--rate", str(rate), "--watch", "validation"]
            epochs = 2 * self.toy["epochs"] if self.toy else MANY_EPOCHS
            arguments += ["--until", str(until), "--epochs", str(epochs)]
            row = self._trial(model, name, stage, arguments, min(limit, fastest))
            row |= {"batch_size": batch_size, "rate": rate, "reached": row["watched"][-1] <= until}
            print(f"  validation MSE {row['watched'][-1]:.6f} after {row['epochs']} epochs, {row['seconds']:.1f} s")
            tried.append(row)

        for batch_size, rate in settings:
            attempt("probe", batch_size, rate, PROBE_SECONDS)
        if not any(row["reached"] for row in tried):
            for row in sorted(tried, key=lowest)[:LONG_SETTINGS]:
                attempt("long", row["batch_size"], row["rate"], LONG_SECONDS)
        reached = [row for row in tried if row["reached"]]
        best = min(reached, key=lambda row: row["seconds"]) if reached else min(tried, key=lowest)
        ends = {key: sorted(values)[:: len(values) - 1] for key, values in grid.items()}
        return {
            "reached": best["reached"],
            "epochs": best["epochs"] if best["reached"] else best["watched"].index(lowest(best)) + 1,
            "batch_size": best["batch_size"],
            "rate": best["rate"],
            "validation_mse": best["watched"][-1] if best["reached"] else lowest(best),
            "seconds": best["seconds"],
            "at_edge_of_grid": [key for key in grid if best[key] in ends[key]],
        }

    def _trial(self, model: str, name: str, stage: str, arguments: list[str], limit: float) -> Row:
        """Return the row of a search, measured now or before; a search ends at `limit` seconds of training."""
        key = {"model": model, "contender": name, "stage": stage, "trial": arguments}
        for row in self.budgets["rows"]:
            if key.items() <= row.items():
                return row
        print(f"choose: {model} {name} ({stage}) {' '.join(arguments)}", flush=True)
        common = self._common(model, NO_SEED, limit)
        epochs = ["--epochs", str(self.toy["epochs"])] if name == "tutorial" and self.toy else []
        row = spawn(name, [*common, *arguments, *epochs], self.options.threads, kill_after=2 * limit + 300)
        row = {"epochs": 0, "seconds": limit} | row
        row["watched"] = row.get("watched") or [math.inf]  # ended from outside, or diverged within the first epoch
        row |= key
        self.budgets["rows"].append(row)
        record.save(self.budgets_file, self.budgets)
        return row

    def _run_one(self, model: str, name: str, number: int) -> None:
        """Measure a contender's part of a round, unless it is there."""
        budget = self.budgets["budgets"].get(model, {}).get(name)
        if budget is None and name != "narrows":
            raise SystemExit(f"{name} has no budget for {model}: run `choose` first")
        arguments = self._common(model, number + 1, LONG_SECONDS)
        if name == "tutorial":
            arguments += ["--epochs", "1"]
        elif name == "narrows":
            arguments += ["--epochs", str(self.toy["epochs"])] if self.toy else []
        else:
            arguments += ["--epochs", str(budget["epochs"])]
            arguments += ["--batch-size", str(budget["batch_size"]), "--rate", str(budget["rate"])]
        key = {"model": model, "contender": name, "round": number}
        same = [row for row in self.peers["rows"] if key.items() <= row.items()]
        if any(row["arguments"] == arguments and row["budget"] == budget for row in same) and not self.options.fresh:
            return
        print(f"round {number + 1} of {self.rounds}: {model} {name}", flush=True)
        row = spawn(name, arguments, self.options.threads, kill_after=LONG_SECONDS + 300)
        row |= key | {"budget": budget}
        if name == "tutorial" and "killed_after" not in row:
            row |= extend_epoch(row, budget)
        row["reached"] = self._is_there(row)
        print(f"  {row.get('seconds', row['process_seconds']):.1f} s, test MSE {row['test_mse']}", flush=True)
        self.peers["rows"] = [other for other in self.peers["rows"] if other not in same] + [row]
        record.save(self.peers_file, self.peers)

    def _gave_up(self, model: str, name: str) -> bool:
        """Whether a peer did not get there in LONG_SECONDS when its budget was chosen: rounds would show no more."""
        budget = self.budgets["budgets"].get(model, {}).get(name)
        return name != "tutorial" and budget is not None and not budget["reached"]

    def _is_there(self, row: Row) -> bool:
        mse = row["test_mse"]
        return mse is not None and mse <= self.target(row["model"]) and row["seconds"] <= LONG_SECONDS

    def _common(self, model: str, seed: int, limit: float) -> list[str]:
        arguments = ["--model", model, "--seed", str(seed), "--max-seconds", str(limit)]
        return arguments + (["--images", str(self.toy["images"])] if self.toy else [])


def lowest(row: Row) -> float:
    """Return the lowest finite validation MSE of a search's row, infinity where it has none."""
    return min((mse for mse in row["watched"] if math.isfinite(mse)), default=math.inf)


def extend_epoch(row: Row, budget: Row) -> Row:
    """Return what a row of one epoch becomes when it stands for the tutorial's epochs up to the target."""
    epoch, more = row["seconds"], budget["epochs"] - 1
    return {
        "measured": {key: row[key] for key in ("epochs", "seconds", "process_seconds", "test_mse")},
        "epochs": budget["epochs"],
        "seconds": epoch * budget["epochs"],
        "process_seconds": row["process_seconds"] + epoch * more,
        "test_mse": budget["test_mse"],
    }


def spawn(name: str, arguments: list[str], threads: int, kill_after: float) -> Row:
    """Run a contender in a process of its own and return its row, with the seconds and the memory of the process.

    A process that takes longer than `kill_after` seconds is ended, and its row says so.
    """
    row: Row = {"contender": name, "arguments": arguments} | record.stamp()
    limits = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    with tempfile.TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        with out.open("w") as stdout, errors.open("w") as stderr:
            began = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, str(SCRIPTS / CONTENDERS[name]), *arguments],
                cwd=folder,
                stdout=stdout,
                stderr=stderr,
                env=os.environ | limits | {"KERAS_HOME": folder},
            )
            timer = threading.Timer(kill_after, process.kill)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)  # not process.wait: this one says what the process took
            row["process_seconds"] = time.perf_counter() - began
            timer.cancel()
        row["peak_mib"] = usage.ru_maxrss / 1024
        process.returncode = os.waitstatus_to_exitcode(status)
        if row["process_seconds"] >= kill_after:
            return row | {"killed_after": kill_after, "test_mse": None}
        if process.returncode != 0:
            raise SystemExit(f"{name} {' '.join(arguments)}:\n{errors.read_text()[-3000:]}")
        return row | json.loads(out.read_text().splitlines()[-1])


def describe(peers: Row, budgets: Row) -> str:
    """Return the page of the results."""
    lines = ["# Training on MNIST until the tutorial's quality", ""]
    for model in mnist.TARGETS:
        rows = [row for row in peers["rows"] if row["model"] == model]
        if rows:
            lines += describe_model(model, rows, peers["targets"][model], budgets["budgets"].get(model, {}))
    if peers["rows"]:
        lines += [record.source_lines(peers), ""]
    return "\n".join(lines)


def describe_model(model: str, rows: list[Row], target: float, budgets: Row) -> list[str]:
    """Return the lines of one network."""
    names = [name for name in CONTENDERS if any(row["contender"] == name for row in rows)]
    base = {row["round"]: row for row in rows if row["contender"] == "narrows" and row["reached"]}
    body = []
    for name in names:
        mine = [row for row in rows if row["contender"] == name]
        done = [row for row in mine if "seconds" in row]
        counts = [row for row in mine if row["reached"] or name == "tutorial"]  # its own quality is the target
        pairs = [(row, base[row["round"]]) for row in counts if row["round"] in base]
        body.append(
            [
                name,
                done[-1]["recipe"] if done else "-",
                record.spread((row["epochs"] for row in done), lambda value: f"{value:.0f}"),
                f"{sum(row['reached'] for row in mine)} of {len(mine)}",
                record.spread((row["test_mse"] for row in done), record.small),
                record.spread((row["seconds"] for row in done), record.short),
                record.spread((row["seconds"] / row["epochs"] for row in done), record.short),
                record.spread((row["process_seconds"] for row in mine), record.short),
                record.spread((row["peak_mib"] for row in mine), record.short),
                record.spread((row["seconds"] / other["seconds"] for row, other in pairs), record.short),
                record.spread(
                    (row["process_seconds"] / other["process_seconds"] for row, other in pairs), record.short
                ),
            ]
        )
    head = ["contender", "recipe", "epochs", "there", "test MSE", "training, s", "an epoch, s", "process, s"]
    head += ["peak memory, MiB", "training / narrows", "process / narrows"]
    lines = [f"## {model}: {mnist.PARAMETERS[model]:,} parameters, test MSE of at most {target}", ""]
    lines += [record.make_table(head, body), ""]
    lines += [
        "Median (least to largest) over the rounds; a ratio is taken within a round, where both got there; the "
        "tutorial's is to the end of its epochs.",
        "",
    ]
    return [*lines, *(f"- {note}" for note in notes_of(model, rows, budgets)), ""]


def notes_of(model: str, rows: list[Row], budgets: Row) -> list[str]:
    """Return what a reader of the table has to know, a line each."""
    notes = [describe_tutorial(budgets["tutorial"])] if "tutorial" in budgets else []
    notes += [f"{name}: {note}." for name, note in {r["contender"]: r["note"] for r in rows if r.get("note")}.items()]
    notes += [f"{text}." for (other, _), text in CANNOT.items() if other == model]
    for name, budget in budgets.items():
        if edges := budget.get("at_edge_of_grid"):
            notes.append(f"{name}: the best setting lies at the edge of the grid in {' and '.join(edges)}.")
        if not budget["reached"] and name != "tutorial":
            notes.append(describe_miss(name, budget))
        elif name not in {row["contender"] for row in rows}:
            notes.append(
                f"{name}: got there when its budget was chosen, in {budget['seconds']:.0f} s and {budget['epochs']} "
                f"epochs (batch {budget['batch_size']}, rate {budget['rate']}); it has not been in the rounds yet."
            )
    if loops := [row["loop_seconds"] for row in rows if row.get("loop_seconds")]:
        notes.append(f"narrows' own clock, which its loop alone runs: {record.spread(loops, record.short)} s.")
    return notes


def describe_miss(name: str, budget: Row) -> str:
    """Return what a peer reached that did not get there while its budget was chosen."""
    early = "" if budget["seconds"] >= LONG_SECONDS else ", the last ten epochs of them without gain"
    return (
        f"{name}: did not get there in {budget['seconds']:.0f} s of training{early} (batch {budget['batch_size']}, "
        f"rate {budget['rate']}, the best of the grid), so it takes no part in the rounds; its lowest validation MSE "
        f"was {budget['validation_mse']:.6f}, after {budget['epochs']} epochs."
    )


def describe_tutorial(budget: Row) -> str:
    """Return what the tutorial's full run took."""
    return (
        f"tutorial: run in full once, {budget['full_epochs']} epochs took {budget['full_seconds']:.1f} s to a test MSE "
        f"of {budget['full_test_mse']:.6f}; above is one epoch of every round, times the {budget['epochs']} epochs "
        f"after which the test MSE of that full run {'was' if budget['reached'] else 'was still not'} at the target."
    )


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", nargs="+", choices=["choose", "run", "table"])
    parser.add_argument("--models", nargs="+", choices=list(mnist.TARGETS), default=list(mnist.TARGETS))
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument("--toy", action="store_true", help="few images, one round: does it all run?")
    options = parser.parse_args()
    options.results = options.results.resolve()
    if options.toy and options.results == record.RESULTS:
        parser.error("--toy needs --results FOLDER, since its figures mean nothing")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])  # its processes inherit that
    bench = Bench(options)
    for step in options.do:
        getattr(bench, step)()


if __name__ == "__main__":
    main()

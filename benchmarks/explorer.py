"""How large the explorer's page is for 70,000 digits, and how fast a browser without a graphics card shows it.

    python benchmarks/explorer.py                 # trains a map, then makes and opens its page
    python benchmarks/explorer.py --model RUN     # of a model that is there

Chromium runs without a window and draws by software; every load begins in a browser of its own.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from narrows import modelfile
from narrows.data.read import read
from narrows.tasks.mapping import make_map
from narrows.training import Fit
from narrows.view.explorer.page import write_explorer

import record

sys.path.insert(0, str(record.ROOT / "tests"))
from browser import Browser, find_chromium

PAGE = record.ROOT / "runs" / "explorer" / "map.html"
WIDTH, HEIGHT = 1280, 800  # CSS pixels of the window
LOADS = 5
PAN_SECONDS = 5.0
HOVERS = 100
LIMITS = {  # what each figure should keep to
    "page, MB": 25,
    "first picture, s": 2,
    "frame while panning, ms": 33,
    "hover to picture, ms": 50,
}
RECORD_FRAMES = (
    """frames = []; (function next(now) { frames.push(now); requestAnimationFrame(next); })(performance.now())"""
)


def make_page(model_path: Path | None, data: str) -> float:
    """Write the page and return the seconds that it took, placing the samples included."""
    samples = read(data)
    model = modelfile.load(model_path) if model_path else Fit(read("mnist"), preset="map", device="cpu").run()
    began = time.perf_counter()
    write_explorer(PAGE, model, make_map(model, samples), overwrite=True)
    return time.perf_counter() - began


def opened(browser: Browser) -> Browser:
    """Open the page and wait until all of it works."""
    browser.open(PAGE)
    browser.wait_for("performance.getEntriesByName('complete').length === 1")
    return browser


def time_loads() -> Iterator[float]:
    """Yield the seconds from a navigation to the first picture of the map, a browser each."""
    for _ in range(LOADS):
        with Browser(WIDTH, HEIGHT) as browser:
            mark = "performance.getEntriesByName('first picture')[0]"
            opened(browser).wait_for(f"{mark} !== undefined")
            yield browser.evaluate(f"{mark}.startTime") / 1e3


def time_frames(browser: Browser) -> list[float]:
    """Return the milliseconds between frames while a mouse drags the whole map about."""
    left, top, width, height = browser.evaluate(
        "((r) => [r.left, r.top, r.width, r.height])(explorer.marks.getBoundingClientRect())"
    )
    x, y = left + width / 2, top + height / 2
    browser.mouse("mouseMoved", x, y)
    browser.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
    browser.evaluate(RECORD_FRAMES)
    began = time.perf_counter()
    while (seconds := time.perf_counter() - began) < PAN_SECONDS:
        place = x + 150 * math.sin(3 * seconds), y + 100 * math.sin(4 * seconds)
        browser.mouse("mouseMoved", *place, button="left", buttons=1)
        time.sleep(0.005)
    frames = browser.evaluate("frames")
    browser.mouse("mouseReleased", x, y, button="left", clickCount=1)
    browser.press("0")
    return np.diff(frames[1:]).tolist()


def time_hovers(browser: Browser) -> list[float]:
    """Return the milliseconds from the mouse's event to the sample and its reconstruction, for random samples."""
    count = browser.evaluate("explorer.data.count")
    times = []
    for i in np.random.default_rng(0).choice(count, HOVERS, replace=False):
        place = browser.evaluate(
            f"(([x, y], box) => [x + box.left, y + box.top])"
            f"(explorer.view.toScreen(...explorer.data.at({i})), explorer.marks.getBoundingClientRect())"
        )
        browser.evaluate("explorer.panel.lag = null")
        browser.mouse("mouseMoved", *place)
        browser.wait_for("explorer.panel.lag !== null")
        times.append(browser.evaluate("explorer.panel.lag"))
    return times


def row(what: str, values: list[float]) -> dict:
    """Return a line of the table."""
    figures = {"median": float(np.median(values)), "percentile_95": float(np.percentile(values, 95))}
    return record.stamp() | {"what": what, "limit": LIMITS[what], **figures, "values": values}


def main() -> None:
    """Measure, and write results/explorer.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", default="mnist:all")
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    options = parser.parse_args()
    seconds = make_page(options.model, options.data)
    rows = [row("page, MB", [PAGE.stat().st_size / 1e6])]
    rows.append(row("first picture, s", list(time_loads())))
    with Browser(WIDTH, HEIGHT) as browser:
        opened(browser)
        rows.append(row("frame while panning, ms", time_frames(browser)))
        rows.append(row("hover to picture, ms", time_hovers(browser)))
        points = browser.evaluate("explorer.data.count")
        canvas = browser.evaluate("[explorer.painter.canvas.width, explorer.painter.canvas.height]")
    version = subprocess.run([find_chromium(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    run = record.describe_run("torch", "numpy", "narrows", "pillow") | {"browser": version, "data": options.data}
    results = {"run": run | {"make_seconds": seconds, "points": points, "canvas": canvas}, "rows": rows}
    record.save(options.results / "explorer.json", results)
    head = ["what", "median", "95th percentile", "values", "should be at most"]
    lines = [
        [r["what"], *(record.short(r[k]) for k in ("median", "percentile_95")), str(len(r["values"])), str(r["limit"])]
        for r in rows
    ]
    note = (
        f"{points:,} points of {options.data} on a canvas of {canvas[0]}x{canvas[1]} pixels, drawn by software in "
        f"{version}. The first picture counts from the navigation to the frame after the one that drew it; a hover "
        f"from the mouse's event until both pictures are drawn. Making the page took {record.short(seconds)} s."
    )
    record.write(
        options.results / "explorer.md",
        f"{record.make_table(head, lines)}\n\n{note}\n\n{record.source_lines(results)}\n",
    )
    print((options.results / "explorer.md").read_text())


if __name__ == "__main__":
    main()

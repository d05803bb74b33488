"""Fills docs/map.md: its table from benchmarks/results/maps.json, its pictures from the points that maps.py kept.

    python benchmarks/maps.py --seeds 5    # measures; the points and models go to runs/maps
    python docs/figures/maps_page.py            # draws and writes, in seconds

What has not been measured yet is said to be so in the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paths
import maps as bench
import mnist
import numpy as np
import record
from narrows.data.read import read
from narrows.modelfile import FILE_NAME, load
from narrows.tasks.mapping import Map, make_map
from narrows.view.colours import PALETTE, colour
from narrows.view.figure import INK
from narrows.view.map_decoded import draw_decoded
from narrows.view.map_points import draw_points
from narrows.view.raster import Raster

from pages import fill

PAGE = paths.DOCS / "map.md"
RESULTS = record.RESULTS / "maps.json"
PANEL, GAP = 290, 36  # CSS pixels
POINT = 1.3
NOT_YET = "has not been taken yet: `python benchmarks/maps.py --seeds 5`, then `python docs/figures/maps_page.py`."
PICTURES = {  # by name: what is seen, from which method's run
    "map-digits": ("The test digits on the map of the preset, with pictures of some", "narrows"),
    "map-spots": ("What the model of the preset decodes at each spot of its map", "narrows"),
    "map-blur": ("What a plain autoencoder of two numbers decodes at each spot", "autoencoder"),
}


def make_tables(rows: list[dict[str, Any]], drawn: set[str]) -> dict[str, str]:
    """Return what stands between the marks of the page, by name.

    Parameters
    ----------
    rows : of benchmarks/results/maps.json.
    drawn : the names of the pictures that there are.

    Examples
    --------
    >>> make_tables([], set())["figures"]
    'The table has not been taken yet: `python benchmarks/maps.py --seeds 5`, then `python docs/figures/maps_page.py`.'
    """
    seen = {name: words for name, (words, _) in PICTURES.items()} | {"map-methods": "The test digits on five maps"}
    tables = {"figures": "\n".join(make_figures(rows)) if rows else f"The table {NOT_YET}"}
    for name, words in seen.items():
        tables[name] = f"![{words}](pictures/{name}.png)" if name in drawn else f"The picture {NOT_YET}"
    return tables


def make_figures(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table of methods, medians over their runs."""
    heads = ["method", *bench.FIGURES.values()]
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(bench.FIGURES)}"
    for method, name in bench.METHODS.items():
        mine = [row for row in rows if row["method"] == method]
        if mine:
            medians = {key: [row[key] for row in mine if row[key] is not None] for key in bench.FIGURES}
            cells = [bench.shown(key)(float(np.median(v))) if v else "-" for key, v in medians.items()]
            yield f"| {name} | {' | '.join(cells)} |"


def draw_methods(folders: dict[str, Path]) -> Raster:
    """Draw the test digits as every method places them, side by side, coloured by digit."""
    labels = mnist.read_labels("t10k")
    drawing = Raster(len(folders) * (PANEL + GAP) + GAP, PANEL + 58)
    for i, (method, folder) in enumerate(folders.items()):
        points, left = np.load(folder / "points.npz")["test"], GAP + i * (PANEL + GAP)
        low, high = np.quantile(points, (0.001, 0.999), axis=0)
        half = (high - low).max() / 2 * 1.05
        places = (points - (low + high) / 2) / half * (PANEL / 2)
        order = np.random.default_rng(0).permutation(len(points))
        inside = order[(np.abs(places[order]) < PANEL / 2).all(1)]
        for part in np.array_split(inside, 24):
            for digit in range(10):
                own = places[part[labels[part] == digit]]
                at = zip((left + PANEL / 2 + own[:, 0]).tolist(), (28 + PANEL / 2 - own[:, 1]).tolist(), strict=True)
                drawing.marks(at, PALETTE[digit], POINT)
        drawing.text(left + PANEL / 2, 20, bench.METHODS[method].split(",")[0], bold=True)
    for digit in range(10):
        x = GAP + 6 + 40 * digit
        drawing.marks([(x, PANEL + 44)], PALETTE[digit], 9)
        drawing.text(x + 10, PANEL + 48, str(digit), anchor="start", colour=INK)
    return drawing


def draw_models(folder: Path, name: str) -> Raster:
    """Draw a model's map of the test digits, or what it decodes."""
    model = load(folder / FILE_NAME)
    mapped: Map = make_map(model, read("mnist:test"))
    return (
        draw_points(model, mapped, colour(mapped), Raster)
        if name == "map-digits"
        else draw_decoded(model, mapped, Raster)
    )


def main() -> None:
    """Draw what can be drawn, and fill the page."""
    rows = (record.load(RESULTS) or {"rows": []})["rows"]
    folders = {method: bench.POINTS / f"{method}-0" for method in bench.METHODS}
    folders = {method: folder for method, folder in folders.items() if (folder / "points.npz").exists()}
    pictures = paths.DOCS / "pictures"
    for name, (_, method) in PICTURES.items():
        if method in folders:
            draw_models(folders[method], name).write(pictures / f"{name}.png", overwrite=True)
    if folders:
        draw_methods(folders).write(pictures / "map-methods.png", overwrite=True)
    record.write(PAGE, fill(PAGE.read_text(encoding="utf-8"), make_tables(rows, find_drawn())))


def find_drawn() -> set[str]:
    """Return the names of the guide's pictures that lie in docs/pictures."""
    return {path.stem for path in (paths.DOCS / "pictures").glob("map-*.png")}


if __name__ == "__main__":
    main()

"""Models beside the plain denoisers: digits, digits of which only noisy ones are known, impulses, photographs, colour.

    python benchmarks/denoising.py --bsd bsd400_grey_180x180.npz
    python benchmarks/denoising.py --docs        # write the tables into docs/denoising.md

What is measured already is not measured again, and a model that is trained already is not trained again; `README.md`
says how each part is taken.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from narrows.data.read import read
from narrows.metrics.comparison import Comparison
from narrows.metrics.denoisers import FILTERS, Noise
from narrows.modelfile import Model, load, save
from narrows.presets import PRESETS
from narrows.tasks.corrupt import corrupt
from narrows.training import Fit
from PIL import Image
from scipy.ndimage import gaussian_filter

import record
from datasets import SKIMAGE, SKLEARN

DOCS = record.ROOT / "docs" / "denoising.md"
PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "pywavelets", "pillow", "narrows")
STAND_IN = {"backbone": "conv(channels=[16])", "corruption": "gaussian(0.0, 0.5)"}  # where there is no preset "denoise"
LEVELS = (0.08, 0.25, 0.5)  # of the noise on digits, in shares of the range
SIGMA = 25 / 255  # of the noise on photographs
BLIND = f"gaussian(0.0, {55 / 255:.4f})"  # the noise that the blind model of photographs sees in training
IMPULSES = ("salt_pepper(0.2)", "mask(0.5)")
SIDE = 256  # pixels of a test photograph
GREY = ("camera", "coins", "astronaut", "chelsea", "coffee", "rocket", "brick", "page")
COLOUR = ("astronaut", "chelsea", "coffee", "rocket")
TUNED_ON = (SKLEARN / "china.jpg", SKLEARN / "flower.jpg", SKIMAGE / "motorcycle_left.png")  # the filters, in colour
CORRELATION = 1.0  # pixels: the standard deviation of the Gaussian that makes neighbours' noise alike
MINUTES = {"digits": 2.9, "photos": 5}  # of training at most, the start of the weights included
TOY_SECONDS, TOY_SAMPLES = 3, 500


def photographs(paths: Iterable[Path], mode: str) -> np.ndarray:
    """Return pictures as float32 within [0, 1], (N, 256, 256) or with three channels.

    The largest square in the middle, averaged over areas down to 256x256; a smaller one grows by cubic interpolation.
    Grey is Pillow's "L" of the colour picture, 0.299 R + 0.587 G + 0.114 B.
    """
    pictures = []
    for path in paths:
        picture = Image.open(path).convert(mode)
        side = min(picture.size)
        left, top = ((length - side) // 2 for length in picture.size)
        square = picture.crop((left, top, left + side, top + side))
        method = Image.Resampling.BOX if side >= SIDE else Image.Resampling.BICUBIC
        pictures.append(np.asarray(square.resize((SIDE, SIDE), method)))
    return np.stack(pictures).astype(np.float32) / 255


def find_picture(name: str) -> Path:
    """Return the file of a picture that scikit-image ships."""
    return next(path for end in (".png", ".jpg") if (path := SKIMAGE / f"{name}{end}").exists())


class Bench:
    """What the parts share: trained models by name, and results that are written as they come."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.path = options.results / "denoising.json"
        self.results = record.load(self.path) or {"rows": []}
        self.results["run"] = record.describe_run(*PACKAGES)

    def digits(self, name: str) -> np.ndarray:
        """Return a split of MNIST."""
        x = read(name).x
        return x[:TOY_SAMPLES] if self.options.toy else x

    def model(self, name: str, x: Callable[[], np.ndarray], kind: str = "digits", **fit: Any) -> Model:
        """Return the model `name`, trained on `x` within the minutes of its `kind` unless it is there already."""
        path = self.options.models / f"{name}.safetensors"
        if path.exists() and not self.options.fresh:
            return load(path)
        if not {"preset", "backbone"} & set(fit):
            fit = ({"preset": "denoise"} if "denoise" in PRESETS else STAND_IN) | fit
        seconds = TOY_SECONDS if self.options.toy else 60 * MINUTES[kind]
        print(f"training {name}: {fit}, at most {seconds:g} s", flush=True)
        model = Fit(read(x()), max_seconds=seconds, device="cpu", **fit).run()
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, model, overwrite=True)
        return model

    def compare(
        self,
        part: str,
        label: str,
        models: Callable[[], dict[str, Model]],
        make: Callable[[dict[str, Model]], Comparison],
    ) -> None:
        """Measure a comparison unless it is there already; `label` is the damage as the table names it."""
        rows = self.results["rows"]
        same = [row for row in rows if (row["part"], row["damage"]) == (part, label)]
        if same and not self.options.fresh:
            return
        trained = models()
        comparison, found = make(trained), []
        for score in comparison:
            row = {"part": part, "damage": label, "method": score.method, "setting": score.setting} | record.stamp()
            row |= {"psnr": score.mean_psnr, "ssim": score.mean_ssim, "pictures": len(score.psnr)}
            row |= {"note": comparison.describe("the training data"), "toy": self.options.toy}
            if score.method in trained:
                network, card, _ = trained[score.method]
                row |= {"texts": network.texts, "parameters": sum(p.numel() for p in network.parameters())}
                row |= {"train_seconds": card.recipe["seconds"], "recipe": card.recipe}
            print(f"{part}, {label}, {score.method} {score.setting}: {score.mean_psnr:.2f} dB", flush=True)
            found.append(row)
        self.results["rows"] = [row for row in rows if row not in same] + found
        record.save(self.path, self.results)
        record.write(self.path.with_suffix(".md"), describe(self.results))


def run_mnist(bench: Bench) -> None:
    """Noise clipped to [0, 1] on the test digits: one blind model, and the tutorial's two that saw clean ones only."""

    def models() -> dict[str, Model]:
        clean = {name: bench.model(name, train, preset=name) for name in ("tutorial-linear", "tutorial-conv")}
        blind = bench.model("digits-blind", train)
        return {f"{name}, trained on clean pictures": model for name, model in clean.items()} | {"blind model": blind}

    def train() -> np.ndarray:
        return bench.digits("mnist:train")

    for level in LEVELS:
        corruption = f"gaussian({level:g})"
        bench.compare(
            "mnist",
            corruption,
            models,
            lambda models, corruption=corruption: Comparison(
                models, bench.digits("mnist:test"), train(), corruption, most=bench.options.pictures
            ),
        )


def run_self(bench: Bench) -> None:
    """Only noisy digits at 0.25, clipped: blind spots with the loss that narrows takes, and with a squared one."""
    corruption = "gaussian(0.25)"

    def noisy() -> np.ndarray:
        return corrupt(bench.digits("mnist:train"), corruption)[0]

    def models() -> dict[str, Model]:
        return {
            "with clean pictures: blind model": bench.model("digits-blind", lambda: bench.digits("mnist:train")),
            "only noisy pictures, squared loss": bench.model(
                "digits-self-mse", noisy, self_supervised=True, loss="mse"
            ),
            "only noisy pictures": bench.model("digits-self", noisy, self_supervised=True),
        }

    bench.compare(
        "self",
        corruption,
        models,
        lambda models: Comparison(
            models, bench.digits("mnist:test"), bench.digits("mnist:train"), corruption, most=bench.options.pictures
        ),
    )


def run_impulse(bench: Bench) -> None:
    """Salt and pepper, and missing pixels, on the test digits; a model for each."""
    for corruption in IMPULSES:
        name = f"digits-{corruption.partition('(')[0]}"

        def models(name: str = name, corruption: str = corruption) -> dict[str, Model]:
            return {"model": bench.model(name, lambda: bench.digits("mnist:train"), corruption=corruption)}

        def make(models: dict[str, Model], corruption: str = corruption) -> Comparison:
            digits, train = bench.digits("mnist:test"), bench.digits("mnist:train")
            return Comparison(models, digits, train, corruption, most=bench.options.pictures)

        bench.compare("impulse", corruption, models, make)


def photo_models(bench: Bench) -> dict[str, Model]:
    """Return the blind model of photographs and the one trained at 25/255, both on the grey BSD pictures."""
    level = f"gaussian({SIGMA:.4f})"
    return {
        "blind model": bench.model("photos-blind", lambda: bsd(bench), "photos", corruption=BLIND),
        "model trained at 25/255": bench.model("photos-25", lambda: bsd(bench), "photos", corruption=level),
    }


def bsd(bench: Bench) -> np.ndarray:
    """Return the training photographs as fractions, so that noise is not clipped, (N, 180, 180)."""
    if bench.options.bsd is None:
        raise SystemExit("photographs need --bsd FILE.npz; benchmarks/README.md says where it is from")
    with np.load(bench.options.bsd) as arrays:
        x = next(iter(arrays.values()))
    return (x[:20] if bench.options.toy else x).astype(np.float32) / 255


def run_photos(bench: Bench) -> None:
    """Eight grey photographs, noise of 25/255 that is not clipped."""
    corruption = f"gaussian({SIGMA:.4f})"
    pictures = photographs(map(find_picture, GREY), "L")
    bench.compare(
        "photos",
        corruption,
        lambda: photo_models(bench),
        lambda models: Comparison(models, pictures, bsd(bench), corruption, most=len(pictures)),
    )


def run_colour(bench: Bench) -> None:
    """Colour photographs channel by channel; and digits whose noise is alike in neighbours, of which only noisy ones
    are known.
    """
    corruption = f"gaussian({SIGMA:.4f})"
    pictures, tuned_on = photographs(map(find_picture, COLOUR), "RGB"), photographs(TUNED_ON, "RGB")
    bench.compare(
        "colour",
        corruption,
        lambda: {f"{name}, channel by channel": model for name, model in photo_models(bench).items()},
        lambda models: Comparison(models, pictures, tuned_on, corruption, most=len(pictures)),
    )

    def noisy() -> np.ndarray:
        x = bench.digits("mnist:train")
        return np.rint(255 * add_correlated(x / np.float32(255), seed=2)).astype(np.uint8)

    def models() -> dict[str, Model]:
        return {"only noisy pictures": bench.model("digits-correlated", noisy, self_supervised=True)}

    bench.compare("colour", "correlated noise 0.25 on digits", models, lambda models: correlated(bench, models))


def add_correlated(x: np.ndarray, seed: int) -> np.ndarray:
    """Return pictures (N, ..., H, W) within [0, 1] with noise of 0.25 whose neighbours are alike, clipped."""
    noise = np.random.default_rng(seed).standard_normal(x.shape, np.float32)
    smooth = gaussian_filter(noise, (0,) * (x.ndim - 2) + (CORRELATION,) * 2, mode="wrap")
    return np.clip(x + 0.25 * smooth / smooth.std(), 0, 1)


def correlated(bench: Bench, models: dict[str, Model]) -> Comparison:
    """Return a comparison on digits with correlated noise, which no corruption makes."""
    train = bench.digits("mnist:train")
    comparison = Comparison(models, bench.digits("mnist:test"), train, "none", most=bench.options.pictures)
    for seed, name in enumerate(("trial", "learning")):
        trial = getattr(comparison, name)
        damaged = add_correlated(trial.clean, seed)
        noise = Noise(float(np.sqrt(np.square(damaged - trial.clean).mean())))
        setattr(comparison, name, replace(trial, damaged=damaged, clipped=True, noise=noise))
    return comparison


PARTS = {"mnist": run_mnist, "self": run_self, "impulse": run_impulse, "photos": run_photos, "colour": run_colour}
TITLES = {
    "mnist": "MNIST test digits, noise clipped to the range",
    "self": "Only noisy digits known",
    "impulse": "Salt and pepper, missing pixels",
    "photos": "Photographs, grey, 256x256",
    "colour": "Colour, and correlated noise",
}


def make_tables(results: dict[str, Any]) -> dict[str, str]:
    """Return the tables by the names of their markers: one per part that was measured, and the filters' grids."""
    tables = {"filters": filter_table()}
    for part in PARTS:
        rows = [row for row in results.get("rows", []) if row["part"] == part]
        if rows:
            tables[part] = part_table(rows)
    return tables


def part_table(rows: list[dict[str, Any]]) -> str:
    """Return a row per method and a column per damage, the settings and the notes below."""
    damages, methods = (list(dict.fromkeys(row[key] for row in rows)) for key in ("damage", "method"))
    found = {(row["method"], row["damage"]): row for row in rows}
    body = [[method, *(show_cell(found.get((method, damage))) for damage in damages)] for method in methods]
    lines = [record.make_table(["PSNR in dB (SSIM)", *damages], body), ""]
    for note in dict.fromkeys(row["note"] for row in rows):
        lines += [f"{', '.join(dict.fromkeys(r['damage'] for r in rows if r['note'] == note))}: {note}", ""]
    for damage in damages:
        chosen = "; ".join(f"{r['method']}: {r['setting']}" for r in rows if r["damage"] == damage and r["setting"])
        lines += [f"Settings at {damage}: {chosen}.", ""]
    trained = {row["method"]: row for row in rows if "texts" in row}
    for method, row in trained.items():
        parts = " x ".join(row["texts"][kind] for kind in ("backbone", "bottleneck", "corruption", "loss"))
        lines += [
            f"{method}: {row['parameters']:,} parameters, {row['train_seconds']:,.0f} s of training; `{parts}`.",
            "",
        ]
    return "\n".join(lines).rstrip()


def show_cell(row: dict[str, Any] | None) -> str:
    """Return a score as text."""
    if row is None:
        return "-"
    return f"{row['psnr']:.2f}" + ("" if row["ssim"] is None else f" ({row['ssim']:.3f})")


def filter_table() -> str:
    """Return the grids of the plain denoisers."""
    rows = [[plain.name, show_grid(plain.grid), "replaced values" if plain.impulse else "any"] for plain in FILTERS]
    return record.make_table(["filter", "settings that are tried", "damage"], rows)


def show_grid(grid: Any) -> str:
    """Return the values of every argument as text."""
    return "; ".join(f"{name} {', '.join(map(str, values))}" for name, values in grid.items())


def describe(results: dict[str, Any]) -> str:
    """Return the page of the results."""
    lines = ["# Models beside the plain denoisers", ""]
    for part, table in make_tables(results).items():
        lines += [f"## {TITLES.get(part, 'The filters and their settings')}", "", table, ""]
    return "\n".join([*lines, record.source_lines(results), ""])


def insert_tables(text: str, tables: dict[str, str]) -> str:
    """Return a page with each table between its markers, `<!-- table: name -->` and `<!-- end -->`."""

    def fill(match: re.Match[str]) -> str:
        table = tables.get(match[1])
        return match[0] if table is None else f"<!-- table: {match[1]} -->\n{table}\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", fill, text, flags=re.DOTALL)


def main() -> None:
    """Measure what is not there yet, and write denoising.json and denoising.md; or fill the guide's tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--bsd", type=Path, help="the 400 grey training pictures, an .npz of one array (400, 180, 180)")
    parser.add_argument("--pictures", type=int, default=10_000, help="test digits that are measured")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--models", type=Path, help="where trained models are kept; runs/denoising by default")
    parser.add_argument("--docs", action="store_true", help="only write the tables into docs/denoising.md")
    parser.add_argument("--fresh", action="store_true", help="train and measure again what is there")
    parser.add_argument("--toy", action="store_true", help="few pictures, seconds of training: does it run?")
    options = parser.parse_args()
    if options.docs:
        results = record.load(options.results / "denoising.json")
        record.write(DOCS, insert_tables(DOCS.read_text(encoding="utf-8"), make_tables(results)))
        return
    if options.toy and options.results == record.RESULTS:
        parser.error("--toy needs --results FOLDER, since its figures mean nothing")
    options.models = options.models or (options.results if options.toy else record.ROOT / "runs") / "denoising"
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    bench = Bench(options)
    for part in options.parts:
        PARTS[part](bench)
    print(bench.path)


if __name__ == "__main__":
    main()

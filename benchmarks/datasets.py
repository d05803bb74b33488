"""narrows beside the plain loop on other data, at a fifth, a quarter, a half and all of the plain loop's time.

    python benchmarks/datasets.py

Both train the same network, the one that narrows chooses, on the same samples, and are measured by the same function on
the same held-out ones. The data are made from a seed and from pictures that scikit-learn and scikit-image ship.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import skimage
import sklearn.datasets
import torch
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.data.source import Chunks
from narrows.model import Network
from narrows.training import Fit
from PIL import Image
from torch import Generator, Tensor
from torch.nn.functional import mse_loss

import record

SKLEARN = Path(sklearn.datasets.__file__).parent / "images"
SKIMAGE = Path(skimage.__file__).parent / "data"
COLOUR = [
    *(SKLEARN / name for name in ("china.jpg", "flower.jpg")),
    *(SKIMAGE / f"{name}.png" for name in ("astronaut", "chelsea", "coffee", "ihc", "motorcycle_left")),
    *(SKIMAGE / f"{name}.jpg" for name in ("hubble_deep_field", "retina", "rocket")),
]
GREY = [
    *(SKIMAGE / f"{name}.png" for name in ("brick", "camera", "cell", "coins", "grass", "gravel", "moon", "page")),
    *(SKIMAGE / f"{name}.png" for name in ("astronaut", "chelsea", "coffee", "motorcycle_left")),
]
SHARES = (0.2, 0.25, 0.5, 1.0)  # of the plain loop's seconds
EPOCHS, BATCH_SIZE, RATE = 20, 128, 1e-3  # the plain loop
MIN_SECONDS = 0.1  # the least that Fit takes as max_seconds
LATENT = 6  # of the table: fewer than the 7 numbers of narrows' own choice of a code for 30 columns
PACKAGES = ("torch", "numpy", "scikit-learn", "scikit-image", "pillow", "narrows")


def cut_crops(paths: list[Path], mode: str, count: int, side: int) -> np.ndarray:
    """Return `count` squares cut from pictures drawn at random, at random places, always the same ones.

    Two squares may overlap, so that a held-out one may share pixels with those of training.
    """
    pictures = [np.asarray(Image.open(path).convert(mode)) for path in paths]
    random = np.random.default_rng(0)
    crops = []
    for _ in range(count):
        picture = pictures[random.integers(len(pictures))]
        top, left = (random.integers(length - side + 1) for length in picture.shape[:2])
        crops.append(picture[top : top + side, left : left + side])
    return np.stack(crops)


def make_table(rows: int, columns: int = 30, latent: int = LATENT, noise: float = 0.05) -> np.ndarray:
    """Return a table (rows, columns) of float32: `latent` numbers through a random nonlinear map, and a little noise.

    The map is two layers of fixed random weights with a tanh between; columns have scales and offsets of their own.
    """
    random = np.random.default_rng(0)
    hidden = np.tanh(random.normal(size=(rows, latent)) @ random.normal(size=(latent, 64)) / np.sqrt(latent) * 1.5)
    clean = hidden @ random.normal(size=(64, columns)) / 8
    noisy = clean + noise * random.normal(size=clean.shape)
    return (noisy * random.lognormal(size=columns) + random.normal(size=columns)).astype(np.float32)


SETS = {
    "colour crops": lambda toy: cut_crops(COLOUR, "RGB", 300 if toy else 3_000, 48),
    "grey crops": lambda toy: cut_crops(GREY, "L", 500 if toy else 5_000, 32),
    "synthetic table": lambda toy: make_table(1_000 if toy else 20_000),
}
TITLES = {
    "colour crops": f"crops of 48x48 RGB from {len(COLOUR)} pictures",
    "grey crops": f"crops of 32x32 grey from {len(GREY)} pictures",
    "synthetic table": f"rows of 30 columns, {LATENT} numbers behind them",
}


def train_plain(fit: Fit, epochs: int, seed: int) -> tuple[Network, float]:
    """Return the network of `fit` trained by the plain loop on the same samples, and its seconds.

    torch's own start of the weights, Adam at a constant rate, the mean squared error; the damage is that of the texts.
    """
    texts, source = fit.plan.texts, fit.plan.split.source
    if texts["loss"] != "mse()":
        raise SystemExit(f"the plain loop minimises the mean squared error, however narrows chose {texts['loss']}")
    began = time.perf_counter()
    torch.manual_seed(seed)
    network = Network.from_texts(tuple(source.shape), **texts)
    network.scaling.fit(Chunks(source.chunks))
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    chance = Generator().manual_seed(seed)
    network.train()
    for _ in range(epochs):
        for index in torch.randperm(len(source.x)).split(BATCH_SIZE):
            x = source.x[index]
            clean, damaged, _weight = network.damage(x, chance)
            loss = mse_loss(network.restore(damaged), clean)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network, time.perf_counter() - began


def measure(network: Network, held_out: Tensor) -> float:
    """Return the MSE per value of undamaged samples, in model's units."""
    errors = network.in_blocks(network.errors, held_out)
    return errors.mean().item()


def measure_plain(samples: Samples, seed: int, epochs: int) -> dict[str, Any]:
    """Return what the plain loop reaches, and in which time."""
    fit = Fit(samples, seed=seed, device="cpu")
    network, seconds = train_plain(fit, epochs, seed)
    return {
        "seconds": seconds,
        "wall_seconds": seconds,
        "val_mse": measure(network, fit.plan.split.held_out.x),
        "epochs": epochs,
        "texts": fit.plan.texts,
        "recipe": f"Adam {RATE}, batch {BATCH_SIZE}, {epochs} epochs",
        "samples": len(samples.x),
    }


def measure_fit(samples: Samples, seed: int, max_seconds: float) -> dict[str, Any]:
    """Return what narrows reaches within `max_seconds` of training, and what it took with all its preparations."""
    began = time.perf_counter()
    fit = Fit(samples, seed=seed, max_seconds=max_seconds, device="cpu")
    for _ in fit:
        pass
    wall = time.perf_counter() - began
    recipe = fit.finish().card.recipe
    return {
        "max_seconds": max_seconds,
        "seconds": recipe["seconds"],
        "wall_seconds": wall,
        "val_mse": measure(fit.network, fit.plan.split.held_out.x),
        "epochs": recipe["epochs"],
        "steps": recipe["steps"],
        "texts": fit.plan.texts,
        "recipe": f"{recipe['optimizer']}, {recipe['schedule']}, batch {recipe['batch_size']}",
        "samples": len(samples.x),
    }


def label(share: float | None) -> str:
    """Return how a trainer is called in the results."""
    return "plain loop" if share is None else f"narrows, {share:.0%}"


def describe(results: dict[str, Any]) -> str:
    """Return the page of the results."""
    lines = ["# narrows beside the plain loop, on other data", ""]
    head = ["trained by", "validation MSE", "times the plain loop's", "seconds", "times the plain loop's seconds"]
    for name in SETS:
        rows = [row for row in results["rows"] if row["set"] == name]
        plain = {row["seed"]: row for row in rows if row["by"] == label(None)}
        if not plain:
            continue
        body = []
        for by in dict.fromkeys(row["by"] for row in rows):
            pairs = [(row, plain[row["seed"]]) for row in rows if row["by"] == by and row["seed"] in plain]
            body.append(
                [
                    by,
                    record.spread((row["val_mse"] for row, _ in pairs), record.small),
                    record.spread((row["val_mse"] / base["val_mse"] for row, base in pairs), record.short),
                    record.spread((row["wall_seconds"] for row, _ in pairs), record.short),
                    record.spread((row["wall_seconds"] / base["wall_seconds"] for row, base in pairs), record.short),
                ]
            )
        texts = rows[-1]["texts"]
        lines += [f"## {name}: {rows[0]['samples']:,} {TITLES[name]}", "", record.make_table(head, body), ""]
        lines += [
            f"Seeds: {len(plain)}. Both: {', '.join(texts.values())}. Plain: {rows[0]['recipe']}, torch's own start."
        ]
        lines += [f"narrows: {rows[-1]['recipe']}, `max_seconds` that share of the plain loop's seconds.", ""]
    lines += [
        "Median (least to largest) over the seeds; ratios are taken within a seed. MSE per value of undamaged held-out "
        "samples, in model's units. Seconds: from the samples in memory to a trained network, narrows' preparations "
        "and what it measures on its validation share between epochs included.",
        "",
        record.source_lines(results),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure the rows that are not there yet, and write datasets.json and datasets.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument("--toy", action="store_true", help="few samples, one seed: does it run?")
    options = parser.parse_args()
    if options.toy and options.results == record.RESULTS:
        parser.error("--toy needs --results FOLDER, since its figures mean nothing")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    measure_plain(read(make_table(1_000)), 0, epochs=1)  # a warm-up: torch puts off imports and first calls are slow
    path = options.results / "datasets.json"
    results = record.load(path) or {"rows": []}
    results["run"] = record.describe_run(*PACKAGES)
    for name in options.sets:
        samples = read(SETS[name](options.toy))
        for seed in range(1 if options.toy else options.seeds):
            base: dict[str, Any] = {}
            for share in (None, *SHARES):
                key = {"set": name, "seed": seed, "by": label(share)}
                same = [row for row in results["rows"] if key.items() <= row.items()]
                if same and not options.fresh:
                    base = base or same[0]
                    continue
                row = key | record.stamp() | {"threads": options.threads}
                if share is None:
                    row |= measure_plain(samples, seed, 2 if options.toy else EPOCHS)
                    base = row
                else:
                    row |= measure_fit(samples, seed, max(MIN_SECONDS, share * base["seconds"]))
                print(
                    f"{name}, seed {seed}, {label(share)}: {row['val_mse']:.6f}, {row['wall_seconds']:.1f} s",
                    flush=True,
                )
                results["rows"] = [other for other in results["rows"] if other not in same] + [row]
                record.save(path, results)
    record.write(options.results / "datasets.md", describe(results))
    print(options.results / "datasets.md")


if __name__ == "__main__":
    main()

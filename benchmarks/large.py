"""Large pictures through `narrows denoise`: how much memory it takes, and whether they come out as they went in.

    python benchmarks/large.py

A 16-bit grey TIFF and an RGB JPEG that EXIF turns upright are made of scikit-image's pictures and their mirrors, in
4000x3000, with noise of 25/255 from a fixed seed. The networks are as `Fit` starts them, since memory does not depend
on what was learned; `--model RUN` takes a trained one in their place.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from narrows import modelfile, read
from narrows.training import Fit
from PIL import Image
from skimage import data, util

import record
from command import NARROWS, run

HEIGHT, WIDTH = 3000, 4000
NOISE = 25 / 255
ORIENTATION, TURNED = 0x0112, 6  # EXIF: the stored picture is shown a quarter turn to the right
LIMIT_MB = 1500
BACKBONES = ("conv(channels=[64, 128], grid=True)", "unet(16)")


def fill(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return fractions (height, width, ...) of a picture and its mirrors with noise, within [0, 1]."""
    x = util.img_as_float32(picture)
    gaps = [(0, max(0, side - own)) for side, own in zip((height, width), x.shape, strict=False)]
    x = np.pad(x, [*gaps, *[(0, 0)] * (x.ndim - 2)], mode="symmetric")[:height, :width]
    return np.clip(x + np.random.default_rng(0).normal(0, NOISE, x.shape).astype(np.float32), 0, 1)


def make_pictures(folder: Path, height: int, width: int) -> list[Path]:
    """Write the TIFF and the JPEG, and return their paths."""
    grey = np.rint(fill(data.camera(), height, width) * 65535).astype(np.uint16)
    colour = np.rint(fill(data.astronaut(), height, width) * 255).astype(np.uint8)
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    stored = Image.fromarray(colour).transpose(Image.Transpose.ROTATE_90)
    Image.fromarray(grey).save(folder / "grey.tif")
    stored.save(folder / "colour.jpg", exif=exif, quality=95)
    return [folder / "grey.tif", folder / "colour.jpg"]


def make_model(path: Path, backbone: str) -> Path:
    """Write an untrained model of grey crops of 64x64, and return its path."""
    crops = np.stack(np.split(fill(data.camera(), 512, 512), 8))[:, :, :64]
    fit = Fit(read((crops * 255).astype(np.uint8)), backbone=backbone, bottleneck="linear(64)", device="cpu")
    modelfile.save(path, fit.finish())
    return path


def describe(path: Path) -> dict[str, Any]:
    """Return what a picture's file holds: its format, its size and kind as shown, and whether EXIF still turns it."""
    with Image.open(path) as image:
        turned = image.getexif().get(ORIENTATION, 1)
        width, height = image.size[::-1] if turned >= 5 else image.size
        return {"format": image.format, "shown": f"{width}x{height}", "kind": image.mode, "orientation": turned}


def corners(path: Path) -> np.ndarray:
    """Return the means of a picture's quarters as shown, fractions (2, 2): they tell which way up it is."""
    with Image.open(path) as image:
        x = np.asarray(image)
        full = np.iinfo(x.dtype).max
        x = np.rot90(x, -1) if image.getexif().get(ORIENTATION, 1) == TURNED else x
    x = x.reshape(*x.shape[:2], -1)
    return np.array([[part.mean() / full for part in np.array_split(half, 2, 1)] for half in np.array_split(x, 2)])


def measure(model: Path, path: Path) -> dict[str, Any]:
    """Return the row of one picture through one model."""
    row, restored = record.stamp(), path.with_stem(f"{path.stem}-restored")
    _, peak = run([NARROWS, "denoise", str(model), str(path), "-o", str(restored), "--overwrite"])
    row |= {"backbone": modelfile.load(model).network.texts["backbone"], "file": path.name, "peak_mb": peak}
    row |= {"before": describe(path), "after": describe(restored)}
    row["way_up_kept"] = bool(np.corrcoef(corners(path).flat, corners(restored).flat)[0, 1] > 0.5)
    return row


def main() -> None:
    """Measure, and write results/large.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a run folder or a model file that takes pictures of any size")
    parser.add_argument("--backbones", nargs="+", default=BACKBONES, help="of the untrained models")
    parser.add_argument("--results", type=Path, default=record.RESULTS)
    parser.add_argument("--toy", action="store_true", help="pictures of 400x300: does it run?")
    options = parser.parse_args()
    if options.toy and options.results == record.RESULTS:
        parser.error("--toy needs --results FOLDER, since its figures mean nothing")
    height, width = (HEIGHT // 10, WIDTH // 10) if options.toy else (HEIGHT, WIDTH)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = [options.model] if options.model else []
        for i, backbone in enumerate(options.backbones if not models else ()):
            models.append(make_model(folder / f"{i}.safetensors", backbone))
        pictures = make_pictures(folder, height, width)
        for model, path in itertools.product(models, pictures):
            rows.append(measure(model, path))
            print(rows[-1], flush=True)
    results = {"run": record.describe_run("torch", "numpy", "pillow", "narrows"), "rows": rows}
    record.save(options.results / "large.json", results)
    record.write(options.results / "large.md", make_page(results))
    print(options.results / "large.md")


def make_page(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    head = ["backbone", "file", "before", "after", "way up kept", "largest memory, MB", f"under {LIMIT_MB:,} MB"]
    body = []
    for row in results["rows"]:
        shown = ["{format} {shown} {kind}, orientation {orientation}".format(**row[key]) for key in ("before", "after")]
        under = "yes" if row["peak_mb"] < LIMIT_MB else "no"
        body.append(
            [
                f"`{row['backbone']}`",
                row["file"],
                *shown,
                "yes" if row["way_up_kept"] else "no",
                record.short(row["peak_mb"]),
                under,
            ]
        )
    note = "The whole process, `narrows denoise MODEL FILE -o RESTORED`, on one picture; MB are 2^20 bytes."
    return f"{record.make_table(head, body)}\n\n{note}\n\n{record.source_lines(results)}\n"


if __name__ == "__main__":
    main()

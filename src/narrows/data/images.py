"""Files of pictures -> one array: one size, one depth, grey or RGB."""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from narrows.errors import DataError

# Only decoders that need no outside program: Pillow's EPS reader, for one, starts Ghostscript.
DECODERS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000")
EXTENSIONS = {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp", ".avif", ".jp2"}
EXTENSIONS |= {".pbm", ".pgm", ".ppm", ".pnm"}
KEPT_SIDE = 128  # pixels; one common size up to this stays as it is
DEFAULT_SIZE = (64, 64)
FITS = {"crop": "scaled and centre-cut", "pad": "scaled and padded with black", "stretch": "stretched"}
GREY_MODES = ("1", "L", "LA", "La")
UPRIGHT = {  # EXIF orientation -> what turns the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Pictures(NamedTuple):
    """Pictures as read, the fields of `Samples` of the same names; `labels` are the names of subfolders."""

    x: np.ndarray
    labels: tuple[str, ...] | None
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    reading: dict[str, Any]
    notes: tuple[str, ...]


class _Header(NamedTuple):
    name: str
    path: Path
    size: tuple[int, int]  # (H, W), upright
    grey: bool
    deep: bool  # 16-bit grey


@dataclass(frozen=True)
class _Plan:
    """How pictures become alike; `colour` "unknown" is read as RGB and settled by the pixels."""

    size: tuple[int, int]
    fit: str
    colour: str
    depth: int

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint16 if self.depth == 16 else np.uint8)


def read_pictures(
    path: Path, size: Any = None, fit: str | None = None, reading: dict[str, Any] | None = None
) -> Pictures:
    """Read a picture, or all pictures of a folder and its subfolders, sorted by path.

    Parameters
    ----------
    path : a folder or a picture; hidden files are ignored.
    size, fit, reading : as for `narrows.read`.

    Returns
    -------
    Pictures, whose `x` is (N, H, W) where all are grey, else (N, H, W, 3); bytes, or uint16 where all are 16-bit grey.

    Raises
    ------
    DataError : if there is no picture, none that can be read, or no memory for them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (9, 8)).save(Path(folder) / "a.png")
    ...     pictures = read_pictures(Path(folder))
    >>> pictures.x.shape, pictures.reading
    ((1, 8, 9), {'size': [8, 9], 'fit': 'crop', 'colour': 'grey', 'depth': 8})
    """
    skipped: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures that it reads well
        files, notes = list_pictures(path, skipped)
        headers = [header for name, file in files if (header := _read_header(name, file, skipped))]
        _check_some(headers, path, skipped)
        plan, more = _make_plan(headers, size, fit, reading or {})
        _check_memory(len(headers), plan)
        x, names = _read_pixels(headers, plan, skipped)
    _check_some(names, path, skipped)
    colour = "rgb" if x.ndim == 4 else "grey"
    settled = {"size": list(plan.size), "fit": plan.fit, "colour": colour, "depth": plan.depth}
    return Pictures(x, _subfolders(names), names, tuple(sorted(skipped.items())), settled, (*notes, *more))


def read_originals(path: Path) -> tuple[list[np.ndarray], Pictures]:
    """Read a picture, or all pictures of a folder and its subfolders, each in its own size.

    Returns
    -------
    The pictures, all (H, W) or all (H, W, 3) and of one depth, and the rest as `Pictures` whose `x` is empty; the
    `size` of its reading is None: nothing is resized.

    Raises
    ------
    DataError : as `read_pictures`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for side in (9, 300):
    ...         Image.new("L", (side, 8)).save(Path(folder) / f"{side}.png")
    ...     pictures, about = read_originals(Path(folder))
    >>> [picture.shape for picture in pictures], about.names
    ([(8, 300), (8, 9)], ('300.png', '9.png'))
    """
    skipped: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files, notes = list_pictures(path, skipped)
        headers = [header for name, file in files if (header := _read_header(name, file, skipped))]
        _check_some(headers, path, skipped)
        plan, more = _make_plan(headers, headers[0].size, None, {})
        pixels = sum(height * width for height, width in (header.size for header in headers))
        check_memory(pixels * plan.channels * plan.dtype.itemsize, f"{len(headers)} pictures at full resolution")
        found = [(header.name, _try_decode(header, replace(plan, size=header.size), skipped)) for header in headers]
    pictures = [values for _, values in found if values is not None]
    names = tuple(name for name, values in found if values is not None)
    _check_some(names, path, skipped)
    grey = plan.colour == "grey" or not any((values != values[..., :1]).any() for values in pictures)
    reading = {"size": None, "fit": "crop", "colour": "grey" if grey else "rgb", "depth": plan.depth}
    pictures = [np.ascontiguousarray(values[..., 0]) for values in pictures] if grey else pictures
    about = Pictures(
        np.empty(0, plan.dtype), _subfolders(names), names, tuple(sorted(skipped.items())), reading, (*notes, *more)
    )
    return pictures, about


def check_memory(needed: int, name: str, way_out: str = "read fewer samples") -> None:
    """Raise a DataError if `needed` bytes for `name` are more than the memory that is available."""
    free = available_memory()
    if free is not None and needed > free:
        have = f"{free / 1e9:.1f} GB are available"
        raise DataError(f"{name} would take {needed / 1e9:.1f} GB of memory, however: {have}; {way_out}")


def available_memory() -> int | None:
    """Return the bytes of memory that are available, None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


# Which files


def list_pictures(path: Path, skipped: dict[str, str]) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    """Return (name, path) of all pictures by extension, and a note on the other files."""
    if not path.is_dir():
        return [(_shown(path.name), path)], ()
    pictures, others = [], Counter[str]()
    for file in sorted(_walk(path, skipped), key=lambda file: file.parts):
        suffix = file.suffix.lower()
        if suffix in EXTENSIONS:
            pictures.append((_shown(file.relative_to(path).as_posix()), file))
        else:
            others[suffix or "without extension"] += 1
    if not pictures and not skipped:
        held = f"only {', '.join(sorted(others)[:5])} files" if others else "no file"
        raise DataError(f"the folder {str(path)!r} must hold pictures ({_extensions()}), however: it holds {held}")
    note = f"ignored {sum(others.values())} files that are no pictures ({', '.join(sorted(others)[:5])})"
    return pictures, (note,) if others else ()


def _walk(root: Path, skipped: dict[str, str]) -> Iterator[Path]:
    """Yield all files that are not hidden; each folder once, so that links in a circle end."""

    def note_error(error: OSError) -> None:
        folder = os.path.relpath(error.filename or root, root)
        skipped[f"{_shown(folder)}/"] = error.strerror or "the folder cannot be listed"

    seen = set()
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=note_error):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from (Path(folder, name) for name in files if not name.startswith("."))


def _shown(name: str) -> str:
    """Return a file's name as text that can be printed and saved, whatever its bytes."""
    return os.fsencode(name).decode("utf-8", "replace")


def _extensions() -> str:
    return ", ".join(sorted(EXTENSIONS))


def _check_some(found: Any, path: Path, skipped: dict[str, str]) -> None:
    if not found:
        name, reason = min(skipped.items())
        what = (
            f"none of the {len(skipped)} pictures of {str(path)!r} can" if len(skipped) > 1 else f"{str(path)!r} cannot"
        )
        raise DataError(f"{what} be read; {name}: {reason}")


def _subfolders(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the first folder of each name as its label, where all have one and they differ."""
    folders = tuple(name.partition("/")[0] for name in names)
    return folders if len(set(folders)) > 1 and all("/" in name for name in names) else None


# Headers


def _read_header(name: str, path: Path, skipped: dict[str, str]) -> _Header | None:
    try:
        with open_picture(path) as image:
            width, height = image.size
            turned = image.format != "TIFF" and _orientation(image) >= 5  # a TIFF's size is upright already
            size = (width, height) if turned else (height, width)
            return _Header(name, path, size, image.mode in GREY_MODES or is_deep(image), is_deep(image))
    except Exception as error:  # Pillow's decoders raise about seven classes of error
        skipped[name] = reason_of(error)
        return None


def open_picture(path: Path) -> Image.Image:
    """Open a picture by the decoders that are safe; raises OSError or ValueError for what is none."""
    if not path.is_file():  # a named pipe would wait for ever
        raise ValueError("it is no file, or a broken link")
    if path.stat().st_size == 0:
        raise ValueError("the file is empty")
    return Image.open(path, formats=DECODERS)


def _orientation(image: Image.Image) -> int:
    try:
        value = Image.Image.getexif(image).get(0x0112, 1)  # PNG's own getexif decodes all pixels first
    except Exception:  # damaged metadata do not make a damaged picture
        return 1
    return value if isinstance(value, int) else 1


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture is grey with 16 bits."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def reason_of(error: Exception) -> str:
    """Return what a decoder says on one line, without the path that it may name."""
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels, as a decompression bomb would"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200] or type(error).__name__


# The plan


def _make_plan(headers: list[_Header], size: Any, fit: str | None, reading: dict[str, Any]) -> tuple[_Plan, list[str]]:
    """Return how all pictures are read, and what a person should know of it."""
    wanted = None if size is None else _as_size(size)
    _check_fit(fit)
    if reading:
        return _saved_plan(wanted, fit, reading, {header.size for header in headers}), []
    sizes = {header.size for header in headers}
    deep = [header.deep for header in headers]
    fit, notes = fit or "crop", []
    if wanted is None and (len(sizes) > 1 or max(max(sizes)) > KEPT_SIDE):
        wanted = DEFAULT_SIZE
        found = "mixed sizes" if len(sizes) > 1 else "{}x{}".format(*min(sizes))
        notes.append(f"pictures of {found}: {FITS[fit]} to {wanted[0]}x{wanted[1]} (--size, --fit change that)")
    if any(deep) and not all(deep):
        notes.append(f"{sum(deep)} of {len(deep)} pictures are 16-bit grey: all are read with 8 bits")
    colour = "grey" if all(header.grey for header in headers) else "unknown"
    return _Plan(wanted or min(sizes), fit, colour, 16 if all(deep) else 8), notes


def _saved_plan(
    wanted: tuple[int, int] | None, fit: str | None, reading: dict[str, Any], sizes: set[tuple[int, int]]
) -> _Plan:
    """Return the plan of a model's saved reading, which `wanted` and `fit` may repeat but not change."""
    if set(reading) != {"size", "fit", "colour", "depth"}:
        raise DataError(f"a reading must hold size, fit, colour and depth, however: {reading!r}")
    size = min(sizes) if reading["size"] is None else _as_size(reading["size"])
    plan = _Plan(size, reading["fit"], reading["colour"], reading["depth"])
    if plan.fit not in FITS or plan.colour not in ("grey", "rgb") or plan.depth not in (8, 16):
        raise DataError(f"a reading must hold a fit, a colour and a depth that are known, however: {reading!r}")
    if reading["size"] is None and len(sizes) > 1:
        raise DataError(
            f"this model takes pictures at their own size, and they must be alike to become one array, however: there "
            f"are {len(sizes)} sizes; give pictures of one size, or `narrows denoise`, which takes them one by one"
        )
    if wanted not in (None, plan.size) or fit not in (None, plan.fit):
        height, width = plan.size
        raise DataError(f"this model reads pictures at {height}x{width}, fit {plan.fit!r}; leave size and fit out")
    return plan


def _check_fit(fit: str | None) -> None:
    if fit is not None and fit not in FITS:
        raise DataError(f"fit must be one of {', '.join(map(repr, FITS))}, however: fit={fit!r}")


def _as_size(size: Any) -> tuple[int, int]:
    pair = tuple(size) if isinstance(size, list | tuple) else (size, size)
    pair = pair * 2 if len(pair) == 1 else pair
    whole = all(isinstance(side, int | np.integer) and not isinstance(side, bool) and side >= 1 for side in pair)
    if len(pair) != 2 or not whole:
        raise DataError(f"size must be one or two whole numbers of at least 1, (H, W), however: size={size!r}")
    return int(pair[0]), int(pair[1])


def _check_memory(count: int, plan: _Plan) -> None:
    """Count the memory of all pictures before any is decoded; the error says which size would fit."""
    height, width = plan.size
    per_pixel = count * plan.channels * plan.dtype.itemsize
    side = math.isqrt((available_memory() or 0) // per_pixel)
    way_out = f"--size {side} would fit" if side else "read fewer pictures"
    check_memory(per_pixel * height * width, f"{count} pictures of {height}x{width}", way_out)


# Pixels


def _read_pixels(headers: list[_Header], plan: _Plan, skipped: dict[str, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return (N, H, W) or (N, H, W, 3) and the names of the N that could be read."""
    x = np.empty((len(headers), *plan.size, plan.channels), plan.dtype)
    names: list[str] = []
    colourful = plan.colour == "rgb"
    for header in headers:
        values = _try_decode(header, plan, skipped)
        if values is None:
            continue
        x[len(names)] = values
        names.append(header.name)
        colourful = colourful or bool((values != values[..., :1]).any())
    x = x[: len(names)]
    return (x if colourful else np.ascontiguousarray(x[..., 0])), tuple(names)


def _try_decode(header: _Header, plan: _Plan, skipped: dict[str, str]) -> np.ndarray | None:
    """Return one picture (H, W, channels), or None where it cannot be decoded, with the reason in `skipped`."""
    try:
        return _decode(header.path, plan)
    except Exception as error:
        skipped[header.name] = reason_of(error)
        return None


def _decode(path: Path, plan: _Plan) -> np.ndarray:
    """Return one picture (H, W, channels) in the plan's size and depth."""
    with open_picture(path) as image:
        side = 2 * max(plan.size)
        image.draft(None, (side, side))  # a JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves twice the pixels
        image.load()
        orientation = _orientation(image)
        flat = _flatten(image)
    if orientation in UPRIGHT:
        flat = flat.transpose(UPRIGHT[orientation])
    return _as_values(_resize(flat, plan.size, plan.fit), plan)


def _flatten(image: Image.Image) -> Image.Image:
    """Return the picture as "L", as "RGB" over white, or as "F" where it has 16 bits."""
    if is_deep(image):
        return image.convert("I").convert("F")
    if image.mode in ("I", "F"):
        raise ValueError("it has 32 bits a pixel; save it as an array, .npy")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("L" if image.mode in GREY_MODES else "RGB")


def _resize(image: Image.Image, size: tuple[int, int], fit: str) -> Image.Image:
    """Return the picture in `size` (H, W)."""
    (width, height), (target_height, target_width) = image.size, size
    if (width, height) == (target_width, target_height):
        return image
    if fit == "pad":
        return _pad(image, size)
    box = (0.0, 0.0, float(width), float(height))
    if fit == "crop":
        scale = min(width / target_width, height / target_height)
        left, top = (width - scale * target_width) / 2, (height - scale * target_height) / 2
        box = (max(left, 0.0), max(top, 0.0), min(width - left, width), min(height - top, height))
    return _scale(image, (target_width, target_height), box)


def _pad(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(size[1] / image.width, size[0] / image.height)
    width, height = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    padded = Image.new(image.mode, (size[1], size[0]))
    padded.paste(_scale(image, (width, height), None), ((size[1] - width) // 2, (size[0] - height) // 2))
    return padded


def _scale(image: Image.Image, size: tuple[int, int], box: Any) -> Image.Image:
    """Return `box` of the picture in `size` (W, H); the gap makes large steps fast, by a box filter first."""
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def _as_values(image: Image.Image, plan: _Plan) -> np.ndarray:
    """Return (H, W, channels); a depth that differs is mapped full range to full range."""
    if image.mode == "F":
        values = np.asarray(image).clip(0, 65535)[..., np.newaxis]
        values = np.rint(values if plan.depth == 16 else values / 257).astype(plan.dtype)
        return np.repeat(values, plan.channels, axis=-1)
    values = np.asarray(image.convert("L" if plan.channels == 1 else "RGB"))
    values = values.reshape(*values.shape[:2], plan.channels)
    return values.astype(plan.dtype) * 257 if plan.depth == 16 else values

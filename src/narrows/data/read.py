"""Read an array, a name or a path as samples, in the user's units and types."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.array_files import read_array_files
from narrows.data.arrays import as_numbers, holds_plain_arrays, read_arrays
from narrows.data.axes import Axes, ModelAxes, arrange, check_axes, is_one_picture
from narrows.data.image_formats import EXTENSIONS
from narrows.data.image_source import depth_of
from narrows.data.images import read_originals, read_pictures
from narrows.data.labels import read_labels, with_labels
from narrows.data.named import NAMED, NamedSet
from narrows.data.number_files import check_values, find_split, read_number_file
from narrows.data.pairs import with_target
from narrows.data.places import Place, are_paths, holds_pictures, open_place, printable, walk
from narrows.data.samples import Samples
from narrows.data.tables import TableOptions, read_table
from narrows.errors import DataError
from narrows.spec import DEPRECATED, check_whole, take_renamed
from narrows.tables.columns import Columns
from narrows.tables.table_file import is_frame, is_table
from narrows.unreadable import FORMATS

TABLES = tuple(f.name for f in fields(TableOptions))
TEXTS = ("delimiter", "header", "encoding", "na_values", "on_bad_lines")  # of these, how the text of a table is read
CHOICES = ("columns", "id_column", "label_column")  # and what is said of a table to train on
SHARED = ("axes", "pages", *TEXTS, *CHOICES)  # options of `read` that every verb which reads data takes


@dataclass(frozen=True)
class _Way:
    """How files are read: the options of `read` of the same names."""

    size: int | tuple[int, int] | None
    resize_mode: str | None
    reading: dict[str, Any] | None
    patch_size: int | None
    pages: str
    table: TableOptions
    model_columns: Columns | None

    @property
    def resizes(self) -> bool:
        """Whether pictures shall be resized."""
        return not (self.size is None and self.resize_mode is None)


def read(
    source: Any,
    size: int | tuple[int, int] | None = None,
    *,
    resize_mode: str | None = None,
    labels: Any = None,
    reading: dict[str, Any] | None = None,
    patch_size: int | None = None,
    target: Any = None,
    axes: str | ModelAxes | None = None,
    pages: str = "all",
    model_columns: Columns | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    na_values: str | Sequence[str] = (),
    on_bad_lines: str = "error",
    columns: Any = None,
    id_column: str | Sequence[str] | None = None,
    label_column: str | None = None,
    split_by: str | None = None,
    fit: Any = DEPRECATED,
    crop: Any = DEPRECATED,
) -> Samples:
    """Read samples from an array, a name or a path.

    Parameters
    ----------
    source : an array (NumPy, torch or nested lists), a frame (pandas, polars, pyarrow), a name such as "mnist", or a
        path: a folder or a zip of pictures, a picture, .npy, IDX, .npz with `x` and `y` or other usual names
        ("a.npz:test" for its `x_test`), a folder of .npy of which each is one sample, or a table: .csv, .tsv, .txt and
        .data, packed as .gz, .bz2, .zst or .zip too, .parquet, .feather, .arrow and .jsonl. A list of paths and a
        pattern such as "pics/*.png" are read as one folder; Samples come back as they are. A text that is a name means
        the name; "./mnist" means the path.
    size : pictures become this size, (H, W) or one number for both; by default one common size of at most 128
        pixels a side is kept, else they become 64x64.
    resize_mode : how pictures of another shape become that size: "crop" (the default) cuts the centre out, "pad" adds
        black bars, "stretch" distorts.
    labels : N labels or the path of their file (.npy, .npz, IDX, one text per line); they replace those of the
        source, which are `y` or the names of subfolders.
    reading : a model's saved `reading`: pictures are read the same way.
    patch_size : nothing is resized: pictures keep their resolution, and training cuts patches of this side out of
        those that are larger.
    target : what the samples should become: an array arranged like `source`, or a path; the pictures of two folders
        belong together by their names.
    axes : of an array of pictures: "NHW", "NHWC", "NCHW", "HWC" (one colour picture), or "NZHW", of which every slice
        is a picture and so a sample. By default dimensions decide, and (H, W, 3 or 4) with sides of 8 or more is one
        colour picture. `x` is (N, H, W) or (N, H, W, C); results come back as the array was arranged.
    pages : "all" reads every page of a TIFF and every frame of an animation as a picture of its own, "a.tif[2]";
        "first" the first of each file.
    model_columns : those that a model learned of a table; they are found by their names, in any order.
    delimiter, header, encoding, na_values, on_bad_lines, columns, id_column, label_column, split_by : how a table is
        read, as `TableOptions` in narrows.data.tables has them; what is left open is found, and said in the notes.
    fit, crop : the former names of `resize_mode` and `patch_size`, which warn.

    Raises
    ------
    DataError : if it cannot be read, is empty, or holds anything but finite numbers and, in tables, NaN for gaps.

    Examples
    --------
    >>> read("mnist:test").x.shape
    (10000, 28, 28)
    >>> read([[1.0, 2.0], [3.0, 4.0]], labels=["a", "b"]).labels.tolist()
    ['a', 'b']
    """
    resize_mode = take_renamed("fit", fit, "resize_mode", resize_mode)
    patch_size = take_renamed("crop", crop, "patch_size", patch_size)
    patch_size = None if patch_size is None else check_whole("patch_size", patch_size, 1)
    table = TableOptions(
        delimiter, header, encoding, na_values, on_bad_lines, columns, id_column, label_column, split_by
    )
    way = _Way(size, resize_mode, reading, patch_size, pages, table, model_columns)
    samples, name, pictures = _read_source(source, way)
    if samples.table is None and table != TableOptions():
        asked = next(f for f in TABLES if getattr(table, f) != getattr(TableOptions(), f))
        raise DataError(f"{asked} is for tables, however: {name} is none; leave it out")
    if not pictures and way.resizes:
        raise DataError(f"size and resize_mode are for files of pictures, however: {name} is none; leave them out")
    samples = _with_axes(samples, axes, name)
    if isinstance(samples.x, np.ndarray):
        check_values(samples, name)
    if target is not None:
        wanted = read(
            target,
            size,
            resize_mode=resize_mode,
            reading=reading,
            patch_size=patch_size,
            axes=axes,
            pages=pages,
            model_columns=samples.table or model_columns,
            **({} if samples.table is None else {f: getattr(table, f) for f in TEXTS}),
        )
        samples = with_target(samples, wanted, name)
    if patch_size is not None and isinstance(samples.x, np.ndarray):
        samples = _as_crops(samples, patch_size)
    return samples if labels is None else _with_labels(samples, read_labels(labels), "labels")


def are_pictures(place: Path | Place) -> bool:
    """Return whether a place is a picture or holds some, by their endings; a folder without arrays counts as such.

    >>> are_pictures(Path("a.png")), are_pictures(Path("a.npy"))
    (True, False)
    """
    if isinstance(place, Path) and not place.is_dir():
        return place.suffix.lower() in EXTENSIONS or holds_pictures(place)
    endings = {""}
    for file in walk(place, {}):
        endings.add(file.suffix.lower())
        if not EXTENSIONS.isdisjoint(endings):
            return True
    return endings == {""} or ".npy" not in endings


def names_arrays(source: Any) -> bool:
    """Return whether a text names a data set or a split of a .npz file, rather than a path.

    >>> names_arrays("mnist:test"), names_arrays("a.png")
    (True, False)
    """
    return isinstance(source, str) and (source in NAMED or find_split(source) is not None)


def _read_source(source: Any, way: _Way) -> tuple[Samples, str, bool]:
    """Return samples, their name in messages, and whether they are files of pictures."""
    if isinstance(source, Samples):
        name = source.origin or "the data"
        if way.model_columns is not None and source.table is not None:
            way.model_columns.refuse_others(source.table, name)
        return source, name, False
    if isinstance(source, str) and source in NAMED:
        return _read_named(NAMED[source]), source, False
    if is_frame(source):
        return (
            replace(read_table(source, "the frame", way.table, way.model_columns), origin="frame"),
            "the frame",
            False,
        )
    if not are_paths(source):
        return Samples(as_numbers(source, "the array"), origin="array"), "the array", False
    if (named := find_split(source)) is not None:
        path, split = named
        samples = read_number_file(path, str(path), split)
        return replace(samples, origin=f"{_short_name(path)}:{split}"), os.fspath(source), False
    with open_place(source) as place:
        name = os.fspath(source) if isinstance(source, str | os.PathLike) else str(place)
        samples, pictures = _read_place(place, name, way)
        return replace(samples, origin=_short_name(place)), name, pictures


def _read_place(place: Path | Place, name: str, way: _Way) -> tuple[Samples, bool]:
    """Return samples, and whether they are files of pictures."""
    if not are_pictures(place):
        if isinstance(place, Path) and not place.is_dir():
            if not place.is_file():  # to open a named pipe would wait for ever
                raise DataError(f"{name} must be {FORMATS}, however: it is no file")
            if is_table(place) and not holds_plain_arrays(place):
                return read_table(place, name, way.table, way.model_columns), False
            return read_number_file(place, name), False
        return read_array_files(place, name), False
    if way.patch_size is None:
        return read_pictures(place, way.size, way.resize_mode, way.reading, way.pages), True
    if way.resizes:
        raise DataError(
            "patches keep the pictures' resolution, so size and resize_mode have no meaning beside patch_size; leave "
            "them out"
        )
    return _read_crops(place, way.patch_size, way.reading, way.pages), True


def _with_axes(samples: Samples, axes: str | ModelAxes | None, name: str) -> Samples:
    """Return samples of an array whose axes are named, or told by the model or by the shape, as pictures."""
    x, notes = samples.x, samples.notes
    if samples.axes is not None or not isinstance(x, np.ndarray) or samples.reading:
        if isinstance(axes, str) and (samples.axes is None or check_axes(axes) != samples.axes.text):
            raise DataError(f"axes are named for an array as it came, however: {name} is none; leave them out")
        return samples
    if isinstance(axes, ModelAxes):
        axes = axes.choose(x.shape)
    elif axes is None and samples.names is None and is_one_picture(x.shape):
        axes = "HWC"
        height, width, channels = x.shape
        line = f'one colour picture of {height}x{width}; axes="NHW" reads {height} grey ones of {width}x{channels}'
        notes = (*notes, line)
    if axes is None:
        return samples
    arranged, x = arrange(x, axes)
    target = None if samples.target is None else arrange(samples.target, axes)[1]
    labels = None if samples.labels is None else _spread(samples.labels, arranged, len(x))
    return replace(samples, x=x, target=target, axes=arranged, labels=labels, notes=notes, test=None)


def _with_labels(samples: Samples, labels: np.ndarray, name: str) -> Samples:
    return with_labels(samples, _spread(labels, samples.axes, len(samples.x)), name)


def _spread(labels: np.ndarray, axes: Axes | None, count: int) -> np.ndarray:
    """Return a label per picture, where there is one per sample of several slices."""
    slices = 1 if axes is None else axes.slices
    return labels.repeat(slices) if len(labels) * slices == count else labels


def _short_name(place: Path | Place) -> str:
    """Return the last name of a path, of a zip, or of the folder that holds what is read."""
    path = place if isinstance(place, Path) else Path(place.origin)
    name = path.name if path.name not in ("", "..") else path.resolve().name
    return printable(name)


def _read_named(named: NamedSet) -> Samples:
    images = [read_arrays(path, path.name)["array"] for path in named.images]
    labels = [read_arrays(path, path.name)["array"] for path in named.labels]
    x, y = (parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in (images, labels))
    return Samples(x, labels=y.astype(np.int64), origin=named.name, test=named.test)


def _read_crops(path: Path | Place, side: int, reading: Any, pages: str) -> Samples:
    from narrows.data.crops import Crops  # imports torch

    samples = read_originals(path, reading, pages)
    return replace(samples, x=Crops(samples.x, side))


def _as_crops(samples: Samples, side: int) -> Samples:
    """Return samples that are cut into crops, or the samples themselves where no picture is larger than a crop."""
    from narrows.data.crops import Crops

    x = samples.x
    if x.ndim not in (3, 4) or max(x.shape[1:3]) <= side:
        return samples
    colour = {1: "grey", 3: "rgb"}.get(1 if x.ndim == 3 else x.shape[3])
    reading = {"size": None, "fit": "crop", "colour": colour, "depth": depth_of(x.dtype)}
    target = None if samples.target is None else Crops(samples.target, side)
    return replace(samples, x=Crops(x, side), target=target, reading=samples.reading or (reading if colour else {}))

"""Write arrays and pictures in the format that the path's ending names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from narrows.data.image_deep import write_deep
from narrows.data.image_source import Pixels
from narrows.data.image_tiff_write import write_tiff
from narrows.errors import DataError
from narrows.files import whole, whole_folder
from narrows.tables.arrow import as_arrow, texts_as_arrow
from narrows.tables.columns import unnamed
from narrows.tables.write import WRITERS, write_table

if TYPE_CHECKING:
    import pyarrow as pa

OWN_ENDING = re.compile(r"\.[^./\[\]]+(\[\d+\])?$")  # of a name, before the number of a page
TIFF_NAME = re.compile(r"\.(tiff?|btf|tf8|pfm)(\[\d+\])?$", re.IGNORECASE)


def write(
    path: str | Path,
    x: np.ndarray,
    names: Sequence[str] | None = None,
    overwrite: bool = False,
    rows: Sequence[str] | None = None,
    table: pa.Table | None = None,
) -> None:
    """Write `x` to `path`: a .npy, .npz (key `x`) or table file, else a folder of pictures.

    Parameters
    ----------
    x : any array for .npy and .npz; (N, D) for a table, .csv, .tsv, .parquet, .feather, .arrow or .jsonl; for a folder
        pictures (N, H, W) or (N, H, W, 3) of bytes, of 16-bit numbers or of floats. They become PNG files, of bytes
        for floats, which are clipped to [0, 1]; floats that came from TIFFs, by one of the names, become TIFFs as they
        are.
    names : a name per column of a table, or per picture for a folder (its ending becomes .png or .tif).
    overwrite : replace what is there.
    rows : a name per row of a table, its first column, which is called name.
    table : what is written to a table file instead of `x`.

    Raises DataError where the path exists, cannot be written or does not suit the array.
    """
    path = Path(path)
    check_suits(path, x)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        with whole(path, overwrite) as temporary, temporary.open("wb") as file:
            np.save(file, x, allow_pickle=False)
    elif suffix == ".npz":
        with whole(path, overwrite) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, x=x)
    elif suffix in WRITERS:
        write_table(path, _as_table(x, names, rows) if table is None else table, overwrite)
    else:
        _write_pictures(path, x, names, overwrite)


def _as_table(x: np.ndarray, names: Sequence[str] | None, rows: Sequence[str] | None) -> pa.Table:
    import pyarrow as pa

    columns = {name: as_arrow(x[:, i]) for i, name in enumerate(names or unnamed(x.shape[1]))}
    return pa.table(columns if rows is None else {"name": texts_as_arrow(rows), **columns})


def check_suits(path: str | Path, x: np.ndarray) -> None:
    """Raise a DataError where an array like `x` cannot be written to a path like this.

    Examples
    --------
    >>> check_suits("out.npy", np.zeros(3))
    """
    suffix = Path(path).suffix.lower()
    rule = "-o takes FILE.npy, FILE.npz, FILE.csv or another table for two dimensions, or a folder for pictures"
    if suffix in (".npy", ".npz") or (suffix in WRITERS and x.ndim == 2):
        return
    if suffix or not _are_pictures(x):
        raise DataError(f"{path} does not suit {x.dtype} {x.shape}: {rule}")


def _are_pictures(x: np.ndarray) -> bool:
    shaped = x.ndim == 3 or (x.ndim == 4 and (x.shape[-1] in (1, 3) or x.shape[1] == 1))
    return shaped and (x.dtype in (np.bool_, np.uint8, np.uint16) or x.dtype.kind == "f")


def _write_pictures(folder: Path, x: np.ndarray, names: Sequence[str] | None, overwrite: bool) -> None:
    if x.ndim == 4 and 1 in (x.shape[1], x.shape[-1]):
        x = x.squeeze(1 if x.shape[1] == 1 else -1)
    names = number_names(len(x)) if names is None else names
    if x.dtype.kind == "f" and any(TIFF_NAME.search(name) for name in names):  # bytes would hold [0, 1] alone
        _write_floats(folder, x, names, overwrite)
        return
    if x.dtype.kind in "fb":
        x = np.round(np.clip(x, 0, 1) * 255).astype(np.uint8)
    with whole_folder(folder, overwrite) as temporary:
        for picture, name in zip(x, png_names(names), strict=True):
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if picture.dtype == np.uint16 and picture.ndim == 3:
                write_deep(path, picture)
            else:
                Image.fromarray(picture).save(path)


def _write_floats(folder: Path, x: np.ndarray, names: Sequence[str], overwrite: bool) -> None:
    with whole_folder(folder, overwrite) as temporary:
        for picture, name in zip(x, with_ending(names, ".tif"), strict=True):
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_tiff(path, [Pixels(picture)], [{}])


def number_names(count: int) -> list[str]:
    """Return the numbers from 0 as names of one width, which sort in their order.

    >>> number_names(11)[:2]
    ['00', '01']
    """
    width = len(str(count - 1))
    return [f"{i:0{width}d}" for i in range(count)]


def png_names(names: Sequence[str]) -> list[str]:
    """Return the names with the ending .png instead of their own, or after it where two would become one.

    >>> png_names(["a.jpg", "b.tif"]), png_names(["a.jpg", "a.tif"])
    (['a.png', 'b.png'], ['a.jpg.png', 'a.tif.png'])
    """
    return with_ending(names, ".png")


def with_ending(names: Sequence[str], ending: str) -> list[str]:
    """Return the names with another ending, which comes behind the number of a page.

    >>> with_ending(["a/b.tif[1]", "a/b.tif[2]", "c"], ".png")
    ['a/b[1].png', 'a/b[2].png', 'c.png']
    """
    stems = [OWN_ENDING.sub(r"\1", name) for name in names]
    return [f"{name}{ending}" for name in (stems if len(set(stems)) == len(stems) else names)]

"""Data sets that ship with narrows, by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class NamedSet:
    """The files of a data set, for `data.read`.

    Attributes
    ----------
    name : the name in full, `"mnist:train"`.
    images, labels : gzipped IDX files, whose arrays are joined in this order.
    test : the name of the test split, where this is the training split.

    Examples
    --------
    >>> NAMED["mnist"].name, NAMED["mnist"].test, len(NAMED["mnist:all"].images)
    ('mnist:train', 'mnist:test', 2)
    """

    name: str
    images: tuple[Path, ...]
    labels: tuple[Path, ...]
    test: str | None = None


def _mnist(split: str, *files: str, test: str | None = None) -> NamedSet:
    images = tuple(HERE / "mnist" / f"{file}-images-idx3-ubyte.gz" for file in files)
    labels = tuple(HERE / "mnist" / f"{file}-labels-idx1-ubyte.gz" for file in files)
    return NamedSet(f"mnist:{split}", images, labels, test)


NAMED = {
    "mnist": _mnist("train", "train", test="mnist:test"),
    "mnist:train": _mnist("train", "train", test="mnist:test"),
    "mnist:test": _mnist("test", "t10k"),
    "mnist:all": _mnist("all", "train", "t10k"),
}

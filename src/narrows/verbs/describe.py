"""Lines that several verbs print."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from narrows.metrics.names import name_metrics
from narrows.modelfile import Model
from narrows.spec import shown


def describe_array(x: np.ndarray) -> str:
    """Return a line with an array's type, shape, minimum, maximum and the number of gaps, NaN.

    Examples
    --------
    >>> describe_array(np.array([[1, 2]], np.uint8))
    'uint8 (1, 2), min 1, max 2'
    >>> describe_array(np.array([1.0, np.nan]))
    'float64 (2,), min 1, max 1, 1 NaN'
    """
    gaps = int(np.isnan(x).sum()) if x.dtype.kind == "f" else 0
    if gaps == x.size:
        return f"{x.dtype} {x.shape}, NaN alone"
    return f"{x.dtype} {x.shape}, min {np.nanmin(x):.6g}, max {np.nanmax(x):.6g}{f', {gaps:,} NaN' if gaps else ''}"


def count(number: int, noun: str) -> str:
    """Return a number and what is counted.

    >>> count(1, "row"), count(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shell_word(path: object) -> str:
    r"""Return a path or a name as one word that can be pasted into a shell, and is no flag.

    Examples
    --------
    >>> print(shell_word("my photos"), shell_word("-x.npy"), shell_word("a\nb"))
    'my photos' ./-x.npy $'a\x0ab'
    """
    text = str(path)
    text = f"./{text}" if text.startswith("-") else text
    if text.isprintable():
        return shlex.quote(text)
    bare = (c if c.isprintable() and c not in "\\'" else _escape(c) for c in text)
    return f"$'{''.join(bare)}'"


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))


def describe_map(model: Model) -> str:
    """Return a line about a model's map head, "none" where it has none."""
    head, recipe = model.map_head, model.card.recipe
    if head is None:
        return "none"
    parts = f"{head.backbone} x {head.bottleneck}"
    fitted = f"on {recipe['map_samples']:,} samples in {recipe['map_seconds']:.1f} s" if "map_samples" in recipe else ""
    return f"2 numbers for {model.network.code_size:,}, {parts} {fitted}".rstrip()


def describe_metrics(model: Model) -> list[str]:
    """Return a heading and a line for each MSE that was measured when the model was trained."""
    lines = [f"  {value:.6f}  {name}" for name, value in name_metrics(model).items()]
    return [f"MSE per value, in units of {shown(model.network.texts['scaling'])}:", *lines]


def align(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return lines of a table: the first column aligned to the left, the others to the right.

    Examples
    --------
    >>> print(*align(("layer", "size"), [("in", 784)]), sep="\\n")
      layer  size
      in      784
    """
    texts = [list(columns), *[list(map(str, row)) for row in rows]]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = []
    for first, *rest in texts:
        cells = [first.ljust(widths[0]), *[cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True)]]
        lines.append("  " + "  ".join(cells))
    return lines

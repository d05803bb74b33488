"""Printing tables and the arguments of parts."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from narrows.metrics.table import Table


# what a terminal obeys or turns round, but for line breaks and tabs: control and direction characters, lone surrogates
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: object) -> str:
    r"""Return a text in which characters that a terminal would obey are written out.

    Examples
    --------
    >>> print(visible("a\x1b[31mb"))
    a\x1b[31mb
    """
    return OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), str(text))


def print_table(table: Table) -> None:
    """Print a table with its title and note."""
    print(f"\n{visible(table.title)}")
    print_rows(table.columns, [[f"{v:.6f}" if isinstance(v, float) else v for v in row] for row in table.rows])
    if table.note:
        print(textwrap.fill(visible(table.note), 100))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their columns."""
    from narrows.verbs.describe import align

    print(*map(visible, align(columns, rows)), sep="\n")


def print_texts(columns: Sequence[str], rows: Iterable[Sequence[str]], longest: int = 44) -> None:
    """Print rows of texts under their columns, all aligned to the left and cut at `longest` characters but the last."""
    texts = [list(columns), *[[*(_cut(visible(cell), longest) for cell in row[:-1]), visible(row[-1])] for row in rows]]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def signature(part: Callable[..., Any]) -> str:
    """Return the arguments of a part with their defaults, as they are written.

    Examples
    --------
    >>> from narrows.model.bottleneck import Sparse
    >>> signature(Sparse)
    '(size=128, k=16)'
    """
    parameters = [p for p in inspect.signature(part).parameters.values() if p.default is not p.empty]
    defaults = {p.name: list(p.default) if isinstance(p.default, tuple) else p.default for p in parameters}
    return "(" + ", ".join(f"{name}={default!r}" for name, default in defaults.items()) + ")"

"""Cells of CSV files: one rule for texts that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# what spreadsheets take for the beginning of a formula; with apostrophes before it, so that the rule can be undone
FORMULA = re.compile(r"'*[\s\0]*[=+\-@＝＋－＠\t\r\n]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def write_rows(path: Path, rows: Iterable[Sequence[Any]], delimiter: str = ",") -> None:
    """Write a CSV file in UTF-8; texts are written as `as_cell` says, numbers as they are."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file, delimiter=delimiter).writerows(
            [as_cell(v) if isinstance(v, str) else v for v in row] for row in rows
        )


def as_cell(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would run it as a formula.

    That is where it begins with =, +, -, @, a tab or a new line and is no number.

    >>> as_cell("=1+2"), as_cell("-7"), as_cell("cat")
    ("'=1+2", '-7', 'cat')
    """
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def from_cell(text: str) -> str:
    """Return the text that `as_cell` was given.

    >>> from_cell("'=1+2"), from_cell("'tis")
    ('=1+2', "'tis")
    """
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text

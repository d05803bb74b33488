"""Draws the pictures of docs/tables.md by the page's own examples, in seconds.

python docs/figures/tables_page.py
"""

from __future__ import annotations

import contextlib
import re
import shlex
import tempfile
from pathlib import Path

import paths
import narrows
import record
from narrows.cli import main as run_command

PAGE = paths.DOCS / "tables.md"
FIRST = re.compile(r"```python\n(.*?)```", re.DOTALL)  # the table is made by the first block
STEPS = re.compile(r"^\$ narrows (info .* -o .*|train .*)$", re.MULTILINE)
DATA, RUN = "wines.csv", "runs/wines"


def write_pictures(folder: Path, to: Path) -> None:
    """Write the pictures of the page to a folder; `folder` holds what the page's examples have written."""
    record.write(to / "tables-columns.svg", (folder / RUN / "histograms.svg").read_text(encoding="utf-8"))
    narrows.map(folder / RUN, folder / DATA, output=to / "tables-map.svg", overwrite=True)


def main() -> None:
    """Make the table, train, and draw."""
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        exec(compile(FIRST.search(text)[1], PAGE.name, "exec"), {})
        for command in STEPS.findall(text):
            run_command(shlex.split(command))
        write_pictures(Path(place), paths.DOCS / "pictures")


if __name__ == "__main__":
    main()

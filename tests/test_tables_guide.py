"""The guide of tables: its examples run in order, print what it says, and leave what its pictures are drawn from."""

import importlib
import re
from pathlib import Path

import pytest
from examples import BLOCK, run_commands, run_python

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "tables.md"
TEXTS = re.compile(">([^<>0-9]+)<")  # of a picture, but numbers


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # few epochs
def test_the_examples_of_the_guide_run_and_draw_its_pictures(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = {}
    for kind, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "python":
            run_python(block, PAGE.name, names)
        else:
            run_commands(block, capsys)
    new, filled = names["new"], names["filled"]
    assert not filled.isna().to_numpy().any()
    assert filled.dtypes.equals(new.dtypes)
    for column in new:
        known = new[column].notna()
        assert filled[column][known].equals(new[column][known])
    monkeypatch.syspath_prepend(DOCS / "figures")
    page = importlib.import_module("tables_page")
    page.write_pictures(tmp_path, tmp_path / "pictures")
    columns, mapped = (
        [(folder / "pictures" / f"tables-{name}.svg").read_text(encoding="utf-8") for folder in (tmp_path, DOCS)]
        for name in ("columns", "map")
    )
    assert TEXTS.findall(columns[0]) == TEXTS.findall(columns[1]), "run: python docs/figures/tables_page.py"
    assert all(words in picture for picture in mapped for words in (">cultivar<", "A (47)", "what the model decodes"))
    assert len(page.STEPS.findall(PAGE.read_text(encoding="utf-8"))) == 2

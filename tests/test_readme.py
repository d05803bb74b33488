"""The README's Python code runs, and its commands print what it says, apart from the numbers."""

import re
from pathlib import Path

import pytest
from examples import STEP, run_commands, run_python

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SESSION = re.search(r"```console\n(.*?)```", README, re.DOTALL)[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


@pytest.mark.xdist_group("readme")
def test_the_python_example_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        run_python(block, "README.md", {})


@pytest.mark.xdist_group("readme")
def test_the_commands_print_what_the_readme_says(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert len(STEP.findall(SESSION)) >= 6
    run_commands(SESSION, capsys)


def test_every_file_that_the_readme_links_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target


def test_the_table_of_parts_names_every_part():
    from narrows.model.network import MENUS

    for kind, menu in MENUS.items():
        row = next(line for line in README.splitlines() if line.startswith(f"| {kind} |"))
        for name in menu:
            assert f"`{name}" in row, f"{name} is missing"

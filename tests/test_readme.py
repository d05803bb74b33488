"""The README's Python code runs, and its commands print what it says, apart from the numbers."""

import re
import shlex
from pathlib import Path

import pytest

from narrows.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SESSION = re.search(r"```console\n(.*?)```", README, re.DOTALL)[1]
STEPS = re.findall(r"^\$ narrows (.*)\n((?:(?!\$ ).*\n)*)", SESSION, re.MULTILINE)


def masked(text):
    """Return the lines with every number as 0, since seconds and last digits differ from machine to machine."""
    lines = [re.sub(r"\s+", " ", re.sub(r"\d[\d,]*(\.\d+)?", "0", line)).strip() for line in text.splitlines()]
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


@pytest.mark.xdist_group("readme")
def test_the_python_example_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.xdist_group("readme")
def test_the_commands_print_what_the_readme_says(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert len(STEPS) >= 6
    for command, expected in STEPS:
        assert main(shlex.split(command)) == 0, command
        assert masked(capsys.readouterr().out) == masked(expected), command


def test_every_file_that_the_readme_links_exists():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (Path(__file__).parent.parent / target).exists(), target


def test_the_table_of_parts_names_every_part():
    from narrows.model.network import MENUS

    for kind, menu in MENUS.items():
        row = next(line for line in README.splitlines() if line.startswith(f"| {kind} |"))
        for name in menu:
            assert f"`{name}" in row, f"{name} is missing"

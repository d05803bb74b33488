"""Texts of the data in a terminal: they move no cursor, and what is offered next can be pasted."""

import subprocess
import sys

import numpy as np
import pytest

from narrows.cli import main
from narrows.cli.printing import visible
from narrows.verbs.demo import next_commands
from narrows.verbs.describe import shell_word

NAMES = [
    "plain.npy",
    "two words.npy",
    'it\'s "quoted" $HOME `x` \\.npy',
    "-dash.npy",
    "grün 猫.npy",
    "a\nb\x1b[31m\u202e.npy",
]
SMALL = ["--backbone", "dense(hidden=[])", "--bottleneck", "linear(2)", "--epochs", "1", "-o"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_a_word_as_it_was(tmp_path, name):
    (tmp_path / name).write_text("found")
    done = subprocess.run(["bash", "-c", f"cat {shell_word(name)}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "found"
    assert visible(shell_word(name)) == shell_word(name)


def test_what_comes_next_can_be_pasted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(40, 3))
    (tmp_path / "-my täble.csv").write_text("=a,b,c\n" + "\n".join(",".join(map(str, row)) for row in rows))
    assert main(["train", "./-my täble.csv", *SMALL, "my run"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("next: "))
    assert line == "next: narrows reconstruct 'my run' './-my täble.csv' -o out.csv"
    shell = f'narrows() {{ {sys.executable} -m narrows.cli "$@"; }}; {line.removeprefix("next: ")}'
    assert subprocess.run(["bash", "-c", shell], capture_output=True).returncode == 0
    assert (tmp_path / "out.csv").read_text().startswith("'=a,b,c\n")


def test_the_next_line_of_info_and_of_the_demo_is_quoted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("-my x.npy", np.random.default_rng(0).normal(size=(9, 3)))
    assert main(["info", "./-my x.npy"]) == 0
    assert capsys.readouterr().out.endswith("next: narrows train './-my x.npy'\n")
    assert f"-o '{tmp_path}/my runs/map.png'" in next_commands(tmp_path / "my runs")[2]


def test_names_and_labels_move_no_cursor(tmp_path, capsys):
    np.savez(
        tmp_path / "x.npz", x=np.random.default_rng(0).normal(size=(4, 3)), y=["\x1b[2Ja", "\u202eb", "c\nd", "שלום"]
    )
    assert main(["info", str(tmp_path / "x.npz")]) == 0
    said = capsys.readouterr().out
    assert "labels: 4 (\\x1b[2Ja: 1, c d: 1, שלום: 1, \\u202eb: 1)" in said
    assert main(["info", str(tmp_path / "\x1b[2J.npy")]) == 2
    assert "\x1b" not in capsys.readouterr().err

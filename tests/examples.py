"""The examples of a page, run as a reader would: its Python, and its commands, which print what the page says."""

import re
import shlex

from narrows.cli import main

BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)
STEP = re.compile(r"^\$ narrows (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def masked(text):
    """Return the lines with every number as 0, since seconds and last digits differ from machine to machine."""
    lines = [re.sub(r"\s+", " ", re.sub(r"\d[\d,]*(\.\d+)?", "0", line)).strip() for line in text.splitlines()]
    return [line for line in lines if line]


def run_python(block, name, names):
    """Run a block of Python with the names of the blocks before."""
    exec(compile(block, name, "exec"), names)


def run_commands(block, capsys):
    """Run the commands of a block; a line `...` stands for any lines."""
    steps = STEP.findall(block)
    assert steps
    for command, expected in steps:
        capsys.readouterr()
        assert main(shlex.split(command, comments=True)) == 0, command
        assert_printed(masked(capsys.readouterr().out), masked(expected), command)


def assert_printed(lines, expected, command):
    """Assert that lines are those expected, in which `...` stands for any lines."""
    if "..." not in expected:
        assert lines == expected, command
        return
    at = expected.index("...")
    assert lines[:at] == expected[:at], command
    rest = expected[at + 1 :]
    if not rest:
        return
    until = rest.index("...") if "..." in rest else len(rest)
    starts = range(at, len(lines) - until + 1) if "..." in rest else [len(lines) - until]
    found = next((start for start in starts if lines[start : start + until] == rest[:until]), None)
    assert found is not None, (command, rest[:until], lines)
    assert_printed(lines[found:], rest, command)

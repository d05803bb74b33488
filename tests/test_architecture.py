"""The house keeps its order: imports point one way, and light things stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import narrows

HOUSE = Path(narrows.__file__).parent
FLOORS = [  # a room may import rooms of earlier lines, and of its own line what NEIGHBOURS allows
    {"errors", "spec", "files"},
    {"data", "model"},
    {"modelfile", "presets", "runfolder"},
    {"tasks"},
    {"training"},
    {"metrics"},
    {"view"},
    {"verbs", "cli", "estimator"},
]
NEIGHBOURS = [{"errors", "spec", "files"}, {"modelfile", "runfolder"}, {"verbs", "cli"}]  # that may know each other
MODULES = sorted(HOUSE.rglob("*.py"))


def room_of(module):
    """Return the first word after `narrows` in a module's name."""
    return module.split(".")[1] if "." in module else "narrows"


def imported_rooms(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports by dots"
            # `from narrows import modelfile` names a room itself
            names |= {f"narrows.{a.name}" for a in node.names} if node.module == "narrows" else {node.module}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {room_of(name) for name in names if name.startswith("narrows.")} - {"__version__"}


def level(room):
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_point_one_way(path):
    room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for other in imported_rooms(path) - {room}:
        friends = any({room, other} <= rooms for rooms in NEIGHBOURS)
        assert friends or level(other) < level(room), f"{room} may not import {other}"


def test_no_room_is_named_for_what_has_no_name():
    assert not {"utils", "base", "manager", "helpers", "misc"} & {path.stem for path in MODULES}


def test_public_names_can_be_imported():
    for name in narrows.__all__:
        assert getattr(narrows, name).__name__ == name
    with pytest.raises(AttributeError):
        narrows.no_such_name  # noqa: B018


def test_importing_narrows_is_light():
    code = (
        "import sys, narrows; print({'torch', 'numpy', 'sklearn', 'matplotlib', 'PIL'} & set(sys.modules) or 'light')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "light\n"


def test_every_part_of_a_menu_says_what_it_is_in_one_sentence_and_shows_it():
    from narrows.model.network import MENUS
    from narrows.training.optim import OPTIMIZERS, SCHEDULES

    for menu in (*MENUS.values(), OPTIMIZERS, SCHEDULES):
        for name, part in menu.items():
            text = part.__doc__
            assert ">>>" in text, f"{name} shows no example"
            assert "." in text.strip().split("\n\n")[0], f"{name} begins without a sentence"

"""The house keeps its order: imports point one way, only the shells print, light things stay light."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import narrows

HOUSE = Path(narrows.__file__).parent
FLOORS = [  # a room may import rooms of earlier lines, and of its own line what NEIGHBOURS allows
    {"batch", "errors", "files", "memory", "spec", "unreadable"},
    {"tables"},
    {"data", "model"},
    {"card", "modelfile", "presets", "recipe", "runfolder"},
    {"tasks"},
    {"training"},
    {"metrics"},
    {"view"},
    {"verbs"},
    {"cli", "estimator"},
    {"api"},
]
NEIGHBOURS = [
    {"batch", "errors", "files", "memory", "spec", "unreadable"},
    {"card", "modelfile", "runfolder"},
    {"presets", "recipe"},
]  # may know each other
SCALINGS_NUMBERS = {"offset", "scale", "tail", "output"}  # of one scaling or another: the business of `model` alone
LARGEST_SHARE = 0.25  # of the lines of Python that one folder may hold
MODULES = sorted(HOUSE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES} - {HOUSE})


@cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path):
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path):
    """Return the modules and names of ours that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports by dots"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("narrows.")} - {"narrows.__version__"}


def floor_of(room):
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


def shown(path):
    return str(path.relative_to(HOUSE))


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_imports_point_one_way(path):
    room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for other in {name.split(".")[1] for name in imports_of(path)} - {room}:
        friends = any({room, other} <= rooms for rooms in NEIGHBOURS)
        assert friends or floor_of(other) < floor_of(room), f"{room} may not import {other}"


@pytest.mark.parametrize("folder", FOLDERS, ids=shown)
def test_no_folder_has_a_circle_in_it(folder):
    modules = {name_of(path): path for path in folder.rglob("*.py")}
    graph = {name: imports_of(path) & modules.keys() - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def prints(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"]


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_only_the_command_line_prints_and_the_estimator_where_it_is_asked(path):
    if path.is_relative_to(HOUSE / "cli"):
        return
    tree = parse(path)
    if path.name == "estimator.py":
        asked = [
            node for node in ast.walk(tree) if isinstance(node, ast.If) and "self.verbose" in ast.unparse(node.test)
        ]
        assert {id(call) for call in prints(tree)} == {id(call) for node in asked for call in prints(node)}
        return
    assert not prints(tree), f"{path.name} prints"
    assert not {"sys.stdout", "sys.stderr"} & {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}


def test_classes_are_abstract_or_final():
    classes = {node.name: node for path in MODULES for node in ast.walk(parse(path)) if isinstance(node, ast.ClassDef)}
    errors = {node.name for node in ast.walk(parse(HOUSE / "errors.py")) if isinstance(node, ast.ClassDef)}
    for node in classes.values():
        for base in {ast.unparse(base).split(".")[-1] for base in node.bases} & classes.keys() - errors:
            abstract = {ast.unparse(above) for above in classes[base].bases} & {"ABC", "Protocol"}
            assert abstract, f"{node.name} inherits from {base}, which is no abstract class"


def scaling_numbers_read(tree):
    """Return where a number of a scaling is read: of what is called `scaling`, or assigned from that."""
    names = {"scaling"}

    def is_scaling(node):
        return getattr(node, "attr", getattr(node, "id", None)) in names

    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pair = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                pairs = zip(target.elts, node.value.elts, strict=False) if pair else [(target, node.value)]
                names |= {to.id for to, value in pairs if isinstance(to, ast.Name) and is_scaling(value)}
    found = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in SCALINGS_NUMBERS]
    found = [n for n in found if is_scaling(n.value)]
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "getattr"]
    return [ast.unparse(n) for n in [*found, *(n for n in calls if is_scaling(n.args[0]))]]


@pytest.mark.parametrize("path", [path for path in MODULES if "model" not in path.relative_to(HOUSE).parts], ids=shown)
def test_nobody_outside_model_reads_a_scalings_numbers(path):
    assert not scaling_numbers_read(parse(path))


@pytest.mark.parametrize(
    "code",
    [
        "network.scaling.offset",
        "scaling.scale.max()",
        "a, s = b, model.network.scaling\ns.tail",
        "s = network.scaling\ntotal = x / s.scale",
        "getattr(network.scaling, name)",
    ],
)
def test_a_read_of_a_scalings_numbers_would_be_found(code):
    assert scaling_numbers_read(ast.parse(code))
    assert not scaling_numbers_read(ast.parse("layer.scale, scaling.limits, s.offset, network.scaling(x)"))


def test_no_folder_is_larger_than_a_quarter_of_the_house():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    for folder in (path for path in FOLDERS if path.parent == HOUSE):
        share = sum(n for path, n in lines.items() if path.is_relative_to(folder)) / sum(lines.values())
        assert share <= LARGEST_SHARE, f"{folder.name} holds {share:.0%}"


def test_no_room_is_named_for_what_has_no_name():
    assert not {"utils", "base", "manager", "helpers", "misc"} & {path.stem for path in MODULES}


def test_public_names_can_be_imported():
    for name in [*narrows.__all__, "train", "denoise", "map"]:
        assert getattr(narrows, name).__name__ == name
    with pytest.raises(AttributeError):
        narrows.no_such_name  # noqa: B018


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import narrows", {"torch", "numpy", "sklearn", "matplotlib", "PIL"}),
        ("from narrows.cli import main; main(['train', '--help'])", {"torch", "sklearn", "pyarrow", "PIL"}),
        ("import narrows.verbs.apply", {"sklearn", "rich", "narrows.training.fit", "narrows.metrics.evaluate"}),
    ],
)
def test_light_things_are_light(code, heavy):
    program = f"import sys\n{code}\nprint({heavy} & set(sys.modules) or 'light')"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    assert said.splitlines()[-1] == "light"


def test_every_part_of_a_menu_says_what_it_is_in_one_sentence_and_shows_it():
    from narrows.model.attachments import ATTACHMENTS
    from narrows.model.network import MENUS
    from narrows.training.optim import OPTIMIZERS, SCHEDULES

    for menu in (*MENUS.values(), ATTACHMENTS, OPTIMIZERS, SCHEDULES):
        for name, part in menu.items():
            text = part.__doc__
            assert ">>>" in text, f"{name} shows no example"
            assert "." in text.strip().split("\n\n")[0], f"{name} begins without a sentence"

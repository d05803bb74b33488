"""The guides: their command runs from scratch, and their pages hold the stored results, the same in both languages."""

import doctest
import importlib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = ("tutorial.md", "tutorial.zh-CN.md")
MODULES = (
    "paths",
    "convnet",
    "experiments",
    "linear",
    "plain",
    "noise",
    "words",
    "draw",
    "tables",
    "pages",
    "transposed",
)


@pytest.fixture(scope="module")
def figures():
    """The guide's modules by name."""
    sys.path.insert(0, str(DOCS / "figures"))
    before = set(sys.modules)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in set(sys.modules) - before:
        source = str(getattr(sys.modules[name], "__file__", None))
        if source.startswith((str(DOCS / "figures"), str(ROOT / "benchmarks"))) and "site-packages" not in source:
            del sys.modules[name]
    sys.path.remove(str(DOCS / "figures"))


@pytest.fixture(scope="module")
def rows():
    return json.loads((DOCS / "results" / "tutorial.json").read_text())["rows"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A folder that the command has written, on a few pictures."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, str(DOCS / "figures" / "make.py"), "--toy", "--to", str(folder)]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("page", PAGES)
def test_the_command_makes_every_picture_and_table_from_nothing(toy, figures, page):
    text = (toy / page).read_text(encoding="utf-8")
    pictures = figures["pages"].find_pictures(text)
    assert len(pictures) >= 10
    for path in pictures:
        root = ElementTree.parse(toy / path).getroot()
        assert root.tag.endswith("svg"), path
        assert "nan" not in (toy / path).read_text(encoding="utf-8").split("base64")[0], path
    found = figures["pages"].MARKED.findall(text)
    assert set(found) == set(figures["tables"].TABLES)
    for block in figures["pages"].MARKED.finditer(text):
        lines = block[0].splitlines()
        assert len(lines) >= 5, block["name"]
        assert "nan" not in block[0], block["name"]


@pytest.mark.xdist_group("docs")
def test_all_measured_figures_are_finite_and_say_when_they_were_taken(toy):
    measured = json.loads((toy / "results" / "tutorial.json").read_text())
    assert {"command", "machine", "versions"} <= measured["run"].keys()

    def check(value):
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(part)
        assert not isinstance(value, float) or math.isfinite(value)

    for row in measured["rows"]:
        assert {"date", "commit", "load_before", "of"} <= row.keys()
        check(row)


@pytest.mark.xdist_group("docs")
def test_a_second_run_measures_nothing_again(toy):
    results = toy / "results" / "tutorial.json"
    before = results.read_bytes()
    command = [sys.executable, str(DOCS / "figures" / "make.py"), "--toy", "--to", str(toy)]
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, check=True, capture_output=True)
    assert results.read_bytes() == before


@pytest.mark.parametrize("page", PAGES)
def test_a_page_holds_exactly_the_tables_that_the_results_give(figures, rows, page):
    text = (DOCS / page).read_text(encoding="utf-8")
    say = figures["words"].LANGUAGES[page.removeprefix("tutorial").removesuffix(".md")]
    tables = {name: make(rows, say) for name, make in figures["tables"].TABLES.items()}
    assert sorted(figures["pages"].find_tables(text)) == sorted(tables)
    assert figures["pages"].fill(text, tables) == text, "run: make docs-figures"


def test_both_languages_show_the_same_figures(figures):
    english, chinese = ((DOCS / page).read_text(encoding="utf-8") for page in PAGES)
    marked = figures["pages"].MARKED
    tables = [{found["name"]: found[0] for found in marked.finditer(text)} for text in (english, chinese)]
    assert list(tables[0]) == list(tables[1])
    for name in tables[0]:
        bodies = [[line.split(" | ")[1:] for line in table[name].splitlines()[3:-1]] for table in tables]
        assert bodies[0] == bodies[1], name  # all but the first column, which is in words
    pictures = [figures["pages"].find_pictures(text) for text in (english, chinese)]
    assert [path.removesuffix(".svg") for path in pictures[0]] == [
        path.removesuffix(".zh-CN.svg") for path in pictures[1]
    ]


@pytest.mark.xdist_group("docs")
def test_the_command_restores_ten_digits_for_the_page_on_denoising(toy, figures):
    (path,) = figures["pages"].find_pictures((DOCS / "denoising.md").read_text(encoding="utf-8"))
    assert (toy / path).read_text(encoding="utf-8").count("<image") == 20
    (row,) = [
        row for row in json.loads((toy / "results" / "tutorial.json").read_text())["rows"] if row["of"] == "restored"
    ]
    assert np.mean(row["restored"]["psnr"]) > np.mean(row["noisy"]["psnr"])


def test_the_guide_of_maps_holds_what_was_measured_and_drawn_or_says_that_nothing_was(figures):
    maps = importlib.import_module("maps_page")
    rows = (maps.record.load(maps.RESULTS) or {"rows": []})["rows"]
    text = maps.PAGE.read_text(encoding="utf-8")
    tables = maps.make_tables(rows, maps.find_drawn())
    assert sorted(figures["pages"].find_tables(text)) == sorted(tables)
    assert figures["pages"].fill(text, tables) == text, "run: python docs/figures/maps_page.py"
    assert doctest.testmod(maps).failed == 0


def test_the_table_of_maps_shows_medians_and_a_dash_for_no_way_back(figures):
    maps = importlib.import_module("maps_page")
    row = dict.fromkeys(maps.bench.FIGURES, 0.5) | {"method": "narrows"}
    rows = [row, row | {"1-NN": 0.9}, row | {"1-NN": 0.8}, row | {"method": "tsne", "test_mse": None}]
    lines = list(maps.make_figures(rows))
    assert len(lines) == 4
    assert lines[2].split(" | ")[1] == "80.00"
    assert "| - |" in lines[3]


@pytest.mark.parametrize("page", [*PAGES, "denoising.md", "map.md", "tables.md"])
def test_everything_that_a_page_links_exists(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!http|#)([^)#]+)\)", text)
    assert links
    for target in links:
        assert (DOCS / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_every_table_that_it_shows(figures, page):
    text = (DOCS / page).read_text(encoding="utf-8")
    for name in figures["tables"].TABLES:
        assert f"`{name}`" in figures["pages"].MARKED.sub("", text), name


@pytest.mark.parametrize("name", [*MODULES, "costs"])
def test_the_examples_in_the_programs_run(figures, name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_stamps_are_what_pytorch_computes(figures):
    transposed = figures["transposed"]
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    for side in (2, 3, 4):
        kernel = np.random.default_rng(side).normal(size=(side, side)).astype(np.float32)
        np.testing.assert_allclose(
            transposed.stamp(x, kernel)[0], transposed.transpose(x, kernel), rtol=1e-5, atol=1e-6
        )


def test_a_position_of_the_code_reaches_its_block_alone_unless_the_decoder_overlaps(figures):
    alone, shared = (figures["transposed"].find_reach(up) for up in ("transposed", "upsample"))
    assert alone[12:16, 12:16].all()
    assert alone.sum() == 16
    assert shared.sum() == 100


def test_training_goes_on_where_it_stopped(figures, tmp_path):
    experiments, convnet = figures["experiments"], figures["convnet"]
    training, size = experiments.TRAININGS["published"], experiments.TOY
    once = experiments.run_training(training, 0, 3, size, tmp_path / "once", convnet)
    experiments.run_training(training, 0, 1, size, tmp_path / "twice", convnet)
    twice = experiments.run_training(training, 0, 3, size, tmp_path / "twice", convnet)
    assert once["train_mse"] == twice["train_mse"]
    assert once["state"] == twice["state"]


def test_the_kernel_trains_as_pytorch_does(figures):
    pytest.importorskip("numba", reason="the kernel needs Numba, see docs/requirements.txt; the program checks it too")
    kernel = importlib.import_module("kernel")
    images = figures["experiments"].TOY.images("train")
    for relu in (True, False):
        apart = kernel.check(images, relu)
        assert max(apart["loss"], apart["weights"]) < kernel.NEAR


def test_blocks_of_components_keep_more_than_fewer_numbers_and_less_than_the_whole(figures):
    row = figures["plain"].run_bounds(figures["experiments"].TOY)
    blocks = row["blocks"]
    assert blocks["4"]["mse"] < blocks["3"]["mse"] < row["mean"]
    assert all(part["clipped"] <= part["mse"] for part in (*blocks.values(), *row["whole"].values()))

"""One picture alone, and rows of pictures in a table: what comes out says which is which."""

import csv

import numpy as np
import pytest
from PIL import Image

import narrows
from narrows.cli import main
from narrows.data.read import read


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name in ("b.png", "a, with comma.png", "c.png", "d.png"):
        Image.fromarray(rng.integers(0, 256, (9, 8), np.uint8)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    narrows.train(folder, output=path, epochs=1, backbone="dense(hidden=[])", bottleneck="linear(2)")
    return path


def test_a_map_of_one_picture_is_one_row(folder, run, tmp_path, capsys):
    assert main(["map", str(run), str(folder / "b.png"), "-o", str(tmp_path / "x.csv")]) == 0
    (row,) = csv.DictReader((tmp_path / "x.csv").read_text().splitlines())
    assert row["name"] == "b.png"
    assert len(narrows.map(run, folder / "b.png")) == 1
    assert main(["map", str(run), str(folder / "b.png"), "-o", str(tmp_path / "x.png")]) == 2
    assert "holds one; give it more" in capsys.readouterr().err


def test_codes_of_pictures_have_their_names_and_decode_as_they_are(folder, run, tmp_path):
    codes = narrows.encode(run, folder, output=tmp_path / "z.csv")
    rows = list(csv.reader((tmp_path / "z.csv").read_text().splitlines()))
    assert rows[0] == ["name", "z0", "z1"]
    assert [row[0] for row in rows[1:]] == ["a, with comma.png", "b.png", "c.png", "d.png"]
    table = read(tmp_path / "z.csv")
    assert table.columns == ("z0", "z1")
    assert table.names == ("a, with comma.png", "b.png", "c.png", "d.png")
    np.testing.assert_array_equal(table.x.astype(np.float32), codes)
    np.testing.assert_array_equal(narrows.decode(run, tmp_path / "z.csv"), narrows.decode(run, codes))


def test_a_column_of_numbers_called_name_is_data(tmp_path):
    (tmp_path / "a.csv").write_text("name,b\n1,2\n3,4\n")
    assert read(tmp_path / "a.csv").columns == ("name", "b")
    (tmp_path / "a.csv").write_text("name,b\nx,2\ny,3\n")
    samples = read(tmp_path / "a.csv")
    assert samples.columns == ("b",)
    assert samples.names == ("x", "y")

"""Arrays and pictures are written in the form that the path asks for, and read back equal."""

import csv

import numpy as np
import pytest
from PIL import Image

from narrows.data.read import read
from narrows.data.write import write
from narrows.errors import DataError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_arrays_come_back_equal(tmp_path, name, dtype):
    x = (RNG.random((3, 4, 5)) * 200).astype(dtype)
    write(tmp_path / name, x)
    back = read(str(tmp_path / name)).x
    assert back.dtype == dtype
    assert np.array_equal(back, x)


def test_a_spreadsheet_runs_no_column_name(tmp_path):
    names = ["=cmd()", "+1+1", "-x", "@sum", "\t=1", "'=a", "'tis", "＝1", "-1"]
    write(tmp_path / "x.csv", np.ones((2, 9)), names=names)
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file))
    assert header == ["'=cmd()", "'+1+1", "'-x", "'@sum", "'\t=1", "''=a", "'tis", "'＝1", "-1"]
    assert read(str(tmp_path / "x.csv")).columns == tuple(name.strip() for name in names)


def test_a_table_keeps_its_columns_and_every_digit(tmp_path):
    x = RNG.normal(size=(5, 2))
    write(tmp_path / "x.csv", x, names=["a", "b, with a comma"])
    back = read(str(tmp_path / "x.csv"))
    assert back.columns == ("a", "b, with a comma")
    assert np.array_equal(back.x, x)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((3, 5, 7), np.uint8), ((3, 5, 7, 3), np.uint8), ((3, 5, 7), np.uint16), ((3, 5, 7, 1), np.uint8)],
)
def test_pictures_come_back_equal_under_their_names(tmp_path, shape, dtype):
    x = RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    write(tmp_path / "out", x, names=["a.jpg", "sub/b.tif", "c.png"])
    back = read(str(tmp_path / "out"))
    assert back.names == ("a.png", "c.png", "sub/b.png")
    assert np.array_equal(back.x[[0, 2, 1]], x.reshape(back.x.shape))
    assert back.x.dtype == dtype


def test_names_that_would_collide_stay_apart(tmp_path):
    write(tmp_path / "out", RNG.integers(0, 9, (2, 4, 4), dtype=np.uint8), names=["a.jpg", "a.tif"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jpg.png", "a.tif.png"]


def test_names_with_dots_stay_apart(tmp_path):
    write(tmp_path / "out", RNG.integers(0, 9, (2, 4, 4), dtype=np.uint8), names=["a.1.jpg", "a.2.jpg"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.1.png", "a.2.png"]


def test_fractions_are_written_as_pictures_of_the_range_0_to_1(tmp_path):
    write(tmp_path / "out", np.array([[[0.0, 0.5], [1.0, 2.0]]]))
    assert np.asarray(Image.open(tmp_path / "out" / "0.png")).tolist() == [[0, 128], [255, 255]]


def test_fractions_that_came_from_tiffs_are_written_as_tiffs(tmp_path):
    x = RNG.normal(0, 1000, (2, 4, 5)).astype(np.float32)
    write(tmp_path / "out", x, names=["a/b.tif[1]", "a/b.tif[2]"])
    back = read(tmp_path / "out")
    assert back.names == ("a/b[1].tif", "a/b[2].tif")
    assert np.array_equal(back.x, x)


def test_colours_of_16_bits_are_written_with_16(tmp_path):
    x = RNG.integers(0, 65536, (2, 4, 5, 3), dtype=np.uint16)
    write(tmp_path / "out", x)
    assert np.array_equal(read(tmp_path / "out").x, x)


@pytest.mark.parametrize(("name", "shape"), [("x.csv", (2, 3, 4)), ("x.jpeg", (2, 8, 8)), ("out", (5, 3))])
def test_a_path_that_does_not_suit_is_refused(tmp_path, name, shape):
    with pytest.raises(DataError, match="does not suit"):
        write(tmp_path / name, np.zeros(shape))
    assert list(tmp_path.iterdir()) == []

"""The data sets that ship are the original ones."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from narrows.data.named import HERE, NAMED
from narrows.data.read import read
from narrows.errors import DataError

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize(("name", "md5"), MD5.items())
def test_mnist_is_the_original(name, md5):
    packed = HERE / "mnist" / f"{name}.gz"
    assert hashlib.md5(gzip.decompress(packed.read_bytes())).hexdigest() == md5


def test_mnist_names_its_authors_and_licence():
    licence = (HERE / "mnist" / "LICENSE").read_text()
    assert all(word in licence for word in ("LeCun", "Cortes", "Burges", "CC BY-SA 3.0", *MD5.values()))


def test_mnist_is_its_training_split():
    short, full = read("mnist"), read("mnist:train")
    assert short.x.shape == (60000, 28, 28)
    assert short.x.dtype == np.uint8
    assert short.labels.shape == (60000,)
    assert short.labels.dtype == np.int64
    assert short.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert (short.origin, short.test, short.reading) == ("mnist:train", "mnist:test", {})
    assert (full.origin, full.test) == ("mnist:train", "mnist:test")
    np.testing.assert_array_equal(short.x, full.x)


def test_all_of_mnist_is_training_then_test():
    everything, test = read("mnist:all"), read("mnist:test")
    assert everything.x.shape == (70000, 28, 28)
    assert (test.x.shape, test.test, everything.test) == ((10000, 28, 28), None, None)
    np.testing.assert_array_equal(everything.x[60000:], test.x)
    np.testing.assert_array_equal(everything.labels[60000:], test.labels)
    assert everything.x.flags.writeable


def test_a_named_test_split_can_be_read():
    assert all(entry.test is None or entry.test in NAMED for entry in NAMED.values())


@pytest.mark.parametrize("name", ["mnits", "mnist:tset", "mnist:"])
def test_a_mistyped_name_gets_a_hint(name):
    with pytest.raises(DataError, match="did you mean 'mnist"):
        read(name)


def test_a_file_of_that_name_does_not_shadow_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("mnist", "wb") as file:
        np.save(file, np.zeros((3, 4)))
    assert read("mnist").origin == "mnist:train"
    assert read("./mnist").x.shape == (3, 4)
    assert read(Path("mnist")).x.shape == (3, 4)


def test_size_is_for_pictures():
    with pytest.raises(DataError, match=r"size and resize_mode are for files of pictures.*mnist:test"):
        read("mnist:test", size=32)

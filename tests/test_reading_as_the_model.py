"""The estimator reads pictures as its model's were read, or says that they were read otherwise."""

import numpy as np
import pytest
from PIL import Image

import narrows
from narrows.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(12):
        picture = np.random.default_rng(i).integers(0, 256, (20, 40), np.uint8)
        Image.fromarray(picture).resize((40 + i, 20)).save(folder / f"{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def model(folder):
    options = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1, "seed": 0}
    return narrows.train(str(folder), resize_mode="stretch", size=16, **options)


@pytest.mark.parametrize("as_path", [str, lambda path: path])
def test_a_folder_is_read_as_in_training(model, folder, as_path):
    x = narrows.read(folder, size=16, resize_mode="stretch").x
    assert np.array_equal(model.score_samples(as_path(folder)), model.score_samples(x))
    assert np.array_equal(model.transform(as_path(folder)), model.transform(x))
    assert len(model.score_samples(folder / "00.png")) == 1


def test_samples_that_were_read_otherwise_are_refused(model, folder):
    with pytest.raises(DataError, match=r"read by .*'stretch'.* however these were by .*'crop'"):
        model.score_samples(narrows.read(folder, size=16))
    assert len(model.score_samples(narrows.read(folder, reading=model.model_.card.reading))) == 12


def test_a_broken_file_is_not_left_out_in_silence(model, folder, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    Image.new("L", (30, 20)).save(tmp_path / "good.png")
    with pytest.warns(UserWarning, match=r"1 files are skipped, such as broken.png"):
        assert len(model.score_samples(tmp_path)) == 1

"""A source is found by its name or its path, and what comes back says where it came from."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from disk import refused
from PIL import Image

from narrows.data.read import read
from narrows.errors import SpecError


def test_samples_come_back_as_they_are():
    samples = read(np.ones((3, 4)))
    assert read(samples) is samples
    assert read(samples, labels=[1, 2, 3]).labels.tolist() == [1, 2, 3]


def test_no_sample_is_refused():
    assert "(0, 5)" in refused(np.zeros((0, 5)))
    assert "(5, 0)" in refused(np.zeros((5, 0)))
    assert "single number" in refused(np.float64(3))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_values_that_are_not_finite_are_counted_and_located(dtype):
    x = np.zeros((5, 6, 7), dtype)
    x[2, 3, 4] = np.nan
    assert "1 value that is NaN or infinite, the first at [2, 3, 4]" in refused(x)
    x[4] = -np.inf
    assert "43 values that are NaN or infinite, the first at [2, 3, 4]" in refused(x)


def test_y_that_is_no_label_is_left_out_with_a_note(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones((3, 4)), y=np.array([0.5, 1.5, 2]))
    samples = read(path)
    assert samples.labels is None
    assert "left out: y" in samples.notes[0]
    np.savez(path, x=np.ones((3, 4)), y=np.arange(4))
    assert "4 labels, 3 samples" in refused(path)


@pytest.mark.parametrize("name", ["pipe", "pipe.csv"])
def test_a_pipe_is_no_file(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert "it is no file" in refused(tmp_path / name)


def test_only_the_last_name_is_shown(save, tmp_path):
    save("a.npy", np.ones((2, 2)))
    assert read(f"{tmp_path}/../{tmp_path.name}/a.npy").origin == "a.npy"


def test_reading_neither_warns_nor_leaves_files_open(save):
    path = save("a.npy", np.ones((2, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(path)
        torch.from_numpy(read(Path(path)).x)


def test_former_names_of_arguments_go_on_and_name_the_new_ones(tmp_path):
    x = np.zeros((4, 40, 40), np.uint8)
    x[:, ::2] = 9
    with pytest.warns(FutureWarning, match="crop is called patch_size now"):
        assert read(x, crop=16).x.shape == read(x, patch_size=16).x.shape
    with pytest.raises(SpecError, match="crop is the former name of patch_size"):
        read(x, crop=16, patch_size=16)
    Image.fromarray(x[0]).save(tmp_path / "a.png")
    with pytest.warns(FutureWarning, match="fit is called resize_mode now"):
        assert np.array_equal(read(tmp_path, (20, 30), fit="pad").x, read(tmp_path, (20, 30), resize_mode="pad").x)

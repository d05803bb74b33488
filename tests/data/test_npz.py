"""Arrays of .npz files are found by the names that people use."""

import numpy as np
import pytest
from disk import refused

import narrows
from narrows.data.read import read

X, Y = np.arange(24.0).reshape(6, 4), np.array(["a", "b", "a", "c", "b", "a"])


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("x", "y"),
        ("X", "y"),
        ("X", "Y"),
        ("images", "labels"),
        ("data", "target"),
        ("x_train", "y_train"),
        ("X_train", "Y_train"),
        ("train_images", "train_labels"),
        ("trainX", "trainY"),
        ("train_data", "train_labels"),
    ],
)
@pytest.mark.parametrize("labels", [Y, np.array([3, 1, 3, 2, 1, 3]), np.array([[3], [1], [3], [2], [1], [3]])])
def test_samples_and_labels_by_their_names(tmp_path, x, y, labels):
    np.savez(tmp_path / "a.npz", **{x: X, y: labels, "other": np.ones(3)})
    samples = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(samples.x, X)
    assert samples.labels.tolist() == labels.ravel().tolist()
    assert samples.origin == "a.npz"


def test_the_test_split_is_named_and_measured(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.normal(size=(60, 5)), "x_test": rng.normal(size=(7, 5))}
    path = str(tmp_path / "a.npz")
    np.savez(path, **arrays, y_train=np.arange(60), y_test=np.arange(7))
    samples = read(path)
    assert samples.test == f"{path}:test"
    assert samples.notes == (f"x_train is read, 60 samples; {path}:test names the 7 of x_test",)
    test = read(samples.test)
    np.testing.assert_array_equal(test.x, arrays["x_test"])
    assert test.labels.tolist() == list(range(7))
    assert test.origin == "a.npz:test"
    np.testing.assert_array_equal(read(f"{path}:train").x, arrays["x_train"])
    model = narrows.train(path, epochs=1, backbone="dense(hidden=[])", bottleneck="linear(2)")
    assert "test_mse" in model.model_.card.metrics


@pytest.mark.parametrize("test", [np.ones((7, 4)), np.ones((7, 5), int), np.full((7, 5), np.nan)])
def test_a_test_split_that_is_unlike_the_training_is_left_out_with_a_line(tmp_path, test):
    np.savez(tmp_path / "a.npz", x_train=np.ones((6, 5)), x_test=test)
    samples = read(tmp_path / "a.npz")
    assert samples.test is None
    assert "left out: " in samples.notes[0]


def test_labels_of_objects_do_not_cost_the_samples(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.array(["a", None] * 3, dtype=object))
    samples = read(tmp_path / "a.npz")
    assert samples.labels is None
    assert "left out: " in samples.notes[0]


def test_other_names_are_listed_with_the_way_out(tmp_path):
    np.savez(tmp_path / "a.npz", left=X, right=X)
    assert "holds left, right; name it with numpy.savez(path, x=..., y=...)" in refused(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", y=X)
    assert "must hold an array `x`" in refused(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", x=X)
    assert "must hold an array `x_test`" in refused(f"{tmp_path / 'a.npz'}:test")
    assert "must hold an array `y`" in refused(X, labels=tmp_path / "a.npz")

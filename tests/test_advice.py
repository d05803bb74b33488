"""What somebody meant is said: how to write it, in Python's words in Python, and in flags in the shell."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import narrows
from narrows import Autoencoder, DataError, SpecError
from narrows.cli import main
from narrows.model.bottleneck import Linear

X = np.random.default_rng(0).normal(size=(30, 6))


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"bottleneck": 3}, 'bottleneck="linear(3)"'),
        ({"bottleneck": "3"}, 'bottleneck="linear(3)"'),
        ({"bottleneck": np.int64(3)}, 'bottleneck="linear(3)"'),
        ({"bottleneck": Linear(4)}, 'bottleneck="linear(4)"'),
        ({"bottleneck": 0}, "bottleneck must be a text"),
        ({"backbone": [256, 128]}, 'backbone="dense(hidden=[256, 128])"'),
        ({"backbone": "[64]"}, 'backbone="dense(hidden=[64])"'),
        ({"corruption": 0.3}, 'corruption="gaussian(0.3)"'),
        ({"optimizer": 1e-3}, 'optimizer="adamw(0.001)"'),
        ({"loss": 2}, 'loss="mse"'),
        ({"preset": 3}, "preset must be the name of a preset"),
        ({"epochs": "3"}, "epochs must be a whole number of at least 1"),
        ({"self_supervised": "yes"}, "self_supervised must be True or False"),
        ({"random_state": -1}, "random_state must be a whole number"),
        ({"random_state": "a"}, "random_state must be a whole number"),
        ({"shape": 8}, "shape must be (height, width)"),
        ({"shape": (6,)}, "shape must be (height, width)"),
        ({"shape": (2.0, 3)}, "shape[0] must be a whole number"),
    ],
    ids=str,
)
def test_a_parameter_that_is_no_text_or_number_is_answered_by_how_to_write_it(given, written):
    with pytest.raises(SpecError) as caught:
        Autoencoder(**given).fit(X)
    assert written in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ("a.csv", "narrows.read('a.csv')"),
        (["a.png", "b.png"], "narrows.read([...])"),
        (2, "of type int"),
        (None, "of type NoneType"),
        ({"a": 1}, "of type dict"),
        (scipy.sparse.csr_matrix(X), "sparse"),
        (pd.DataFrame({"n": [[1.0], [2]]}), "one value in each cell, however: column 'n' holds list"),
        (pd.DataFrame({"t": ["x", "y"]}), "no column that can be learned"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_array_of_numbers_is_answered_in_the_projects_words(x, said):
    with pytest.raises(DataError) as caught:
        Autoencoder().fit(x)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    if not isinstance(x, str | list | int | dict | type(None)):
        with pytest.raises(DataError) as caught:
            narrows.read(x)
        assert said in str(caught.value)


def test_a_frame_whose_objects_are_numbers_is_taken():
    frame = pd.DataFrame(X).astype(object)
    assert Autoencoder(epochs=1, backbone="dense(hidden=[])").fit(frame).n_features_in_ == 6


def test_a_file_that_exists_is_kept_and_each_place_says_how_to_replace_it(tmp_path, capsys):
    model = Autoencoder(epochs=1, backbone="dense(hidden=[])", bottleneck="linear(2)").fit(X)
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(DataError, match="exists already and is kept; overwrite=True replaces it"):
        model.save(tmp_path / "m.safetensors")
    np.save(tmp_path / "x.npy", X)
    words = [str(tmp_path / "m.safetensors"), str(tmp_path / "x.npy"), "-o", str(tmp_path / "x.npy")]
    assert main(["encode", *words]) == 2
    assert "exists already and is kept; --overwrite replaces it" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "written"), [("3", "linear(3)"), ("2.5", "linear(2.5)")])
def test_the_shell_says_flags(tmp_path, capsys, text, written):
    np.save(tmp_path / "x.npy", X)
    assert main(["train", str(tmp_path / "x.npy"), "--bottleneck", text, "-o", str(tmp_path / "run")]) == 2
    assert f'write --bottleneck "{written}"' in capsys.readouterr().err

"""`Samples` of a mixed table go into the estimator, where their numbers mean what the model's do."""

import numpy as np
import pandas as pd
import pytest

import narrows
from narrows import Autoencoder
from narrows.errors import DataError

FAST = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    size = rng.normal(size=40)
    colours = np.array(["red", "green", "blue"])[rng.integers(0, 3, 40)]
    frame = pd.DataFrame({"size": size, "weight": 2 * size + 1, "colour": colours, "lot": rng.integers(0, 4, 40)})
    frame.loc[:4, "weight"] = np.nan
    return frame


@pytest.fixture(scope="module")
def model(frame):
    return Autoencoder(**FAST).fit(narrows.read(frame, columns={"lot": "drop"}), groups=frame["lot"])


def test_a_frame_whose_columns_were_chosen_is_learned_with_its_gaps(model, frame):
    assert model.feature_names_in_.tolist() == ["size", "weight", "colour"]
    back = model.reconstruct(frame)
    assert back.columns.tolist() == frame.columns.tolist()
    assert not back["weight"].isna().any()
    assert back["lot"].equals(frame["lot"])


def test_samples_whose_numbers_mean_other_categories_are_refused(model, frame):
    chosen = {"columns": {"lot": "drop"}}
    assert np.array_equal(model.score_samples(narrows.read(frame, **chosen)), model.score_samples(frame))
    other = narrows.read(frame.replace({"colour": {"red": "white"}}), **chosen)
    swapped = narrows.read(frame[["weight", "size", "colour", "lot"]], **chosen)
    for samples in (other, swapped):
        with pytest.raises(DataError, match="give the file or the frame itself"):
            model.score_samples(samples)
        with pytest.raises(DataError, match="give the file or the frame itself"):
            narrows.encode(model, samples)
        with pytest.raises(DataError, match="give the file or the frame itself"):
            Autoencoder(**FAST).fit(narrows.read(frame, **chosen), validation_data=samples)

"""The estimator takes frames of several kinds of columns, and gives frames back."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import narrows
from narrows import Autoencoder

FAST = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    size = rng.normal(size=90)
    return pd.DataFrame(
        {
            "id": np.arange(90),
            "weight": size * 9 + 70,
            "visits": np.rint(size * 3 + 10).astype(int),
            "city": np.array(["Bonn", "Rome", "Kyiv"])[np.digitize(size, [-0.5, 0.5])],
            "well": size > 0,
            "born": pd.Timestamp("1990-01-01") + pd.to_timedelta(np.rint(size * 900), "D"),
        },
        index=[f"r{i}" for i in range(90)],
    )


@pytest.fixture(scope="module")
def fitted(frame):
    with pytest.warns(UserWarning, match="'id' is left out, it counts the rows"):
        return Autoencoder(**FAST).fit(frame)


def test_kinds_are_learned_and_an_index_is_left_out_by_a_warning(frame, fitted):
    assert fitted.model_.network.texts["scaling"] == "columns('n2 c3 c2 n1')"
    assert fitted.feature_names_in_.tolist() == ["weight", "visits", "city", "well", "born"]
    assert fitted.n_features_in_ == 5
    assert fitted.transform(frame).shape == (90, 2)
    assert fitted.set_output(transform="pandas").transform(frame).shape == (90, 2)
    fitted.set_output(transform="default")


@pytest.mark.filterwarnings("ignore:column 'id'")
def test_a_frame_comes_back_as_a_frame_of_its_kind(frame, fitted):
    back = fitted.reconstruct(frame)
    assert back.index.equals(frame.index)
    pd.testing.assert_series_equal(back.dtypes, frame.dtypes)
    assert back["id"].equals(frame["id"])
    assert set(back["city"]) <= {"Bonn", "Rome", "Kyiv"}
    assert (back["born"] == back["born"].dt.normalize()).all()
    polars = pl.from_pandas(frame)
    assert fitted.reconstruct(polars).schema == polars.schema
    table = polars.to_arrow()
    assert fitted.reconstruct(table).schema.names == table.schema.names
    assert isinstance(fitted.reconstruct(table), pa.Table)


def test_gaps_are_taken_and_filled(frame, fitted):
    holed = frame.copy()
    holed.loc["r3", "weight"] = np.nan
    holed.loc["r4", ["city", "born"]] = None
    back = fitted.reconstruct(holed)
    assert not back.isna().any().any()
    assert np.isfinite(fitted.score_samples(holed)).all()


def test_a_category_that_was_never_seen_is_unusual_and_is_said(frame, fitted):
    strange = frame.copy()
    strange.loc["r5", "city"] = "Oslo"
    with pytest.warns(UserWarning, match="never saw, which count as unknown: 1 in 'city'"):
        scores = fitted.score_samples(strange)
    usual = fitted.score_samples(frame)
    assert scores[5] < usual[5] - 0.15  # at least 1 / 5 is added, a column of five
    np.testing.assert_array_equal(np.delete(scores, 5), np.delete(usual, 5))


def test_columns_in_use(frame, fitted):
    usual = fitted.transform(frame)
    with pytest.warns(UserWarning, match="does not know are not used: 'more'"):
        np.testing.assert_array_equal(fitted.transform(frame.assign(more=1)), usual)
    with pytest.raises(ValueError, match=r"must be in the same order"):  # as scikit-learn's checks ask
        fitted.transform(frame[frame.columns[::-1]])
    with pytest.raises(ValueError, match=r"yet now missing:\n- city"):
        fitted.transform(frame.drop(columns="city"))
    mixed = narrows.encode(fitted, frame[frame.columns[::-1]])
    np.testing.assert_array_equal(mixed, usual.astype(np.float32))


def test_a_saved_model_knows_its_columns(frame, fitted, tmp_path):
    fitted.save(tmp_path / "a.safetensors")
    loaded = narrows.load(tmp_path / "a.safetensors")
    assert loaded.model_.columns == fitted.model_.columns
    assert loaded.model_.columns.items[2].categories == ("Bonn", "Kyiv", "Rome")
    assert loaded.reconstruct(frame).equals(fitted.reconstruct(frame))
    assert pickle.loads(pickle.dumps(fitted)).reconstruct(frame).equals(fitted.reconstruct(frame))


@pytest.mark.filterwarnings("ignore:column 'id'")
def test_scikit_learn_may_cut_and_clone(frame, fitted):
    scores = cross_val_score(clone(fitted), frame, cv=3)
    assert np.isfinite(scores).all()


def test_what_a_person_asks_of_columns(frame):
    coded = frame.replace({"visits": {10: -999}})
    samples = narrows.read(coded, columns="visits:category, born:drop", label_column="city", na_values="-999")
    model = Autoencoder(**FAST).fit(samples).model_
    assert [column.kind for column in model.columns.items] == ["number", "category", "boolean"]
    assert model.columns.label == "city"
    assert samples.labels.tolist() == frame["city"].tolist()
    assert np.isnan(samples.x[:, 1]).sum() == (frame["visits"] == 10).sum()
    assert model.columns.gaps == ("-999",)
    again = narrows.map(Autoencoder.of(model), coded)  # the labels, the gaps and what is left out are known
    assert again.labels.tolist() == frame["city"].tolist()


def test_a_frame_without_names_of_columns_is_taken(frame):
    plain = pd.DataFrame(frame[["weight", "visits"]].to_numpy())
    fitted = Autoencoder(**FAST | {"bottleneck": "linear(1)"}).fit(plain)
    assert not hasattr(fitted, "feature_names_in_")
    assert fitted.transform(plain).shape == (90, 1)
    assert list(fitted.reconstruct(plain).columns) == [0, 1]

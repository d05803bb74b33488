"""Frames come back with their names, types and kind."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import narrows
from narrows.data.read import read

TEXTS = ["x", "y"] * 10


def back(frame):
    samples = read(frame)
    return samples.back(samples.x)


@pytest.mark.parametrize(
    "values",
    [
        pa.array(TEXTS).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
        pa.array(TEXTS, pa.large_string()).dictionary_encode(),
        pa.array([3, 4] * 10).dictionary_encode(),
        pa.array(TEXTS, pa.string_view()),
        pa.array([Decimal("1.50"), Decimal("2.25")] * 10, pa.decimal32(5, 2)),
        pa.array([Decimal("1.50"), Decimal("2.25")] * 10, pa.decimal256(50, 2)),
        pa.array([1, 2] * 10, pa.time64("us")),
    ],
)
def test_the_types_of_an_arrow_table(values):
    table = pa.table({"n": np.arange(20.0), "a": values}).replace_schema_metadata({"made": "by hand"})
    assert back(table).equals(table, check_metadata=True)


def test_a_batch_comes_back_as_one():
    batch = pa.record_batch({"n": np.arange(20.0), "a": TEXTS})
    assert back(batch).equals(batch)


def test_columns_without_gaps_by_their_schema_keep_it():
    schema = pa.schema([pa.field("n", pa.float64(), nullable=False)])
    assert back(pa.table({"n": np.arange(20.0)}).cast(schema)).schema == schema


@pytest.mark.parametrize("names", [[0, 1], ["a", 1], ["1", 1], ["a b", "a  b"], ["", "a"], [" a", "a\nb"], [None, "a"]])
def test_names_of_pandas_of_any_kind(names):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(9, 2)), columns=pd.Index(names, dtype=object))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pd.testing.assert_frame_equal(back(frame), frame)


def test_names_of_polars_of_any_kind():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"": [3, 1, 2], " a": [1.5, 2.5, 0.5], "a\nb": ["x", "x", "y"]})
    assert back(frame).equals(frame)
    assert back(frame).columns == frame.columns


@pytest.mark.parametrize("texts", [("07:30", "18:00"), ("07:30:15", "18:00:00"), ("2020-01-01", "2020-01-02")])
def test_times_in_texts(texts):
    frame = pd.DataFrame({"n": np.arange(20.0), "t": [*texts] * 10})
    pd.testing.assert_frame_equal(back(frame), frame)


def test_the_order_of_days_in_texts_is_said():
    samples = read(pd.DataFrame({"n": [1.5, 2.5], "t": ["13/01/2020", "14/01/2020"]}))
    assert "column 't' is read as times, day first" in samples.notes[-1]


@pytest.mark.parametrize("freq", ["M", "Q", "W-SUN", "h"])
def test_periods_are_times(freq):
    frame = pd.DataFrame({"n": np.arange(20.0), "p": pd.period_range("2020-01-01", periods=20, freq=freq)})
    frame.loc[3, "p"] = pd.NaT
    assert read(frame).table.items[1].kind == "time"
    pd.testing.assert_frame_equal(back(frame), frame)


def test_a_model_of_columns_that_are_called_by_numbers_gives_them_back():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 3)), index=[f"r{i}" for i in range(30)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PCA is better on 30 rows
        model = narrows.Autoencoder(backbone="dense(hidden=[])", epochs=1, random_state=0).fit(frame)
    restored = model.reconstruct(frame)
    assert restored.columns.equals(frame.columns)
    assert restored.index.equals(frame.index)

"""Groups of samples: any values, of which gaps are each a group of their own."""

import numpy as np
import pandas as pd
import pytest

from narrows.data.groups import number_groups
from narrows.errors import DataError


@pytest.mark.parametrize(
    "groups",
    [
        ["a", "b", None, "a", None],
        ["a", "b", "", "a", " "],
        [1, 2.5, float("nan"), True, np.nan],
        np.array([7.0, 8.0, np.nan, 7.0, np.nan]),
        np.ma.masked_values([3, 4, 0, 3, 0], 0),
        np.array(["2020-01-01", "2020-01-02", "NaT", "2020-01-01", "NaT"], "datetime64[ns]"),
        pd.Series(["a", "b", pd.NA, "a", pd.NA], dtype="string"),
        pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-01", None])),
        pd.Categorical(["x", "y", None, "x", None]),
    ],
    ids=lambda groups: f"{type(groups).__name__} {getattr(groups, 'dtype', '')}",
)
def test_samples_of_one_value_are_one_group_and_gaps_are_alone(groups):
    assert number_groups(groups, 5).tolist() == [0, 1, 2, 0, 3]


def test_a_group_of_a_volume_is_that_of_its_slices():
    assert number_groups(["a", "b"], 6, slices=3).tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([1, 2], r"one value per sample, 3, however: their shape is \(2,\)"),
        (np.zeros((3, 1)), r"one value per sample, 3, however: their shape is \(3, 1\)"),
        (np.array([[1], [2, 3], [4]], dtype=object), "single values, however: some are lists"),
    ],
)
def test_what_is_not_one_value_per_sample_is_refused(groups, said):
    with pytest.raises(DataError, match=said):
        number_groups(groups, 3)

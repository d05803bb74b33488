"""A trained model's columns are read of tables that are written differently than its training data."""

import numpy as np
import pytest

from narrows.data.read import read
from narrows.data.tables import TableOptions, read_table
from narrows.errors import DataError
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.tables.columns_text import from_bytes, to_bytes

COLUMNS = Columns((Column("n"), Column("t", "time", "date32[day]", step=86_400)))


def encode(path, columns=COLUMNS):
    return read_table(path, "t", TableOptions(), columns)


def test_a_column_of_times_that_holds_gaps_alone(save):
    samples = encode(save("t.csv", "n,t\n1,\n2,NA\n"))
    np.testing.assert_array_equal(samples.x, [[1, np.nan], [2, np.nan]])


@pytest.mark.parametrize("cell", ["7", "1.5", "x"])
def test_values_that_are_no_times_are_named(save, cell):
    with pytest.raises(DataError, match="time values in column 't'"):
        encode(save("t.csv", f"n,t\n1,{cell}\n2,{cell}\n"))


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (("02/01/1970", "03/01/1970"), (1, 2)),  # every month is a day too
        (("02.01.1970", "13.01.1970"), (1, 12)),
        (("1970-01-02", "1970-01-03"), (1, 2)),
        (("02/01/1970", "1/14/1970", "01/15/1970", "01/16/1970"), (31, 13, 14, 15)),  # the other order reads more
    ],
)
def test_days_are_read_in_the_order_that_was_learned(save, cells, days):
    learned = read(save("train.csv", "n,t\n1,13/01/1970\n2,14/02/1970\n")).table
    samples = encode(save("t.csv", "n,t\n" + "".join(f"1,{cell}\n" for cell in cells)), learned)
    assert (samples.x[:, 1] / 86_400).tolist() == list(days)
    assert "count as gaps" not in " ".join(samples.notes)


def test_the_order_of_days_lies_in_the_model_file_and_may_be_missing():
    columns = Columns((Column("t", "time", order="day first"),))
    written = to_bytes(columns)
    assert from_bytes(written) == columns
    assert from_bytes(written.replace(b', "order": "day first"', b"")) == Columns((Column("t", "time"),))
    with pytest.raises(DataError):
        from_bytes(written.replace(b"day first", b"day last"))


def test_all_columns_that_are_missing_are_named(save):
    with pytest.raises(DataError, match=r"must have the columns 'n', 't', which the model learned"):
        encode(save("t.csv", "a,b\n1,2\n2,3\n"))

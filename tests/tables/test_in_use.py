"""A trained model's columns are read of tables that are written differently than its training data."""

import numpy as np
import pytest

from narrows.data.tables import TableOptions, read_table
from narrows.errors import DataError
from narrows.tables.column import Column
from narrows.tables.columns import Columns

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

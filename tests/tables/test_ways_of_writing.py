"""Numbers, codes, times and gaps are read in the ways that people and programs write them."""

import numpy as np
import pytest

from narrows.data.read import read

DAY = 86_400


def look(save, cells):
    """Return the samples of a table with these cells in its first column, repeated, beside numbers."""
    rows = "".join(f'"{cell}";{i % 7}.5\n' for i, cell in enumerate([*cells] * 5))
    return read(save("t.csv", "a;b\n" + rows))


@pytest.mark.parametrize("cells", [("01234", "90210"), ("007", "012"), ("+4917012345678", "+4917012345679")])
def test_digits_that_a_number_would_not_keep_are_texts(save, cells):
    samples = look(save, cells)
    assert samples.table.items[0].categories == tuple(sorted(cells))
    assert samples.as_table(samples.x).column("a").to_pylist() == [*cells] * 5
    assert f"digits that begin with 0 or + are texts: 'a' (such as '{cells[0]}')" in " ".join(samples.notes)
    assert read(save("u.csv", f"a\n{cells[0]}\n"), columns="a:integer").table.items[0].kind == "integer"


@pytest.mark.parametrize("cells", [("0", "10"), ("0.5", "00.5"), ("-05", "5"), ("+5", "-6"), ("1e05", "20")])
def test_other_zeros_and_signs_begin_numbers(save, cells):
    assert look(save, cells).x[:2, 0].tolist() == list(map(float, cells))


def test_codes_in_a_table_of_numbers_and_below_the_first_rows(save):
    samples = read(save("t.csv", "zip,n\n" + "12345,1\n" * 300 + "01234,2\n"))
    assert samples.as_table(samples.x).column("zip").to_pylist()[-1] == "01234"


@pytest.mark.parametrize(
    ("cells", "first", "step"),
    [
        (("2-Jan-70", "3-Feb-71"), DAY, DAY),
        (("Jan 1970", "March 1970"), 0, DAY),
        (("1970Q1", "1970Q2"), 0, DAY),
        (("Q1 1970", "Q4 1971"), 0, DAY),
        (("1970-W02", "1970-W53"), 4 * DAY, DAY),
        (("1970-01-02 10:00:00 UTC", "1970-01-03 11:00:00 UTC"), DAY + 36_000, 3_600),
        (("1970-01-02 10:00:00 +0100", "1970-01-03 11:00:00 +0100"), DAY + 32_400, 3_600),
        (("1970-01-02 5:30", "1970-01-02 6:30"), DAY + 19_800, 60),
        (("18.00.00", "23.30.00"), 64_800, 60),
    ],
)
def test_times(save, cells, first, step):
    samples = look(save, cells)
    assert samples.x[0, 0] == first
    assert (samples.table.items[0].kind, samples.table.items[0].step) == ("time", step)


@pytest.mark.parametrize("cells", [("Marketing 2020", "Janitors 2020"), ("1970-W54", "1970-W01"), ("1970Q5", "1970Q1")])
def test_what_only_looks_like_times_is_text(save, cells):
    assert look(save, cells).table.items[0].kind == "category"


@pytest.mark.parametrize("gap", ["-", ".", "..", "#DIV/0!", "#N/A", "<NA>", "\\N"])
@pytest.mark.parametrize(("cells", "kind"), [(("3", "5"), "integer"), (("2020-01-01", "2021-01-01"), "time")])
def test_signs_without_a_value_among_numbers_and_times_are_gaps(save, gap, cells, kind):
    samples = look(save, (*cells, gap))
    assert samples.table.items[0].kind == kind
    assert np.isnan(samples.x[:, 0]).tolist() == [False, False, True] * 5
    assert any("gaps: 5 in 'a'" in note for note in samples.notes)


@pytest.mark.parametrize("cells", [("+", "-"), ("-", "yes", "no"), ("-", "1")])
def test_the_same_signs_elsewhere_are_texts(save, cells):
    assert look(save, cells).table.items[0].categories == tuple(sorted(cells))


def test_days_come_first_beside_decimal_commas(save):
    path = save("t.csv", "t;n\n02/01/1970;1,5\n03/01/1970;2,5\n")
    assert read(path).x[:, 0].tolist() == [DAY, 2 * DAY]

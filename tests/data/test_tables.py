"""Tables are read with their column names, or refused with the row and the column."""

import numpy as np
import pytest
from disk import refused

from narrows.data.read import read


class TestTables:
    def test_a_csv_with_a_header(self, save):
        samples = read(save("wine.csv", 'ash,"alcohol, %"\n1,2.5\n-3e2,4\n'))
        assert samples.columns == ("ash", "alcohol, %")
        assert samples.x.tolist() == [[1, 2.5], [-300, 4]]
        assert samples.x.dtype == np.float64
        assert samples.origin == "wine.csv"

    @pytest.mark.parametrize(
        "text", ["a;b\n1;2\n", "a\tb\n1\t2\n", "\ufeffa,b\r\n1,2\r\n", 'a,b\n"1", 2', "a,b\n1,2\n\n"]
    )
    def test_dialects(self, save, text):
        samples = read(save("t.csv", text))
        assert samples.columns == ("a", "b")
        assert samples.x.tolist() == [[1, 2]]

    def test_one_column_and_a_nameless_one(self, save):
        assert read(save("t.csv", "a\n1\n2\n")).x.tolist() == [[1], [2]]
        assert read(save("t.csv", ",a\n1,2\n")).columns == ("column 1", "a")

    def test_a_column_of_texts_holds_categories(self, save):
        samples = read(save("t.csv", "age,name\n1,Ann\n2,Bob\n3,Ann\n"))
        assert [column.kind for column in samples.table.items] == ["integer", "category"]
        assert samples.x.tolist() == [[1, 0], [2, 1], [3, 0]]

    @pytest.mark.parametrize("gap", ["", " ", "NA", "nan", "NULL", "?"])
    def test_a_gap_is_nan_and_is_said(self, save, gap):
        samples = read(save("t.csv", f"age,height\n1,2\n3,{gap}\n"))
        assert np.isnan(samples.x).tolist() == [[False, False], [False, True]]
        assert any("1 in 'height'" in note for note in samples.notes)

    def test_none_is_a_value_and_none_of_python_a_gap(self, save):
        samples = read(save("t.csv", "a,b\n1,none\n2,None\n3,flu\n4,none\n"))
        assert samples.table.items[1].categories == ("flu", "none")
        assert np.isnan(samples.x[:, 1]).tolist() == [False, True, False, False]

    def test_other_tables_are_refused(self, save):
        assert "line 3 has 3" in refused(save("t.csv", "a,b\n1,2\n1,2,3\n"))
        assert "2 values in each row" in refused(save("t.csv", "a,b\n1,2\n1,2,3\n"))
        assert "at least one sample" in refused(save("t.csv", "a,b\n"))
        assert "empty" in refused(save("t.csv", ""))
        assert "encoding utf-16" in refused(save("t.csv", b"\xff\xfea,b\n1,12\n"))
        assert "'a'" in refused(save("t.csv", "a,b\ninf,1\n"))

    def test_a_folder_called_csv_is_no_table(self, tmp_path):
        (tmp_path / "t.csv").mkdir()
        assert "must hold pictures" in refused(tmp_path / "t.csv")

    def test_a_folder_of_tables_and_several_of_them_are_read_one_at_a_time(self, tmp_path, save):
        several = [save("a.csv", "a\n1\n"), save("b.csv", "a\n2\n")]
        assert "one at a time" in refused(tmp_path)
        assert "one at a time" in refused(several)

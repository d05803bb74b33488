"""What a table's columns are is noticed and said, and a person's word wins."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from narrows.data.read import read
from narrows.data.tables import TableOptions, read_table
from narrows.errors import DataError
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.tables.table_file import read_frame


def look(path_or_frame, **options):
    return read_table(path_or_frame, "t", TableOptions(**options))


def kinds(samples):
    return {column.name: column.kind for column in samples.table.items}


def said(samples):
    return "\n".join(samples.notes)


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (("68,527.00", "1"), "number", [68527, 1]),
        (("12%", "3%"), "integer", [12, 3]),
        (("$5", "$-7"), "integer", [5, -7]),
        (("(5)", "6"), "integer", [-5, 6]),
        (("−1.5", "2"), "number", [-1.5, 2]),
        (("1 234", "1_000"), "integer", [1234, 1000]),
        (("1,5", "2,25"), "number", [1.5, 2.25]),
        (("true", "False"), "boolean", [1, 0]),
        (("1970-01-02", "1970-01-01"), "time", [86400, 0]),
        (("02.01.1970 00:00", "01.01.1970 00:01"), "time", [86400, 60]),
        (("02/01/1970 00:00", "01/01/1970 00:01"), "time", [2678400, 60]),
        (("13/01/1970", "01/01/1970"), "time", [12 * 86400, 0]),
        (("1970-01-01T01:00:00+01:00", "1970-01-01T00:00:01Z"), "time", [0, 1]),
        (("12:30", "00:01"), "time", [45000, 60]),
        (("3", "n/a"), "integer", [3, np.nan]),
        (("inf", "1"), "number", [np.inf, 1]),
    ],
)
def test_what_cells_mean(save, cells, kind, values):
    samples = look(save("t.csv", 'x;y\n"{}";1\n"{}";5\n'.format(*cells)))
    assert kinds(samples)["x"] == kind
    np.testing.assert_array_equal(samples.x[:, 0], values)


def test_mixed_units_are_no_numbers(save):
    assert kinds(look(save("t.csv", "x,y\n5%,1\n0.1,2\n5%,3\n"))) == {"x": "category", "y": "integer"}


def test_an_index_and_texts_that_differ_are_left_out_and_come_along(save):
    samples = look(save("t.csv", ",name,size,city\n0,Ann,1.5,Rome\n1,Bob,2.5,Oslo\n2,Cy,3.5,Rome\n"))
    assert samples.columns == ("size", "city")
    assert "it counts the rows" in said(samples)
    assert "3 of its 3 texts are different" in said(samples)
    assert samples.as_table(samples.x).to_pylist()[2] == {"": 2, "name": "Cy", "size": 3.5, "city": "Rome"}


def test_numbers_that_differ_and_columns_of_one_value_stay(save):
    assert look(save("t.csv", "id,one\n842302,1\n842517,1\n84300903,1\n")).columns == ("id", "one")


def test_the_index_of_a_filtered_parquet_file_is_no_feature(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0]})
    frame[frame.a != 3].to_parquet(tmp_path / "t.parquet")
    samples = read(tmp_path / "t.parquet")
    assert samples.columns == ("a",)
    assert samples.as_table(samples.x).to_pydict() == {"a": [1.0, 2.0, 4.0], "__index_level_0__": [0, 1, 3]}


def test_columns_of_one_name_are_told_apart(save):
    samples = look(save("t.csv", "a,a,b\n1,2,3\n4,5,6\n"))
    assert samples.columns == ("a", "a (2)", "b")
    assert "'a', column 2, is 'a (2)' here" in said(samples)


def test_choices_of_a_person(save, tmp_path):
    path = save("t.csv", 'age,"Weight, kg",name,day,zip\n1,2,Ann,20230623,01\n3,NA,Bob,20230624,01\n')
    assert "looks like days" in said(look(path))
    columns = "age:category, 'Weight, kg':number, name:category, day:time, zip:category"
    samples = look(path, columns=columns)
    assert list(kinds(samples).values()) == ["category", "number", "category", "time", "category"]
    assert samples.table.items[4].categories == ("01",)
    (tmp_path / "columns.csv").write_text("name,kind,values\nage,drop,\nname,category,\n")
    assert look(path, columns=tmp_path / "columns.csv").columns == ("Weight, kg", "name", "day", "zip")
    assert look(path, columns={"zip": "drop"}, id_column="age").columns == ("Weight, kg", "day")
    with pytest.raises(DataError, match="no column 'agee'; did you mean 'age'"):
        look(path, columns="agee:number")
    with pytest.raises(DataError, match="'age' is 'numeric'"):
        look(path, columns="age:numeric")


def test_a_column_of_labels_is_not_learned(save):
    samples = read(save("t.csv", "x,y,kind\n1,2,a\n2,3,b\n3,5,a\n"), label_column="kind")
    assert samples.columns == ("x", "y")
    assert samples.labels.tolist() == ["a", "b", "a"]


def test_a_stray_text_among_numbers_is_a_gap_and_is_said(save):
    rows = "".join(f"{i}.5,{i}\n" for i in range(40))
    samples = look(save("t.csv", f"x,y\n<5,1\n{rows}"))
    assert kinds(samples)["x"] == "number"
    assert "1 in 'x', such as '<5'" in said(samples)


def test_other_texts_stand_for_gaps_where_asked(save):
    samples = look(save("t.csv", "x,y\n-999,a\n1.5,-\n-999.0,a\n2,b\n3,b\n"), na_values=["-999", "-"])
    assert np.isnan(samples.x[:, 0]).tolist() == [True, False, True, False, False]
    assert samples.table.items[1] == Column("y", "category", "string", ("a", "b"), 0.2)


def test_of_very_many_categories_the_rarer_ones_are_other():
    texts = [f"c{i}" for i in range(1500)] * 2 + ["c7"] * 3
    samples = look(pa.table({"c": texts, "n": list(range(3003))}))
    (column, _) = samples.table.items
    assert len(column.categories) == 1000
    assert column.categories[-1] == "other"
    assert "1,500 categories" in said(samples)
    assert samples.x[999, 0] == 999  # c999 is the last of those that occur twice


def test_rows_are_named_by_what_tells_them_apart_and_not_by_what_is_dropped():
    frame = pd.DataFrame({"price": [3.5, 1.0, 2.0], "who": ["Ann", "Bob", "Cy"], "n": [1, 2, 2]})
    assert look(frame, columns="price:drop").names == ("Ann", "Bob", "Cy")
    assert look(frame, columns="price:drop, who:drop").names is None
    assert look(frame, id_column="price").names == ("3.5", "1.0", "2.0")


class TestInUse:
    columns = Columns(
        (Column("c", "category", "string", ("a", "b")), Column("n"), Column("z", "category", "string", ("1",)))
    )

    def test_columns_are_found_by_name_and_texts_stay_texts(self, save):
        samples = read_table(
            save("t.csv", "n,z,more,c\n1,1,5,b\n2,1,6,new\n,1,7,\n"), "t", TableOptions(), self.columns
        )
        np.testing.assert_array_equal(samples.x, [[1, 1, 0], [-1, 2, 0], [np.nan, np.nan, 0]])
        assert "not used: 'more'" in said(samples)
        assert "never saw, which count as unknown: 1 in 'c'" in said(samples)

    def test_a_missing_one_is_named(self, save):
        with pytest.raises(DataError, match="column 'c'"):
            read_table(save("t.csv", "n,z\n1,1\n"), "t", TableOptions(), self.columns)

    def test_values_of_another_kind_are_named(self):
        with pytest.raises(DataError, match="number values in column 'n'"):
            self.columns.encode(read_frame(pa.table({"c": ["a"], "n": [[1]], "z": ["1"]}), "t"), "t")


def make_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"n": rng.normal(size=30), "i": rng.integers(0, 9, 30)}, index=[f"r{i}" for i in range(30)])
    frame["f32"], frame["u8"], frame["b"] = frame.n.astype("float32"), frame.i.astype("uint8"), frame.i > 4
    frame["text"] = np.array(["x", "y"])[frame.i % 2]
    frame["category"] = pd.Categorical(frame.text, categories=["y", "x"], ordered=True)
    frame["name"] = [f"p{i}" for i in range(30)]
    frame["day"] = pd.date_range("2020-01-01", periods=30)
    frame["zone"] = frame.day.dt.tz_localize("Europe/Berlin")
    frame["gap"], frame["length"] = frame.n.where(frame.i > 3), pd.to_timedelta(frame.i, unit="h")
    frame["Int"], frame["iso"] = frame.i.astype("Int64"), frame.day.dt.strftime("%Y-%m-%d")
    frame["never"], frame["none"] = pd.Series(pd.NaT, frame.index), None
    frame.loc["r3", "Int"] = pd.NA
    return frame


def test_a_pandas_frame_comes_back_as_it_was():
    frame = make_frame()
    samples = look(frame)
    pd.testing.assert_frame_equal(samples.back(samples.x), frame)


def test_a_frame_of_numbers_is_as_numpy_has_it():
    frame = make_frame()
    for columns in (["n", "f32"], ["f32"], ["i"], ["u8"], ["b"], ["n", "i"], ["u8", "i"]):
        samples = read(frame[columns])
        assert samples.x.dtype == np.asarray(frame[columns]).dtype
        assert samples.x.tobytes() == np.asarray(frame[columns]).tobytes()
        pd.testing.assert_frame_equal(samples.back(samples.x), frame[columns])


def test_frames_that_are_no_tables_are_refused():
    frame = pd.DataFrame(np.eye(2), columns=["a", "a"])
    with pytest.raises(DataError, match="unique column names, got: - 'a'"):
        look(frame)
    with pytest.raises(DataError, match="column a"):
        look(pd.DataFrame({"a": [1, "x"]}))
    wide = pd.DataFrame(np.eye(2), columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
    samples = look(wide)
    pd.testing.assert_frame_equal(samples.back(samples.x), wide)


def test_an_arrow_table_comes_back_as_it_was():
    table = pa.table(
        {"a": [1, None, 3], "c": ["x", "x", "y"], "d": [1.5, 2.5, None], "t": pa.array([1, 2, 3], "date32")}
    )
    samples = look(table)
    assert samples.back(samples.x).equals(table)


def test_a_polars_frame_comes_back_as_it_was():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"a": [1, None, 3], "c": ["x", "x", "y"], "name": ["u", "v", "w"]})
    frame = frame.with_columns(polars.col("c").cast(polars.Categorical))
    samples = look(frame)
    assert samples.columns == ("a", "c")
    back = samples.back(samples.x)
    assert back.equals(frame)
    assert back.schema == frame.schema


def test_integers_with_gaps_and_far_ones_come_back_whole():
    samples = look(pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [2**53 + 1, 5, 6]}))
    assert kinds(samples) == {"a": "integer", "b": "integer"}
    assert samples.back(samples.x + 0.3).a.dropna().tolist() == [1, 3]
    whole = look(pd.DataFrame({"b": [2**53 + 1, 5]}))
    assert whole.back(whole.x).b.tolist() == [2**53 + 1, 5]


@pytest.mark.parametrize("name", ["PassengerId", "order_id", "ID", "Unnamed: 0.1", "row index", "id_", "Customer ID"])
def test_names_of_an_id_that_counts_up_are_left_out(save, name):
    samples = look(save("t.csv", f'"{name}",n\n4,1.5\n5,2.5\n6,0.5\n'))
    assert samples.columns == ("n",)
    assert look(save("t.csv", f'"{name}",n\n4,1.5\n6,2.5\n7,0.5\n')).columns == (name.strip(), "n")


@pytest.mark.parametrize("name", ["paid", "Madrid", "ideal", "indexed", "year", "humid"])
def test_other_names_of_numbers_that_count_up_are_learned(save, name):
    assert look(save("t.csv", f"{name},n\n4,1.5\n5,2.5\n6,0.5\n")).columns == (name, "n")

"""The map of a table: its points are coloured by any column in the user's terms, and ids come along."""

import csv
import dataclasses

import numpy as np
import pyarrow
import pytest
from customers import COLUMNS, customers, train_customers

from narrows.errors import DataError
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.tasks.map_columns import kept_column, learned_column, show_times
from narrows.tasks.mapping import make_map
from narrows.training.fit import Fit
from narrows.verbs.map_table import write_map_table
from narrows.view.colours import UNKNOWN_COLOUR, colour
from narrows.view.figure import GREY, Figure
from narrows.view.map_decoded import draw_decoded
from narrows.view.map_picture import draw_map
from narrows.view.scale import STEPS


@pytest.fixture(scope="module")
def model():
    return train_customers()


@pytest.fixture(scope="module")
def mapped(model):
    return make_map(model, customers())


def names(mapped, by):
    return [group.name for group in colour(mapped, by).groups]


def test_categories_and_truth_are_kinds_with_their_texts(mapped):
    groups = colour(mapped, "colour").groups
    assert [group.name for group in groups] == ["blue", "<b>red</b>", "unknown", "gap"]
    assert [group.index.tolist() for group in groups[2:]] == [[5], [4]]
    assert [group.colour for group in groups[2:]] == [UNKNOWN_COLOUR, GREY]
    assert names(mapped, "member") == ["False", "True"]


def test_of_very_many_categories_the_most_frequent_are_named(mapped):
    groups = colour(mapped, "<i>town</i>").groups
    assert len(groups) == 30
    assert groups[-1].name == "11 others"
    assert sum(len(group.index) for group in groups) == 120


def test_numbers_and_times_have_a_scale_of_whole_numbers_and_dates(mapped):
    ages = colour(mapped, "age").groups
    assert [group.colour for group in ages] == [*STEPS, GREY]
    low, high = ages[0].name.split(" to ")
    assert int(low) == np.nanmin(mapped.x[:, 0])
    assert int(low) < int(high) < int(ages[1].name.split(" to ")[1])
    assert names(mapped, "joined")[-2].startswith("2018-")
    assert names(mapped, "nothing") == ["gap"]


def test_few_numbers_that_are_mostly_alike_have_a_step_each(model):
    samples = customers()
    samples.x[:, 0] = [0] * 110 + [1] * 5 + [7] * 5
    groups = colour(make_map(model, samples), "age").groups
    assert [(group.name, len(group.index)) for group in groups] == [("0", 110), ("1", 5), ("7", 5)]
    samples.x[:, 0] = [0] * 110 + list(range(1, 11))
    assert len(colour(make_map(model, samples), "age").groups) == 6


def test_columns_that_are_not_learned_colour_unless_they_are_ids(mapped):
    assert names(mapped, "kind") == ["new", "old"]
    assert len(names(mapped, "price")) == 6
    assert names(mapped, "x") == ["=1+1", "gap"]
    with pytest.raises(DataError, match="'id' is not learned, and its values are ids"):
        colour(mapped, "id")
    with pytest.raises(DataError, match="did you mean 'weight'"):
        colour(mapped, "wieght")


def test_labels_of_a_column_have_its_name_and_come_once(model):
    samples = customers()
    beside = dataclasses.replace(samples.beside, label=samples.beside.kept.column("kind"))
    labels = np.array(samples.beside.kept.column("kind").to_pylist())
    mapped = make_map(model, dataclasses.replace(samples, beside=beside, labels=labels))
    assert [colour(mapped, by).by for by in (None, "label", "kind")] == ["kind"] * 3
    assert mapped.kept.column_names == ["id", "x", "price"]
    other = make_map(model, dataclasses.replace(samples, beside=beside, labels=np.arange(120) % 2))
    assert other.kept.column_names == ["id", "x", "kind", "price"]


def test_pictures_say_what_is_decoded_in_the_users_terms(model, mapped):
    assert "&lt;b&gt;red&lt;/b&gt; (" in draw_map(model, mapped, colour(mapped, "colour"), Figure).svg
    decoded = draw_decoded(model, mapped, Figure).svg
    assert ">joined: 2017-" in decoded
    assert ">colour</text>" in decoded
    assert "nan" not in decoded.split("base64")[0]


def test_tables_begin_with_the_columns_that_are_not_learned(mapped, tmp_path):
    write_map_table(tmp_path / "map.csv", mapped)
    rows = list(csv.reader((tmp_path / "map.csv").read_text().splitlines()))
    assert rows[0] == ["id", "x", "kind", "price", "map x", "y", "error"]
    assert rows[1][:2] == ["C-000", "'=1+1"]
    assert rows[2][1] == ""
    assert np.array_equal(np.array([row[4] for row in rows[1:]], np.float32), mapped.points[:, 0])
    write_map_table(tmp_path / "map.parquet", mapped)
    table = pyarrow.parquet.read_table(tmp_path / "map.parquet")
    assert table.column_names == rows[0]
    assert table.column("x").to_pylist()[:2] == ["=1+1", None]


def test_times_are_written_as_they_came():
    hour = Column("t", "time", "time32[s]"), Column("t", "time", "timestamp[us, tz=Europe/Berlin]")
    columns = [learned_column(column, np.array([3600.0, np.nan])) for column in hour]
    assert [show_times(column.values[:1], column.clock) for column in columns] == [["01:00"], ["1970-01-01 01:00 UTC"]]


def test_any_cell_may_come_along():
    cells = [[1, 2], None]
    assert kept_column("lists", pyarrow.chunked_array([cells])).texts == ("[1, 2]",)
    large = kept_column("large", pyarrow.chunked_array([[2**53 + 1, None]]))
    assert large.texts == (str(2**53 + 1),)
    assert np.isnan(large.values[1])
    assert kept_column("none", pyarrow.chunked_array([pyarrow.nulls(2)])).can_colour is False


def test_a_table_of_one_column_is_drawn():
    samples = customers()
    one = {"x": samples.x[:, :1], "columns": ("age",), "table": Columns(COLUMNS.items[:1]), "beside": None}
    samples = dataclasses.replace(samples, **one)
    options = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1, "device": "cpu"}
    model = Fit(samples, scaling="columns('n1')", **options).run()
    assert ">age: " in draw_decoded(model, make_map(model, samples), Figure).svg

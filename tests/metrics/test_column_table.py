"""The table of a table's columns: errors in their own units, and of categories how often they are hit."""

import numpy as np
import pytest

from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.metrics.evaluate import evaluate
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.tasks.reconstruct import reconstruct
from narrows.training.fit import Fit

FAST = {"backbone": "dense(hidden=[])", "epochs": 1, "checks": False, "device": "cpu"}
COLUMNS = Columns(
    (
        Column("size"),
        Column("pet", "category", "string", ("cat", "dog", "owl")),
        Column("born", "time", "date32[day]"),
        Column("happy", "boolean", "bool"),
    )
)


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    size = random.normal(size=150)
    pet = 1.0 * (size > 0.3) + (size > 1)
    x = np.stack([size, pet, 1.5e9 + 86_400 * np.rint(300 * size), size + 0.3 * random.normal(size=150) > 0], 1)
    return np.where(random.random(x.shape) < 0.1, np.nan, x)


def column_rows(model, x):
    table = next(t for t in evaluate(model, x, x, "the rows") if t.title.startswith("Columns"))
    return table, {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


@pytest.mark.parametrize("kinds", ["n1 c3 n1 c2", "n1 c3 n2"])  # a boolean may be learned as a category or a number
def test_of_categories_and_booleans_the_share_is_shown_that_is_hit(x, kinds):
    samples = Samples(x, columns=COLUMNS.names, table=COLUMNS)
    model = Fit(samples, scaling=f"columns({kinds!r})", bottleneck="linear(2)", **FAST).run()
    _, rows = column_rows(model, x)
    answers = reconstruct(model, x)
    for j, name in ((1, "pet"), (3, "happy")):
        known = ~np.isnan(x[:, j])
        right = (np.rint(answers[known, j]) == x[known, j]).mean()
        commonest = np.unique_counts(x[known, j]).counts.max() / known.sum()
        assert (rows[name]["error"], rows[name]["spread"]) == ("-", "-")
        assert rows[name]["right"] == f"{100 * right:.1f} %"
        assert rows[name]["most frequent"] == f"{100 * commonest:.1f} %"
    assert rows["size"]["right"] == "-"
    assert [row["kind"] for row in rows.values()] != ["number"] * 4
    days = np.sqrt(np.nanmean(np.square(answers[:, 2] - x[:, 2]))) / 86_400
    number, unit = rows["born"]["error"].split()
    assert unit == "days"
    assert float(number) == pytest.approx(days, rel=0.02)


def test_unseen_categories_count_as_wrong_answers(x):
    samples = Samples(x, columns=COLUMNS.names, table=COLUMNS)
    model = Fit(samples, scaling="columns('n1 c3 n1 c2')", **FAST).run()
    strange = x.copy()
    strange[:30, 1] = -1
    right = float(column_rows(model, strange)[1]["pet"]["right"].split()[0])
    known = float(column_rows(model, x[30:])[1]["pet"]["right"].split()[0])
    others = (~np.isnan(x[30:, 1])).sum()
    assert right == pytest.approx(known * others / (others + 30), abs=0.1)
    strange[:, 1] = -1
    assert column_rows(model, strange)[1]["pet"]["right"] == "0.0 %"


def test_of_many_columns_the_worst_and_the_best_are_listed_and_constants_come_last():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3)) @ random.normal(size=(3, 40)) + random.normal(size=(60, 40)) * np.linspace(0, 3, 40)
    x[:, 7] = 5.0
    model = Fit(read(x), bottleneck="linear(2)", **FAST).run()
    table, rows = column_rows(model, x)
    assert len(rows) == 30
    assert "The worst 20 and the best 10 of 40 columns." in table.note
    assert table.columns == ("column", "error", "spread", "explained by this model", "by PCA")
    assert table.rows[-1][0] == "x7"
    shares = [float(row[3].split()[0]) for row in table.rows[:-1]]
    assert shares == sorted(shares)

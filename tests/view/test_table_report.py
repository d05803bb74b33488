"""The report of a table: what people look at, in the terms of their own columns, whatever these hold."""

from dataclasses import replace

import numpy as np
import pytest
from seen import Reader, check, parts, words

from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.tasks.reconstruct import reconstruct
from narrows.training.fit import Fit
from narrows.view.cell_texts import cell_texts
from narrows.view.histograms import draw_histograms, find_edges
from narrows.view.report import run_report
from narrows.view.times import time_ticks

FAST = {"backbone": "dense(hidden=[])", "epochs": 1, "checks": False, "device": "cpu"}
CITIES = ("Aarhus", "Bergen", "Cork")
COLUMNS = Columns(
    (
        Column("visits", "integer", "int64"),
        Column("income"),
        Column("city", "category", "string", CITIES),
        Column("born", "time", "date32[day]"),
        Column("member", "boolean", "bool"),
    )
)


def learn(x, columns, **options):
    sizes = [len(c.categories) if c.kind == "category" else 2 * (c.kind == "boolean") for c in columns.items]
    kinds = " ".join(f"c{size}" if size else "n1" for size in sizes)
    samples = Samples(x, columns=columns.names, table=columns)
    return Fit(samples, scaling=f"columns({kinds!r})", **FAST | options).run()


def page(model, x, **options):
    return run_report(model, [], x, x_name="rows.csv", **options)


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 200))
    x = np.stack(
        [
            np.rint(9 + 3 * first),
            np.exp(10 + first),
            (first > -0.5) * 1.0 + (first > 0.5),
            1.2e9 + 86_400 * np.rint(900 * second),
            second > 0,
        ],
        1,
    )
    x[:, 1:4][random.random((200, 3)) < 0.1] = np.nan
    x[17] = [30, 1e9, 2, 86_400 * 92_000, 1]
    x[40] = [18, np.exp(13), 0, 1.2e9, 1]
    return x


@pytest.fixture(scope="module")
def model(x):
    return learn(x, COLUMNS, bottleneck="linear(2)")


def test_the_oddest_row_has_its_name_and_its_cells_as_people_write_them(model, x):
    names = [f"person {i}" for i in range(200)]
    said = Reader(page(model, x, names=names).html).text
    oddest = said.split("expected value) 1 ")[1].split(" 2 person")[0]
    assert oddest.startswith("person 17 ")
    answers = model.columns.decode(reconstruct(model, x)).to_pylist()[17]
    assert f"visits: 30 ({answers['visits']})" in oddest
    assert f"born: 2221-11-21 ({answers['born']})" in oddest
    assert f"income: 1000000000 ({answers['income']:.0f})" in oddest
    assert "number 17" in Reader(page(model, x).html).text


def test_moments_are_written_with_their_zone_and_days_without_a_time():
    kinds = ("timestamp[us]", "timestamp[ns, tz=Europe/Oslo]", "time64[us]", "date32[day]", "int32")
    columns = Columns(tuple(Column(kind, "time", kind) for kind in kinds))
    seconds = np.array([[86_400.0, 3600.0, 3600.0, 86_400.0, 86_400.0], [5.5, np.nan, 0, 0, 0]])
    first, second = zip(*cell_texts(columns, seconds), strict=True)
    assert first == ("1970-01-02", "1970-01-01 01:00:00 UTC", "01:00:00.000000", "1970-01-02", "19700102")
    assert second[:2] == ("1970-01-01 00:00:05", "a gap")


def test_cells_that_are_met_are_not_called_odd(model, x):
    said = Reader(page(model, x).html).text.split("expected value)")[1]
    assert not any(f"city: {city} ({city})" in said for city in CITIES)
    assert "city: Aarhus (Cork)" in said


def test_categories_and_booleans_are_bars_and_never_numbers(model, x):
    pictures = {name: parts(data.decode()) for name, data in page(model, x).pictures.items()}
    seen = {name: [text.text for text in found["text"]] for name, found in pictures.items()}
    assert {*CITIES, "True", "False", "city", "member", "born"} <= set(seen["histograms.svg"])
    assert not {"city", "member"} & set(seen["columns.svg"])
    assert {"visits", "income", "born"} <= set(seen["columns.svg"])
    assert "city" not in seen["correlations.svg"]
    assert seen["correlations.svg"].count("member") == 2
    years = [text for text in seen["histograms.svg"] if text.isdigit() and text.startswith("20")]
    assert {"2000", "2010"} & set(years)


def test_gaps_are_said_and_counted_nowhere(model, x):
    said = Reader(page(model, x).html).text
    share = 100 * np.isnan(x[:, 1]).mean()
    assert f"income: {share:.2g} %" in said
    assert f"Gaps count nowhere: {100 * np.isnan(x).mean():.2g} % of the cells" in said
    full = np.where(np.isnan(x), 1, x)
    assert "Gaps" not in Reader(page(model, full).html).text


def test_unseen_categories_are_said(model, x):
    strange = x.copy()
    strange[:20, 2] = -1
    assert "never saw" not in page(model, x).html
    said = Reader(page(model, strange).html).text
    assert "Categories that the model never saw count as wrong answers (city: 20)." in said
    assert "city: a category that the model never saw (" in said


def test_the_page_says_how_correlations_change(model, x):
    html = page(model, x).html
    said = Reader(html).text.split("Correlations that changed most")[1]
    assert "Over 6 pairs of columns a correlation changes by" in said


def ugly(count=60):
    random = np.random.default_rng(1)
    columns = {
        Column("gaps <b>alone</b>"): np.full(count, np.nan),
        Column("</svg><script>"): random.normal(size=count),
        Column("no category seen", "category", "string", ("q", "w")): np.full(count, np.nan),
        Column("constant"): np.full(count, 7.0),
        Column("constant time", "time", "timestamp[us]"): np.full(count, 1e9),
        Column("a" * 900, "boolean", "string"): random.integers(0, 2, count),
        Column("texts", "category", "string", ("<b>", "b" * 900, "")): random.integers(0, 3, count),
        Column("huge", "integer", "int64"): np.rint(1e18 * random.random(count)),
        Column("tiny"): 1e-300 * random.normal(size=count),
        Column("wild"): 1e15 * random.standard_cauchy(count),
        Column("clock", "time", "time64[us]"): 86_399 * random.random(count),
        Column("old", "time", "date32[day]"): -6.3e10 * random.random(count),
    }
    return np.stack([*columns.values()], 1).astype(float), Columns(tuple(columns))


def test_columns_of_any_kind_have_a_page():
    x, columns = ugly()
    model = learn(x, columns)
    pictures = ("network.svg", "histograms.svg", "columns.svg", "correlations.svg", "codes.svg", "errors.svg")
    for shown in (x, x[:1], np.full((3, 12), np.nan)):
        report = page(model, shown, reference=x)
        said = check(report, *(name for name in pictures if name in report.pictures))
        assert not {"nan", "inf"} & set(said.split())
        assert "gaps <b>alone</b>: 100 %" in said
        assert len(report.html) < 1_500_000
    assert set(page(model, x).pictures) == set(pictures)


@pytest.mark.parametrize(
    "column", [Column("a"), Column("a", "category", "string", ("q", "w")), Column("a", "boolean", "int64")]
)
def test_one_column_has_a_page(column):
    x = np.random.default_rng(0).integers(0, 2, (50, 1)).astype(float)
    assert "Correlations" not in page(learn(x, Columns((column,))), x).html


def test_of_very_many_columns_and_categories_some_are_drawn():
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 300))
    report = page(Fit(read(x), **FAST).run(), x)
    shown = [text.text for text in parts(report.pictures["histograms.svg"].decode())["text"]]
    assert len([text for text in shown if text.startswith("x")]) == 24
    assert "The 24 of 300 columns that are explained worst." in Reader(report.html).text
    column = Column("many", "category", "string", tuple(f"kind {i}" for i in range(1000)))
    drawn = words(draw_histograms([column], *np.repeat(np.arange(1000.0)[None, :, None], 2, 0)))
    assert len([text for text in drawn if text.startswith("kind")]) == 8
    assert "992 others" in drawn


def test_arrays_with_categories_are_named_by_their_numbers():
    random = np.random.default_rng(0)
    x = np.stack([random.integers(0, 3, 90), random.normal(size=90)], 1).astype(float)
    report = page(Fit(read(x), scaling="columns('c3 n1')", **FAST).run(), x)
    shown = [text.text for text in parts(report.pictures["histograms.svg"].decode())["text"]]
    assert {"0", "1", "2"} <= set(shown)
    assert "x0" not in [text.text for text in parts(report.pictures["columns.svg"].decode())["text"]]
    said = Reader(report.html).text
    assert any(f"x0: {a} ({b})" in said for a in range(3) for b in range(3) if a != b)


def test_one_wild_value_does_not_squeeze_a_histogram():
    x = np.random.default_rng(0).normal(size=500)
    calm, wild = (find_edges(np.append(x, value), whole=False) for value in (0.0, 1e9))
    assert wild[-1] - wild[0] < 1.5 * (calm[-1] - calm[0])
    assert (calm[0], calm[-1]) == (x.min(), x.max())
    figure = draw_histograms([Column("a")], *[np.append(x, 1e9)[:, None]] * 2)
    assert "0.4 % beyond, −3.9 to 1e+09" in words(figure)
    figure = draw_histograms([Column("a")], *[np.append(x, 1e9)[np.append(x, 1e9) > -1, None]] * 2)
    assert "0.24 % above, to 1e+09" in words(figure)


@pytest.mark.parametrize("top", [1, 12, 29, 30, 45, 1000])
def test_every_bar_of_integers_holds_as_many_of_them(top):
    x = np.arange(top + 1.0)
    edges = find_edges(x, whole=True)
    counts = np.histogram(x, edges)[0]
    assert len(counts) <= 30
    assert (counts[:-1] == counts[0]).all()
    assert counts.sum() == len(x)


@pytest.mark.parametrize("span", [2e-3, 1, 90, 3e4, 1e6, 4e7, 1e10, 2e11])
def test_dates_on_an_axis_are_few_and_rise(span):
    ticks = time_ticks(1e9, 1e9 + span, 4)
    moments = [moment for moment, _ in ticks]
    assert len(ticks) <= 5
    assert all(1e9 <= moment <= 1e9 + span for moment in moments)
    assert moments == sorted(set(moments))
    assert len({text for _, text in ticks}) == len(ticks)
    assert time_ticks(-1e15, 1e15)


def test_a_table_of_numbers_alone_says_no_kinds(table_model, table):
    assert "kind" not in Reader(page(table_model, table).html).text.split("Columns, the worst first")[1].split("x0")[0]
    named = replace(table_model.card, table=Columns(tuple(Column(c, "integer", "int64") for c in "abcde")))
    said = Reader(page(table_model._replace(card=named), np.rint(table)).html).text
    assert "." not in said.split("expected value) 1 ")[1].split("; ")[1]

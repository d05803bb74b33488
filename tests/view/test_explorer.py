"""The explorer's page, as a person uses it, in a real Chromium where there is one."""

import csv
import dataclasses
import io
import json
import re
import time

import numpy as np
import pyarrow
import pytest
from browser import Browser, find_chromium
from customers import COLUMNS, customers, train_customers
from PIL import Image
from sklearn.datasets import load_wine

from narrows.cli import main
from narrows.data.read import read
from narrows.errors import DataError
from narrows.tables.formulas import as_cell
from narrows.tasks.encode import decode_map, encode, encode_map
from narrows.tasks.mapping import Map, make_map
from narrows.tasks.reconstruct import reconstruct
from narrows.tasks.score import errors
from narrows.training.fit import Fit
from narrows.training.map_head import add_head, add_pca_head
from narrows.view.colours import colour
from narrows.view.explorer.columns import add_columns
from narrows.view.explorer.page import make_explorer, sort_by_position, write_explorer
from narrows.view.figure import GREY

LABELS = np.array(["bar", 'wide, "bar"', "<b>bar</b></script>"])
needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium to run the page in")


def train(x, **parts):
    return Fit(read(x), bottleneck="linear(2)", device="cpu", **parts).run()


@pytest.fixture(scope="module")
def samples(pictures):
    """Return labelled and named pictures."""
    names = tuple(f"folder/{i:02d}.png" for i in range(len(pictures)))
    return dataclasses.replace(read(pictures), labels=LABELS[np.arange(len(pictures)) % 3], names=names, origin="bars")


@pytest.fixture(scope="module")
def model(pictures):
    return train(pictures, backbone="conv(channels=[4])", epochs=40)


@pytest.fixture(scope="module")
def mapped(model, samples):
    return make_map(model, samples)


@pytest.fixture(scope="module")
def page(tmp_path_factory, model, mapped):
    path = tmp_path_factory.mktemp("explorer") / "map.html"
    write_explorer(path, model, mapped)
    return path


@pytest.fixture(scope="module")
def browser():
    with Browser(1000, 700) as browser:
        yield browser


@pytest.fixture
def opened(browser, page):
    return open_page(browser, page)


def open_page(browser, path):
    """Open a page afresh and wait until all of it works."""
    browser.events.clear()
    browser.open(path)
    browser.wait_for("performance.getEntriesByName('complete').length === 1")
    return browser


def on_screen(browser, point):
    """Return where a point of the map lies on the page."""
    x, y = map(float, point)
    return browser.evaluate(
        f"(([x, y], box) => [x + box.left, y + box.top])"
        f"(explorer.view.toScreen({x}, {y}), explorer.marks.getBoundingClientRect())"
    )


def point_at(browser, point):
    browser.mouse("mouseMoved", *on_screen(browser, point))


def pixels(browser, canvas, channels=1):
    """Return the levels of a canvas (H, W), or of its three channels (H, W, 3)."""
    script = f"""((c) => [c.height, c.width, ...c.getContext("2d").getImageData(0, 0, c.width, c.height).data])
        (document.getElementById("{canvas}"))"""
    height, width, *values = browser.evaluate(script)
    levels = np.array(values).reshape(height, width, 4)
    return levels[..., 0] if channels == 1 else levels[..., :channels]


def shown_index(browser):
    return browser.evaluate("document.getElementById('look').dataset.index")


def empty_point(points):
    """Return a position between the points that is far from all of them."""
    low, high = points.min(0), points.max(0)
    tries = np.random.default_rng(0).uniform(low, high, (500, 2))
    gaps = np.linalg.norm((tries[:, None] - points) / (high - low), axis=2).min(1)
    return tries[gaps.argmax()]


def middle_of(browser, selector):
    """Return where the middle of an element lies on the page."""
    return browser.evaluate(
        f"((r) => [r.left + r.width / 2, r.top + r.height / 2])"
        f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
    )


def lines_of(browser, table):
    """Return the texts of a table's cells, line by line."""
    script = "((rows) => rows.map((row) => [...row.children].map((cell) => cell.innerText)))"
    return browser.evaluate(f"{script}([...document.querySelectorAll({json.dumps(table + ' tbody tr')})])")


def set_value(browser, field, value, event):
    """Set a field as its own control would."""
    found = f"document.getElementById('{field}')"
    browser.evaluate(f"{found}.value = '{value}'; {found}.dispatchEvent(new Event('{event}'))")


def wait_for_file(path, seconds=20):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)
    return path.read_bytes().decode()


def test_the_page_names_no_address_and_its_policy_forbids_all(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://", text)
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=\"(?!#)", text)


def test_texts_of_the_data_cannot_end_an_element(page):
    text = page.read_text(encoding="utf-8")
    assert LABELS[2] not in text
    assert text.count("</script>") == text.count("<script")


def test_neighbours_lie_together_in_the_file():
    points = np.random.default_rng(0).normal(size=(400, 2))
    order = sort_by_position(points)
    assert sorted(order) == list(range(400))
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1).mean()
    assert steps < 0.3 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()


@needs_chromium
def test_nothing_leaves_the_page(opened, mapped):
    for point in mapped.points[:5]:
        point_at(opened, point)
    opened.wait_for("explorer.panel.lag !== null")
    assert {re.match(r"\w+:", address)[0] for address in opened.requests} <= {"file:", "blob:", "data:"}
    assert sum(address.startswith("file:") for address in opened.requests) == 1
    assert opened.complaints == []


@needs_chromium
def test_a_dot_shows_its_sample_its_label_and_its_reconstruction(opened, mapped, model):
    for index in (0, 17, 41):
        opened.evaluate("explorer.panel.lag = null")
        point_at(opened, mapped.points[index])
        opened.wait_for("explorer.panel.lag !== null")
        seen = int(shown_index(opened))
        assert np.allclose(mapped.points[seen], mapped.points[index], atol=0.02)  # they may lie on top of each other
        assert np.array_equal(pixels(opened, "sample"), mapped.x[seen])
        assert f"Label {mapped.labels[seen]}. {mapped.names[seen]}." in opened.text("#facts")
        decoded = decode_map(model, mapped.points[seen])[0]
        assert np.abs(pixels(opened, "decoded") - decoded.astype(int)).max() <= 1


@needs_chromium
def test_empty_space_shows_what_the_model_decodes_there(opened, mapped, model):
    point = empty_point(mapped.points)
    point_at(opened, point)
    opened.wait_for("document.getElementById('who').innerText.startsWith('Between')")
    x, y = opened.evaluate("[explorer.place.x, explorer.place.y]")
    assert np.allclose([x, y], point, atol=np.ptp(mapped.points, 0).max() / 200)  # a pixel or so
    assert np.abs(pixels(opened, "decoded") - decode_map(model, np.array([x, y]))[0].astype(int)).max() <= 1
    assert shown_index(opened) == ""


@needs_chromium
@pytest.mark.parametrize(
    ("backbone", "shape"),
    [
        ("dense(hidden=[16, 8])", (9, 8)),
        ("conv(channels=[3, 4], pool='max', up='transposed')", (9, 11)),
        ("conv(channels=[3], up='upsample')", (9, 8, 3)),
        ("patches(5, side=4)", (9, 11)),
        ("patches(4, side=3)", (9, 8, 3)),
        ("dense(hidden=[8, 8], activation='silu')", (9, 8)),
        ("dense(hidden=[8])", ()),
        ("dense(hidden=[]) + dense(hidden=[8, 8], leak=0.1)", ()),
        ("dense(hidden=[]) + dense(hidden=[8], leak=0.1)", (9, 8)),
    ],
)
def test_the_page_computes_what_narrows_does(browser, tmp_path, backbone, shape):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 5)) * [1, 9, 1e3, 1, 1] + 7
    x = rng.integers(0, 256, (40, *shape)).astype(np.uint8) if shape else rows
    model = train(x, backbone=backbone, epochs=1)
    write_explorer(tmp_path / "map.html", model, make_map(model, read(x)))
    open_page(browser, tmp_path / "map.html")
    points = rng.normal(size=(6, 2)).astype(np.float32) * 3
    decoded = browser.evaluate(f"{json.dumps(points.tolist())}.map(([x, y]) => [...explorer.data.decode(x, y)])")
    wanted = decode_map(model, points)
    wanted = np.moveaxis(wanted, -1, 1) if wanted.ndim == 4 else wanted
    if shape:
        assert np.abs(np.array(decoded) - wanted.reshape(6, -1)).max() <= 1  # half a grey level rounds either way
        wide = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
        placed = browser.evaluate(f"[...explorer.data.encoder.run({json.dumps(wide[0].ravel().tolist())})]")
        assert np.allclose(
            placed, encode_map(model, x)[0], atol=0.01 * np.ptp(encode_map(model, x))
        )  # half-precision weights
    else:
        assert np.allclose(decoded, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max(0))


@needs_chromium
def test_a_map_head_is_run_before_the_decoder(browser, tmp_path, picture_model, pictures):
    model = add_head(picture_model, encode(picture_model, pictures), max_seconds=1)
    mapped = make_map(model, read(pictures))
    write_explorer(tmp_path / "map.html", model, mapped)
    open_page(browser, tmp_path / "map.html")
    points = mapped.points[:4].astype(float)
    decoded = browser.evaluate(f"{json.dumps(points.tolist())}.map(([x, y]) => [...explorer.data.decode(x, y)])")
    assert np.abs(np.array(decoded) - decode_map(model, points).reshape(4, -1)).max() <= 1
    placed = browser.evaluate(f"[...explorer.data.encoder.run({json.dumps(pictures[0].ravel().tolist())})]")
    assert np.allclose(placed, points[0], atol=0.01 * np.ptp(mapped.points))


@needs_chromium
def test_a_backbone_that_the_page_does_not_know_gets_decoded_positions(browser, tmp_path, pictures):
    model = train(pictures, backbone="residual(4, stages=1)", epochs=1)
    mapped = make_map(model, read(pictures))
    (tmp_path / "map.html").write_text(make_explorer(model, mapped), encoding="utf-8")
    open_page(browser, tmp_path / "map.html")
    point = mapped.points[5].astype(float)
    point_at(browser, point)
    browser.wait_for("explorer.panel.lag !== null")
    assert "nearest" in browser.text("#made")
    low, high = mapped.points.min(0), mapped.points.max(0)
    near = low + np.round((point - low) / (high - low) * 39) * (high - low) / 39
    assert np.abs(pixels(browser, "decoded") - decode_map(model, near)[0].astype(int)).max() <= 1


@needs_chromium
def test_a_box_selects_and_the_download_holds_its_samples(opened, mapped, tmp_path):
    middle = np.median(mapped.points, 0)
    high = mapped.points.max(0) + np.ptp(mapped.points, 0) * 0.02
    opened.drag([on_screen(opened, middle), on_screen(opened, high)], modifiers=8)
    opened.wait_for("!document.getElementById('selection').hidden")
    sides = opened.evaluate("explorer.chosen")
    x, y = mapped.points.T
    wanted = np.flatnonzero((x >= sides["left"]) & (x <= sides["right"]) & (y >= sides["bottom"]) & (y <= sides["top"]))
    assert 3 < len(wanted) < 50
    assert opened.text("#selected") == f"{len(wanted)} selected"
    opened.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    opened.click(*middle_of(opened, "#download"))
    text = wait_for_file(tmp_path / "selection.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["index"]) for row in rows] == wanted.tolist()
    assert [row["label"] for row in rows] == mapped.labels[wanted].tolist()
    assert [row["name"] for row in rows] == [mapped.names[i] for i in wanted]
    assert np.array_equal(np.array([[row["x"], row["y"]] for row in rows], np.float32), mapped.points[wanted])
    assert np.allclose([float(row["error"]) for row in rows], mapped.errors[wanted])


@needs_chromium
def test_search_finds_samples_by_index_label_and_name(opened, mapped):
    for text, expected in (("42", 42), ("folder/07", 7)):
        opened.press("/")
        opened.evaluate("document.getElementById('search').value = ''")
        opened.type(text)
        opened.press("Enter")
        opened.wait_for(f"document.getElementById('look').dataset.index === '{expected}'")
        assert mapped.labels[expected] in opened.text("#facts")
    opened.press("/")
    opened.evaluate("document.getElementById('search').value = ''")
    opened.type("wide")
    assert opened.text("#found li") == 'label wide, "bar": 20 samples'
    opened.click(*middle_of(opened, "#found li"))
    assert opened.text("#selected") == "20 selected"


@needs_chromium
def test_keys_move_zoom_and_hold(opened, mapped):
    point = mapped.points[30].astype(float)
    opened.evaluate(f"explorer.marks.focus(); [explorer.view.x, explorer.view.y] = {json.dumps(point.tolist())}")
    for _ in range(3):
        opened.press("+")
    assert opened.evaluate("explorer.view.scale > 2 * explorer.view.whole")
    opened.wait_for("document.getElementById('look').dataset.index !== undefined")
    held = shown_index(opened)
    assert np.allclose(mapped.points[int(held)], point, atol=np.ptp(mapped.points, 0).max() / 50)
    opened.press("Enter")
    opened.wait_for("document.getElementById('who').innerText.startsWith('Held')")
    opened.press("ArrowLeft")
    assert opened.evaluate("explorer.view.x") < point[0]
    assert shown_index(opened) == held
    opened.press("Escape")
    opened.press("0")
    assert opened.evaluate("explorer.view.scale === explorer.view.whole")


@needs_chromium
def test_a_whole_map_stays_whole_when_the_window_changes(opened, mapped):
    try:
        opened.resize(800, 500)
        opened.wait_for("explorer.view.height < 500 && explorer.view.isWhole")
        (left, bottom), (right, top) = mapped.points.min(0).tolist(), mapped.points.max(0).tolist()
        assert opened.evaluate(f"explorer.view.toScreen({left}, {top}).every((at) => at >= 0)")
        x, y = opened.evaluate(f"explorer.view.toScreen({right}, {bottom})")
        width, height = opened.evaluate("[explorer.view.width, explorer.view.height]")
        assert x <= width
        assert y <= height
        opened.press("+")
        scale = opened.evaluate("explorer.view.scale")
        opened.resize(1000, 700)
        opened.wait_for("explorer.view.height > 500")
        assert opened.evaluate("explorer.view.scale") == scale  # what somebody zoomed to stays
    finally:
        opened.resize(1000, 700)


@needs_chromium
def test_fingers_pan_pinch_and_tap(opened, mapped):
    before = opened.evaluate("[explorer.view.x, explorer.view.scale]")
    opened.touch("touchStart", (300, 300))
    opened.touch("touchMove", (340, 300))
    opened.touch("touchEnd")
    assert opened.evaluate("explorer.view.x") == pytest.approx(before[0] - 40 / before[1])
    opened.touch("touchStart", (300, 300), (400, 300))
    opened.touch("touchMove", (250, 300), (450, 300))
    opened.touch("touchEnd")
    assert opened.evaluate("explorer.view.scale") == pytest.approx(2 * before[1])
    opened.press("0")
    point_on_screen = on_screen(opened, mapped.points[9])
    opened.touch("touchStart", point_on_screen)
    opened.touch("touchEnd")
    opened.wait_for("document.getElementById('who').innerText.startsWith('Held')")
    assert np.allclose(
        mapped.points[int(shown_index(opened))], mapped.points[9], atol=np.ptp(mapped.points, 0).max() / 30
    )


@needs_chromium
def test_light_and_dark(opened):
    def ground():
        return opened.evaluate("getComputedStyle(explorer.map).backgroundColor")

    opened.prefer("dark")
    opened.wait_for("document.documentElement.dataset.theme === 'dark'")
    dark = ground()
    opened.click(*middle_of(opened, "#theme"))
    assert opened.evaluate("document.documentElement.dataset.theme") == "light"
    assert ground() != dark
    opened.prefer("light")


@needs_chromium
def test_a_drawing_is_restored_and_finds_its_place(opened, model, mapped):
    opened.evaluate("document.getElementById('draw').open = true")
    opened.evaluate("document.getElementById('paper').scrollIntoView()")
    left, top, width, height = opened.evaluate(
        "((r) => [r.left, r.top, r.width, r.height])(document.getElementById('paper').getBoundingClientRect())"
    )
    opened.drag([(left + width * 0.45, top + height * share) for share in (0.05, 0.4, 0.95)])
    drawn = pixels(opened, "paper").astype(np.uint8)
    assert drawn.max() > 200 > drawn.min()
    x, y = opened.evaluate("explorer.landed")
    assert np.allclose([x, y], encode_map(model, drawn[None])[0], atol=0.03 * np.ptp(mapped.points))
    assert np.abs(pixels(opened, "restored") - decode_map(model, np.array([x, y]))[0].astype(int)).max() <= 1
    set_value(opened, "noise", "0.5", "input")
    assert np.abs(pixels(opened, "paper") - drawn.astype(int)).mean() > 20
    assert opened.evaluate("explorer.landed") != [x, y]


@needs_chromium
def test_a_table_shows_what_stands_out_and_colours_by_its_columns(browser, tmp_path, table_model, table):
    mapped = make_map(table_model, read(table))
    write_explorer(tmp_path / "map.html", table_model, mapped)
    open_page(browser, tmp_path / "map.html")
    index = int(np.abs((table - table.mean(0)) / table.std(0)).max(1).argmax())
    point_at(browser, mapped.points[index])
    browser.wait_for("document.querySelectorAll('#columns tbody tr').length === 5")
    seen = int(shown_index(browser))
    away = (table[seen] - table.mean(0)) / table.std(0)
    first = np.abs(away).argmax()
    cells = "[...document.querySelector('#columns tbody tr').children].map((cell) => cell.innerText)"
    name, value, _, deviation = browser.evaluate(cells)
    assert name == f"x{first}"
    assert float(value.replace(",", "")) == pytest.approx(table[seen, first], rel=1e-3)
    assert float(deviation.replace("−", "-")) == pytest.approx(away[first], abs=0.06)
    before = browser.evaluate("[...explorer.colours]")
    set_value(browser, "colour", "column-1", "change")
    assert browser.evaluate("[...explorer.colours]") != before
    assert "x1" in browser.text("#legend")


def page_with(browser, path, model, x, labels, width=1000, by=None, **about):
    """Open the page of samples with other labels, names or another width."""
    samples = dataclasses.replace(read(x, labels=labels), **about)
    write_explorer(path, model, make_map(model, samples), by=by)
    browser.resize(width, 700)
    return open_page(browser, path)


@pytest.fixture
def sized(browser):
    """The browser, which gets its size back."""
    yield browser
    browser.resize(1000, 700)


@needs_chromium
def test_many_labels_have_colours_of_their_own_and_a_legend_that_scrolls(sized, tmp_path, model, pictures):
    labels = [f"kind {i}" for i in range(60)]
    page_with(sized, tmp_path / "map.html", model, pictures, labels)
    dots = "[...document.querySelectorAll('#legend i')].map((dot) => dot.style.background)"
    assert len(set(sized.evaluate(dots))) == 60
    assert len(set(sized.evaluate("[...explorer.colours]"))) == 60
    assert sized.evaluate("(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(legend)")
    legend_top = sized.evaluate("document.getElementById('key').offsetTop")
    lowest = sized.evaluate(
        "Math.max(...explorer.data.places.map((i) => explorer.view.toScreen(...explorer.data.at(i))[1]))"
    )
    assert lowest < legend_top  # what is whole lies above the legend


@needs_chromium
def test_samples_without_a_label_are_grey_and_counted(sized, tmp_path, model, pictures):
    page_with(sized, tmp_path / "map.html", model, pictures, ["7", "", "2"] * 20)
    assert sized.text("#legend button:last-child").split("\n") == ["not labelled", "20"]
    grey = sized.evaluate("getComputedStyle(document.querySelector('#legend button:last-child i')).backgroundColor")
    assert grey == "rgb({}, {}, {})".format(*(int(GREY[i : i + 2], 16) for i in (1, 3, 5)))
    sized.evaluate("explorer.hold(explorer.data.places[1])")
    sized.wait_for("document.getElementById('facts').innerText.startsWith('Not labelled. ')")
    sized.evaluate("explorer.choose(() => explorer.selection.select(explorer.data.places))")
    rows = list(csv.DictReader(io.StringIO(sized.evaluate("explorer.selection.csv()"))))
    assert [row["label"] for row in rows] == ["7", "", "2"] * 20


@needs_chromium
def test_texts_of_the_data_are_only_texts(sized, tmp_path, model, pictures):
    hostile = [
        "<script>boom()</script>",
        "<img src=x onerror=boom()>",
        "=cmd()",
        "\u202eabc",
        "שלום",
        "a\u0007b",
        "-x,\ny",
    ]
    labels = [hostile[i % 7] for i in range(60)]
    names = tuple(f"{hostile[i % 7]}{i}" for i in range(60))
    page_with(sized, tmp_path / "map.html", model, pictures, labels, names=names, origin="<b>\u202eboom</b>")
    assert sized.complaints == []
    assert sized.evaluate("document.querySelectorAll('#legend b, #legend img, h1 b, #legend script').length") == 0
    shown = sized.evaluate("[...document.querySelectorAll('#legend button bdi')].map((name) => name.textContent)")
    assert shown == sorted(hostile)
    sized.evaluate("explorer.hold(explorer.data.places[3])")
    sized.wait_for("document.getElementById('facts').innerText.startsWith('Label ')")
    facts = sized.evaluate("[...document.querySelectorAll('#facts bdi')].map((text) => text.textContent)")
    assert facts == ["\u202eabc", "\u202eabc3"]
    sized.evaluate("explorer.choose(() => explorer.selection.select(explorer.data.places))")
    table = sized.evaluate("explorer.selection.csv()")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["label"] for row in rows] == [as_cell(label) for label in labels]
    assert [row["name"] for row in rows] == [as_cell(name) for name in names]
    assert rows[2]["label"] == "'=cmd()"


@needs_chromium
@pytest.mark.parametrize(
    "text", ["-1", "+2.5e3", "-inf", "-0x1", "+", "\t=1", "''=1", "'tis", "-1_0", "＝1", " @a", "١-"]
)
def test_the_page_writes_cells_as_narrows_does(opened, text):
    assert next(csv.reader([opened.evaluate(f"cellOf({json.dumps(text)})")])) == [as_cell(text)]


@needs_chromium
def test_a_map_head_shows_the_models_own_reconstruction_too(sized, tmp_path, picture_model, pictures):
    model = add_head(picture_model, encode(picture_model, pictures), max_seconds=1)
    page_with(sized, tmp_path / "map.html", model, pictures, None)
    sized.evaluate("explorer.hold(explorer.data.places[5])")
    sized.wait_for("document.getElementById('own').width > 1 && document.getElementById('sample').width > 1")
    assert np.abs(pixels(sized, "own") - reconstruct(model, pictures)[5].astype(int)).max() <= 1
    points = make_map(model, read(pictures)).points
    assert np.abs(pixels(sized, "decoded") - decode_map(model, points[5])[0].astype(int)).max() <= 1
    own, decoded = errors(model, pictures)[5], sized.evaluate("explorer.data.mapErrors[explorer.data.places[5]]")
    said = sized.text("#facts")
    assert f"Error of its reconstruction from its {model.network.code_size} numbers: {own:.4g}"[:-1] in said
    away = (decode_map(model, points[5])[0] - pictures[5].astype(float)) / 255
    assert decoded == pytest.approx(np.square(away).mean(), rel=0.02)
    assert "of what is decoded from its spot on the map: " in said


@needs_chromium
def test_a_table_with_a_map_head_shows_reconstructions_too(sized, tmp_path, table):
    model = Fit(read(table), bottleneck="linear(3)", epochs=2, device="cpu").run()
    model = add_head(model, encode(model, table), max_seconds=1)
    page_with(sized, tmp_path / "map.html", model, table, None)
    sized.evaluate("explorer.hold(explorer.data.places[5])")
    sized.wait_for("document.querySelectorAll('#columns tbody tr').length === 5")
    row = sized.evaluate("[...document.querySelector('#columns tbody tr').children].map((cell) => cell.innerText)")
    wanted = reconstruct(model, table)[5, int(row[0].removeprefix("x"))]
    assert float(row[2].replace(",", "").replace("−", "-")) == pytest.approx(wanted, rel=1e-3)


@needs_chromium
def test_a_page_and_a_picture_colour_errors_alike(sized, tmp_path, model, mapped, pictures):
    page_with(sized, tmp_path / "map.html", model, pictures, ["a", "b"] * 30, by="error")
    groups = colour(mapped, "error").groups
    counts = "[...document.querySelectorAll('#legend .step small')].map((count) => Number(count.innerText))"
    assert sized.evaluate(counts) == [len(group.index) for group in groups]
    shown = sized.evaluate("[...explorer.data.places].map((i) => unpacked(explorer.colours[i]))")
    wanted = colour(mapped, "error").colours(60)
    assert len(set(wanted)) == 6
    assert shown == ["rgb({} {} {})".format(*(int(c[i : i + 2], 16) for i in (1, 3, 5))) for c in wanted]


def test_a_page_is_asked_for_colours_that_it_has(model, samples):
    mapped = make_map(model, samples)
    assert '"by":"error"' in make_explorer(model, mapped, "error")
    with pytest.raises(DataError, match="did you mean 'error'"):
        make_explorer(model, mapped, "eror")


@needs_chromium
def test_a_page_begins_with_the_column_that_is_asked_for(sized, tmp_path, table_model, table):
    page_with(sized, tmp_path / "map.html", table_model, table, None, by="x3")
    assert sized.evaluate("document.getElementById('colour').selectedOptions[0].textContent") == "x3"
    assert "x3" in sized.text("#legend")
    assert len(set(sized.evaluate("[...explorer.colours]"))) == 6


@needs_chromium
def test_search_counts_what_it_does_not_list_and_selects_all(opened):
    opened.press("/")
    opened.evaluate("document.getElementById('search').value = ''")
    opened.type("folder/")
    last = opened.evaluate("[...document.querySelectorAll('#found li')].at(-1).innerText")
    assert last == "and 56 more: select all 60 samples"
    opened.click(*middle_of(opened, "#found li:last-child"))
    assert opened.text("#selected") == "60 selected"


@needs_chromium
def test_a_resized_map_is_drawn_at_once(sized, page):
    open_page(sized, page)
    drawn = """new Promise((done) => {
      document.getElementById('map').style.flex = 'none';
      document.getElementById('map').style.width = '300px';
      new ResizeObserver((_, me) => {
        const { width, height } = explorer.painter.canvas;
        const bytes = explorer.painter.context.getImageData(0, 0, width, height).data;
        done([explorer.view.width, new Set(new Uint32Array(bytes.buffer)).size]);
      }).observe(explorer.map);
    })"""
    width, colours = sized.evaluate(drawn)
    assert width == 300
    assert colours > 10
    assert sized.evaluate("explorer.view.isWhole")


@needs_chromium
def test_a_narrow_page_can_be_read(sized, tmp_path, model, pictures):
    labels = [f"a label of {i} that is long and goes on" for i in range(20)] * 3
    page_with(sized, tmp_path / "map.html", model, pictures, labels, 400, origin="a name of many letters")
    assert not sized.evaluate("document.getElementById('key').open")
    box = "((e) => [e.getBoundingClientRect().width, e.scrollWidth - e.clientWidth])(document.querySelector('{}'))"
    assert all(sized.evaluate(box.format(part))[0] > 350 for part in ("h1", "#search"))
    assert sized.evaluate(box.format("h1"))[1] <= 0
    assert sized.evaluate("document.documentElement.scrollWidth") <= 400
    sized.click(*middle_of(sized, "#key summary"))
    sized.wait_for("document.getElementById('key').open")
    names = sized.evaluate("[...document.querySelectorAll('#legend bdi')].map((name) => name.textContent)")
    assert len(set(names)) == 20
    sized.click(*middle_of(sized, "#key summary"))
    sized.wait_for("!document.getElementById('key').open")


@needs_chromium
def test_a_browser_without_a_canvas_says_so(browser, page):
    script = "HTMLCanvasElement.prototype.getContext = () => null"
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
    try:
        open_page(browser, page)
        assert "draws no canvas" in browser.text("#unable")
        assert browser.complaints == []
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added)
        open_page(browser, page)
        assert browser.evaluate("document.getElementById('unable').hidden")


@needs_chromium
def test_a_browser_without_webgl_draws_the_map(browser, page):
    script = (
        "const own = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = "
        "function (kind, ...rest) { return kind === '2d' ? own.call(this, kind, ...rest) : null; }"
    )
    added = browser.call("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
    try:
        open_page(browser, page)
        assert len(np.unique(pixels(browser, "dots"))) > 10
    finally:
        browser.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added)


@needs_chromium
def test_a_folder_of_colour_pictures_makes_a_page_from_the_shell(browser, tmp_path):
    rng = np.random.default_rng(0)
    colours = {"red": (250, 20, 10), "blue": (10, 20, 250)}
    for name, rgb in colours.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(12):
            noise = rng.integers(-10, 6, (8, 10, 3))
            Image.fromarray((noise + rgb).clip(0, 255).astype(np.uint8)).save(tmp_path / "photos" / name / f"{i}.png")
    folder, run, page = (str(tmp_path / name) for name in ("photos", "run", "map.html"))
    assert main(["train", folder, "-o", run, "--bottleneck", "linear(2)", "--epochs", "2", "--device", "cpu"]) == 0
    assert main(["map", run, folder, "-o", page]) == 0
    open_page(browser, tmp_path / "map.html")
    places = browser.evaluate("[...Array(24).keys()].map((i) => explorer.data.at(i))")
    point_at(browser, max(places, key=lambda place: place[1]))  # the legend is at the bottom
    browser.wait_for("explorer.panel.lag !== null")
    seen = browser.evaluate("explorer.data.places[document.getElementById('look').dataset.index]")
    name, label = browser.evaluate(f"[explorer.data.names[{seen}], explorer.data.labelOf({seen})]")
    with Image.open(tmp_path / "photos" / name) as picture:
        assert np.array_equal(pixels(browser, "sample", channels=3), np.asarray(picture))
    assert name.startswith(label)
    assert label in colours


@needs_chromium
def test_a_table_from_a_plain_file_makes_a_page_from_the_shell(browser, tmp_path):
    wine = load_wine(as_frame=True)
    wine.data.to_csv(tmp_path / "wine.csv", index=False)
    table, run, page = (str(tmp_path / name) for name in ("wine.csv", "run", "map.html"))
    assert main(["train", table, "-o", run, "--bottleneck", "linear(2)", "--epochs", "2", "--device", "cpu"]) == 0
    assert main(["map", run, table, "-o", page]) == 0
    open_page(browser, tmp_path / "map.html")
    point_at(browser, browser.evaluate("explorer.data.at(7)"))
    browser.wait_for("document.querySelectorAll('#columns tbody tr, #row tbody tr').length >= 8")
    row = wine.data.iloc[int(shown_index(browser))]
    shown = [cells for cells in lines_of(browser, "#columns") + lines_of(browser, "#row") if len(cells) > 1]
    for name, value, *_ in shown:
        assert float(value.replace(",", "")) == pytest.approx(row[name], rel=1e-3)


@needs_chromium
@pytest.mark.parametrize("bottleneck", ["linear(2)", "linear(3)"])
def test_a_mixed_table_shows_rows_and_what_is_decoded_in_the_users_terms(browser, tmp_path, bottleneck):
    model, samples = train_customers(bottleneck), customers()
    model = add_pca_head(model, encode(model, samples.x)) if bottleneck == "linear(3)" else model
    samples = dataclasses.replace(samples, labels=np.array(["low", "high"] * 60))
    mapped = make_map(model, samples)
    write_explorer(tmp_path / "map.html", model, mapped, by="colour")
    open_page(browser, tmp_path / "map.html")
    groups = colour(mapped, "colour").groups
    shown = browser.evaluate(
        "[...document.querySelectorAll('#legend .step')].map((line) => line.innerText.split('\\n'))"
    )
    assert shown == [[group.name, str(len(group.index))] for group in groups]
    made = COLUMNS.decode(reconstruct(model, samples.x)).to_pylist()
    for index in (4, 5, 6, 30):
        browser.evaluate(f"explorer.hold(explorer.data.places[{index}])")
        browser.wait_for(f"document.getElementById('look').dataset.index === '{index}'")
        browser.wait_for("!document.getElementById('row').hidden")
        label, *kept = lines_of(browser, "#kept")
        assert label == ["label", "high" if index % 2 else "low"]
        assert kept[:2] == [["id", f"C-{index:03d}"], ["x", "–" if index % 2 else "=1+1"]]
        row = {name: texts for name, *texts in lines_of(browser, "#row")}
        assert list(row) == list(COLUMNS.names)
        own = COLUMNS.decode(samples.x[index : index + 1]).to_pylist()[0]
        assert [row[name][0] for name in ("age", "joined", "member")] == [
            "–" if own[name] is None else str(own[name]) for name in ("age", "joined", "member")
        ]
        assert row["nothing"] == ["–", ""]
        wanted = "unknown" if index == 5 else own["colour"] or "–"
        assert row["colour"] == [wanted, "" if made[index]["colour"] == wanted else made[index]["colour"]]
    point = mapped.points.mean(0).astype(float).tolist()
    browser.evaluate(
        f"explorer.hold(-1); explorer.place = {{ i: -1, x: {point[0]}, y: {point[1]} }}; explorer.ask('look')"
    )
    browser.wait_for("document.getElementById('who').innerText.startsWith('Between')")
    decoded = COLUMNS.decode(decode_map(model, np.array(point))).to_pylist()[0]
    row = dict(lines_of(browser, "#row"))
    for name in ("age", "colour", "member", "joined", "<i>town</i>"):
        assert row[name] == str(decoded[name]), name
    browser.evaluate("explorer.search.input.value = 'c-01'; explorer.search.look()")
    assert browser.text("#found").endswith("and 6 more: select all 10 samples")
    browser.evaluate("explorer.selection.select([explorer.data.places[7]])")
    (line,) = csv.DictReader(io.StringIO(browser.evaluate("explorer.selection.csv()").replace("\r", "")))
    assert (line["id"], line["kind"]) == ("C-007", "old")
    assert browser.complaints == []


def test_a_large_mixed_page_stays_small():
    shape = (70_000, 7)
    random = np.random.default_rng(0)
    x = customers().x[random.integers(0, 120, shape[0])]
    kept = pyarrow.table({"id": [f"C-{i}" for i in range(shape[0])], "essay": [f"{i}" * 50 for i in range(shape[0])]})
    points = random.normal(size=(shape[0], 2)).astype(np.float32)
    mapped = Map(points, points[:, 0], x, columns=COLUMNS.names, known=COLUMNS, kept=kept)
    about, blocks = {}, {}
    add_columns(about, blocks, mapped, x, np.arange(shape[0]), 12_000_000)
    assert [column["type"] for column in about["columns"]] == [
        "float32",
        "float32",
        "uint8",
        "uint8",
        "float64",
        "uint8",
        "float32",
        "uint32",
    ]
    assert about["left"] == ["essay"]
    assert sum(map(len, blocks.values())) < 7_000_000

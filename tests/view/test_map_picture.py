"""The map: samples placed, written as tables and pictures, and what is no map refused in one sentence."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from narrows.cli import main
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.errors import DataError, SpecError
from narrows.modelfile import load, save
from narrows.tasks.encode import encode
from narrows.tasks.mapping import Map, make_map
from narrows.tasks.score import errors
from narrows.training.fit import Fit
from narrows.view.colours import ERROR, MAX_GROUPS, MAX_NAME, colour
from narrows.view.figure import GREY, GROUND, Figure
from narrows.view.fonts import find_font, spell_out
from narrows.view.map_decoded import draw_decoded
from narrows.view.map_frame import CELLS
from narrows.view.map_picture import draw_map
from narrows.view.raster import Raster


@pytest.fixture(scope="module")
def bars(pictures):
    """A model of the pictures with a map, and the pictures with the place of their bar as a label."""
    samples = Samples(pictures, labels=np.arange(60) % 8, origin="bars")
    fit = Fit(
        samples, backbone="dense(hidden=[16])", bottleneck="linear(2)", corruption="none", epochs=60, device="cpu"
    )
    return fit.run(), samples


@pytest.fixture
def files(bars, tmp_path):
    """The model, the pictures and their labels as files; and a folder to write to."""
    model, samples = bars
    save(tmp_path / "model.safetensors", model)
    np.savez(tmp_path / "bars.npz", x=samples.x, y=samples.labels)
    (tmp_path / "out").mkdir()
    return tmp_path


def run_map(files, data, out, *more):
    return main(["map", str(files / "model.safetensors"), str(data), "-o", str(files / "out" / out), *map(str, more)])


def test_a_map_holds_places_errors_and_what_was_read(bars):
    model, samples = bars
    mapped = make_map(model, samples)
    np.testing.assert_array_equal(mapped.points, encode(model, samples.x))
    np.testing.assert_array_equal(mapped.errors, errors(model, samples.x))
    assert list(mapped.table()) == ["x", "y", "label", "error"]
    assert mapped.columns is None


def test_a_csv_file_holds_the_very_numbers(bars, files):
    assert run_map(files, files / "bars.npz", "map.csv") == 0
    with (files / "out" / "map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    mapped = make_map(*bars)
    assert list(rows[0]) == ["x", "y", "label", "error"]
    assert np.array_equal(np.array([[row["x"], row["y"]] for row in rows], np.float32), mapped.points)
    assert [float(row["error"]) for row in rows] == mapped.errors.tolist()
    assert [int(row["label"]) for row in rows] == mapped.labels.tolist()


def test_parquet_holds_the_same(bars, files):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run_map(files, files / "bars.npz", "map.parquet") == 0
    table = parquet.read_table(files / "out" / "map.parquet")
    assert table.column_names == ["x", "y", "label", "error"]
    np.testing.assert_array_equal(table["x"].to_numpy(), make_map(*bars).points[:, 0])


def test_a_picture_shows_points_what_is_decoded_and_the_legend(files):
    assert run_map(files, files / "bars.npz", "map.png") == 0
    with Image.open(files / "out" / "map.png") as picture:
        assert picture.width > 2000
    assert run_map(files, files / "bars.npz", "map.svg") == 0
    svg = (files / "out" / "map.svg").read_text()
    assert ">60 samples of bars.npz, by label</text>" in svg
    assert ">7 (7)</text>" in svg
    assert "nan" not in svg.split("base64")[0]


def test_a_table_shows_its_columns_over_the_map(table_model, table):
    figure = draw_decoded(table_model, make_map(table_model, read(table)), Figure)
    assert figure.svg.count("<image") == 4
    assert sum(f">x{i}: " in figure.svg for i in range(5)) == 4


def test_decoded_pictures_lie_where_the_axes_say(bars, monkeypatch):
    model, samples = bars
    mapped, drawn = make_map(model, samples), {}
    monkeypatch.setattr("narrows.view.map_tiles.fit_square", lambda x: np.full((60, 60, 3), x.mean(), np.uint8))
    monkeypatch.setattr(Figure, "image", lambda self, box, pixels: drawn.setdefault("pixels", pixels))
    monkeypatch.setattr("narrows.view.map_decoded.decode_map", lambda model, points: shade(points))
    monkeypatch.setattr("narrows.view.map_decoded.NEAR", np.inf)

    def shade(points):
        wanted = points[:, 0] > np.median(points[:, 0])
        return np.broadcast_to(255 * wanted[:, np.newaxis, np.newaxis], (len(points), 9, 8)).astype(np.uint8)

    draw_decoded(model, mapped, Figure)
    halves = drawn["pixels"].reshape(CELLS, 60, CELLS, 60, 4)[:, 0, :, 0, 0]
    assert (halves[:, : CELLS // 2] == 0).all()
    assert (halves[:, CELLS // 2 :] == 255).all()


def test_labels_of_a_file_colour_the_points(files):
    (files / "labels.txt").write_text("\n".join("ab"[i % 2] for i in range(60)))
    assert run_map(files, files / "bars.npz", "map.svg", "--labels", files / "labels.txt") == 0
    assert ">a (30)</text>" in (files / "out" / "map.svg").read_text()


def test_samples_without_a_label_are_grey_counted_and_empty_in_tables(bars, files, capsys):
    labels = ["", "=a", "b"] * 20
    (files / "labels.csv").write_text("\n".join(["kind", *labels]) + "\n")
    for out in ("map.svg", "map.csv"):
        assert run_map(files, files / "bars.npz", out, "--labels", files / "labels.csv") == 0
        assert "20 of 60 samples are not labelled" in capsys.readouterr().out
    svg = (files / "out" / "map.svg").read_text()
    assert svg.count("not labelled") == 1
    assert ">not labelled (20)</text>" in svg
    with (files / "out" / "map.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["", "'=a", "b"] * 20
    groups = colour(make_map(bars[0], read(bars[1].x, labels=labels))).groups
    assert [(group.name, len(group.index)) for group in groups] == [("=a", 20), ("b", 20), ("not labelled", 20)]
    assert groups[2].colour == GREY


def test_letters_of_all_scripts_are_drawn_or_named(files, capsys):
    names = ["Été", "Ωμέγα", "Жук", "\U00013000a", "\U00013001a"]  # hieroglyphs are in few fonts
    (files / "labels.txt").write_text("\n".join(names[i % 5] for i in range(60)), encoding="utf-8")
    assert run_map(files, files / "bars.npz", "map.png", "--labels", files / "labels.txt") == 0
    said = capsys.readouterr().out
    assert "no font here has" in said or all(find_font(c) is not None for c in "".join(names))
    spelled = [spell_out(name) for name in names]
    assert len(set(spelled)) == 5


@pytest.mark.skipif(find_font("é") is None, reason="the system has no font with accents")
def test_accents_are_no_boxes():
    drawn = []
    for words in ("é", chr(0x10FFFF)):
        raster = Raster(40, 30)
        raster.text(20, 20, words)
        drawn.append(raster.pixels)
    assert not np.array_equal(*drawn)
    plain, mixed = Raster(80, 30), Raster(80, 30)
    plain.text(5, 20, "ab", anchor="start")
    mixed.text(5, 20, "abé", anchor="start")
    assert np.array_equal(plain.pixels[:, :30], mixed.pixels[:, :30])
    assert not np.array_equal(plain.pixels, mixed.pixels)


def test_labels_with_line_breaks_stay_on_their_line():
    points = np.zeros((2, 2), np.float32)
    assert [group.name for group in colour(Map(points, points[:, 0], points, np.array(["a\nb", "c\x07"]))).groups] == [
        "a□b",
        "c□",
    ]


def test_numbers_without_a_label_are_grey_too():
    points = np.zeros((100, 2), np.float32)
    labels = np.ma.array(np.arange(100), mask=np.arange(100) < 40)
    groups = colour(Map(points, points[:, 0], points, labels)).groups
    assert [len(group.index) for group in groups] == [10] * 6 + [40]


def test_long_labels_that_are_alike_at_their_ends_differ():
    points = np.zeros((4, 2), np.float32)
    labels = np.array([f"measured in the {time} at noon" for time in ("spring", "summer", "autumn", "winter")])
    names = [group.name for group in colour(Map(points, points[:, 0], points, labels)).groups]
    assert len(set(names)) == 4
    assert all("…" in name and len(name) <= MAX_NAME for name in names)


@pytest.mark.parametrize("by", ["error", "x3"])
def test_numbers_colour_in_steps_of_as_many_points(table_model, table, by):
    groups = colour(make_map(table_model, read(table)), by).groups
    assert sorted(np.concatenate([group.index for group in groups])) == list(range(80))
    assert all(12 <= len(group.index) <= 15 for group in groups)


def test_more_kinds_than_colours_take_other_marks_and_the_rarest_share_one():
    points = np.zeros((100, 2), np.float32)
    labels = np.array([f"kind {i % 40}" for i in range(100)])
    groups = colour(Map(points, points[:, 0], points, labels)).groups
    assert len(groups) == MAX_GROUPS
    assert len({(group.colour, group.mark) for group in groups}) == MAX_GROUPS
    assert groups[-1].name == "11 others"
    assert sum(len(group.index) for group in groups) == 100


def test_equal_errors_are_one_step():
    points = np.zeros((3, 2), np.float32)
    (group,) = colour(Map(points, np.ones(3), points), ERROR).groups
    assert len(group.index) == 3


def test_both_kinds_of_drawing_show_the_same(bars):
    drawings = [draw_map(*bars[:1], make_map(*bars), colour(make_map(*bars)), on) for on in (Figure, Raster)]
    figure, raster = drawings
    assert raster.pixels.shape == (2 * figure.height, 2 * figure.width, 3)
    ground = [int(GROUND[i : i + 2], 16) for i in (1, 3, 5)]
    assert 0.2 < (raster.pixels == ground).all(2).mean() < 0.9


def test_a_raster_draws_each_mark_where_it_is_asked_to():
    raster = Raster(100, 60)
    raster.marks([(20, 20)], "#ff0000", 10)
    raster.marks([(50, 20)], "#00ff00", 10, "square")
    raster.marks([(80, 20)], "#0000ff", 10, "diamond")
    raster.line([(0, 50), (100, 50)], "#000000", 2, "5 5")
    raster.area([(0, 0), (8, 0), (0, 8)], "#ff00ff")
    raster.text(50, 45, "up", upright=True, anchor="start")
    raster.image((90, 30, 8, 8), np.zeros((2, 2), np.uint8))
    pixels = raster.pixels
    assert pixels[40, 40].tolist() == [255, 0, 0]
    assert pixels[40, 100].tolist() == [0, 255, 0]
    assert pixels[40, 160].tolist() == pixels[2, 190].tolist()  # a diamond is hollow
    assert pixels[2, 2].tolist() == [255, 0, 255]
    dark = (pixels[100] < 50).all(1)
    assert 0.4 < dark.mean() < 0.6
    assert (pixels[60:92, 84:104] < 120).any()
    assert pixels[68, 188].tolist() == [0, 0, 0]


def test_what_is_no_map_is_refused_in_one_sentence(files, pictures, picture_model, capsys):
    np.save(files / "one.npy", pictures[:1])
    np.save(files / "same.npy", np.repeat(pictures[:1], 20, 0))
    np.save(files / "nan.npy", np.full((20, 9, 8), np.nan))
    (files / "short.txt").write_text("1\n2\n")
    bars = files / "bars.npz"
    cases = [
        ((files / "one.npy", "a.png"), "holds one"),
        ((files / "same.npy", "a.png"), "are equal"),
        ((files / "nan.npy", "a.png"), "NaN"),
        ((bars, "a.png", "--labels", files / "short.txt"), "2 labels, 60 samples"),
        ((bars, "a.png", "--labels", files / "no.txt"), "no file of labels"),
        ((bars, "a.png", "--colour-by", "eror"), "did you mean 'error'"),
        ((bars, "a.csv", "--colour-by", "error"), "--colour-by is for .png"),
        ((bars, "a.jpg"), ".parquet"),
    ]
    for words, said in cases:
        for ending in {"png": ("png", "csv", "html"), "csv": ("csv",), "jpg": ("jpg",)}[words[1].split(".")[1]]:
            if "--colour-by" in words and ending == "html":
                continue
            if ending == "csv" and said in ("holds one", "are equal"):  # a table has a row per sample, even of one
                continue
            out = words[1] if "--colour-by" in words else f"a.{ending}"
            assert run_map(files, words[0], out, *words[2:]) == 2
            told = capsys.readouterr().err
            assert said in told
            assert told.count("\n") == 1
    assert list((files / "out").iterdir()) == []


def test_a_model_without_a_map_is_refused(pictures, picture_model, tmp_path, capsys):
    save(tmp_path / "model.safetensors", Fit(read(pictures), backbone="unet(2)", epochs=1, device="cpu").run())
    np.save(tmp_path / "x.npy", pictures)
    assert (
        main(["map", str(tmp_path / "model.safetensors"), str(tmp_path / "x.npy"), "-o", str(tmp_path / "m.png")]) == 2
    )
    assert "connections round its bottleneck" in capsys.readouterr().err
    with pytest.raises(SpecError, match="map"):
        make_map(picture_model, read(pictures))
    assert not (tmp_path / "m.png").exists()


def test_nothing_is_overwritten_unasked(files, capsys):
    (files / "out" / "map.png").write_bytes(b"mine")
    assert run_map(files, files / "bars.npz", "map.png") == 2
    assert (files / "out" / "map.png").read_bytes() == b"mine"
    with pytest.raises(DataError):
        Raster(5, 5).write(files / "out" / "map.png")


def test_a_model_without_a_map_gets_one_in_its_file(files, pictures, picture_model, capsys):
    save(files / "model.safetensors", picture_model, overwrite=True)
    assert run_map(files, files / "bars.npz", "pca.csv", "--pca") == 0
    assert load(files / "model.safetensors").map_head is None
    assert run_map(files, files / "bars.npz", "map.csv") == 0
    assert "map: " in capsys.readouterr().out
    kept = make_map(load(files / "model.safetensors"), read(pictures))
    with (files / "out" / "map.csv").open(newline="") as file:
        points = [[row["x"], row["y"]] for row in csv.DictReader(file)]
    assert np.array_equal(np.array(points, np.float32), kept.points)
    assert (files / "out" / "pca.csv").read_text() != (files / "out" / "map.csv").read_text()
    before = (files / "model.safetensors").read_bytes()
    assert run_map(files, files / "bars.npz", "again.csv") == 0
    assert (files / "out" / "again.csv").read_text() == (files / "out" / "map.csv").read_text()
    assert run_map(files, files / "bars.npz", "pca-again.csv", "--pca") == 0
    assert (files / "out" / "pca-again.csv").read_text() == (files / "out" / "pca.csv").read_text()
    assert "map: " not in capsys.readouterr().out
    assert (files / "model.safetensors").read_bytes() == before


def test_pictures_in_any_arrangement_are_drawn_alike(bars):
    model, samples = bars
    kinds = [samples.x, samples.x.reshape(60, -1), samples.x[:, np.newaxis], samples.x[..., np.newaxis]]
    drawn = {draw_map(model, mapped, colour(mapped), Figure).svg for mapped in (place_all(model, x) for x in kinds)}
    assert len(drawn) == 1


def place_all(model, x):
    return make_map(model, Samples(x, labels=np.arange(60) % 8))


def test_colour_pictures_keep_their_shape_and_colours():
    x = np.zeros((30, 20, 10, 3), np.uint8)
    x[:, :, :, 0] = np.linspace(60, 250, 30)[:, np.newaxis, np.newaxis]
    model = Fit(read(x), backbone="dense(hidden=[8])", bottleneck="linear(2)", epochs=1, device="cpu").run()
    mapped = make_map(model, read(x))
    pixels = draw_map(model, mapped, colour(mapped, "error"), Raster).pixels.astype(int)
    reds = (pixels[..., 0] - pixels[..., 1:].max(-1)) > 40
    rows, columns = np.nonzero(reds[:, : reds.shape[1] // 2 - 450])  # the thumbnails, without the legend
    assert len(rows) > 500
    assert len(np.unique(columns)) > 10


def test_a_map_of_very_many_points_stays_small(bars):
    model, _ = bars
    rng = np.random.default_rng(0)
    points = rng.normal(size=(70_000, 2)).astype(np.float32)
    mapped = Map(
        points,
        points[:, 0],
        np.zeros((70_000, 9, 8), np.uint8),
        rng.integers(0, 10, 70_000),
        samples=torch.zeros(70_000, 1, 9, 8),
    )
    assert len(draw_map(model, mapped, colour(mapped), Figure).svg) < 3_000_000


def test_names_of_groups_do_not_cover_each_other(bars, monkeypatch):
    model, _ = bars
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    labels = np.array(["left", "right", "middle"])[np.arange(300) % 3]
    mapped, said = (
        Map(points, points[:, 0], np.zeros((300, 9, 8), np.uint8), labels, samples=torch.zeros(300, 1, 9, 8)),
        {},
    )
    monkeypatch.setattr(Figure, "text", lambda self, x, y, words, **style: said.setdefault(words, (x, y)))
    draw_map(model, mapped, colour(mapped), Figure)
    places = np.array([said[name] for name in ("left", "right", "middle")])
    apart = np.abs(places[:, np.newaxis] - places)
    assert ((apart[..., 0] > 40) | (apart[..., 1] >= 20) | np.eye(3, dtype=bool)).all()

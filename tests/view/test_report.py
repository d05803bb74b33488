"""The pages: self-contained, escaped, the same in every run, and complete for every kind of data."""

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from parts import Bridge
from PIL import Image

from narrows.data.read import read
from narrows.metrics.comparison import Comparison
from narrows.metrics.denoisers import FILTERS
from narrows.model.network import MENUS
from narrows.modelfile import Model, save
from narrows.training.fit import Fit
from narrows.view import charts as draw
from narrows.view.page import Page
from narrows.view.report import demo_report, run_report
from narrows.view.study import median_filter, study

HOSTILE = "<script>alert('$x$ & 字')</script>"
HISTORY = [
    {"epoch": 1, "train_mse": 0.2, "val_mse": 0.1, "seconds": 1.0},
    {"epoch": 2, "train_mse": 0.1, "val_mse": None, "seconds": 1.5},
]
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Reads a page, and fails where a tag is not closed by its own."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.images, self.said = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        assert not {"href", "onload", "onclick", "srcset"} & set(dict(attributes))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())


def check(report, *pictures):
    """Assert what holds of every page, and return what it says."""
    page = Reader(report.html)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    written = re.sub('src="data:image/svg[+]xml,[^"]*"', "", report.html).lower()
    assert not any(word in written for word in ("http", "src=", "@import", "url("))
    assert page.tags.count("title") == page.tags.count("h1") == 1
    assert set(report.pictures) == set(pictures)
    inside = [unquote(image["src"].removeprefix("data:image/svg+xml,")) for image in page.images]
    assert inside == [data.decode() for data in report.pictures.values()]
    for image, svg in zip(page.images, inside, strict=True):
        assert image["alt"]
        drawing = parts(svg)
        assert set(drawing) <= {"svg", "path", "text", "image"}
        assert drawing["svg"][0].get("width") == image["width"]
        assert not re.search("nan|inf", " ".join(path.get("d") for path in drawing["path"]))
    return page.text


def parts(svg):
    """Return the elements of a drawing by their tags."""
    found = {}
    for element in ElementTree.fromstring(svg).iter():
        found.setdefault(element.tag.removeprefix("{http://www.w3.org/2000/svg}"), []).append(element)
    return found


def words(figure):
    """Return the texts of a figure."""
    return [element.text for element in parts(figure.svg).get("text", [])]


def images(figure):
    """Return the pictures in a figure as arrays."""
    found = [element.get("href").removeprefix("data:image/png;base64,") for element in parts(figure.svg)["image"]]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


PICTURES = ("network.svg", "losses.svg", "reconstructions.svg", "noise.svg", "inverted.svg", "errors.svg", "worst.svg")
MAP = ("map.svg", "map-spots.svg")
TABLE = ("network.svg", "losses.svg", "columns.svg", *MAP, "errors.svg")


def test_the_page_of_pictures_is_complete(picture_model, pictures):
    report = run_report(picture_model, HISTORY, pictures, x_name="test", reference=pictures)
    said = check(report, *PICTURES, "codes.svg", "restored.svg")
    assert "Damaged by gaussian(0.0, 0.1, clip=False) with a fixed seed" in said
    assert "The damaged pictures are clipped" in said
    assert "60 test samples" in said
    assert "PCA with 3 components" in said
    assert "do the work of" in said
    assert "In training the input was damaged by gaussian(0.0, 0.1" in said
    assert "2 epochs" in said
    assert "seed 0" in said


def test_colour_pictures_of_odd_sizes_have_the_same_page(pictures):
    x = np.random.default_rng(0).integers(0, 256, (40, 45, 31, 3), dtype=np.uint8)
    model = Fit(
        read(x), backbone="conv(channels=[4])", bottleneck="linear(5)", corruption="none", epochs=1, device="cpu"
    ).run()
    names = [f"folder/{i}.png" for i in range(40)]
    skipped = [("folder/bad.png", "not a picture")]
    report = run_report(
        model, HISTORY, x, x_name="validation", reference=x, names=names, labels=np.arange(40) % 3, skipped=skipped
    )
    said = check(report, *PICTURES)
    assert "it never saw noise in training" in said
    assert "folder/bad.png not a picture" in said
    worst = names[int(np.argmax(study(model, x, "validation", None).measured.errors))]
    assert worst in said


def test_the_page_of_a_table_names_its_columns(table_model, table):
    report = run_report(table_model, HISTORY, table, x_name="rows.csv", reference=table, labels=np.arange(80) % 2)
    said = check(report, *TABLE)
    assert "80 samples of rows.csv" in said
    assert "Columns, the worst first" in said
    assert "columns were shuffled" in said
    assert "Noise before and after the model" in said


def test_every_name_is_escaped_and_drawn_without_a_warning(table_model, table):
    card = replace(table_model.card, columns=(HOSTILE, "b", "c", "d", "e"), origin=HOSTILE)
    model = Model(table_model.network, card)
    labels = np.array([HOSTILE, "$\\frac{$", "plain", "字"])[np.arange(80) % 4]
    report = run_report(
        model,
        HISTORY,
        table,
        x_name=HOSTILE,
        reference=table,
        names=[HOSTILE] * 80,
        labels=labels,
        skipped=[(HOSTILE, HOSTILE)],
    )
    said = check(report, *TABLE)
    assert said.count(HOSTILE) >= 6


def test_a_page_without_history_reference_or_kept_errors_says_less_and_stands(picture_model, pictures):
    model = Model(picture_model.network, replace(picture_model.card, error_quantiles=(), recipe={}, metrics={}))
    said = check(
        run_report(model, [], pictures, x_name="array"),
        *sorted({*PICTURES, "codes.svg", "restored.svg"} - {"losses.svg"}),
    )
    assert "history of this run is not at hand" in said
    assert "PCA" not in said
    assert "times the median" in said


def test_a_page_of_one_picture_stands(picture_model, pictures):
    report = run_report(picture_model, HISTORY, pictures[0], x_name="one", reference=pictures)
    assert "measured on 1 sample of one" in check(report, *PICTURES, "codes.svg", "restored.svg")


def test_fractions_are_not_clipped_and_bytes_are(picture_model, pictures):
    assert "not clipped" not in run_report(picture_model, [], pictures, x_name="x").html
    x = pictures / 255
    model = Fit(read(x), backbone="dense(hidden=[8])", bottleneck="linear(5)", epochs=1, device="cpu").run()
    report = run_report(model, HISTORY, x, x_name="x", reference=x)
    check(report, *PICTURES, "restored.svg")
    assert "not clipped" in report.html


def test_standardised_pictures_are_shown_from_their_smallest_to_their_largest_value(pictures):
    x = np.stack([pictures * 3.0 - 100, pictures * -0.5], axis=-1)
    model = Fit(read(x), backbone="dense(hidden=[8])", bottleneck="linear(5)", epochs=1, device="cpu").run()
    seen = study(model, x, "x", None)
    assert seen.limits == pytest.approx((x.min(), x.max()), rel=1e-5)
    np.testing.assert_allclose(np.moveaxis(seen.back(seen.first.x), 1, -1), x[:10], rtol=1e-4, atol=1e-3)
    check(run_report(model, HISTORY, x, x_name="x", reference=x), *PICTURES, "restored.svg")


def test_a_model_with_connections_round_its_code_has_no_pca_beside_it(monkeypatch, table):
    monkeypatch.setitem(MENUS["backbone"], "bridge", Bridge)
    model = Fit(read(table), backbone="bridge", bottleneck="linear(2)", epochs=1, device="cpu").run()
    said = check(run_report(model, HISTORY, table, x_name="x", reference=table), *sorted(set(TABLE) - set(MAP)))
    assert "PCA" not in said
    assert "An autoencoder that restores" in said
    assert "numbers: the code" not in said


def test_of_many_samples_ten_thousand_are_measured_and_named_rightly(table_model, table):
    x = np.tile(table, (130, 1))
    x[10_123] += 1e6
    report = run_report(table_model, HISTORY, x, x_name="x", reference=table, labels=np.arange(len(x)))
    seen = study(table_model, x, "x", None)
    assert len(seen.index) == 10_000
    worst = int(np.argmax(seen.measured.errors))
    assert seen.name(worst, None) == "number 10123"
    assert "number 10123" in check(report, *TABLE)


def test_a_page_is_the_same_in_every_run(table_model, table):
    first, second = (run_report(table_model, HISTORY, table, x_name="x", reference=table) for _ in range(2))
    assert first == second


def test_the_demos_page_has_both_networks_and_the_tutorials_figures(pictures):
    fits = {
        name: Fit(read(pictures), preset=name, epochs=2, device="cpu") for name in ("tutorial-linear", "tutorial-conv")
    }
    runs = {name: (fit.run(), fit.history) for name, fit in fits.items()}
    report = demo_report(runs, pictures, pictures, commands=["narrows denoise <run> noisy.npy"])
    drawings = [f"network-{name}.svg" for name in runs]
    said = check(report, *drawings, "losses.svg", "reconstructions.svg", "noise.svg", "inverted.svg")
    for figure in ("0.342308", "0.017115", "0.037874", "0.001894", "0.183579", "0.009179"):
        assert figure in said
    assert "divided by 20" in said
    assert "Trained on clean data only: tutorial-linear and tutorial-conv" in said
    assert "narrows denoise <run> noisy.npy" in said
    assert said.count("do the work of") == 2


def test_all_methods_are_on_the_page_where_they_were_compared(picture_model, pictures):
    damages = ("gaussian(0.2)", "salt_pepper(0.2)")
    plain = [f for f in FILTERS if f.name in ("median", "closing")]
    comparisons = [Comparison({"this model": picture_model}, pictures, pictures, d, filters=plain) for d in damages]
    for comparison in comparisons:
        comparison.run()
    report = run_report(picture_model, [], pictures, x_name="test", comparisons=comparisons, reference_name="these")
    drawings = {*PICTURES, "codes.svg", "restored.svg", "methods-1.svg", "methods-2.svg"} - {"losses.svg"}
    said = check(report, *sorted(drawings))
    assert "Denoising: gaussian(0.2)" in said
    assert "best on 60 pictures of these" in said
    shown = [element.text for element in parts(report.pictures["methods-2.svg"])["text"]]
    titles = [words for words in shown if not any(map(str.isdigit, words))]
    assert titles == ["clean", "doing nothing", "median", "closing", "this model"]
    for score in comparisons[1].scores:
        assert f"PSNR {score.psnr[0]:.1f} dB" in shown


def test_large_pictures_are_cropped_so_that_every_pixel_is_seen():
    big = np.zeros((200, 300))
    big[52:148, 102:198] = np.indices((96, 96)).sum(0) % 2
    (shown,) = images(draw.draw_methods({"checks": (big, "")}))
    assert set(np.unique(shown)) == {0, 255}
    assert shown.mean() == 127.5


def test_pictures_that_were_noisy_from_the_start_have_no_figures(monkeypatch, picture_model, pictures):
    monkeypatch.setattr("narrows.view.denoising_section.learned_from_noisy", lambda model: True)
    said = check(run_report(picture_model, HISTORY, pictures, x_name="x"), *PICTURES, "codes.svg", "restored.svg")
    assert "no clean ones are known" in said
    assert "Damaged by" not in said


def test_the_page_of_a_self_supervised_model_says_what_its_errors_are_against(picture_model, pictures):
    card = replace(picture_model.card, recipe=picture_model.card.recipe | {"self_supervised": True})
    for model, says in ((picture_model, False), (picture_model._replace(card=card), True)):
        report = run_report(model, HISTORY, pictures, x_name="x")
        assert ("what the network itself had made" in report.html) == says


def test_the_network_is_drawn_narrow_in_the_middle_and_ends_as_it_began(picture_model):
    steps = draw.steps(picture_model.network)
    values = [np.prod(step.shape) for step in steps]
    names = [step.names[0] for step in steps]
    assert steps[0].shape == steps[-1].shape == (1, 9, 8)
    assert names[values.index(min(values)) + 1].startswith("code")
    assert sum(step.parameters for step in steps) == sum(p.numel() for p in picture_model.network.parameters())


def test_rows_are_drawn_on_one_fixed_scale():
    dim = np.full((2, 4, 5), 51, np.uint8)
    dim[0, 0, 0] = 60
    figure = draw.draw_rows({"data": dim, "again\npaler": dim, "third": dim}, (0, 255), ["1", "2"])
    assert words(figure) == ["data", "again", "paler", "third", "1", "2"]
    shown = images(figure)
    assert len(shown) == 6
    assert [image.max() for image in shown] == [60, 51] * 3
    assert draw.show(np.array([[[0.5, 1.0]]]), (0.5, 2.5)).tolist() == [[[0, 64]]]


@pytest.mark.parametrize("shape", [(3, 6, 5), (3, 6, 5, 1), (3, 6, 5, 2), (3, 6, 5, 3), (3, 6, 5, 4), (3, 6, 500, 3)])
def test_any_pictures_can_be_drawn(shape):
    shown = images(draw.draw_rows({"data": np.zeros(shape)}))
    assert len(shown) == 3
    assert shown[0].ndim == (3 if shape[3:] in ((3,), (4,)) else 2)
    assert shown[0].shape[1] <= 1.5 * draw.CELL


def test_panels_columns_and_codes_are_drawn_for_any_number_of_them():
    panel = draw.Panel("a", np.zeros((4, 9, 3)), "words")
    assert words(draw.draw_panels([[panel, panel, panel], [panel]])) == ["a", "words"] * 4
    x = np.random.default_rng(0).random((9, 4))
    assert words(draw.draw_columns(x, x, list("abcd"))).count("predicted") == 2
    assert "code number 1 of 1" in words(draw.draw_codes(x[:, :1]))
    assert "samples" in words(draw.draw_codes(x[:1, :1]))
    assert len(words(draw.draw_codes(x, np.linspace(0, 1, 9)))) > len(words(draw.draw_codes(x)))


def test_labels_that_are_many_share_a_colour():
    codes = np.random.default_rng(0).random((40, 2))
    assert words(draw.draw_codes(codes, np.arange(40).astype(str)))[-1] == "30 others"
    labels = np.linspace(0, 8, 41)[:40]
    assert words(draw.draw_codes(codes, labels))[-8] == "0 to 0.975"
    groups = [index for _, index in draw._groups(40, labels).values()]
    assert sorted(np.concatenate(groups)) == list(range(40))


def test_losses_are_drawn_for_what_was_measured():
    curves = draw._curves("a", HISTORY, damaged=False, published={1: 0.3})
    assert {said: points for said, (_, points) in curves.items()} == {
        "a, training: over the samples while the weights move": [(1, 0.2), (2, 0.1)],
        "a, validation: after the epoch": [(1, 0.1)],
        "a, the tutorial's, as true MSE": [(1, 0.3)],
    }
    said = words(draw.draw_losses({"a": HISTORY, "b": HISTORY}, damaged=True))
    assert "b, validation: after the epoch, damaged with a fixed seed" in said
    assert not any("tutorial" in line for line in said)


@pytest.mark.parametrize("history", [[], [{"epoch": 1, "train_mse": 0.0, "val_mse": None}], HISTORY[:1], HISTORY * 99])
def test_losses_of_any_length_can_be_drawn(history):
    assert "epoch" in words(draw.draw_losses({"": history}))


@pytest.mark.parametrize("errors", [[0.0], [0.3], [0.2, 0.2], [1e-9, 1e9]])
def test_any_errors_can_be_drawn(errors):
    assert "median of these" in words(draw.draw_errors(np.array(errors), usual=0.1))


def test_a_median_filter_agrees_with_its_name():
    x = np.random.default_rng(0).random((1, 2, 5, 6))
    assert median_filter(x)[0, 1, 2, 3] == np.median(x[0, 1, 1:4, 2:5])
    assert median_filter(np.full((1, 1, 3, 3), 7.0)).tolist() == np.full((1, 1, 3, 3), 7.0).tolist()


def test_a_page_escapes_all_that_it_is_given():
    page = Page(HOSTILE, HOSTILE)
    page.section(HOSTILE)
    page.text(HOSTILE)
    page.figures([(HOSTILE, HOSTILE)])
    page.commands([HOSTILE])
    page.picture("a.svg", draw.draw_errors(np.array([0.1, 0.2])), 'a "quoted" alt', HOSTILE)
    assert check(page.report(), "a.svg").count(HOSTILE) == 9


def test_a_page_of_pictures_needs_torch_and_pillow_only(picture_model, pictures, tmp_path):
    save(tmp_path / "model.safetensors", picture_model)
    np.save(tmp_path / "x.npy", pictures)
    code = (
        "import sys, numpy, narrows.modelfile, narrows.view.report as r\n"
        "x = numpy.load('x.npy')\n"
        "r.run_report(narrows.modelfile.load('.'), [], x, x_name='x', reference=x)\n"
        "heavy = {'sklearn', 'scipy', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'{heavy} were loaded' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)

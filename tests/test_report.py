"""The pages: self-contained, escaped, the same in every run, and complete for every kind of data."""

import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from parts import Bridge
from PIL import Image

from narrows.data.formats import read
from narrows.model.network import MENUS
from narrows.modelfile import Model
from narrows.train.fit import Fit
from narrows.use import pictures as draw
from narrows.use.page import Page, png
from narrows.use.report import demo_report, run_report
from narrows.use.study import median_filter, study

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
    written = re.sub('src="data:image/png;base64,[^"]*"', "", report.html).lower()
    assert not any(word in written for word in ("http", "src=", "@import", "url("))
    assert page.tags.count("title") == page.tags.count("h1") == 1
    assert set(report.pictures) == set(pictures)
    inside = [base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) for image in page.images]
    assert inside == list(report.pictures.values())
    for image, data in zip(page.images, inside, strict=True):
        assert image["alt"]
        assert Image.open(io.BytesIO(data)).width == pytest.approx(1.5 * int(image["width"]), abs=3)
    return page.text


PICTURES = ("network.png", "losses.png", "reconstructions.png", "noise.png", "inverted.png", "errors.png", "worst.png")
TABLE = ("network.png", "losses.png", "columns.png", "codes.png", "errors.png")


def test_the_page_of_pictures_is_complete(picture_model, pictures):
    report = run_report(picture_model, HISTORY, pictures, x_name="test", reference=pictures)
    said = check(report, *PICTURES, "codes.png")
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
    worst = names[int(np.argmax(study(model, x, "validation", None).passed.errors))]
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
    model = Model(picture_model.network, replace(picture_model.card, error_quantiles=(), recipe={}, figures={}))
    said = check(run_report(model, [], pictures, x_name="array"), *sorted({*PICTURES, "codes.png"} - {"losses.png"}))
    assert "history of this run is not at hand" in said
    assert "PCA" not in said
    assert "times the median" in said


def test_a_page_of_one_picture_stands(picture_model, pictures):
    report = run_report(picture_model, HISTORY, pictures[0], x_name="one", reference=pictures)
    assert "measured on 1 sample of one" in check(report, *PICTURES, "codes.png")


def test_fractions_are_not_clipped_and_bytes_are(picture_model, pictures):
    assert "not clipped" not in run_report(picture_model, [], pictures, x_name="x").html
    x = pictures / 255
    model = Fit(read(x), backbone="dense(hidden=[8])", bottleneck="linear(5)", epochs=1, device="cpu").run()
    report = run_report(model, HISTORY, x, x_name="x", reference=x)
    check(report, *PICTURES)
    assert "not clipped" in report.html


def test_standardised_pictures_are_shown_from_their_smallest_to_their_largest_value(pictures):
    x = np.stack([pictures * 3.0 - 100, pictures * -0.5], axis=-1)
    model = Fit(read(x), backbone="dense(hidden=[8])", bottleneck="linear(5)", epochs=1, device="cpu").run()
    seen = study(model, x, "x", None)
    assert seen.limits == pytest.approx((x.min(), x.max()), rel=1e-5)
    np.testing.assert_allclose(np.moveaxis(seen.back(seen.first.x), 1, -1), x[:10], rtol=1e-4, atol=1e-3)
    check(run_report(model, HISTORY, x, x_name="x", reference=x), *PICTURES)


def test_a_model_with_connections_round_its_code_has_no_pca_beside_it(monkeypatch, table):
    monkeypatch.setitem(MENUS["backbone"], "bridge", Bridge)
    model = Fit(read(table), backbone="bridge", bottleneck="linear(2)", epochs=1, device="cpu").run()
    said = check(run_report(model, HISTORY, table, x_name="x", reference=table), *sorted(set(TABLE) - {"codes.png"}))
    assert "PCA" not in said


def test_of_many_samples_ten_thousand_are_measured_and_named_rightly(table_model, table):
    x = np.tile(table, (130, 1))
    x[10_123] += 1e6
    report = run_report(table_model, HISTORY, x, x_name="x", reference=table, labels=np.arange(len(x)))
    seen = study(table_model, x, "x", None)
    assert len(seen.index) == 10_000
    worst = int(np.argmax(seen.passed.errors))
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
    drawings = [f"network-{name}.png" for name in runs]
    said = check(report, *drawings, "losses.png", "reconstructions.png", "noise.png", "inverted.png")
    for figure in ("0.342308", "0.017115", "0.037874", "0.001894", "0.183579", "0.009179"):
        assert figure in said
    assert "divided by 20" in said
    assert "Trained on clean data only: tutorial-linear and tutorial-conv" in said
    assert "narrows denoise <run> noisy.npy" in said
    assert said.count("do the work of") == 2


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
    np.testing.assert_allclose(draw.show(dim, (0, 255))[1], 0.2)
    figure = draw.draw_rows({"data": dim, "again\npaler": dim, "third": dim}, (0, 255), ["1", "2"])
    assert len(figure.axes) == 3
    for axes in figure.axes:
        shown = axes.images[0].get_array()
        assert shown[:, :5, 0].max() == pytest.approx(60 / 255)
        assert shown[:, 6:, 0].max() == pytest.approx(0.2)


@pytest.mark.parametrize("shape", [(3, 6, 5), (3, 6, 5, 1), (3, 6, 5, 2), (3, 6, 5, 3), (3, 6, 5, 4), (3, 6, 500, 3)])
def test_any_pictures_can_be_drawn(shape):
    assert len(png(draw.draw_rows({"data": np.zeros(shape)}))) > 100


def test_panels_columns_and_codes_have_an_axes_each():
    panel = draw.Panel("a", np.zeros((4, 9, 3)), "words")
    assert len(draw.draw_panels([[panel, panel, panel], [panel]]).axes) == 4
    x = np.random.default_rng(0).random((9, 4))
    assert len(draw.draw_columns(x, x, list("abcd")).axes) == 4
    assert len(draw.draw_codes(x).axes) == 1
    assert len(draw.draw_codes(x, np.linspace(0, 1, 9)).axes) == 1
    assert len(draw.draw_codes(x[:, :1]).axes) == 1
    many = np.random.default_rng(0).random((40, 2))
    assert len(draw.draw_codes(many, np.linspace(0, 1, 40)).axes) == 2  # the second is the colour bar
    figure = draw.draw_codes(many, np.arange(40).astype(str))
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()][-1] == "30 others"


def test_losses_are_drawn_for_what_was_measured():
    lines = draw.draw_losses({"": HISTORY}).axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[0.2, 0.1], [0.1]]
    labels = (
        draw.draw_losses({"a": HISTORY}, damaged=False, published={"a": {1: 0.3}})
        .axes[0]
        .get_legend_handles_labels()[1]
    )
    assert "a, training: over the samples while the weights move" in labels
    assert "a, validation: after the epoch" in labels
    assert "a, the tutorial's, as true MSE" in labels


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
    page.picture("a.png", draw.draw_errors(np.array([0.1, 0.2])), 'a "quoted" alt', HOSTILE)
    assert check(page.report(), "a.png").count(HOSTILE) == 9


def test_neither_pyplot_nor_scikit_learn_is_loaded_before_its_time():
    code = (
        "import sys, narrows.use.report, narrows.use.evaluate as e, narrows.use.pictures as p\n"
        "assert not {'matplotlib', 'sklearn'} & set(sys.modules), 'too early'\n"
        "import numpy; p.draw_errors(numpy.ones(3)).savefig('/dev/null', format='png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

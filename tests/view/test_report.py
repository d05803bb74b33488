"""The pages: self-contained, escaped, the same in every run, and complete for every kind of data."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from browser import Browser, find_chromium
from parts import Bridge
from PIL import Image
from seen import HISTORY, Reader, check, parts

from narrows.data.read import read
from narrows.metrics.comparison import Comparison, Score
from narrows.metrics.denoisers import FILTERS
from narrows.metrics.reconstruction import pick
from narrows.metrics.trial import make_trial
from narrows.model.corruption import BlindSpots
from narrows.model.network import MENUS
from narrows.modelfile import Model, save
from narrows.training.fit import Fit
from narrows.view.charts import draw_errors
from narrows.view.demo_report import demo_report
from narrows.view.page import Page
from narrows.view.report import run_report
from narrows.view.study import study

HOSTILE = "<script>alert('$x$ & 字')</script>"
PICTURES = ("network.svg", "losses.svg", "reconstructions.svg", "noise.svg", "inverted.svg", "errors.svg", "worst.svg")
MAP = ("map.svg", "map-spots.svg")
TABLE = ("network.svg", "losses.svg", "histograms.svg", "columns.svg", "correlations.svg", *MAP, "errors.svg")


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
    samples = read(x, axes="NHWC")
    model = Fit(samples, backbone="dense(hidden=[8])", bottleneck="linear(5)", epochs=1, device="cpu").run()
    seen = study(model, x, "x", None)
    assert seen.limits == pytest.approx((x.min(), x.max()), rel=1e-5)
    drawn = x[pick(len(x), 10)]
    np.testing.assert_allclose(np.moveaxis(seen.back(seen.drawn.x), 1, -1), drawn, rtol=1e-4, atol=1e-3)
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


def test_the_demos_page_has_both_networks_and_the_tutorials_losses(pictures):
    fits = {
        name: Fit(read(pictures), preset=name, epochs=2, device="cpu") for name in ("tutorial-linear", "tutorial-conv")
    }
    runs = {name: (fit.run(), fit.history) for name, fit in fits.items()}
    report = demo_report(runs, pictures, pictures, commands=["narrows denoise <run> noisy.npy"])
    drawings = [f"network-{name}.svg" for name in runs]
    said = check(report, *drawings, "losses.svg", "reconstructions.svg", "noise.svg", "inverted.svg")
    for loss in ("0.342308", "0.017115", "0.037874", "0.001894", "0.183579", "0.009179"):
        assert loss in said
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
        assert f"PSNR {score.psnr[comparisons[1].trial.drawn[0]]:.1f} dB" in shown


def test_pictures_that_were_noisy_from_the_start_have_no_metrics(monkeypatch, picture_model, pictures):
    monkeypatch.setattr("narrows.view.denoising_section.learned_from_noisy", lambda model: True)
    said = check(run_report(picture_model, HISTORY, pictures, x_name="x"), *PICTURES, "codes.svg", "restored.svg")
    assert "no clean ones are known" in said
    assert "Damaged by" not in said


def test_the_page_says_where_training_errors_are_over_hidden_pixels_alone(picture_model, pictures):
    network = picture_model.network.with_objective(BlindSpots(), picture_model.network.loss)
    words = "over the hidden pixels alone"
    assert words in run_report(Model(network, picture_model.card), HISTORY, pictures, x_name="test").html
    assert words not in run_report(picture_model, HISTORY, pictures, x_name="test").html


def test_the_page_of_a_self_supervised_model_says_what_its_errors_are_against(picture_model, pictures):
    card = replace(picture_model.card, recipe=picture_model.card.recipe | {"self_supervised": True})
    for model, says in ((picture_model, False), (picture_model._replace(card=card), True)):
        report = run_report(model, HISTORY, pictures, x_name="x")
        assert ("what the network itself had made" in report.html) == says


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


def test_samples_are_drawn_at_random_and_not_the_first_of_a_sorted_file(picture_model, pictures):
    kinds = np.repeat(pictures[[0, 7, 20, 41]], 30, axis=0)  # sorted by kind
    seen = study(picture_model, kinds, "x", None)
    assert len(np.unique(seen.drawn.x.round(3), axis=0)) == 4
    np.testing.assert_array_equal(seen.drawn.x, study(picture_model, kinds, "x", None).drawn.x)
    comparison = Comparison({"this model": picture_model}, kinds, kinds, "gaussian(0.2)", filters=[])
    assert len(np.unique(comparison.trial.clean[comparison.trial.drawn], axis=0)) == 4
    said = check(run_report(picture_model, HISTORY, kinds, x_name="x"), *PICTURES, "codes.svg", "restored.svg")
    assert "10 samples of x, drawn at random with a fixed seed" in said
    assert "not chosen" not in said


def test_each_row_of_restored_pictures_has_its_own_decibels_below(picture_model, pictures):
    drawing = parts(run_report(picture_model, [], pictures, x_name="x").pictures["restored.svg"].decode())
    bottoms = [float(image.get("y")) + float(image.get("height")) for image in drawing["image"]][::10]
    words = [(float(text.get("y")), text.text) for text in drawing["text"]]
    found = [(y, float(said.removesuffix(" dB"))) for y, said in words if said.endswith("dB") and "PSNR" not in said]
    below = [[value for y, value in found if 0 < y - bottom < 20] for bottom in bottoms]
    assert [len(row) for row in below] == [0, 10, 10, 10]
    trial = make_trial(picture_model, pictures, picture_model.network.texts["corruption"])
    assert below[1] == pytest.approx(Score.of("", trial, trial.damaged).psnr[trial.drawn], abs=0.051)


def test_one_validation_error_has_a_name_and_the_damaged_ones_say_so(picture_model, pictures):
    def said(validated_damaged, history):
        card = picture_model.card
        changed = replace(card, recipe=card.recipe | {"validated_damaged": validated_damaged})
        report = run_report(picture_model._replace(card=changed), history, pictures, x_name="x")
        return " ".join(Reader(report.html).text.split())

    mse = f"{picture_model.card.metrics['validation_mse']:.4g}"
    for history in (HISTORY, HISTORY[:1]):
        assert "undamaged" not in said(False, history)
        damaged = said(True, history)
        assert f"The model's validation MSE is {mse}: over the same samples as they are, undamaged." in damaged
        assert f"MSE: validation share, undamaged {mse}" in damaged
    assert "0.1 on held-out samples after it, damaged with a fixed seed" in said(True, HISTORY[:1])


def test_pictures_of_their_own_sizes_are_called_so(picture_model, pictures):
    reading = {"size": None, "fit": "crop", "colour": "grey", "depth": 8}
    model = picture_model._replace(card=replace(picture_model.card, reading=reading))
    said = check(run_report(model, HISTORY, pictures, x_name="x"), *PICTURES, "codes.svg", "restored.svg")
    assert "pictures: size each its own" in said
    assert "None" not in said


@pytest.mark.skipif(find_chromium() is None, reason="needs Chromium")
def test_on_a_phone_no_figure_is_cut_and_at_night_none_is_pale(picture_model, pictures, tmp_path):
    report = run_report(picture_model, HISTORY, pictures, x_name="test", reference=pictures)
    (tmp_path / "report.html").write_bytes(report.files["report.html"])
    with Browser(400, 800) as browser:
        browser.prefer("dark")
        browser.resize(400, 4000, phone=True)
        browser.open(tmp_path / "report.html")
        boxes = browser.evaluate("[...document.querySelectorAll('img')].map((i) => i.getBoundingClientRect().toJSON())")
        assert len(boxes) == len(report.pictures)
        assert all(0 <= box["left"] < box["right"] <= 400 for box in boxes)
        assert browser.evaluate("document.documentElement.scrollWidth") == 400
        browser.screenshot(tmp_path / "seen.png")
    seen = np.asarray(Image.open(tmp_path / "seen.png").convert("L"))
    inside = [seen[round(2 * box["top"]) + 3, round(2 * box["left"]) + 3] for box in boxes if box["bottom"] < 4000]
    assert len(inside) > 3
    assert max(inside) < 50


def test_a_page_escapes_all_that_it_is_given():
    page = Page(HOSTILE, HOSTILE)
    page.section(HOSTILE)
    page.text(HOSTILE)
    page.key_metrics([(HOSTILE, HOSTILE)])
    page.commands([HOSTILE])
    page.picture("a.svg", draw_errors(np.array([0.1, 0.2])), 'a "quoted" alt', HOSTILE)
    assert check(page.report(), "a.svg").count(HOSTILE) == 9

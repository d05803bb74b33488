"""PCA stands beside a model where its training data are known, by name or by `reference`; else nothing is judged."""

import numpy as np
import pytest
from PIL import Image

import narrows
from narrows.cli import main

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(120, 2)) @ RNG.normal(size=(2, 6))
SMALL = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1, "seed": 0}


@pytest.fixture(scope="module")
def model():
    return narrows.train(ROWS, **SMALL)


def methods(table):
    return [row[0] for row in table.rows]


def test_without_training_data_there_is_no_pca_and_no_verdict(model):
    first, _, columns, *_ = narrows.evaluate(model, ROWS[:30])
    assert methods(first) == ["this model", "doing nothing: the mean"]
    assert "do the work of" not in first.note
    assert "give them as the reference" in first.note
    assert "by PCA" not in columns.columns


def test_a_reference_brings_pca_fitted_on_it(model):
    first, _, columns, *_ = narrows.evaluate(model, ROWS[:30], reference=ROWS[30:])
    assert methods(first) == ["this model", "PCA", "doing nothing: the mean"]
    assert "fitted on 90 samples of array" in first.note
    assert "by PCA" in columns.columns


@pytest.mark.parametrize("reference", [None, ROWS])
def test_one_sample_never_does_the_work_of_no_components(model, reference):
    for row in (ROWS[:1], np.zeros((1, 6))):
        tables = narrows.evaluate(model, row, reference=reference)
        assert not any("the work of 0" in table.note for table in tables)


def test_the_shell_takes_a_folder_as_reference_and_reads_it_as_the_model(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, count in (("photos", 9), ("others", 1)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.fromarray(RNG.integers(0, 256, (30 + i, 40), np.uint8)).save(tmp_path / name / f"{i}.png")
    small = ["--backbone", "dense(hidden=[])", "--bottleneck", "linear(2)", "--size", "16", "--epochs", "1"]
    assert main(["train", "photos", *small, "-o", "run"]) == 0
    assert main(["evaluate", "run", "others"]) == 0
    said = capsys.readouterr().out
    assert "give them as the" in said
    assert "PCA components" not in said
    assert main(["evaluate", "run", "others", "--reference", "photos"]) == 0
    assert "9 samples of photos" in " ".join(capsys.readouterr().out.split())
    assert main(["report", "run", "others", "-o", "a.html"]) == 0
    assert "PCA components do the same work" not in (tmp_path / "a.html").read_text()
    assert main(["report", "run", "others", "--reference", "photos", "-o", "b.html"]) == 0
    assert "MSE of PCA" in (tmp_path / "b.html").read_text()

"""The verbs say what they decided: sizes that are lost, patches that were taken."""

import numpy as np
import pytest
from PIL import Image
from restoring import opened

import narrows
from narrows.cli import main

SMALL = ["--backbone", "dense(hidden=[])", "--bottleneck", "linear(2)", "--epochs", "1"]


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for i in range(4):
        rows, columns = np.mgrid[:300, :400]
        picture = 128 + 80 * np.sin(rows / 9 + columns / (7 + i))
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path


def test_denoise_says_that_large_pictures_come_back_small(photos, capsys):
    assert main(["train", "photos", *SMALL, "-o", "run"]) == 0
    assert "4 pictures shrunk from 300x400 to 64x64: what is under 5 pixels vanishes" in capsys.readouterr().out
    assert main(["denoise", "run", "photos", "-o", "out"]) == 0
    said = capsys.readouterr().out
    assert "4 pictures shrunk from 300x400 to 64x64" in said
    assert "note: this model restores pictures of 64x64 alone, so these come back that small" in said
    assert opened("out/0.png").size == (64, 64)


def test_training_says_how_many_patches_it_takes():
    lines = []
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 50), np.uint8)
    options = {"backbone": "unet(2)", "patch_size": 16, "max_steps": 1, "seed": 0}
    narrows.train(pictures, callback=lines.append, **options)
    assert "patches: 24 of 16x16 in an epoch, cut at random out of 3 pictures" in [
        getattr(line, "text", "") for line in lines
    ]

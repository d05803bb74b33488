"""Noisy and clean pictures make a denoiser, unless somebody asks for another network."""

import numpy as np
import pytest
from PIL import Image

from narrows import modelfile
from narrows.cli import main
from narrows.data.samples import Samples
from narrows.training.plan import make_plan

RNG = np.random.default_rng(0)
CLEAN = np.tile(np.linspace(0, 255, 40), (6, 36, 1)).astype(np.uint8)
NOISY = np.clip(CLEAN + RNG.normal(0, 20, CLEAN.shape), 0, 255).astype(np.uint8)


def test_pairs_of_pictures_take_the_denoising_preset_and_say_so():
    plan = make_plan(Samples(NOISY, target=CLEAN))
    assert plan.preset == "denoise"
    assert plan.texts["backbone"].startswith("unet")
    assert plan.texts["corruption"] == "none()"
    assert plan.notes[0].startswith("pairs of pictures: the preset denoise")


@pytest.mark.parametrize("options", [{"backbone": "conv"}, {"bottleneck": "linear(8)"}, {"preset": "tutorial-linear"}])
def test_what_a_person_names_goes_before_it(options):
    plan = make_plan(Samples(NOISY, target=CLEAN), **options)
    assert plan.preset == options.get("preset")
    assert not any("pairs" in note for note in plan.notes)


def test_rows_with_a_target_stay_as_they_were():
    x = RNG.normal(size=(40, 5))
    assert make_plan(Samples(x, target=x + 1)).preset is None


def test_two_folders_are_learned_at_full_size_and_no_note_says_that_noise_was_never_seen(tmp_path, capsys):
    for name, pictures in (("clean", CLEAN), ("noisy", NOISY)):
        (tmp_path / name).mkdir()
        for i, picture in enumerate(np.tile(pictures, (1, 4, 4))):
            Image.fromarray(picture).save(tmp_path / name / f"{i}.png")
    noisy, run = str(tmp_path / "noisy"), str(tmp_path / "run")
    assert main(["train", noisy, "--target", str(tmp_path / "clean"), "--max-steps", "2", "-o", run]) == 0
    model = modelfile.load(tmp_path / "run")
    assert model.network.shape == (1, 64, 64)
    assert model.card.reading["size"] is None
    assert main(["denoise", run, noisy, "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "pairs of pictures: the preset denoise" in said
    assert "never saw noise" not in said

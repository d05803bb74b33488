"""What a person gives takes precedence over a preset, and a preset over the rules."""

import numpy as np
import pytest

from narrows.cli import main
from narrows.data.read import read
from narrows.errors import SpecError
from narrows.modelfile import load
from narrows.presets import PRESETS
from narrows.recipe import Recipe
from narrows.training.fit import Fit

CHOSEN = {"optimizer": "adamw(0.01)", "schedule": "constant()", "batch_size": 16, "max_steps": 7}


def test_an_unknown_option_is_an_error():
    with pytest.raises(TypeError, match="learning_rate"):
        Recipe(learning_rate=0.1)
    with pytest.raises(TypeError, match="learning_rate"):
        Recipe().given(learning_rate=0.1)


@pytest.mark.parametrize("preset", [None, "map", "tutorial-linear"])
def test_options_of_the_training_are_those_that_were_given(pictures, preset):
    recipe = Fit(read(pictures), preset=preset, epochs=3, device="cpu", **CHOSEN).run().card.recipe
    assert recipe["optimizer"].startswith("adamw(0.01")
    assert recipe["schedule"] == "constant()"
    assert (recipe["batch_size"], recipe["steps"]) == (16, 7)


def test_what_is_not_given_is_the_presets(pictures):
    fit = Fit(read(pictures), preset="map", batch_size=16, device="cpu")
    assert repr(fit.plan.optimizer).startswith(PRESETS["map"].optimizer.removesuffix(")"))
    published = Fit(read(pictures), preset="tutorial-linear", as_published=True, max_steps=2, device="cpu")
    assert (published.plan.batch_size, published.plan.steps) == (20, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer": "sgdd(0.1)"}, "sgdd"),
        ({"schedule": "adam(0.1)"}, "schedule"),
        ({"batch_size": 0}, "batch_size"),
        ({"max_steps": 0.5}, "max_steps"),
    ],
)
def test_what_is_no_option_is_named(table, options, words):
    with pytest.raises(SpecError, match=words):
        Fit(read(table), device="cpu", **options)


def test_options_go_through_the_command_line(table, tmp_path, capsys):
    np.save(tmp_path / "table.npy", table)
    words = ["--optimizer", "adamw(0.01)", "--schedule", "constant", "--batch-size", "16", "--max-steps", "7"]
    assert main(["train", str(tmp_path / "table.npy"), "-o", str(tmp_path / "run"), "--device", "cpu", *words]) == 0
    recipe = load(tmp_path / "run").card.recipe
    assert (recipe["batch_size"], recipe["steps"], recipe["schedule"]) == (16, 7, "constant()")

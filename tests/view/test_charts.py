"""Charts: what was measured is drawn, in any number."""

import numpy as np
import pytest
from seen import HISTORY, words

from narrows.view import charts as draw


def test_columns_and_codes_are_drawn_for_any_number_of_them():
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


def test_samples_without_a_label_are_named():
    labels = np.ma.array(["a", "b", "b", "x"], mask=[0, 0, 0, 1])
    assert words(draw.draw_codes(np.random.default_rng(0).random((4, 2)), labels))[-3:] == ["a", "b", "not labelled"]

"""Strengths that are meant in the user's units are refused, with what to write instead."""

import numpy as np
import pytest

import narrows
from narrows.errors import SpecError

BYTES = np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8)
SMALL = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "epochs": 1}


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("gaussian(25)", "for 25 of 255 write 0.098"),
        ("gaussian(0.0, 50)", "for 50 of 255 write 0.2"),
        ("blur(1.0) | gaussian(25)", "for 25 of 255 write 0.098"),
        ("salt_pepper(0.1, high=255)", "for 255 of 255 write 1"),
        ("mask(0.1, value=128)", "for 128 of 255 write 0.5"),
    ],
)
def test_a_strength_in_units_of_bytes_is_refused_with_what_to_write(text, advice):
    model = narrows.train(BYTES, seed=0, **SMALL)
    for use in (
        lambda: narrows.corrupt(BYTES, text),
        lambda: narrows.train(BYTES, corruption=text, **SMALL),
        lambda: narrows.evaluate(model, BYTES, corruption=text),
    ):
        with pytest.raises(SpecError, match=advice):
            use()


def test_the_advice_goes_by_the_depth():
    with pytest.raises(SpecError, match=r"for 2000 of 65535 write 0.031"):
        narrows.corrupt(BYTES.astype(np.uint16) * 257, "gaussian(2000)")


def test_strong_noise_and_noise_of_many_deviations_are_told_apart():
    assert narrows.corrupt(BYTES, "gaussian(1.5)").dtype == np.uint8
    floats = BYTES.astype(np.float64)  # these take the scaling `standard`
    assert narrows.corrupt(floats, "gaussian(2.5)").shape == BYTES.shape
    with pytest.raises(SpecError, match=r"standard deviations of the data, however .* has 25; divide"):
        narrows.corrupt(floats, "gaussian(25)")

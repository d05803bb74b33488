"""The helper that compares what commands print with what a page says can fail."""

import pytest
from examples import assert_printed, masked


@pytest.mark.parametrize("expected", ["a b c", "a ...", "... c", "a ... c", "... b ..."])
def test_lines_that_are_expected_are_found(expected):
    assert_printed(["a", "b", "c"], expected.split(), "it")


@pytest.mark.parametrize("expected", ["a b", "b ...", "... b", "a ... d", "... d ..."])
def test_other_lines_are_not(expected):
    with pytest.raises(AssertionError):
        assert_printed(["a", "b", "c"], expected.split(), "it")


def test_numbers_are_masked_and_words_are_not():
    assert masked("a  1,000.5 b\n\nMSE 3") == ["a 0 b", "MSE 0"]

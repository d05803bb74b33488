"""Dark pages: every colour of a figure can be told from its ground, and a ramp stays one."""

import re

import numpy as np
import pytest

from narrows.view.charts import RAMP
from narrows.view.colours import PALETTE
from narrows.view.dark import darken
from narrows.view.figure import COLOURS, GROUND, INK, MUTED, Figure


def luminance(colour):
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first, second):
    """Return the ratio of the Web Content Accessibility Guidelines."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [*COLOURS, *PALETTE, *RAMP])
def test_marks_can_be_told_from_the_dark_ground(colour):
    assert contrast(darken(colour), darken(GROUND)) > 3


def test_words_can_be_read_on_the_dark_ground_and_the_ground_is_dark():
    assert luminance(darken(GROUND)) < 0.03
    assert contrast(darken(INK), darken(GROUND)) > 7
    assert contrast(darken(MUTED), darken(GROUND)) > 4.5


def test_a_ramp_still_rises_and_kinds_stay_apart():
    assert (np.diff([luminance(darken(colour)) for colour in RAMP]) > 0).all()
    assert len({darken(colour) for colour in PALETTE}) == len(PALETTE)


def test_a_figure_of_a_page_has_a_dark_colour_for_each_of_its_own_and_a_file_alone_has_none():
    figure = Figure(40, 20)
    figure.line([(0, 0), (9, 9)], COLOURS[0])
    figure.text(9, 9, 'fill="#123456"', colour=INK)
    style = re.search("<style>(.*)</style>", figure.page_svg)[1]
    assert set(re.findall('fill="(#.{6})"', style)) == {GROUND, COLOURS[0], INK}
    assert "style" not in figure.svg

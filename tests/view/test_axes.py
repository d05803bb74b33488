"""Axes have round numbers where the data are, and a legend shows every style."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.view.axes import Axes, Style, extent, legend, log_ticks, ticks
from narrows.view.figure import Figure

ENDS = st.floats(-1e12, 1e12).flatmap(lambda low: st.tuples(st.just(low), st.floats(1e-6, 1e12)))


@given(ENDS)
def test_ticks_are_a_few_round_numbers_within_the_ends(ends):
    low, high = ends[0], ends[0] + max(ends[1], 1e-6 * abs(ends[0]))
    found = ticks(low, high)
    slack = 1e-6 * (high - low)
    assert 3 <= len(found) <= 8
    assert low - slack <= found[0]
    assert found[-1] <= high + slack
    np.testing.assert_allclose(np.diff(found), found[1] - found[0], rtol=1e-3)


def test_ticks_of_counts_are_whole():
    assert ticks(-0.4, 3.2, whole=True) == [0, 1, 2, 3]
    assert ticks(0, 1050, whole=True) == [0, 200, 400, 600, 800, 1000]


@given(st.floats(1e-12, 1e6), st.floats(1.01, 1e9))
def test_a_logarithmic_axis_has_at_least_two_numbers_within_the_ends(low, times):
    found = log_ticks(low, low * times)
    assert 2 <= len(found) <= 30
    assert low * (1 - 1e-6) <= found[0] < found[-1] <= low * times * (1 + 1e-6)


@pytest.mark.parametrize("values", [[], [0], [5, 5], [-1, 1e6]])
def test_an_axis_of_any_values_has_a_length(values):
    low, high = extent(values)
    assert all(low < value < high for value in values)
    assert low < high


def test_values_lie_where_their_share_of_the_axis_is():
    axes = Axes(Figure(120, 120), (10, 10, 100, 100), (0, 10), (0.01, 1), log=True)
    assert axes.at([0, 5, 10], [0.01, 0.1, 1]) == [(10, 110), (60, 60), (110, 10)]


def test_a_legend_shows_every_style_with_its_words():
    figure = Figure(200, 80)
    empty = figure.svg.count("<path")
    legend(figure, 10, 10, {"line": Style("#123456", 2, "5 3"), "both": Style("#123456", 2, mark="diamond")})
    assert figure.svg.count("<path") - empty == 3
    assert figure.svg.count("stroke-dasharray") == 1
    assert "line</text>" in figure.svg
    assert figure._repr_svg_() == figure.svg

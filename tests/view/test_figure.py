"""Figures: what is drawn is one well-formed file."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from narrows.view.figure import Figure


@given(st.text())
def test_any_text_makes_a_file_that_can_be_read(words):
    figure = Figure(100, 20)
    figure.text(50, 15, words)
    shown = [element.text for element in ElementTree.fromstring(figure.svg.encode()) if element.tag.endswith("text")]
    lines = words.split("\n") if words else []
    assert [len(line or "") for line in shown] == list(map(len, lines))
    assert all(
        a in (b, "□") for line, said in zip(shown, lines, strict=True) for a, b in zip(line or "", said, strict=True)
    )

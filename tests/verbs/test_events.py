"""A verb yields events and ends with its result; the caller decides what is shown."""

import pytest
from rich.console import Console

from narrows.cli.display import show
from narrows.metrics.table import Table
from narrows.verbs.events import Counted, Note, Result, Working, finish


def verb():
    yield Working("thinking")
    yield Note("a line")
    yield Counted("filters", 1, 2)
    yield Note("within")
    yield Counted("filters", 2, 2)
    yield Table("Title", ("what", "value"), (("a", 1.0),))
    yield Note("no good", is_error=True)
    yield Result("made", 1)


def test_events_are_shown_in_their_order_and_errors_apart(capsys):
    assert show(verb()) == 1
    said = capsys.readouterr()
    assert said.out.index("a line") < said.out.index("within") < said.out.index("Title")
    assert "thinking" not in said.out  # no terminal
    assert said.err == "narrows: no good\n"


def test_a_terminal_shows_what_is_being_done(capsys):
    assert show(verb(), Console(force_terminal=True, width=100)) == 1
    said = capsys.readouterr().out
    assert "thinking" in said
    assert "filters" in said


def test_the_result_is_what_is_left_and_the_callback_sees_the_rest():
    seen = []
    assert finish(verb(), seen.append).value == "made"
    names = ["Working", "Note", "Counted", "Note", "Counted", "Table", "Note"]
    assert [type(event).__name__ for event in seen] == names


def test_ctrl_c_while_an_event_is_shown_reaches_the_verb(monkeypatch):
    def patient():
        try:
            yield Note("long work")
        except KeyboardInterrupt:
            yield Note("kept what was done")
        yield Result(None, 130)

    said = []

    def interrupted(self, event):
        said.append(event.text)
        if len(said) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("narrows.cli.display.Display.show", interrupted)
    assert show(patient()) == 130
    assert said == ["long work", "kept what was done"]


def test_ctrl_c_that_a_verb_does_not_expect_stops_it(monkeypatch):
    def interrupted(self, event):
        raise KeyboardInterrupt

    monkeypatch.setattr("narrows.cli.display.Display.show", interrupted)
    with pytest.raises(KeyboardInterrupt):
        show(verb())

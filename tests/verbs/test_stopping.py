"""Signals become exceptions in the main thread alone, and former handlers come back."""

import signal
import threading

import pytest

from narrows.verbs import stopping
from narrows.verbs.stopping import Terminated, held_back, terminations


@pytest.fixture(autouse=True)
def ctrl_c():
    """Let Ctrl-C raise KeyboardInterrupt, which it does not where the tests run in the background."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_a_signal_raises_and_one_that_comes_at_once_does_not_again(monkeypatch):
    with terminations() as came:
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        monkeypatch.setattr(stopping, "AGAIN", 0.0)
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGTERM)
    assert came == [signal.SIGTERM] * 3
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("former", [signal.SIG_IGN, lambda *_: None])
def test_a_handler_of_somebody_else_stays(former):
    before = signal.signal(signal.SIGHUP, former)
    try:
        with terminations() as came:
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == former
    finally:
        signal.signal(signal.SIGHUP, before)
    assert came == []


def test_what_comes_in_a_block_is_held_back():
    with terminations() as ends:
        with held_back() as came:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
        assert came == [signal.SIGINT, signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert ends == [signal.SIGTERM]


def test_other_threads_are_left_alone():
    def use():
        with terminations(), held_back() as came:
            seen.append(came)

    seen = []
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert seen == [[]]

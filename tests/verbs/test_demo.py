"""The demo on a few digits, with all its steps."""

import shlex
from dataclasses import replace

import pytest

import narrows
from narrows import cli
from narrows.cli.display import drain
from narrows.verbs import demo


@pytest.fixture
def small_mnist(monkeypatch):
    """Let the demo read only 300 digits of each split."""

    def read(name):
        samples = narrows.read(name)
        return replace(samples, x=samples.x[:300], labels=samples.labels[:300])

    monkeypatch.setattr(demo, "read", read)


def test_the_demo_leaves_a_page_two_runs_and_commands_that_work(small_mnist, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # the slow filters
    assert cli.main(["demo"]) == 0
    said = capsys.readouterr().out
    assert "0.001894" in said  # the tutorial's last loss of its linear network, as true MSE
    assert "runs/demo/report.html" in said
    page = (tmp_path / "runs" / "demo" / "report.html").read_text()
    assert "tutorial-linear" in page
    assert "tutorial-conv" in page
    assert "Trained to denoise" in page
    assert f"{demo.DENOISER_NAME}  " in said
    assert 'href="map.html"' in page
    assert "300 samples, coloured by their labels" in page
    assert '"count":300' in (tmp_path / "runs" / "demo" / "map.html").read_text()
    for name in (*demo.NAMES, demo.DENOISER_NAME):
        assert narrows.load(tmp_path / "runs" / "demo" / name).history_
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    corrupt, denoise, place, train = (shlex.split(command) for command in demo.next_commands(demo.Path("runs/demo")))
    assert cli.main(corrupt[1:]) == 0
    assert cli.main(denoise[1:]) == 0
    assert cli.main(place[1:]) == 0
    assert train[:3] == ["narrows", "train", "mnist"]


def test_a_terminal_gets_a_bar_and_a_row_per_epoch(capsys):
    from rich.console import Console

    from narrows.training.plan import make_plan
    from narrows.verbs.learn import learn

    plan = make_plan(narrows.read(narrows.read("mnist").x[:200]), backbone="dense(hidden=[])", epochs=3)
    assert drain(learn(plan, with_map=False), Console(force_terminal=True, width=120)).status == 0
    said = capsys.readouterr().out
    assert "samples/s" in said
    assert said.count("validation MSE") == 3


def test_a_terminal_gets_a_bar_over_the_filters(capsys, monkeypatch):
    from rich.console import Console

    from narrows.training.fit import Fit
    from narrows.verbs.evaluate import compare

    x = narrows.read("mnist").x[:50]
    model = Fit(narrows.read(x), backbone="dense(hidden=[])", epochs=1).run()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # the slow filters
    verb = compare({"this model": model}, x, x, "gaussian(0.3)", 5, 0)
    comparison = drain(verb, Console(force_terminal=True, width=120))
    assert "gaussian(0.3)" in capsys.readouterr().out
    assert len(comparison.scores) == len(comparison)

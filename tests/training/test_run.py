"""A run that is stopped and gone on with, in this process or another, ends as one that was never stopped."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from narrows.data.read import read
from narrows.errors import TrainingError
from narrows.training.finished import finish
from narrows.training.loop import train
from narrows.training.plan import make_plan
from narrows.training.run import Run


def digits(count):
    return read(read("mnist").x[:count])


def noisy_waves():
    rows, columns = np.mgrid[:12, :12]
    clean = np.stack([0.5 + 0.3 * np.sin(rows / (4 + i % 5) + columns / (9 - i % 3)) for i in range(40)])
    return read(clean + np.random.default_rng(0).normal(0, 0.2, clean.shape))


def few_rows():
    x, y = np.random.default_rng(0).normal(size=(2, 90))
    return read(np.stack([x, y, x**2, np.sin(2 * y), x * y], 1))


PLANS = {
    "linear": lambda: make_plan(digits(120), "tutorial-linear", epochs=3, device="cpu"),
    "default": lambda: make_plan(digits(60), backbone="conv(channels=[4])", epochs=3, device="cpu"),
    "two parts": lambda: make_plan(noisy_waves(), self_supervised=True, backbone="unet(2)", epochs=5, device="cpu"),
    "map": lambda: make_plan(digits(80), "map", backbone="dense(hidden=[16])", epochs=6, device="cpu"),
    "few rows, trained on again": lambda: make_plan(few_rows(), bottleneck="linear(2)", epochs=2, device="cpu"),
    "a constant rate": lambda: make_plan(
        digits(60), "tutorial-linear", optimizer="adamw(0.01)", schedule="constant", epochs=30, device="cpu"
    ),
    "to the letter": lambda: make_plan(digits(60), "tutorial-linear", as_published=True, epochs=2, device="cpu"),
    "crops": lambda: make_plan(
        read(np.tile(read("mnist").x[:6], (1, 2, 2)), patch_size=16), backbone="unet(2)", epochs=2, device="cpu"
    ),
}
ELSEWHERE = """
import sys
sys.path.insert(0, {here!r})
import torch
torch.set_num_threads(1)
from test_run import PLANS, go_on, read_state, write_state
for name in {names!r}:
    for stop in ("early", "late"):
        run = go_on(PLANS[name](), read_state("{folder}/" + name + stop))
        write_state("{folder}/" + name + stop + "-end", run.state_dict())
"""


def steps_of(plan):
    """Return the run after every one of its steps, as state, and the finished run."""
    run, states = Run(plan), []
    while not run.is_finished:
        run.step()
        states.append(run.state_dict())
    return run, states


def go_on(plan, state):
    run = Run(plan)
    run.load_state_dict(state)
    for _ in train(run):
        pass
    return run


def write_state(path, state):
    """Write a state, tensors and numbers, as a checkpoint could be."""
    save_file({k: v.contiguous() for k, v in state.items() if isinstance(v, torch.Tensor)}, f"{path}.safetensors")
    numbers = {k: v for k, v in state.items() if not isinstance(v, torch.Tensor)}
    with open(f"{path}.json", "w") as file:
        json.dump(numbers, file)


def read_state(path):
    with open(f"{path}.json") as file:
        return load_file(f"{path}.safetensors") | json.load(file)


def outcome(run):
    """Return the weights, the progress and the history that a run ends with, without times."""
    return comparable(run.state_dict())


def comparable(state):
    kept = {k: v for k, v in state.items() if k.startswith(("network.", "retrained.", "positions", "last."))}
    kept["history"] = state["history"][:, :3].nan_to_num(-1)
    return {k: v for k, v in kept.items() if "seconds" not in k}


def assert_equal(first, second):
    assert set(first) == set(second)
    for name, value in first.items():
        equal = torch.equal(value, second[name]) if isinstance(value, torch.Tensor) else value == second[name]
        assert equal, name


@pytest.mark.parametrize("name", PLANS)
def test_a_run_that_is_stopped_after_any_step_goes_on_to_the_same_bits(name):
    plan = PLANS[name]()
    run, states = steps_of(plan)
    wanted = outcome(run)
    stops = sorted({0, len(states) - 1, *np.random.default_rng(0).choice(len(states), min(12, len(states)), False)})
    for stop in stops:
        again = go_on(plan, states[stop])
        assert_equal(outcome(again), wanted)
    card, other = finish(run).model.card, finish(again).model.card
    for key in ("steps", "kept_step", "epochs"):
        assert card.recipe[key] == other.recipe[key]
    assert card.metrics == other.metrics


def test_a_run_goes_on_in_the_middle_of_its_check():
    plan = PLANS["few rows, trained on again"]()
    _, states = steps_of(plan)
    inside = [i for i, state in enumerate(states[:-1]) if any(key.startswith("check.") for key in state)]
    assert len(inside) > 20
    for stop in (inside[0], inside[len(inside) // 2], inside[-1]):
        again = Run(plan)
        again.load_state_dict(states[stop])
        again.step()
        wanted, found = ({k: v for k, v in s.items() if "check." in k} for s in (states[stop + 1], again.state_dict()))
        assert_equal(without_times(found), without_times(wanted))


def without_times(state):
    times = ("seconds", "history", "spent", "clock")
    return {k: v for k, v in state.items() if not any(word in k for word in times)}


def test_another_process_goes_on_to_the_same_bits(tmp_path):
    names = ["linear", "default", "two parts", "map"]
    wanted = {}
    for name in names:
        run, states = steps_of(PLANS[name]())
        wanted[name] = outcome(run)
        for stop, share in (("early", 0.2), ("late", 0.8)):
            write_state(tmp_path / f"{name}{stop}", states[int(share * len(states))])
    code = ELSEWHERE.format(here=str(Path(__file__).parent), names=names, folder=tmp_path)
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in names:
        for stop in ("early", "late"):
            assert_equal(comparable(read_state(tmp_path / f"{name}{stop}-end")), wanted[name])


@pytest.mark.parametrize(
    "other",
    [
        {"bottleneck": "linear(3)"},
        {"seed": 1},
        {"optimizer": "adam"},
        {"batch_size": 3},
        {"epochs": 4},
        {"corruption": "none"},
        {"validation": 0},
    ],
    ids=str,
)
def test_a_state_of_another_plan_is_refused_in_a_sentence_and_changes_nothing(other):
    options = {"bottleneck": "linear(2)", "epochs": 2, "device": "cpu"}
    run = Run(make_plan(few_rows(), **options))
    run.step()
    changed = Run(make_plan(few_rows(), **options | other))
    before = changed.state_dict()
    with pytest.raises(TrainingError, match="a state of its own plan, however this one is of another"):
        changed.load_state_dict(run.state_dict())
    assert_equal(comparable(changed.state_dict()), comparable(before))


def test_a_run_goes_back_to_an_earlier_state_of_its_own():
    plan = PLANS["few rows, trained on again"]()
    wanted = outcome(go_on(plan, Run(plan).state_dict()))
    run = Run(plan)
    unstarted = run.state_dict()
    run.step()
    early = run.state_dict()
    while run.check is None:
        run.step()
    run.load_state_dict(unstarted)
    assert run.main is run.check is run.snapshots is None
    run.load_state_dict(early)
    assert run.check is None
    for _ in train(run):
        pass
    assert_equal(outcome(run), wanted)


def test_a_finished_run_takes_no_further_step_which_would_change_its_model():
    run = Run(PLANS["linear"]())
    run.step()
    model = finish(run).model
    before = [p.detach().clone() for p in model.network.parameters()]
    with pytest.raises(TrainingError, match="has no step left"):
        run.step()
    assert all(torch.equal(p, q) for p, q in zip(model.network.parameters(), before, strict=True))


def test_to_finish_twice_or_from_a_finished_state_measures_the_same():
    plan = PLANS["few rows, trained on again"]()
    run = go_on(plan, Run(plan).state_dict())
    first, second = finish(run).model, finish(run).model
    again = Run(plan)
    again.load_state_dict(run.state_dict())
    third = finish(again).model
    assert run.retrained is not None
    assert first.card.metrics == second.card.metrics == third.card.metrics
    for key, value in first.tensors().items():
        assert torch.equal(value, second.tensors()[key])
        assert torch.equal(value, third.tensors()[key])


@pytest.mark.parametrize("setting", [lambda: torch.autocast("cpu", torch.bfloat16), lambda: torch.device("meta")])
def test_what_the_caller_has_set_changes_no_step_and_no_state(setting):
    plan = make_plan(few_rows(), bottleneck="linear(2)", epochs=2, bfloat16=True, checks=False, device="cpu")
    wanted = outcome(go_on(plan, Run(plan).state_dict()))
    with setting():
        run = Run(plan)
        for _ in range(3):
            run.step()
        again = go_on(plan, run.state_dict())
    assert_equal(outcome(again), wanted)

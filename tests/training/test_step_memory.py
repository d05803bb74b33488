"""A step that does not fit into the memory is taken in parts, or refused by a sentence that says what fits."""

import math

import numpy as np
import pytest
import torch

from narrows.data.read import read
from narrows.errors import DataError
from narrows.training import plan as plans
from narrows.training.loop import train
from narrows.training.plan import make_plan
from narrows.training.run import Run
from narrows.training.step_memory import StepMemory


def pictures(count, side):
    return read(np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8))


def limit(monkeypatch, free):
    """Let `free` bytes be free for a training, None for no limit."""
    monkeypatch.setattr(plans, "free_memory", lambda device: free)


def memory_of(plan, free=None):
    return StepMemory(plan.split.source.shape, plan.texts, free)


OPTIONS = {"corruption": "none", "batch_size": 10, "epochs": 2, "device": "cpu", "bfloat16": False, "checks": False}


@pytest.mark.parametrize("backbone", ["dense(hidden=[8])", "conv(channels=[4, 8])", "patches(8)", "unet(2)"])
def test_steps_in_parts_learn_what_whole_ones_learn(monkeypatch, backbone):
    limit(monkeypatch, None)
    whole = make_plan(pictures(24, 16), backbone=backbone, **OPTIONS)
    memory = memory_of(whole)
    limit(monkeypatch, round((memory.weights + 4 * memory.sample) / 0.8) + 1)
    parts = make_plan(pictures(24, 16), backbone=backbone, **OPTIONS)
    assert (whole.part_size, parts.part_size) == (10, 4)
    networks = []
    for plan in (whole, parts):
        run = Run(plan)
        rows = list(train(run))
        assert run.main.samples == 2 * len(plan.split.source)
        networks.append((run.network, rows[-1].train_mse))
    (first, mse), (second, other_mse) = networks
    assert other_mse == pytest.approx(mse, rel=1e-3)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3)


def test_the_gradient_of_parts_is_that_of_the_batch(monkeypatch):
    gradients = []
    for free in (None, 1):
        limit(monkeypatch, None)
        plan = make_plan(pictures(24, 16), backbone="conv(channels=[4])", **OPTIONS)
        run = Run(plan)
        run.start()
        run.main.part_size = 3 if free else None
        run.main.optimizer.step = lambda rate: None
        run.step()
        gradients.append([p.grad for p in run.network.parameters()])
    for whole, parts in zip(*gradients, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-7)


def test_a_line_says_that_steps_are_taken_in_parts(monkeypatch):
    plan = make_plan(pictures(24, 32), **OPTIONS)
    assert not any(note.startswith("memory:") for note in plan.notes)
    memory = memory_of(plan)
    limit(monkeypatch, memory.weights + 5 * memory.sample)
    plan = make_plan(pictures(24, 32), **OPTIONS)
    assert plan.part_size < plan.batch_size == 10
    (line,) = [note for note in plan.notes if note.startswith("memory:")]
    assert line.endswith(f"parts of {plan.part_size}")


def test_parts_are_about_equal():
    plan = make_plan(pictures(24, 32), **OPTIONS)
    sizes = []
    for fitting in (1, 2, 6, 9, 10):
        memory = memory_of(plan)
        free = math.ceil((memory.weights + fitting * memory.sample) / 0.8) + 1
        sizes.append(memory_of(plan, free).part_size(10))
    assert sizes == [1, 2, 5, 5, 10]


@pytest.mark.parametrize(("options", "name"), [({}, "size"), ({"patch_size": 64}, "patch_size")])
def test_the_error_names_a_size_that_fits(monkeypatch, options, name):
    limit(monkeypatch, 2_000_000)
    with pytest.raises(DataError, match=rf"of 64x64 would take .* even one at a time, however: .*; {name}=\d+ would"):
        make_plan(pictures(24, 80 if options else 64), **{**OPTIONS, **options})


def test_the_size_that_is_named_fits(monkeypatch):
    limit(monkeypatch, 2_000_000)
    with pytest.raises(DataError) as error:
        make_plan(pictures(24, 64), backbone="patches(16)", **OPTIONS)
    side = int(str(error.value).split("size=")[1].split()[0])
    assert 16 <= side < 64
    assert make_plan(pictures(24, side), backbone="patches(16)", **OPTIONS).part_size < 10


def test_a_network_too_wide_for_the_memory_is_refused_before_it_is_built(monkeypatch):
    limit(monkeypatch, 2**30)
    table = read(np.random.default_rng(0).normal(size=(20, 3000)))
    with pytest.raises(DataError, match=r"on samples of 3000 values would take .*; learn fewer columns"):
        make_plan(table, backbone="dense(hidden=[65536, 65536])", device="cpu")


def test_the_estimate_draws_no_random_numbers():
    plan, state = make_plan(pictures(24, 32), **OPTIONS), torch.get_rng_state()
    assert memory_of(plan, 2**40).sample == memory_of(plan, 0).sample  # by one sample, and without values
    assert torch.equal(state, torch.get_rng_state())


def test_random_crops_are_the_same_in_parts(monkeypatch):
    seen = []
    for part_size in (None, 2):
        run = Run(make_plan(pictures(6, 40), patch_size=16, backbone="unet(2)", **OPTIONS))
        run.start()
        run.main.part_size = part_size
        take = run.main.batches.take
        taken = []
        run.main.batches.take = lambda index, order, take=take, taken=taken: (
            taken.append(take(index, order).x) or take(index, torch.Generator())
        )
        run.step()
        seen.append(torch.cat(taken))
    assert torch.equal(*seen)


@pytest.mark.parametrize("spent", [0.0, 60.0])
def test_slow_first_steps_end_at_the_cap(monkeypatch, spent):
    """Of steps that take a second each, a cap of ten leaves about ten, and one where the start took all."""
    clock = [100.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    run = Run(make_plan(pictures(24, 16), max_seconds=10, backbone="dense(hidden=[8])", **{**OPTIONS, "epochs": 100}))
    run.start()
    run.budget.spent = spent
    learn = run.main._learn

    def slowly(index):
        learn(index)
        clock[0] += 1.0

    run.main._learn = slowly
    rows = list(train(run))
    assert rows[-1].step in ((1,) if spent else (8, 9, 10))
    assert run.budget.was_cut


def test_large_samples_start_from_few_of_them(monkeypatch):
    taken = []
    monkeypatch.setattr("narrows.training.prepare.initialise", lambda network, batch: taken.append(len(batch.x)))
    for seconds in (1, 300):
        Run(make_plan(pictures(60, 256), max_seconds=seconds, backbone="patches(2, side=32)", device="cpu")).start()
    assert taken == [10, 54]

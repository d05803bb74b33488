"""Samples of one group are held out together: in the split, in the trainings that check it, and beside PCA."""

from dataclasses import replace

import numpy as np
import pytest

from narrows import Autoencoder
from narrows.data.samples import Samples
from narrows.data.source import Rows
from narrows.errors import DataError
from narrows.model.network import as_tensor
from narrows.training import split as split_file
from narrows.training.fit import Fit
from narrows.training.plan import make_plan
from narrows.training.run import Run
from narrows.training.split import split

FAST = {"backbone": "dense(hidden=[])", "device": "cpu"}


def rows(count=90):
    x, y = np.random.default_rng(0).normal(size=(2, count))
    return np.stack([x, y, x + y, x - y, x * y], 1)


def grouped(groups):
    return Samples(rows(len(groups)), groups=np.asarray(groups, dtype=object))


def sides(plan, groups):
    """Return the groups that are held out, and those to train on."""
    held_out = set(plan.split.held_out_index)
    return {groups[i] for i in held_out}, {g for i, g in enumerate(groups) if i not in held_out}


@pytest.mark.parametrize("share", [None, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides_and_the_share_is_reached(share, seed):
    rng = np.random.default_rng(seed)
    groups = rng.choice([f"patient {i}" for i in range(12)], 90).tolist()
    plan = make_plan(grouped(groups), seed=seed, validation=share, **FAST)
    held_out, trained = sides(plan, groups)
    assert held_out
    assert trained
    assert not held_out & trained
    assert len(plan.split.held_out_index) >= min(0.1 if share is None else share, 0.8) * 90
    known = {row.numpy().tobytes() for row in plan.split.source.x}
    assert not known & {row.numpy().tobytes() for row in plan.split.held_out.x}


def test_another_seed_draws_other_groups():
    groups = [i // 10 for i in range(90)]
    drawn = {tuple(make_plan(grouped(groups), seed=seed, **FAST).split.held_out_index) for seed in range(30)}
    assert len(drawn) > 6


@pytest.mark.parametrize(
    ("groups", "held_out", "line"),
    [
        (["a"] * 50 + ["b"] * 30 + ["c"] * 10, None, "groups: 1 of 3 is held out, with "),
        (["a"] * 84 + ["b"] * 6, {"b"}, "groups: 1 of 2 is held out, with 6 of 90 samples; the share is 9, but the "),
        (["a"] * 80 + ["b"] * 5 + ["c"] * 5, {"b", "c"}, "groups: 2 of 3 are held out, with 10 of 90 samples"),
        (["a"] * 45 + ["b"] * 45, None, "with 45 of 90 samples; the share is 9, but groups stay whole"),
        ([None] * 90, None, "groups: 9 of 90 are held out, with 9 of 90 samples"),
    ],
)
def test_a_group_of_most_samples_is_trained_on_and_a_line_says_what_is_held_out(groups, held_out, line):
    for seed in range(3):
        plan = make_plan(grouped(groups), seed=seed, **FAST)
        assert any(line in note for note in plan.notes)
        assert len(plan.split.held_out_index) <= 45
        assert held_out is None or sides(plan, groups)[0] == held_out


def test_one_group_alone_is_refused_in_a_sentence():
    with pytest.raises(DataError, match="all samples are of one group, so none can be held out beside others"):
        make_plan(grouped(["a"] * 90), **FAST)
    plan = make_plan(grouped(["a"] * 90), validation=0, **FAST)
    assert "groups: nothing is held out, so they change nothing" in plan.notes


def test_without_groups_the_split_is_the_one_of_before():
    source = Rows(as_tensor(rows(30)))
    assert split(source, None, 3, 0, "cpu").held_out_index == [13, 14, 23]


def test_the_trainings_that_check_keep_groups_whole_too(monkeypatch):
    groups = [i // 6 for i in range(90)]
    seen = []
    drawn = split_file.draw_groups

    def draw_groups(numbers, count, generator):
        seen.append(tuple(sorted(drawn(numbers, count, generator))))
        return list(seen[-1])

    monkeypatch.setattr(split_file, "draw_groups", draw_groups)
    run = Run(make_plan(grouped(groups), bottleneck="linear(2)", epochs=2, device="cpu"))
    checked = []
    while not run.is_finished:
        run.step()
        if run.check is not None and run.check.run.plan not in checked:
            checked.append(run.check.run.plan)
    assert len(checked) >= 3
    for plan in checked[:3]:
        held_out, trained = sides(plan, groups)
        assert held_out
        assert not held_out & trained
    assert len(set(seen)) > 1


def test_groups_change_the_fingerprint_of_a_plan():
    samples = Samples(rows(), groups=np.repeat(np.arange(9), 10))
    plans = [make_plan(replace(samples, groups=groups), **FAST) for groups in (None, samples.groups)]
    other = make_plan(replace(samples, groups=samples.groups[::-1] % 4), **FAST)
    assert len({plan.fingerprint for plan in (*plans, other)}) == 3
    assert plans[1].fingerprint == make_plan(samples, **FAST).fingerprint


def test_a_clear_difference_between_groups_shows_in_the_error():
    """Samples that are copies of their group's first one are easy where a share is drawn, and not where groups are."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 8)
    x = rng.normal(size=(10, 12))[groups]
    options = {"bottleneck": "linear(6)", "epochs": 2, "checks": False, **FAST}
    mixed, whole = (Fit(Samples(x, groups=g), **options).run().card.metrics for g in (None, groups))
    assert whole["pca_mse"] > 2 * mixed["pca_mse"]
    assert whole["validation_mse"] > 2 * mixed["validation_mse"]


def test_the_estimator_takes_groups_as_scikit_learns_splitters_do(capsys):
    groups = [f"lot {i // 10}" for i in range(90)]
    model = Autoencoder(epochs=1, backbone="dense(hidden=[])", random_state=0, verbose=1).fit(rows(), groups=groups)
    assert "groups: 1 of 9 is held out, with 10 of 90 samples" in capsys.readouterr().out
    assert model.model_.card.recipe["validation_samples"] == 10
    assert Autoencoder(epochs=1, random_state=0).fit_transform(rows(), groups=groups).shape == (90, 2)


def test_a_group_per_volume_holds_for_its_slices(capsys):
    x = np.random.default_rng(0).integers(0, 255, (10, 3, 8, 8)).astype(np.uint8)
    fast = {"axes": "NZHW", "epochs": 1, "backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "random_state": 0}
    model = Autoencoder(verbose=1, **fast).fit(x, groups=np.arange(10) // 2)
    assert "groups: 1 of 5 is held out, with 6 of 30 samples" in capsys.readouterr().out
    assert model.model_.card.recipe["train_samples"] == 24

"""The loop: what it computes, what it reports, when it stops, and what it leaves behind."""

import copy
import math

import numpy as np
import pytest
import torch

from narrows.batch import Batch
from narrows.data.stream import Stream
from narrows.errors import TrainingError
from narrows.model.network import Network
from narrows.training.clock import MEASURED_STEPS, Budget
from narrows.training.loop import train
from narrows.training.optim import Adam, Constant, Muon, OneCycle, Optimizer, Steps
from narrows.training.phase import Phase
from narrows.training.snapshots import PATIENCE
from narrows.training.validation import Validation, validate

TEXTS = {"backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "loss": "mse", "scaling": "standard"}


def network_for(table, corruption="none", seed=0, **texts):
    x = torch.from_numpy(table)
    torch.manual_seed(seed)
    network = Network.from_texts(tuple(x.shape[1:]), **(TEXTS | texts | {"corruption": corruption}))
    network.scaling.fit([x])
    return network, x


def run(network, x, steps=20, batch_size=32, optimizer=None, schedule=None, **options):
    budget = options.pop("budget", Budget(steps))
    options |= {"optimizer": optimizer or Adam(0.01), "schedule": schedule or OneCycle()}
    return list(train(Phase(network, Stream(x, batch_size), budget, **options)))


def test_a_plain_loop_written_out_gives_the_same_weights(table):
    network, x = network_for(table)
    plain = copy.deepcopy(network)
    rows = run(network, x, steps=6)
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01)
    order = torch.Generator().manual_seed(0)
    squares, step = [], 0
    for _ in range(2):
        squares.append(0.0)
        for index in torch.randperm(len(x), generator=order).split(32):
            for group in optimizer.param_groups:
                group["lr"] = 0.01 * OneCycle().factor(step / 6)
            scaled = plain.scaling(x[index])
            loss = (plain.decoder(plain.encoder(scaled)[0]) - scaled).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            squares[-1] += loss.item() * len(index)
            step += 1
    for ours, theirs in zip(network.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    reported = [row.train_mse for row in rows if row.epoch_ends]
    assert reported == pytest.approx([s / len(x) for s in squares], rel=1e-4)  # over samples, not over batches


def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_state(table):
    results = []
    for seed in (3, 3, 4):
        network, x = network_for(table, corruption="gaussian(0.1) | mask(0.2)")
        before = torch.get_rng_state(), np.random.get_state()[1].copy()
        run(network, x, seed=seed)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])
        results.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_validation_damages_with_a_fixed_seed(table):
    network, x = network_for(table, corruption="gaussian(0.5)")
    network.eval()
    first, again, other, undamaged = (validate(network, Batch(x), seed) for seed in (0, 0, 1, None))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.allclose(undamaged, network.squared_error(x).mean(1), rtol=1e-5)
    assert undamaged.mean() < first.mean()


def test_without_shuffling_batches_come_in_the_datas_order(table):
    network, x = network_for(table)
    seen = []
    network.register_forward_hook(lambda _, args, cost: seen.append(args[0].x))
    rows = train(Phase(network, Stream(x, 30, shuffle=False), Budget(6), optimizer=Adam(), schedule=Constant()))
    assert [row.samples for row in rows if row.epoch_ends] == [80, 160]
    assert torch.equal(torch.cat(seen), torch.cat([x, x]))


def test_shuffling_shows_every_sample_once_an_epoch_in_another_order(table):
    network, x = network_for(table)
    seen = []
    network.register_forward_hook(lambda _, args, cost: seen.append(args[0].x))
    run(network, x, steps=6, batch_size=30)
    first, second = torch.cat(seen[:3]), torch.cat(seen[3:])
    assert not torch.equal(first, second)
    for epoch in (first, second):
        assert torch.equal(epoch[epoch[:, 0].argsort()], x[x[:, 0].argsort()])


def test_the_network_is_usable_between_two_reports_and_may_be_left(table):
    network, x = network_for(table)
    rows = train(Phase(network, Stream(x, 8), Budget(1000), optimizer=Adam(), schedule=OneCycle()))
    first = next(rows)
    network.eval()
    before = network.in_blocks(network.reconstruct, x)
    next(rows)
    assert network.training
    rows.close()
    assert network.in_blocks(network.reconstruct, x).shape == before.shape
    assert (first.step, first.epoch, first.samples) == (30, 3, 240)


class Exploding(Optimizer):
    """Does well for 120 steps, and then makes a weight infinite."""

    def __init__(self, rate=0.01):
        self.rate = rate

    def build(self, parameters):
        return ExplodingSteps(parameters)


class ExplodingSteps(Steps):
    def __init__(self, parameters):
        super().__init__(parameters)
        self.count = 0

    def remembered(self):
        return []

    @torch.no_grad()
    def step(self, rate):
        self.count += 1
        for parameter in self.parameters:
            parameter.sub_(parameter.grad, alpha=rate)
        if self.count == 121:
            self.parameters[0][0, 0] = math.inf


def test_an_infinite_loss_stops_and_leaves_the_last_good_weights(table):
    network, x = network_for(table)
    rows = train(Phase(network, Stream(x, 4), Budget(1000), optimizer=Exploding(), schedule=OneCycle()))
    good = {}

    def watch():
        for row in rows:
            good[row.step] = copy.deepcopy(network.state_dict())

    with pytest.raises(TrainingError, match=r"between steps 120 and 150, .* keeps the weights of step 120"):
        watch()
    assert max(good) == 120
    for name, value in network.state_dict().items():
        assert torch.equal(value, good[120][name]), name
    assert validate(network, Batch(x), 0).isfinite().all()


def test_an_infinite_validation_error_stops_and_says_where_to_look(table):
    network, x = network_for(table)
    held_out = x[:8].clone()
    held_out[3, 0] = math.nan
    with pytest.raises(TrainingError, match="held-out samples is not finite at step 3"):
        run(network, x, steps=100, validation=Validation(Batch(held_out), 0))
    assert validate(network, Batch(x), 0).isfinite().all()


def test_an_interrupt_from_whoever_watches_leaves_what_was_trained(table):
    network, x = network_for(table)
    start = copy.deepcopy(network.state_dict())
    validation = Validation(Batch(x[:9]), 0)
    phase = Phase(network, Stream(x, 8), Budget(1000), optimizer=Adam(), schedule=Constant(), validation=validation)
    rows = train(phase)
    next(rows)
    trained = copy.deepcopy(network.state_dict())
    with pytest.raises(KeyboardInterrupt):
        rows.throw(KeyboardInterrupt())
    for name, value in network.state_dict().items():
        assert torch.equal(value, trained[name]), name
    assert not torch.equal(start["encoder.1.weight"], trained["encoder.1.weight"])
    assert network.in_blocks(network.reconstruct, x).isfinite().all()
    with pytest.raises(StopIteration):
        next(rows)


def test_the_cap_cuts_the_budget_after_twenty_steps(table, monkeypatch):
    network, x = network_for(table)
    clock = iter(np.arange(0, 1e6, 0.5))  # a machine on which every look at the clock costs half a second
    monkeypatch.setattr("narrows.training.clock.time.perf_counter", lambda: float(next(clock)))
    budget = Budget(100_000, max_seconds=25)
    rows = run(network, x, budget=budget)
    assert budget.was_cut
    assert 20 <= rows[-1].step == budget.steps < 1000
    assert budget.requested == 100_000


def test_a_cap_that_is_not_reached_changes_nothing(table):
    network, x = network_for(table)
    budget = Budget(40, max_seconds=1000)
    assert run(network, x, budget=budget)[-1].step == 40
    assert not budget.was_cut


def test_a_cut_budget_follows_the_speed_from_epoch_to_epoch(table, monkeypatch):
    network, x = network_for(table)
    budget = Budget(100_000, max_seconds=60)
    clock = iter([*np.arange(0, 1, 0.25), *np.arange(1, 1e5, 0.01)])  # only the first looks at it take long
    monkeypatch.setattr("narrows.training.clock.time.perf_counter", lambda: float(next(clock)))
    planned = []
    for row in train(Phase(network, Stream(x, 8), budget, optimizer=Adam(), schedule=OneCycle())):
        planned += [row.steps] if row.step >= MEASURED_STEPS else []
        if row.epoch == 20:
            break
    assert budget.was_cut
    assert planned[-1] > 2 * planned[0]


def test_a_cut_budget_follows_the_speed_within_a_first_epoch_that_fills_it(table, monkeypatch):
    network, x = network_for(table)
    budget = Budget(100_000, max_seconds=60)
    clock = iter([*np.arange(0, 1, 0.25), *np.arange(1, 1e5, 4.0)])  # a machine that grows slow
    monkeypatch.setattr("narrows.training.clock.time.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr("narrows.training.clock.Clock._is_late", lambda self: False)  # which looks at it at each step
    stream = Stream(x.repeat(200, 1), 1)
    rows = list(train(Phase(network, stream, budget, optimizer=Adam(), schedule=OneCycle())))
    assert [row.epoch_ends for row in rows] == [False] * (len(rows) - 1) + [True]
    assert rows[-1].step == budget.steps < rows[0].steps
    assert rows[-1].seconds < 2 * 60


def test_what_the_start_took_counts_towards_the_cap():
    whole, rest = Budget(1000, max_seconds=10), Budget(1000, max_seconds=10, spent=4)
    whole.cut(20, seconds=2, seconds_per_step=0.1)
    rest.cut(20, seconds=2, seconds_per_step=0.1)
    assert (whole.steps, rest.steps) == (100, 60)


def test_constant_rates_stop_early_and_keep_the_best(table):
    network, x = network_for(table)
    validation = Validation(Batch(x[60:]), 0)
    rows = run(network, x[:60], steps=10**6, optimizer=Adam(0.5), schedule=Constant(), validation=validation)
    errors = [row.val_mse for row in rows if row.epoch_ends]
    assert len(errors) == errors.index(min(errors)) + 1 + PATIENCE
    assert validate(network, Batch(x[60:]), 0).mean().item() == pytest.approx(min(errors), rel=1e-6)


def test_schedules_that_end_do_not_stop_early(table):
    network, x = network_for(table)
    assert run(network, x[:60], steps=300, optimizer=Adam(0.5), validation=Validation(Batch(x[60:]), 0))[-1].step == 300


def test_an_epoch_that_the_budget_ends_is_reported(table):
    network, x = network_for(table)
    rows = [row for row in run(network, x, steps=4) if row.epoch_ends]
    assert [(row.step, row.epoch, row.samples) for row in rows] == [(3, 1, 80), (4, 2, 112)]


def test_the_mse_of_an_epoch_that_was_cut_is_over_the_samples_that_it_saw(table):
    network, x = network_for(table)
    stream = Stream(x, 32, shuffle=False)
    rows = list(train(Phase(network, stream, Budget(4), optimizer=Adam(0.0), schedule=Constant())))
    errors = network.squared_error(x).mean(1)
    assert [row.train_mse for row in rows] == pytest.approx([errors.mean().item(), errors[:32].mean().item()], rel=1e-5)


def test_bfloat16_products_learn_what_float32_ones_do(table):
    """The fast path: weights stay in float32, and the error ends where the plain path's does."""
    errors = {}
    for bfloat16 in (False, True):
        torch.manual_seed(0)
        network, x = network_for(table)
        options = {"validation": Validation(Batch(x), 0), "bfloat16": bfloat16}
        rows = train(Phase(network, Stream(x, 16), Budget(300), optimizer=Muon(0.05), schedule=OneCycle(), **options))
        errors[bfloat16] = list(rows)[-1].val_mse
        assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert errors[True] == pytest.approx(errors[False], rel=0.05)
    assert errors[True] != errors[False]

"""Never worse than PCA: where training starts, which weights are kept, what is said, and what no wild cell may do."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from narrows import Autoencoder, read
from narrows.model.initialise import initialise
from narrows.model.network import Network
from narrows.training.finished import find_examples
from narrows.training.fit import Fit
from narrows.training.pca_baseline import PcaBaseline, is_comparable, measure_pca
from narrows.training.snapshots import Snapshots, is_lower

DEFAULT = "dense(hidden=[]) + dense(hidden=[16, 16], leak=0.1)"


def held_out_mses(model, given, rest):
    """Return the model's MSE on `rest`, and that of PCA which learned from `given`, both in model's units."""
    network = model.network
    known, wanted = (network.scaling(torch.from_numpy(x)).double().numpy() for x in (given, rest))
    pca = PCA(network.code_size).fit(known)
    plain = np.square(pca.inverse_transform(pca.transform(wanted)) - wanted).mean()
    return network.squared_error(torch.from_numpy(rest)).mean().item(), plain


def curved(rows=240):
    """Return a table whose six columns two numbers explain, but not linearly."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, rows))
    columns = [x, y, x**2, np.sin(2 * y), x * y, np.cos(x)]
    return np.stack(columns, 1) + 0.05 * rng.normal(size=(rows, 6))


def test_digits_as_a_table_are_learned_and_not_destroyed():
    x = load_digits().data
    given, rest = x[::2], x[1::2]
    fit = Fit(read(given), epochs=40, device="cpu")
    ours, plain = held_out_mses(fit.run(), given, rest)
    assert ours < 0.8 * plain
    assert fit.end.warnings == ()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_mistyped_cell_leaves_the_rest_to_be_learned(seed):
    x = curved(340)
    x[17, 2] *= 1e3
    model = Fit(read(x), seed=seed, epochs=30, device="cpu").run()
    good = np.delete(x, 17, axis=0)
    restored = model.network.in_blocks(model.network.reconstruct, torch.from_numpy(good)).numpy()
    explained = 1 - np.square(restored - good).mean(0) / good.var(0)
    assert (explained > 0.5).all()


def test_the_start_is_pca_to_the_last_digits():
    x = torch.from_numpy(load_wine().data)
    network = Network.from_texts(
        (13,), backbone=DEFAULT, bottleneck="linear(3)", corruption="none", loss="mse", scaling="robust"
    )
    network.scaling.fit([x])
    network.eval()
    initialise(network, x)
    rows = network.scaling(x).double().numpy()
    pca = PCA(3).fit(rows)
    plain = np.square(pca.inverse_transform(pca.transform(rows)) - rows).mean()
    assert network.squared_error(x).mean().item() == pytest.approx(plain, rel=1e-5)


def test_where_nothing_can_be_learned_pca_of_all_rows_is_what_comes_out():
    x = np.random.default_rng(0).normal(size=(60, 8))
    fit = Fit(read(x), backbone=DEFAULT, device="cpu")
    model = fit.run()
    assert fit.end.kept.startswith("PCA is kept as the model")
    assert model.card.recipe["kept_step"] == 0
    assert model.card.metrics["validation_mse"] == pytest.approx(model.card.metrics["pca_mse"], rel=1e-4)
    ours, plain = held_out_mses(model, x, x)
    assert ours == pytest.approx(plain, rel=1e-4)
    assert find_examples(fit.plan, fit.end)[0] == "training"  # none of them is new to it


def test_few_samples_that_have_something_to_teach_are_all_learned_from():
    x = curved()
    fit = Fit(read(x), backbone=DEFAULT, device="cpu")
    last = list(fit)[-1]
    assert last.step == last.steps > 4 * fit.training.budget.steps  # three other parts, and all of them
    model = fit.finish()
    assert model.card.recipe["kept_step"] == fit.training.budget.steps
    assert model.card.metrics["validation_mse"] < 0.8 * model.card.metrics["pca_mse"]
    assert find_examples(fit.plan, fit.end)[0] == "training"


def test_what_is_worse_than_pca_in_the_mean_is_not_trained_again():
    x = np.random.default_rng(0).normal(size=(60, 8))
    fit = Fit(read(x), backbone=DEFAULT, device="cpu")
    last = list(fit)[-1]
    assert last.step == fit.training.budget.steps
    assert fit.training.check is None


def test_a_run_with_checks_repeats_bit_for_bit():
    weights = []
    for _ in range(2):
        network = Fit(read(curved(90)), backbone=DEFAULT, epochs=8, seed=5, device="cpu").run().network
        weights.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(*weights)


class Weights:
    """Snapshots of one number, with errors as they are told."""

    def __init__(self):
        self.layer = torch.nn.Linear(1, 1, bias=False)
        self.set(0.0)
        self.snapshots = Snapshots(self.layer)

    def set(self, value):
        torch.nn.init.constant_(self.layer.weight, value)

    def epoch(self, step, errors):
        self.set(float(step))
        self.snapshots.keep_good(step)
        self.snapshots.keep_best(step, step, torch.as_tensor(errors))


NOISE = torch.linspace(-0.1, 0.1, 40)


@pytest.mark.parametrize(
    ("start", "epochs", "kept"),
    [
        (NOISE + 3.0, [NOISE + 2.0, NOISE + 1.0], 2),  # ever better: the last
        (NOISE + 3.0, [NOISE + 1.0, NOISE + 2.0], 1),  # the first epoch was clearly better
        (NOISE + 3.0, [NOISE + 1.0, NOISE.flip(0) + 1.001], 2),  # as good as the last
        (NOISE + 0.5, [NOISE + 2.0, NOISE + 1.0], 0),  # nothing is better than the start
        (NOISE + 1.0, [NOISE.flip(0) + 0.999], 0),  # nor surely
    ],
)
def test_the_weights_that_are_kept(start, epochs, kept):
    weights = Weights()
    weights.snapshots.keep_start(start)
    for step, errors in enumerate(epochs, 1):
        weights.epoch(step, errors)
    weights.snapshots.choose()
    assert weights.snapshots.kept_step == kept
    assert weights.layer.weight.item() == kept


@pytest.mark.parametrize(("gain", "promises"), [(0.01, True), (-0.01, False)])
def test_weights_promise_something_that_are_better_in_the_mean(gain, promises):
    weights = Weights()
    weights.snapshots.keep_start(NOISE + 1.0)
    weights.epoch(1, NOISE.flip(0) + 1.0 - gain)
    assert weights.snapshots.is_promising == promises


def test_a_wild_sample_does_not_choose_the_weights():
    others = torch.linspace(0.9, 1.1, 40)
    errors = others / 2
    assert is_lower(errors, others)
    others[3], errors[3] = 1e6, 3e6
    assert is_lower(errors, others)
    assert not is_lower(others, errors)


def test_pca_beside_a_network_is_that_of_scikit_learn(table, table_model):
    network, x = table_model.network, torch.from_numpy(table)
    beside = measure_pca(network, x[:60], x[60:])
    _, plain = held_out_mses(table_model, table[:60], table[60:])
    assert beside.mse == pytest.approx(plain, rel=1e-4)
    assert beside.count == 2
    assert is_comparable(network)


def test_what_is_worse_than_pca_or_hardly_varies_is_said():
    assert PcaBaseline(mse=1.0, count=3, flat=0, varying=9).complaints(0.99) == []
    (worse,) = PcaBaseline(mse=1.0, count=3, flat=0, varying=9).complaints(1.1)
    assert worse.startswith("PCA with 3 numbers is better here: its MSE on the validation share is 1.0")
    (flat,) = PcaBaseline(mse=1.0, count=3, flat=9, varying=9).complaints(0.5)
    assert flat.startswith("the outputs of 9 of 9 values hardly vary")


def test_the_estimator_warns_where_pca_is_better():
    x = load_digits().data[:300]
    with pytest.warns(ConvergenceWarning, match="PCA with 8 numbers is better here"):
        Autoencoder(backbone="dense(hidden=[4])", bottleneck="linear(8)", epochs=1, random_state=0).fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Autoencoder(backbone=DEFAULT, bottleneck="linear(8)", epochs=3, random_state=0).fit(x)


@pytest.mark.parametrize("scaling", ["robust", "standard", "unit"])
@pytest.mark.parametrize("wild", [1e36, 1e60, -1e300])
def test_a_huge_cell_is_the_oddest_of_all(scaling, wild):
    x = load_wine().data
    model = Autoencoder(bottleneck="linear(2)", scaling=scaling, epochs=2, random_state=0).fit(x)
    x[7, 3] = wild
    scores = model.score_samples(x)
    assert np.isfinite(scores).all()
    assert scores.argmin() == 7


def test_score_is_the_share_of_variance_explained_in_users_units():
    x = load_wine().data
    for scaling in ("standard", "unit", "robust"):
        model = Autoencoder(bottleneck="linear(4)", scaling=scaling, epochs=2, random_state=0).fit(x)
        restored = model.reconstruct(x)
        shares = 1 - np.square(restored - x).mean(0) / np.array(model.model_.card.variances)
        assert model.score(x) == pytest.approx(np.maximum(shares, -1).mean(), abs=1e-6)
    assert model.score(x[:1]) <= 1


def test_columns_far_from_0_are_learned_like_any_other():
    rng = np.random.default_rng(0)
    steps = np.arange(300)
    x = np.stack([1e15 + 3 * steps, 0.01 * steps + 0.1 * rng.normal(size=300), rng.normal(size=300)], 1)
    model = Autoencoder(bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    restored = model.reconstruct(x)
    assert 1 - np.square(restored[:, 0] - x[:, 0]).mean() / x[:, 0].var() > 0.8
    assert -model.score_samples(x).mean() < 1


@pytest.mark.parametrize("options", [{"preset": "map"}, {"preset": "tutorial-linear", "as_published": True}])
def test_a_map_and_what_is_published_keep_their_last_weights(options):
    fit = Fit(read(read("mnist").x[:60]), epochs=2, device="cpu", **options)
    for _ in fit:
        pass
    last = [p.detach().clone() for p in fit.network.parameters()]
    model = fit.finish()
    assert all(torch.equal(*pair) for pair in zip(last, model.network.parameters(), strict=True))
    assert fit.end.kept == ""
    assert model.card.recipe["kept_step"] is None


def test_an_interrupt_before_the_first_step_is_an_interrupt():
    fit = Fit(read(curved()), device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training.phase.Phase.step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            fit.run()


def test_stopping_early_keeps_the_start_where_nothing_is_better_and_finishes_once():
    fit = Fit(read(np.random.default_rng(0).normal(size=(60, 8))), backbone=DEFAULT, device="cpu")
    next(iter(fit))
    model = fit.finish()
    assert model.card.recipe["kept_step"] == 0
    assert fit.finish() is model


def test_a_preset_that_damages_nothing_is_told_where_pca_is_better(pictures):
    fit = Fit(read(pictures), preset="tutorial-conv", epochs=1, device="cpu")
    model = fit.run()
    assert model.card.metrics["pca_mse"] < model.card.metrics["validation_mse"]
    assert "PCA with" in fit.end.warnings[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"corruption": "gaussian(0.3)"}, True),
        ({"corruption": "none"}, False),
        ({"self_supervised": True}, True),
    ],
)
def test_the_card_says_whether_validation_samples_were_damaged(pictures, options, expected):
    assert Fit(read(pictures), epochs=1, device="cpu", **options).run().card.recipe["validated_damaged"] is expected


@pytest.mark.parametrize("max_seconds", [0.2, 0.35])
def test_few_samples_within_a_short_cap_are_trained_on_once(max_seconds):
    x = np.random.default_rng(0).normal(size=(24, 4))
    fit = Fit(read(x), max_steps=2, max_seconds=max_seconds, device="cpu")
    fit.run()
    assert fit.training.last.step == 2

"""From samples and texts to a model: what is decided, what wins, what is refused."""

import numpy as np
import pytest
import torch

from narrows import read
from narrows.errors import DataError, SpecError
from narrows.training.choose import choose_batch_size, choose_steps, find_device
from narrows.training.finished import find_examples
from narrows.training.fit import Fit

BESIDE = "dense(hidden=[]) + dense(hidden=[256, 256], leak=0.1)"
DENSE = {"backbone": "dense(hidden=[])", "device": "cpu"}


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.eye(40), {"backbone": BESIDE, "bottleneck": "linear(10)", "scaling": "robust(tail=4.0)"}),
        (np.eye(3)[:, :1], {"bottleneck": "linear(1)", "corruption": "gaussian(0.0, 0.8, clip=False)"}),
        (np.eye(7)[:, :3], {"bottleneck": "linear(2)"}),
        (np.eye(7, dtype=np.uint8), {"scaling": "robust(tail=4.0)"}),
        (
            np.arange(300, dtype=np.uint8).reshape(3, 10, 10),
            {"scaling": "unit(output='sigmoid')", "bottleneck": "linear(25)"},
        ),
        (
            np.random.default_rng(0).random((4, 7, 7)),
            {"backbone": BESIDE, "corruption": "gaussian(0.0, 0.1, clip=False)"},
        ),
        (np.random.default_rng(0).normal(size=(4, 9, 9)), {"scaling": "standard()", "loss": "mse()"}),
    ],
)
def test_what_is_left_open_is_decided_by_the_data(x, expected):
    texts = Fit(read(x), device="cpu").plan.texts
    assert {kind: texts[kind] for kind in expected} == expected


def test_pictures_of_eight_pixels_and_more_get_patches(pictures):
    assert Fit(read(pictures)).plan.texts["backbone"].startswith("patches(32")


def test_given_wins_over_preset_and_preset_over_auto(pictures):
    texts = Fit(read(pictures), preset="tutorial-linear", bottleneck="linear(3)").plan.texts
    assert texts["bottleneck"] == "linear(3)"
    assert texts["backbone"] == "dense(hidden=[])"
    assert Fit(read(pictures), preset="tutorial-linear", backbone="auto").plan.texts["backbone"].startswith("patches(")


def test_what_was_decided_is_said(pictures):
    fit = Fit(read(pictures), **DENSE)
    assert any(note.startswith("scaling: unit(output='sigmoid') (whole numbers of 8 bits)") for note in fit.plan.notes)
    assert "code: 18 numbers for 72" in fit.plan.notes
    assert "not narrower" in Fit(read(pictures), bottleneck="linear(72)", **DENSE).plan.notes[-1]


def test_a_tenth_is_kept_out_and_measured(pictures):
    fit = Fit(read(pictures), epochs=1, **DENSE)
    assert (len(fit.plan.split.source), len(fit.plan.split.held_out.x)) == (54, 6)
    kept = {row.numpy().tobytes() for row in fit.plan.split.source.x}
    assert not kept & {row.numpy().tobytes() for row in fit.plan.split.held_out.x}
    name, shown, reference = find_examples(fit.plan, fit.end)
    assert (name, len(shown.x), len(reference)) == ("validation", 6, 54)
    card = fit.run().card
    assert card.error_quantiles == tuple(sorted(card.error_quantiles))
    assert card.error_quantiles[0] <= card.metrics["validation_mse"] <= card.error_quantiles[-1]


def test_without_validation_there_is_none(pictures):
    fit = Fit(read(pictures), validation=0, epochs=1, **DENSE)
    model = fit.run()
    assert fit.history[0]["val_mse"] is None
    assert model.card.error_quantiles == ()
    assert find_examples(fit.plan, fit.end)[0] == "training"


def test_as_published_is_the_tutorial_to_the_letter():
    samples = read(read("mnist").x[:100])
    fit = Fit(samples, preset="tutorial-linear", as_published=True)
    assert fit.plan.split.held_out is None
    assert len(fit.plan.split.source) == 100
    assert fit.plan.batch_size == 20
    assert fit.plan.steps == 100
    assert fit.plan.max_seconds == float("inf")
    torch.manual_seed(0)
    own = torch.nn.Linear(784, 128), torch.nn.Linear(128, 784)  # PyTorch's own initialisation, in its own order
    ours = list(fit.network.parameters())
    assert all(torch.equal(a, b) for a, b in zip(ours, [p for layer in own for p in layer.parameters()], strict=True))


def test_as_published_needs_a_source(pictures):
    with pytest.raises(SpecError, match="tutorial-linear"):
        Fit(read(pictures), as_published=True)


def test_two_runs_are_equal_to_the_bit_and_others_are_not(pictures):
    weights = []
    for seed in (1, 1, 2):
        state = torch.get_rng_state()
        model = Fit(read(pictures), seed=seed, epochs=2, device="cpu").run()
        assert torch.equal(torch.get_rng_state(), state)
        weights.append(torch.cat([p.flatten() for p in model.network.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_named_set_is_measured_on_its_test_split():
    from dataclasses import replace

    mnist = read("mnist")
    model = Fit(replace(mnist, x=mnist.x[:200], labels=None), epochs=1, **DENSE).run()
    network = model.network
    test = torch.from_numpy(read("mnist:test").x[:, None])
    expected = network.in_blocks(lambda rows: network.squared_error(rows).flatten(1).mean(1), test).mean().item()
    assert model.card.metrics["test_mse"] == pytest.approx(expected)


def test_a_started_network_answers_the_mean(pictures):
    fit = Fit(read(pictures), bottleneck="relu(4)", **DENSE)
    fit.training.start()
    fit.network.eval()
    first = fit.network.squared_error(fit.plan.split.source.x).mean().item()
    scaled = fit.network.scaling(fit.plan.split.source.x)
    spread = (scaled - scaled.mean(0)).square().mean().item()
    assert first < 3 * spread
    code = fit.network.encode(fit.plan.split.source.x).z
    assert ((code > 0).float().mean(0) > 0.5).all()  # no unit sleeps


def test_columns_with_control_characters_are_made_printable(table):
    from dataclasses import replace

    samples = replace(read(table), columns=("a\x1b[2J", "b\n", "c", "d", "e"))
    assert Fit(samples, epochs=1, **DENSE).run().card.columns == ("a [2J", "b ", "c", "d", "e")


@pytest.mark.parametrize(
    ("x", "options", "error", "words"),
    [
        (np.ones((1, 5)), {}, DataError, "only 1 sample"),
        (np.full((9, 5), 3), {}, DataError, r"all values of the data are equal \(3\)"),
        (np.eye(9), {"preset": "tutorial-lineer"}, SpecError, "did you mean 'tutorial-linear'"),
        (np.eye(9), {"epochs": 0}, SpecError, "epochs must be a whole number"),
        (np.eye(9), {"seed": -1}, SpecError, "seed must be"),
        (np.eye(9), {"max_seconds": 0}, SpecError, "max_seconds must be"),
        (np.eye(9), {"validation": 1.0}, SpecError, "validation must be"),
        (np.eye(9), {"device": "gpu"}, SpecError, "device must be"),
        (np.eye(9), {"backbone": "conv(channels=[4])"}, SpecError, "takes pictures"),
        (np.eye(9), {"loss": "bce"}, SpecError, "shares between 0 and 1"),
        (np.eye(9), {"loss": "mse | mae"}, SpecError, "joins several"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(x, options, error, words):
    with pytest.raises(error, match=words):
        Fit(read(x), **options)


@pytest.mark.parametrize("x", [np.array([[1.0, 2.0], [3.0, 5.0]]), np.arange(162, dtype=np.uint8).reshape(2, 9, 9)])
def test_two_samples_are_enough(x):
    """One of them is trained on and one kept out."""
    model = Fit(read(x), epochs=2, device="cpu").run()
    assert all(p.isfinite().all() for p in model.network.parameters())
    assert np.isfinite(model.card.metrics["validation_mse"])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "uint16", "int64", "uint64", "float16", "float64"])
def test_every_type_of_picture_trains(dtype):
    x = np.random.default_rng(0).integers(0, 100, (20, 9, 9))
    x = {"b": x > 50, "f": x / 100}.get(np.dtype(dtype).kind, x).astype(dtype)
    model = Fit(read(x), epochs=1, device="cpu").run()
    assert model.card.dtype == dtype
    assert np.isfinite(model.card.metrics["train_mse"])


def test_numbers_of_numpy_are_numbers(table):
    fit = Fit(read(table), epochs=np.int64(2), seed=np.uint8(3), max_seconds=np.float32(60), **DENSE)
    assert fit.run().card.recipe["seed"] == 3
    assert len(fit.history) == 2


def test_history_has_a_row_per_epoch_and_ends_in_the_cards_figures(pictures):
    fit = Fit(read(pictures), epochs=3, **DENSE)
    card = fit.run().card
    assert [row["epoch"] for row in fit.history] == [1, 2, 3]
    assert all(row["seconds"] >= 0 and row["val_mse"] > 0 for row in fit.history)
    assert fit.history[-1]["train_mse"] == card.metrics["train_mse"] < fit.history[0]["train_mse"]
    assert card.recipe["steps"] == card.recipe["steps_asked"] == 3 * fit.plan.steps_per_epoch


def test_unknown_arguments_are_type_errors(table):
    with pytest.raises(TypeError, match="'bottle'"):
        Fit(read(table), bottle="linear(2)")


def test_the_rules_grow_with_what_they_are_about():
    assert choose_steps(100) < choose_steps(10_000) < 100 * choose_steps(100)
    assert [choose_batch_size(n, None, False) for n in (2, 100, 640, 5000, 10**6)] == [8, 128, 256, 256, 512]
    assert [choose_batch_size(n, 1, False) for n in (2, 640, 5000, 10**6)] == [8, 8, 64, 512]
    assert [choose_batch_size(n, None, True) for n in (100, 10**6)] == [32, 64]
    assert [choose_batch_size(10**6, None, True, side**2) for side in (8, 28, 64, 500)] == [64, 64, 8, 8]
    assert [choose_batch_size(1350, epochs, True, 28**2) for epochs in (None, 1, 100)] == [16, 16, 16]
    assert find_device("cpu").type == "cpu"


def noisy_waves(std, n=40):
    rows, columns = np.mgrid[:20, :20]
    clean = np.stack([0.5 + 0.3 * np.sin(rows / (4 + i % 5) + columns / (9 - i % 3)) for i in range(n)])
    return clean, clean + np.random.default_rng(0).normal(0, std, clean.shape)


def test_the_preset_denoise_learns_from_clean_pictures_by_adding_noise():
    clean, _ = noisy_waves(0)
    fit = Fit(read(clean), preset="denoise")
    assert fit.plan.texts["corruption"] == "gaussian(0.0, 0.5, clip=False)"
    assert fit.plan.texts["backbone"].startswith("unet(")
    assert fit.plan.texts["scaling"] == "unit(output='linear')"
    assert any("count as clean" in note for note in fit.plan.notes)


def test_the_preset_denoise_sees_that_pictures_are_noisy_and_says_so():
    _, noisy = noisy_waves(0.1)
    fit = Fit(read(noisy), preset="denoise")
    assert fit.plan.texts["corruption"].startswith("blind_spots(")
    assert any("about 0.0" in note and "count as noisy" in note for note in fit.plan.notes)
    assert any("self-supervised" in note for note in fit.plan.notes)
    given = Fit(read(noisy), preset="denoise", corruption="gaussian(0.1)")
    assert given.plan.texts["corruption"].startswith("gaussian(0.1,")


def test_the_preset_denoise_takes_tables_too(table):
    fit = Fit(read(table), preset="denoise")
    assert fit.plan.texts["backbone"].startswith("dense(")
    assert fit.plan.texts["corruption"] == "gaussian(0.0, 0.5, clip=False)"


def test_self_supervised_chooses_a_loss_that_clipped_noise_does_not_bias():
    _, noisy = noisy_waves(0.3)
    free, clipped = (Fit(read(x), self_supervised=True).plan.texts for x in (noisy, noisy.clip(0, 1)))
    assert (free["loss"], clipped["loss"]) == ("mse()", "mae()")
    assert free["corruption"] == clipped["corruption"]
    assert Fit(read(noisy.clip(0, 1)), self_supervised=True, loss="mse").plan.texts["loss"] == "mse()"


def test_self_supervised_restores_without_a_clean_picture():
    clean, noisy = noisy_waves(0.2, n=200)
    fit = Fit(read(noisy), self_supervised=True, backbone="unet(8)", epochs=20)
    model = fit.run()
    restored = model.network.in_blocks(model.network.reconstruct, torch.from_numpy(noisy[:, None]))[:, 0].numpy()
    assert np.square(restored - clean).mean() < 0.5 * np.square(noisy - clean).mean()


def test_self_supervised_needs_pictures_and_no_target(table):
    with pytest.raises(SpecError, match="noisy pictures alone, however the data are a table"):
        Fit(read(table), self_supervised=True)
    clean, noisy = noisy_waves(0.1)
    with pytest.raises(SpecError, match="however the data have a target"):
        Fit(read(noisy, target=clean), self_supervised=True)


def test_a_budget_in_values_is_spent_on_few_samples_too():
    clean, _ = noisy_waves(0)
    fit = Fit(read(clean), preset="denoise")
    assert fit.plan.steps == 100 * fit.plan.steps_per_epoch
    assert Fit(read(clean), preset="denoise", patch_size=8).plan.max_seconds == 10 * fit.plan.max_seconds
    assert Fit(read(clean), preset="denoise", epochs=2).plan.steps == 2 * fit.plan.steps_per_epoch

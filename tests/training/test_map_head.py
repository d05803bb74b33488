"""The map head: what the default model comes with, and any other may get."""

import threading

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

import narrows
from narrows import Autoencoder, read
from narrows.errors import DataError, SpecError
from narrows.model.attachments.map import takes_head
from narrows.modelfile import FILE_NAME, load, save
from narrows.tasks.encode import decode, decode_map, encode, encode_map
from narrows.tasks.score import errors
from narrows.training.fit import Fit
from narrows.training.map_head import (
    add_default_head,
    add_head,
    add_pca_head,
    gets_map,
    training_codes,
)

DENSE = {"backbone": "dense(hidden=[])", "device": "cpu"}
SMALL = {"bottleneck": "linear(16)", "epochs": 5} | DENSE
DIGITS = read("mnist").x[:400]


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Fit heads in few steps: what they do is tested here, not how well."""
    monkeypatch.setattr("narrows.training.map_head.MAX_STEPS", 150)


@pytest.fixture(scope="module")
def fit():
    """A finished training on digits."""
    fit = Fit(read(DIGITS), **SMALL)
    fit.run()
    return fit


@pytest.fixture(scope="module")
def mapped(fit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training.map_head.MAX_STEPS", 300)
        return add_default_head(fit.training, fit.end)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, True),
        ({"bottleneck": "linear(3)"}, True),
        ({"bottleneck": "linear(2)"}, False),
        ({"bottleneck": "linear(1)"}, False),
        ({"backbone": "unet(2)"}, False),
        ({"preset": "tutorial-linear"}, False),
        ({"preset": "tutorial-conv"}, False),
        ({"preset": "denoise"}, False),
        ({"self_supervised": True}, False),
    ],
)
def test_the_default_model_comes_with_a_head_and_specialists_do_not(pictures, options, expected):
    assert gets_map(Fit(read(pictures), **options, device="cpu").training) == expected


def test_a_head_maps_samples_and_decodes_spots(mapped):
    points = encode_map(mapped, DIGITS)
    assert points.shape == (len(DIGITS), 2)
    assert points.dtype == np.float32
    decoded = decode_map(mapped, points)
    assert decoded.dtype == np.uint8
    assert decoded.shape == DIGITS.shape
    own, others = (np.square(decoded / 255 - x / 255).mean() for x in (DIGITS, np.roll(DIGITS, 1, axis=0)))
    assert own < 0.9 * others


def test_the_map_shows_which_samples_are_alike(mapped):
    """More of the nearest on the map are of the same digit than chance would have it."""
    labels = read("mnist").labels[: len(DIGITS)]
    points = encode_map(mapped, DIGITS)
    distance = np.square(points[:, None] - points[None]).sum(-1)
    np.fill_diagonal(distance, np.inf)
    assert (labels[distance.argmin(1)] == labels).mean() > 0.3


def test_a_sample_alone_or_among_others_lies_on_the_same_bits(mapped):
    together = encode_map(mapped, DIGITS)
    for i in (0, 63, 64, 399):
        assert np.array_equal(encode_map(mapped, DIGITS[i]), together[i : i + 1])
        assert np.array_equal(decode_map(mapped, together[i]), decode_map(mapped, together)[i : i + 1])


def test_the_figures_of_the_map_are_in_the_card(fit, mapped):
    held_out = DIGITS[fit.plan.split.held_out_index]
    restored = decode_map(mapped, encode_map(mapped, held_out)) / 255.0
    assert mapped.card.metrics["map_mse"] == pytest.approx(np.square(restored - held_out / 255).mean(), rel=0.01)
    assert mapped.card.recipe["map_samples"] == 360
    assert mapped.card.recipe["map_seconds"] > 0
    assert mapped.network is fit.network
    assert np.array_equal(errors(mapped, DIGITS), errors(fit.finish(), DIGITS))


def test_a_seed_repeats_a_head_to_the_bit_and_leaves_the_global_state(fit):
    state = torch.get_rng_state()
    codes = training_codes(fit.plan, fit.network)
    first, again, other = (encode_map(add_head(fit.finish(), codes, seed), DIGITS[:50]) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_codes_are_those_of_the_training_samples_a_seeded_choice_of_many(fit, monkeypatch):
    codes = training_codes(fit.plan, fit.network)
    kept = np.delete(DIGITS, fit.plan.split.held_out_index, axis=0)
    assert np.array_equal(np.sort(codes, axis=0), np.sort(encode(fit.finish(), kept), axis=0))
    monkeypatch.setattr("narrows.training.map_head.MAX_CODES", 100)
    assert np.array_equal(training_codes(fit.plan, fit.network), codes[:100])


def test_codes_of_crops_are_taken_too(pictures):
    fit = Fit(read(np.tile(pictures, (1, 3, 3))), patch_size=8, epochs=1, device="cpu")
    assert gets_map(fit.training)
    fit.run()
    assert training_codes(fit.plan, fit.network).shape == (len(fit.plan.split.source.visits), 16)


def test_a_file_made_anew_with_a_head_is_whole(fit, tmp_path, monkeypatch):
    save(tmp_path / FILE_NAME, fit.finish())
    before = (tmp_path / FILE_NAME).read_bytes()
    model = load(tmp_path)
    mapped = add_head(model, encode(model, DIGITS))
    monkeypatch.setattr(
        "narrows.modelfile.save_file", lambda tensors, path, metadata: path.write_bytes(b"half"[: 1 / 0])
    )
    with pytest.raises(ZeroDivisionError):
        save(tmp_path / FILE_NAME, mapped, overwrite=True)
    assert (tmp_path / FILE_NAME).read_bytes() == before
    monkeypatch.undo()
    save(tmp_path / FILE_NAME, mapped, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
    loaded = load(tmp_path)
    assert np.array_equal(encode_map(loaded, DIGITS), encode_map(mapped, DIGITS))
    assert np.array_equal(encode(loaded, DIGITS), encode(model, DIGITS))


def test_what_takes_no_head_is_refused_in_a_sentence(fit, table_model, pictures):
    with pytest.raises(SpecError, match="makes two numbers of more, however the code of this model has 2"):
        add_head(table_model, np.zeros((9, 2)))
    restoring = Fit(read(pictures), backbone="unet(2)", epochs=1, device="cpu").run()
    assert not takes_head(restoring.network)
    with pytest.raises(SpecError, match="connections round its bottleneck"):
        add_head(restoring, np.zeros((9, 2)))
    for add in (add_head, add_pca_head):
        for codes, words in (
            (np.zeros((1, 16)), "there is only 1"),
            (np.tile(np.arange(16.0), (30, 1)), "all 30 have"),
        ):
            with pytest.raises(DataError, match=words):
                add(fit.finish(), codes)


def test_a_pca_head_is_the_pca_of_the_codes(fit):
    codes = encode(fit.finish(), DIGITS)
    model = add_pca_head(fit.finish(), codes)
    pca = PCA(2).fit(codes)
    ours, theirs = encode_map(model, DIGITS), pca.transform(codes)
    signs = np.sign((ours * theirs).sum(0))
    assert ours == pytest.approx(signs * theirs, abs=1e-4)
    assert (pca.components_[range(2), np.abs(pca.components_).argmax(1)] * signs > 0).all()
    restored = decode(model, pca.inverse_transform(theirs))
    assert np.abs(decode_map(model, ours).astype(int) - restored).max() <= 1
    with pytest.raises(SpecError, match="makes two numbers of more"):
        add_pca_head(model._replace(network=model.map_head.network), ours)


def test_a_constant_number_of_the_code_does_not_harm_a_pca_head(fit):
    codes = encode(fit.finish(), DIGITS)
    codes[:, 3] = 1.0
    head = add_pca_head(fit.finish(), codes).map_head
    assert all(p.isfinite().all() for p in head.parameters())


def test_grid_codes_get_a_head_of_flat_ones(pictures):
    fit = Fit(read(pictures), backbone="conv(channels=[4], grid=True)", bottleneck="linear(2)", epochs=1, device="cpu")
    fit.run()
    mapped = add_default_head(fit.training, fit.end)
    assert mapped.map_head.network.shape == (fit.network.code_size,)
    assert decode_map(mapped, encode_map(mapped, pictures)).shape == pictures.shape


def test_the_estimator_maps_lazily_and_saves_its_map(tmp_path):
    model = Autoencoder(random_state=0, **SMALL).fit(DIGITS)
    assert model.model_.map_head is None
    points = model.map(DIGITS)
    assert np.array_equal(points, encode_map(model.model_, DIGITS))
    assert model.inverse_map(points[:7]).shape == (7, 28, 28)
    assert np.array_equal(model.map(DIGITS), points)
    again = Autoencoder(random_state=0, **SMALL).fit(DIGITS)
    again.save(tmp_path / FILE_NAME)
    assert np.array_equal(narrows.load(tmp_path).map(DIGITS), points)


def test_the_estimator_says_where_there_is_no_map(tmp_path):
    model = Autoencoder("tutorial-linear", epochs=1, random_state=0).fit(DIGITS)
    with pytest.raises(SpecError, match="this model has no map"):
        model.map(DIGITS)
    model.save(tmp_path / FILE_NAME)
    assert load(tmp_path).map_head is None
    two = Autoencoder(random_state=0, **SMALL | {"bottleneck": "linear(2)"}).fit(DIGITS)
    assert np.array_equal(two.map(DIGITS), two.transform(DIGITS))


def test_two_threads_that_ask_first_get_the_same_map():
    model, points = Autoencoder(random_state=0, **SMALL).fit(DIGITS), []
    threads = [threading.Thread(target=lambda: points.append(model.map(DIGITS))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(points) == 2
    assert np.array_equal(*points)


def test_five_rows_have_a_map_and_can_be_saved(tmp_path):
    x = np.random.default_rng(0).normal(size=(5, 13))
    model = Autoencoder(random_state=0, epochs=3).fit(x)
    assert np.isfinite(model.map(x)).all()
    model.save(tmp_path / FILE_NAME)
    assert np.array_equal(narrows.load(tmp_path).map(x), model.map(x))


def test_a_model_whose_samples_make_no_map_is_saved_without_one(tmp_path):
    x = np.random.default_rng(0).normal(size=(9, 13))
    model = Autoencoder(random_state=0, epochs=3).fit(x)
    model._map_codes = np.zeros_like(model._map_codes)
    with pytest.warns(UserWarning, match=r"is saved without a map: .* the same code"):
        model.save(tmp_path / FILE_NAME)
    with pytest.raises(SpecError, match=r"no map: .* the same code"):
        model.map(x)
    assert narrows.load(tmp_path).transform(x).shape == (9, 3)


def test_a_head_goes_through_the_command_line(tmp_path, monkeypatch, capsys):
    from narrows.cli import main

    np.save(tmp_path / "digits.npy", DIGITS)
    words = ["train", str(tmp_path / "digits.npy"), "--backbone", "dense", "--epochs", "1", "-o", str(tmp_path / "run")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "map: 2 numbers for 32" in said
    assert "from the two numbers of the map" in said
    assert load(tmp_path / "run").map_head is not None
    assert main(["info", str(tmp_path / "run")]) == 0
    assert "map: 2 numbers for 32" in capsys.readouterr().out


@pytest.mark.parametrize(("error", "words"), [(KeyboardInterrupt(), "without a map"), (DataError("too few"), "no map")])
def test_what_goes_wrong_with_the_map_costs_the_map_alone(error, words, tmp_path, monkeypatch, capsys):
    from narrows.cli import main

    def fail(*_):
        raise error

    monkeypatch.setattr("narrows.training.map_head.add_head", fail)
    np.save(tmp_path / "digits.npy", DIGITS)
    command = [
        "train",
        str(tmp_path / "digits.npy"),
        "--backbone",
        "dense",
        "--epochs",
        "1",
        "-o",
        str(tmp_path / "run"),
    ]
    assert main(command) == 0
    assert words in capsys.readouterr().out
    assert load(tmp_path / "run").map_head is None

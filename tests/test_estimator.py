"""The estimator follows scikit-learn's conventions: scikit-learn's own checks, and what they do not cover."""

import pickle

import numpy as np
import pytest
import torch
from parts import Noisy
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import narrows
from narrows import Autoencoder, DataError, SpecError
from narrows.model.bottleneck import BOTTLENECKS

FAST = {"epochs": 2, "backbone": "dense(hidden=[])"}


@parametrize_with_checks(
    [
        Autoencoder(epochs=10),
        Autoencoder(corruption="mask(0.2) | gaussian(0.1)", bottleneck="sparse(8, 2)", epochs=3),
    ]
)
def test_scikit_learn(estimator, check):
    check(estimator)


@parametrize_with_checks([Autoencoder(bottleneck="noisy(3)", epochs=3)])
def test_scikit_learn_with_a_random_code(estimator, check, monkeypatch):
    monkeypatch.setitem(BOTTLENECKS, "noisy", Noisy)
    check(estimator)


@pytest.fixture(scope="module")
def wine():
    return load_wine(as_frame=True).data


@pytest.fixture(scope="module")
def digits():
    return load_digits().images.astype(np.uint8) * 15


def test_codes_have_the_size_of_the_bottleneck_and_names(wine):
    codes = Autoencoder(bottleneck="linear(3)", **FAST).set_output(transform="default").fit_transform(wine)
    assert codes.shape == (178, 3)
    assert codes.dtype == np.float64
    assert list(Autoencoder(bottleneck="linear(2)", **FAST).fit(wine).get_feature_names_out()) == [
        "autoencoder0",
        "autoencoder1",
    ]


def test_pipeline_and_grid_search_over_texts(wine):
    pipeline = make_pipeline(StandardScaler(), Autoencoder(random_state=0, **FAST))
    search = GridSearchCV(pipeline, {"autoencoder__bottleneck": ["linear(1)", "linear(6)"]}, cv=2).fit(wine)
    assert search.best_params_["autoencoder__bottleneck"] == "linear(6)"


def test_clone_keeps_the_texts():
    assert clone(Autoencoder(bottleneck="linear(5)")).bottleneck == "linear(5)"


@pytest.mark.parametrize("name", ["latent_dim", "n_components"])
def test_foreign_names_of_the_code_size_are_answered(name):
    with pytest.raises(SpecError, match=r'bottleneck="linear\(16\)"'):
        Autoencoder(**{name: 16})


def test_unknown_argument_stays_a_type_error():
    with pytest.raises(TypeError, match="latent"):
        Autoencoder(latents=16)


@pytest.mark.parametrize("arrange", [lambda x: x, lambda x: x[..., None], lambda x: x[:, None]])
def test_pictures_come_back_as_they_came(digits, arrange):
    x = arrange(digits[:200])
    model = Autoencoder(random_state=0, **FAST).fit(x)
    for result in (model.reconstruct(x), model.denoise(x), model.inverse_transform(model.transform(x))):
        assert result.shape == x.shape
        assert result.dtype == np.uint8
    assert model.n_features_in_ == 64


def test_flat_pictures_with_a_shape_go_through_patches(digits):
    x = digits[:100].reshape(100, 64)
    model = Autoencoder(shape=(8, 8), random_state=0, epochs=1).fit(x)
    assert model.model_.network.texts["backbone"].startswith("patches(")
    assert model.reconstruct(x).shape == (100, 64)
    assert model.inverse_transform(model.transform(x)).shape == (100, 64)


def test_one_picture_alone_is_understood_and_equal_to_itself_among_others(digits):
    model = Autoencoder(random_state=0, **FAST).fit(digits[:200])
    together = model.reconstruct(digits[:70])
    assert np.array_equal(model.reconstruct(digits[3]), together[3])
    assert np.array_equal(model.score_samples(digits[3:4]), model.score_samples(digits[:70])[3:4])


def test_scores_are_minus_the_mse_whatever_the_loss(digits):
    x = digits[:200]
    for loss in ("mse", "mae", "bce"):
        model = Autoencoder(loss=loss, random_state=0, **FAST).fit(x)
        network = model.model_.network
        restored = network.in_blocks(network.reconstruct, torch.from_numpy(x[:, None])).numpy()[:, 0]
        expected = -(((restored - x) / 255.0) ** 2).mean((1, 2))
        assert model.score_samples(x) == pytest.approx(expected, abs=1e-6)
        assert model.score_samples(x).dtype == np.float64


def test_same_random_state_same_codes_and_global_state_untouched(wine):
    torch.manual_seed(7)
    np.random.seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (Autoencoder(random_state=3, **FAST).fit_transform(wine) for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


def test_save_and_load_give_the_same_codes(wine, tmp_path):
    model = Autoencoder(random_state=0, **FAST).fit(wine)
    model.save(tmp_path / "model.safetensors")
    loaded = narrows.load(tmp_path)
    assert np.array_equal(loaded.transform(wine), model.transform(wine))
    assert loaded.bottleneck == model.model_.network.texts["bottleneck"]
    with pytest.raises(DataError, match="exists already"):
        model.save(tmp_path / "model.safetensors")


def test_torch_tensors_and_samples_are_taken(digits):
    model = Autoencoder(random_state=0, **FAST).fit(torch.from_numpy(digits[:100]))
    assert model.transform(narrows.read(digits[:5])).shape == (5, 16)


def test_history_has_a_row_per_epoch(wine):
    model = Autoencoder(random_state=0, **FAST).fit(wine)
    assert [row["epoch"] for row in model.history_] == [1, 2]
    assert model.history_[1]["train_mse"] < model.history_[0]["train_mse"]


def test_verbose_prints_a_line_per_epoch(wine, capsys):
    Autoencoder(verbose=1, random_state=0, **FAST).fit(wine)
    assert capsys.readouterr().out.count("validation MSE") == 2


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((20, 4)), "all values of the data are equal"),
        (np.random.default_rng(0).normal(size=(1, 4)), "1 sample"),
    ],
)
def test_data_that_teach_nothing_are_refused(x, words):
    with pytest.raises(DataError, match=words):
        Autoencoder().fit(x)


def test_misspelt_parts_and_presets_are_answered(wine):
    with pytest.raises(SpecError, match=r"did you mean 'linear'"):
        Autoencoder(bottleneck="liner(3)").fit(wine)
    with pytest.raises(SpecError, match=r"did you mean 'tutorial-linear'"):
        Autoencoder(preset="tutorial-liner").fit(wine)


def test_the_former_name_of_patch_size_goes_on(pictures):
    large = np.tile(pictures, (1, 3, 3))
    options = {"epochs": 1, "random_state": 0, "device": "cpu"}
    with pytest.warns(FutureWarning, match="crop is called patch_size now"):
        old = Autoencoder(crop=16, **options).fit(large)
    new = Autoencoder(patch_size=16, **options).fit(large)
    assert np.array_equal(old.transform(large[:, :16, :16]), new.transform(large[:, :16, :16]))


def stop_after(monkeypatch, progresses):
    """Let Ctrl-C stop every training so that this many progresses are read."""
    from narrows.training.loop import train

    def stopped(run):
        if not progresses:
            raise KeyboardInterrupt
        for done, progress in enumerate(train(run), 1):
            yield progress
            if done == progresses:
                raise KeyboardInterrupt

    monkeypatch.setattr("narrows.training.fit.train", stopped)


def test_ctrl_c_keeps_the_model_so_far(wine, monkeypatch, tmp_path):
    model = Autoencoder(epochs=500, backbone="dense(hidden=[])", bottleneck="linear(2)", random_state=0)
    stop_after(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(wine)
    stop_after(monkeypatch, 3)
    with pytest.warns(ConvergenceWarning, match="stopped early; the model as it is now is kept"):
        model.fit(wine)
    assert len(model.history_) < 10
    assert model.map(wine).shape == (178, 2)
    model.save(tmp_path / "m.safetensors")


def test_a_map_is_told_before_it_is_fitted(wine, monkeypatch, capsys):
    monkeypatch.setattr("narrows.training.map_head.MAX_STEPS", 5)
    model = Autoencoder(bottleneck="linear(3)", verbose=1, random_state=0, **FAST).fit(wine)
    assert "code: 3 numbers for 13" in capsys.readouterr().out
    model.map(wine)
    assert capsys.readouterr().out == "fitting the map, on 160 codes\n"
    model.map(wine)
    assert capsys.readouterr().out == ""


def test_a_pickle_stays_small_and_has_a_map(monkeypatch):
    monkeypatch.setattr("narrows.training.map_head.MAX_STEPS", 5)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 40)).astype(np.float32)
    sizes = {}
    for rows in (1_000, 20_000):
        model = Autoencoder(bottleneck="linear(32)", backbone="dense(hidden=[])", max_steps=5, random_state=0)
        sizes[rows] = len(pickle.dumps(model.fit(x[:rows])))
    assert sizes[20_000] - sizes[1_000] < 2**18
    again = pickle.loads(pickle.dumps(model))
    assert len(model._map_codes) == 18_000
    assert again.map(x[:5]).shape == (5, 2)


def test_a_gpu_that_is_only_said_to_be_there_costs_no_training(wine, monkeypatch, capsys):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(
        "narrows.training.choose.find_trouble", lambda name: "no kernel image" if "cuda" in name else ""
    )
    model = Autoencoder(verbose=1, random_state=0, **FAST).fit(wine)
    assert model.model_.network.device.type == "cpu"
    assert "device: the CPU, since the GPU does not work here (no kernel image)\n" in capsys.readouterr().out
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(SpecError, match="the device 'cuda' does not work here"):
        Autoencoder(device="cuda", **FAST).fit(wine)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_where_there_is_no_gpu_the_reason_is_torchs_own():
    from narrows.training.choose import find_trouble

    assert find_trouble("cuda")
    assert "\n" not in find_trouble("cuda")


def test_what_was_given_comes_back_from_a_file_and_trains_the_same_again(digits, tmp_path):
    flat = digits[:120].reshape(120, -1)
    given = {"shape": (8, 8), "epochs": 2, "random_state": 4, "validation": 0.2, "max_seconds": 60, "batch_size": 16}
    model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(3)", corruption="none", **given).fit(flat)
    model.save(tmp_path / "d.safetensors")
    loaded = narrows.load(tmp_path / "d.safetensors")
    assert {name: getattr(loaded, name) for name in given} == given
    assert loaded.history_ == model.history_
    assert loaded.fit(flat).model_.network.shape == (1, 8, 8)
    assert np.array_equal(loaded.transform(flat), model.transform(flat))


def test_a_run_folder_gives_back_what_was_given(tmp_path, wine):
    narrows.train(wine, output=tmp_path / "run", epochs=2, seed=7, **{k: v for k, v in FAST.items() if k != "epochs"})
    loaded = narrows.load(tmp_path / "run")
    assert (loaded.epochs, loaded.random_state) == (2, 7)
    assert [row["epoch"] for row in loaded.history_] == [1, 2]
    assert Autoencoder(random_state=np.random.RandomState(0), **FAST).fit(wine).model_.card.given.keys() >= FAST.keys()

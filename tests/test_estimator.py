"""The estimator follows scikit-learn's conventions: scikit-learn's own checks, and what they do not cover."""

import numpy as np
import pytest
import torch
from parts import Noisy
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
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


def test_flat_pictures_with_a_shape_go_through_convolutions(digits):
    x = digits[:100].reshape(100, 64)
    model = Autoencoder(shape=(8, 8), random_state=0, epochs=1).fit(x)
    assert model.model_.network.texts["backbone"].startswith("conv(")
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

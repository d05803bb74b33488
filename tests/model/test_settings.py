"""What the caller has set for PyTorch changes nothing, and nothing of it is changed."""

import threading
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
from torch import Generator, nn

import narrows
from narrows import Autoencoder
from narrows.model.settings import DrawsFrom, default_settings

X = np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)
OPTIONS = {"bottleneck": "linear(3)", "epochs": 3, "random_state": 0, "device": "cpu"}


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "float64": lambda: default_dtype(torch.float64),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "meta": lambda: torch.device("meta"),
}


def results(settings, folder):
    """Return what fitting, use, saving and loading give within the caller's settings."""
    with settings():
        model = Autoencoder(**OPTIONS).fit(X)
        model.save(folder / "model.safetensors", overwrite=True)
        again = narrows.load(folder / "model.safetensors")
        tables = narrows.evaluate(again, X)
        damaged = narrows.corrupt(X, "gaussian(0.3)")
        arrays = [model.transform(X), model.reconstruct(X), model.score_samples(X), model.map(X), again.transform(X)]
    return [*arrays, damaged], [table.rows for table in tables], model.score(X)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training.map_head.MAX_STEPS", 20)
        return results(nullcontext, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("name", SETTINGS)
def test_results_are_the_same_bits_within_any_settings(name, plain, tmp_path, monkeypatch):
    monkeypatch.setattr("narrows.training.map_head.MAX_STEPS", 20)
    arrays, rows, score = results(SETTINGS[name], tmp_path)
    for found, expected in zip(arrays, plain[0], strict=True):
        assert np.array_equal(found, expected)
    assert (rows, score) == plain[1:]


def test_settings_are_the_callers_own_between_two_steps():
    from narrows.training.fit import Fit

    fit = Fit(narrows.read(X), epochs=2, device="cpu")
    with torch.no_grad():
        for _ in fit:
            assert not torch.is_grad_enabled()
    with default_settings():
        assert torch.is_grad_enabled()


def test_weights_do_not_depend_on_who_else_draws():
    started, done = threading.Event(), threading.Event()

    class Slow(nn.Module):
        """Draws its second weights only after another thread has drawn from the global generator."""

        def __init__(self):
            super().__init__()
            self.first = nn.Linear(4, 3)
            started.set()
            done.wait(10)
            self.second = nn.Linear(4, 3)

    def disturb():
        started.wait(10)
        torch.rand(1000)
        torch.manual_seed(7)
        done.set()

    other = threading.Thread(target=disturb)
    other.start()
    with DrawsFrom(Generator().manual_seed(0)):
        slow = Slow()
    other.join()
    torch.manual_seed(0)
    expected = [nn.Linear(4, 3), nn.Linear(4, 3)]
    assert torch.equal(slow.first.weight, expected[0].weight)
    assert torch.equal(slow.second.weight, expected[1].weight)


def test_fits_in_threads_are_those_of_one_thread_and_leave_the_global_generator_alone():
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            torch.rand(8)

    def fit(found, i):
        found[i] = Autoencoder(backbone="dense", **OPTIONS).fit(X).transform(X)

    expected, found = Autoencoder(backbone="dense", **OPTIONS).fit(X).transform(X), {}
    disturber = threading.Thread(target=draw)
    disturber.start()
    fits = [threading.Thread(target=fit, args=(found, i)) for i in range(4)]
    for thread in fits:
        thread.start()
    for thread in fits:
        thread.join()
    stop.set()
    disturber.join()
    assert all(np.array_equal(found[i], expected) for i in range(4))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    Autoencoder(backbone="dense", **OPTIONS).fit(X)
    assert torch.equal(torch.get_rng_state(), before)

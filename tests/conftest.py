"""What the tests share: one thread, no order of tests that matters, and models that train in a blink."""

import os

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from narrows.data.read import read
from narrows.training.fit import Fit
from narrows.training.map_head import add_head, training_codes

os.environ["SCIPY_ARRAY_API"] = "1"  # or scikit-learn would leave one of its checks out
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start: two threads may add in another order
# the same examples on every machine, however slow it is
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def fixed_start():
    """Start every test from the same global random state, whatever ran before, and put the state back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="session")
def pictures():
    """Return 60 byte pictures of 9x8 with something to learn: a bright bar at one of eight columns, and noise."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, (60, 9, 8))
    x[np.arange(60), :, np.arange(60) % 8] += 180
    return x.astype(np.uint8)


@pytest.fixture(scope="session")
def table():
    """Return 80 rows of five columns that two numbers explain, in units far from each other."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(80, 2)) @ rng.normal(size=(2, 5)) + 0.01 * rng.normal(size=(80, 5))
    return factors * [1, 100, 1e-3, 1, 1] + [0, 1e4, 0, -5, 1]


@pytest.fixture(scope="session")
def table_model(table):
    """Return a trained model of the table; do not change it."""
    return Fit(read(table), backbone="dense(hidden=[8])", bottleneck="linear(2)", epochs=3, device="cpu").run()


@pytest.fixture(scope="session")
def picture_model(pictures):
    """Return a trained model of the pictures; do not change it."""
    return Fit(
        read(pictures), backbone="conv(channels=[4])", bottleneck="linear(3)", epochs=2, validation=0.2, device="cpu"
    ).run()


@pytest.fixture(scope="session")
def mapped_model(table):
    """Return a trained model of the table with a map head; do not change it."""
    fit = Fit(read(table), backbone="dense(hidden=[])", bottleneck="linear(3)", epochs=3, device="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("narrows.training.map_head.MAX_STEPS", 20)
        return add_head(fit.run(), training_codes(fit.plan, fit.network))


@pytest.fixture
def save(tmp_path):
    """Return a function that writes bytes, a text or an array to a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, np.ndarray):
            with open(path, "wb") as file:
                np.save(file, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write

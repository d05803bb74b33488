"""What is measured in chunks is what all samples at once would say."""

import numpy as np
import pytest

from narrows.metrics.measured import measure
from narrows.metrics.pca_reference import fit_pca
from narrows.metrics.reconstruction import reconstruct_array, take
from narrows.tasks.score import errors
from narrows.tasks.units import as_samples


def test_a_models_mse_is_the_mean_of_its_errors(picture_model, pictures):
    found = reconstruct_array(picture_model, pictures)
    np.testing.assert_allclose(found.errors, errors(picture_model, pictures), rtol=1e-5)
    assert found.x.shape == found.restored.shape == (60, 72)


def test_what_is_measured_by_chunks_is_what_all_samples_at_once_say(monkeypatch, table_model, table):
    monkeypatch.setattr("narrows.tasks.units.CHUNK_VALUES", 1)  # 64 rows, then the 16 that are left
    components = fit_pca(table_model, table)
    measured = measure(table_model, as_samples(table_model, table)[0], components)
    found = reconstruct_array(table_model, table)
    np.testing.assert_array_equal(measured.errors, found.errors)
    np.testing.assert_allclose(measured.value_errors, found.squares.mean(0, dtype=float))
    np.testing.assert_allclose(measured.mean, found.x.mean(0, dtype=float), atol=1e-6)
    np.testing.assert_allclose(measured.variance, found.x.var(0, dtype=float), rtol=1e-5)
    assert measured.pca.nothing == pytest.approx(np.square(found.x - components.mean).mean(), rel=1e-5)
    assert measured.pca.mse == pytest.approx(components.reconstruct(found.x, 2).mse, rel=1e-6)


def test_at_most_ten_thousand_samples_are_measured():
    x = np.arange(10_005)
    taken = take(x)
    assert len(taken) == 10_000
    assert (np.diff(taken) > 0).all()
    assert take(x[:10_000]).tolist() == list(range(10_000))

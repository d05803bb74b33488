"""PCA beside a model is what scikit-learn calls PCA, clamped to the data's range, however many values a sample has."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from narrows.data.read import read
from narrows.metrics.pca_reference import Components, components_needed, fit_pca, pca_curve
from narrows.metrics.reconstruction import reconstruct_array
from narrows.training.fit import Fit


def low_rank(rows, columns, rank):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns)) + 0.1 * rng.normal(size=(rows, columns))


def test_pca_of_a_table_agrees_with_scikit_learn(table_model, table):
    components = fit_pca(table_model, table[:50])
    scale, offset = (getattr(table_model.network.scaling, name).numpy() for name in ("scale", "offset"))
    x = (table - offset) / scale
    pca = PCA(2).fit(x[:50])
    expected = np.square(pca.inverse_transform(pca.transform(x)) - x).mean()
    assert components.reconstruct(x, 2).mse == pytest.approx(expected, rel=1e-3)
    assert components.rows == 50


@pytest.mark.parametrize(("rows", "found"), [(60, 59), (120, 119), (400, 64)])
def test_wide_samples_get_the_same_components_another_way(monkeypatch, rows, found):
    x = low_rank(rows, 300, 20)
    model = Fit(read(x), epochs=1, device="cpu", backbone="dense(hidden=[])", bottleneck="linear(4)").run()
    exact = fit_pca(model, x)
    monkeypatch.setattr("narrows.model.pca.DENSE_WIDTH", 10)
    wide = fit_pca(model, x)
    passed = reconstruct_array(model, x)
    assert len(exact.axes) == min(rows - 1, 300)
    assert len(wide.axes) == found
    np.testing.assert_allclose(wide.axes @ wide.axes.T, np.eye(found), atol=1e-4)
    for kept in (4, 20):
        assert wide.reconstruct(passed.x, kept).mse == pytest.approx(exact.reconstruct(passed.x, kept).mse, rel=0.01)


def test_the_curve_is_the_error_of_every_number_of_components():
    x = low_rank(60, 7, 3)
    fitted = PCA().fit(x)
    components = Components(fitted.mean_, fitted.components_, 60)
    expected = [components.reconstruct(x, k).mse for k in range(8)]
    chunks = x[:50], x[50:]
    np.testing.assert_allclose(pca_curve(components, chunks, [*map(components.encode, chunks)]), expected, atol=1e-12)


def test_components_are_counted_with_clamping():
    x = np.clip(low_rank(80, 9, 5), 0, 1)
    fitted = PCA().fit(x)
    components = Components(fitted.mean_, fitted.components_, 80, limits=(0.0, 1.0))
    mses = [components.reconstruct(x, k).mse for k in range(10)]
    for target in (0.2, 0.1, 0.05, 0.01, 0.001):
        expected = next(k for k, mse in enumerate(mses) if mse <= target)
        assert components_needed(components, (x[:70], x[70:]), target) == expected


def test_components_that_do_not_suffice_are_not_counted():
    x = low_rank(30, 6, 6)
    fitted = PCA(2).fit(x)
    assert components_needed(Components(fitted.mean_, fitted.components_, 30), [x], 1e-6) is None

"""The tables: what they say must be what was measured, and the plain methods must be what they are called."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from narrows.data.read import read
from narrows.errors import DataError
from narrows.metrics.evaluate import evaluate
from narrows.tasks.reconstruct import reconstruct
from narrows.tasks.score import errors
from narrows.training.fit import Fit


def model_of(x, **options):
    return Fit(read(x), epochs=1, device="cpu", **options).run()


def cell(table, row, column):
    found = next(cells for cells in table.rows if cells[0] == row)
    return found[table.columns.index(column)]


def test_the_tables_mse_is_that_of_reconstruct(table_model, table):
    first = evaluate(table_model, table, table, "the rows")[0]
    scale = table_model.network.scaling.scale.numpy()
    mse = np.square((reconstruct(table_model, table) - table) / scale).mean()
    assert cell(first, "this model", "MSE") == pytest.approx(mse, rel=1e-4)
    assert "the rows" in first.note


def test_pca_of_pictures_is_clamped_as_the_model_is(picture_model, pictures):
    x = pictures.reshape(60, -1) / 255
    pca = PCA(3).fit(x)
    expected = np.square(pca.inverse_transform(pca.transform(x)).clip(0, 1) - x).mean()
    table = evaluate(picture_model, pictures, pictures, "these")[0]
    assert cell(table, "PCA", "MSE") == pytest.approx(expected, rel=1e-4)
    assert "clamped" in table.note


def test_doing_nothing_answers_the_mean_of_the_reference(table_model, table):
    first = evaluate(table_model, table, table[:40], "the first rows")[0]
    scale = table_model.network.scaling.scale.numpy()
    expected = np.square((table - table[:40].mean(0)) / scale).mean()
    assert cell(first, "doing nothing: the mean", "MSE") == pytest.approx(expected, rel=1e-4)


def test_a_model_that_is_pca_does_the_work_of_as_many_components():
    x = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    fit = Fit(read(x), backbone="dense(hidden=[]) + dense(hidden=[8])", device="cpu")
    model = fit.run()
    assert model.card.recipe["kept_step"] == 0
    assert "Its 2 numbers do the work of 2 PCA components" in evaluate(model, x, x, "the rows")[0].note


def test_a_reference_of_one_sample_leaves_pca_nothing_to_learn(table_model, table):
    first = evaluate(table_model, table, table[:1], "one row")[0]
    assert cell(first, "PCA", "numbers kept") == 0


def test_a_code_wider_than_the_data_keeps_as_many_components_as_there_are(table):
    model = model_of(table, backbone="dense(hidden=[])", bottleneck="linear(9)")
    first = evaluate(model, table, table, "the rows")[0]
    assert cell(first, "PCA", "numbers kept") == 5


def test_without_a_code_no_table_says_how_much_is_kept(pictures):
    model = model_of(pictures, backbone="unet(2)", bottleneck="linear(3)", corruption="gaussian(0.1)")
    first = evaluate(model, pictures, pictures, "the pictures")[0]
    assert first.columns == ("method", "MSE", "variance explained")
    assert [row[0] for row in first.rows] == ["this model", "doing nothing: the mean"]
    assert cell(first, "this model", "MSE") == pytest.approx(errors(model, pictures).mean(), rel=1e-4)
    assert "Code: none that holds a sample" in first.note
    assert "PCA" not in first.note


def test_columns_are_in_their_own_units_and_the_worst_comes_first(table_model, table):
    columns = evaluate(table_model, table, table, "the rows")[2]
    difference = reconstruct(table_model, table) - table
    for i in range(5):
        assert cell(columns, f"x{i}", "error") == pytest.approx(np.sqrt(np.square(difference[:, i]).mean()), rel=1e-3)
        assert cell(columns, f"x{i}", "spread") == pytest.approx(table[:, i].std(), rel=1e-3)
    shares = [row[1] / row[2] for row in columns.rows]
    assert shares == sorted(shares, reverse=True)


def test_a_constant_column_has_no_share_to_explain(table):
    x = np.column_stack([table, np.full(80, 7.0)])
    columns = evaluate(model_of(x, backbone="dense(hidden=[])", bottleneck="linear(2)"), x, x, "the rows")[2]
    assert cell(columns, "x5", "explained by this model") == "-"


def test_pictures_have_no_column_table(picture_model, pictures):
    titles = [table.title for table in evaluate(picture_model, pictures, pictures, "these")]
    assert titles == ["Reconstruction of 60 samples", "Error of single samples"]


def test_one_picture_alone_is_one_sample(picture_model, pictures):
    assert evaluate(picture_model, pictures[0], pictures, "these")[0].title == "Reconstruction of 1 sample"


def test_data_of_another_shape_are_refused(picture_model, pictures):
    with pytest.raises(DataError, match="shape"):
        evaluate(picture_model, pictures[:, :5], pictures, "these")

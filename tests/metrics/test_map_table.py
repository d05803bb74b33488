"""The table of a map: the model's beside PCA's, measured on the same samples."""

import numpy as np
import pytest

from narrows.data.read import read
from narrows.metrics.evaluate import evaluate
from narrows.training.fit import Fit


def cell(table, row, column):
    found = next(cells for cells in table.rows if cells[0] == row)
    return found[table.columns.index(column)]


def test_a_map_stands_beside_pcas_and_its_mse_is_of_two_numbers(table_model, table):
    labels = (table[:, 0] > np.median(table[:, 0])).astype(int)
    shown = evaluate(table_model, table, table, "these", labels)[-1]
    assert shown.title == "The map"
    assert shown.columns[1:] == ("1-NN", "5-NN", "trustworthiness", "continuity", "V-measure", "silhouette", "MSE")
    first = evaluate(table_model, table, table, "these")[0]
    for method in ("this model", "PCA"):
        assert cell(shown, method, "MSE") == pytest.approx(cell(first, method, "MSE"), rel=1e-4)
    assert float(cell(shown, "PCA", "trustworthiness")) > 0.9
    assert "among the other samples" in shown.note


def test_neighbours_on_a_map_are_training_samples_where_those_are_known(table):
    labels = np.arange(80) % 2
    fit = Fit(read(table), epochs=1, device="cpu", backbone="dense(hidden=[])", bottleneck="linear(2)")
    model = fit.run()
    shown = evaluate(model, table, table, "these", labels, labels)[-1]
    assert cell(shown, "this model", "1-NN") == "100.0 %"  # each is its own neighbour
    assert "among 80 samples of these" in shown.note
    without = evaluate(model, table, table, "these")[-1]
    assert without.columns == ("method", "trustworthiness", "continuity", "MSE")


def test_a_model_without_a_map_has_no_table_of_one(picture_model, pictures):
    assert "The map" not in [table.title for table in evaluate(picture_model, pictures, pictures, "these")]

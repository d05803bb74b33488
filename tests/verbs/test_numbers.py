"""Numbers for other programs: metrics.json of a run, and the tables of evaluate as files."""

import csv
import json

import numpy as np
import pytest

import narrows
from narrows.cli import main
from narrows.data.fingerprint import find_fingerprint
from narrows.data.read import read
from narrows.errors import DataError


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    np.save(folder / "table.npy", table)
    narrows.train(folder / "table.npy", bottleneck="linear(2)", max_steps=30, device="cpu", output=folder / "run")
    return folder


def test_a_run_folder_tells_what_was_measured_and_on_what(run, table):
    found = json.loads((run / "run" / "metrics.json").read_text())
    card = narrows.load(run / "run").model_.card
    assert found["metrics"] == {**card.metrics, "units": "robust(tail=4.0)"}
    assert found["data"]["samples"] == len(table)
    assert found["data"]["sha256"] == find_fingerprint(read(table))
    assert found["training"]["seed"] == 0
    assert found["training"]["was_cut"] is False
    assert found["network"]["parameters"] == sum(
        p.numel() for p in narrows.load(run / "run").model_.network.parameters()
    )


def test_other_data_have_another_fingerprint(table, pictures):
    changed = table.copy()
    changed[3, 2] += 1e-9
    prints = [find_fingerprint(read(x)) for x in (table, changed, table[:, ::-1].copy(), table.astype(np.float32))]
    assert len(set(prints)) == 4
    large = np.tile(pictures, (1, 3, 3))
    assert find_fingerprint(read(large, patch_size=16)) == find_fingerprint(read(large.copy(), patch_size=16))
    assert find_fingerprint(read(table, target=table + 1)) != find_fingerprint(read(table))


def test_tables_go_to_a_file_as_they_are_printed(run, capsys):
    words = ["evaluate", str(run / "run"), str(run / "table.npy"), "-o"]
    assert main([*words, str(run / "tables.json")]) == 0
    assert "tables.json: 4 tables" in capsys.readouterr().out
    tables = narrows.evaluate(run / "run", run / "table.npy", output=run / "tables.csv")
    written = json.loads((run / "tables.json").read_text())
    assert [table["title"] for table in written] == [table.title for table in tables]
    assert written[0]["rows"] == [list(row) for row in tables[0].rows]
    with (run / "tables.csv").open(newline="") as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == sum(len(table.rows) * (len(table.columns) - 1) + bool(table.note) for table in tables)
    mse = next(cell for cell in cells if cell["row"] == "this model" and cell["column"] == "MSE")
    assert float(mse["value"]) == dict(zip(tables[0].columns, tables[0].rows[0], strict=True))["MSE"]
    assert main([*words, str(run / "tables.json")]) == 2


def test_tables_have_two_forms(run):
    with pytest.raises(DataError, match=r"written as \.json, \.csv"):
        narrows.evaluate(run / "run", run / "table.npy", output=run / "tables.txt")


def test_a_run_that_the_cap_cut_says_so_in_both(table, tmp_path):
    np.save(tmp_path / "table.npy", table)
    options = {"bottleneck": "linear(2)", "epochs": 10**6, "max_seconds": 0.5, "device": "cpu"}
    narrows.train(tmp_path / "table.npy", output=tmp_path / "run", **options)
    training = json.loads((tmp_path / "run" / "metrics.json").read_text())["training"]
    assert training["was_cut"] is True
    for name in ("tables.json", "tables.csv"):
        narrows.evaluate(tmp_path / "run", tmp_path / "table.npy", output=tmp_path / name)
        words = f"cut by the cap on seconds, to {training['steps']:,} of {training['steps_asked']:,} steps"
        assert words in (tmp_path / name).read_text()

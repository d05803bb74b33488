"""The columns of a table lie in the model file, and whatever else lies there in their place is refused."""

import json
import random
from contextlib import suppress

import numpy as np
import pytest
from headers import put_together, refused, take_apart

from narrows.data.samples import Samples
from narrows.errors import ModelFileError
from narrows.modelfile import load, save
from narrows.tables.column import Column
from narrows.tables.columns import Columns
from narrows.training.fit import Fit

ITEMS = (
    Column("Größe, cm", "number", "double", missing=0.25),
    Column("city\n", "category", "large_string", ("", "Rome\x1b[31m", "東京")),
    Column("born", "time", "timestamp[us, tz=Europe/Berlin]", step=86_400.0),
)
COLUMNS = Columns(ITEMS, label="kind", beside=("id", "kind"), gaps=("-999",))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(size=40), rng.integers(0, 3, 40), 1e9 + 1e6 * rng.normal(size=40)], 1)
    samples = Samples(x, columns=COLUMNS.names, table=COLUMNS)
    model = Fit(samples, backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=1, device="cpu").run()
    path = tmp_path_factory.mktemp("columns") / "model.safetensors"
    save(path, model)
    return path


def test_they_come_back_whatever_their_names(file):
    assert load(file).card.table == COLUMNS
    assert load(file).card.columns[1] == "city "  # what is shown can be printed


def change(file, tmp_path, edit):
    """Write the file with another tensor of columns, and return its path."""
    header, about, body = take_apart(file.read_bytes())
    begin, end = header["columns"]["data_offsets"]
    data = edit(body[begin:end])
    for entry in header.values():
        offsets = entry.get("data_offsets")
        if offsets is not None and offsets[0] >= end:
            entry["data_offsets"] = [offset + len(data) - (end - begin) for offset in offsets]
    header["columns"] |= {"shape": [len(data)], "data_offsets": [begin, begin + len(data)]}
    path = tmp_path / "changed.safetensors"
    path.write_bytes(put_together(header, about, body[:begin] + data + body[end:]))
    return path


def as_json(edit):
    """Return a change of the bytes that changes what they say."""

    def edited(data):
        values = json.loads(data)
        edit(values)
        return json.dumps(values).encode()

    return edited


def test_an_edit_that_changes_nothing_loads(file, tmp_path):
    assert load(change(file, tmp_path, as_json(lambda values: None))).card.table == COLUMNS


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: b"no json" + data,
        lambda data: b"[]",
        lambda data: b"[" * 100_000,
        lambda data: data[:-1],
        as_json(lambda values: values.pop("label")),
        as_json(lambda values: values.update(more=1)),
        as_json(lambda values: values.update(label=3)),
        as_json(lambda values: values.update(gaps="NA")),
        as_json(lambda values: values["items"].pop()),
        as_json(lambda values: values["items"].append(values["items"][0] | {"name": "more"})),
        as_json(lambda values: values["items"][0].update(name=values["items"][1]["name"])),
        as_json(lambda values: values["items"][0].update(kind="text")),
        as_json(lambda values: values["items"][0].update(dtype="object")),
        as_json(lambda values: values["items"][0].update(missing=2)),
        as_json(lambda values: values["items"][0].update(missing="0")),
        as_json(lambda values: values["items"][0].update(step=-1)),
        as_json(lambda values: values["items"][1].update(categories=["a", "a", "b"])),
        as_json(lambda values: values["items"][1].update(categories=["a", 2, "b"])),
    ],
)
def test_columns_that_narrows_never_writes_are_refused(file, tmp_path, edit):
    path = change(file, tmp_path, edit)
    message = refused(path, path.read_bytes())
    assert "column" in message


def test_flipped_bytes_load_or_are_refused(file, tmp_path):
    draw = random.Random(0)
    for _ in range(100):
        at = draw.random()

        def flip(data, at=at):
            i = int(at * len(data))
            return data[:i] + bytes([data[i] ^ draw.randrange(1, 256)]) + data[i + 1 :]

        with suppress(ModelFileError):
            load(change(file, tmp_path, flip))

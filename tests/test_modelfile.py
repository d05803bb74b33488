"""A model file loads or raises ModelFileError: truncated, changed and malicious files are refused and do not hang."""

import copy
import json
import os
import pickle
import random
import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from headers import guard, put_together, refused, take_apart

from narrows.errors import ModelFileError
from narrows.model.attachments.map import HEAD, MapHead
from narrows.model.network import Network
from narrows.modelfile import Model, load, save
from narrows.spec import build
from narrows.tasks.encode import decode_map, encode, encode_map
from narrows.tasks.score import errors

FORMAT_1 = Path(__file__).parent / "files" / "format-1.safetensors"
FORMAT_2 = FORMAT_1.with_name("format-2.safetensors")
FORMAT_3_MAP = FORMAT_1.with_name("format-3-map.safetensors")


@pytest.fixture(scope="module", params=["plain", "mapped"])
def model(request, table_model, mapped_model):
    """Return a valid model, without a map head and with one."""
    return {"plain": table_model, "mapped": mapped_model}[request.param]


@pytest.fixture(scope="module")
def good(model, tmp_path_factory):
    """Return the bytes of a valid file."""
    path = tmp_path_factory.mktemp("good") / "model.safetensors"
    save(path, model)
    return path.read_bytes()


def as_formerly(about):
    """Return the header's text as format 3 was for some weeks: the texts of the map head, or null."""
    about = copy.deepcopy(about)
    head = about.pop("attachments").get("map")
    about["map"] = None
    if head is not None:
        head = build(head["text"], {"map": MapHead}, "attachment")
        about["map"] = {"backbone": head.backbone, "bottleneck": head.bottleneck} | HEAD
    return about


def test_a_file_holds_the_model_and_its_card(model, table, tmp_path):
    save(tmp_path / "model.safetensors", model)
    loaded = load(tmp_path)
    assert loaded.card == model.card
    assert loaded.network.texts == model.network.texts
    x = torch.from_numpy(table)
    assert torch.equal(*(m.network.in_blocks(m.network.reconstruct, x) for m in (loaded, model)))
    assert np.array_equal(encode_map(loaded, table), encode_map(model, table))


def test_a_file_holds_the_map_head(mapped_model, tmp_path):
    save(tmp_path / "model.safetensors", mapped_model)
    head, loaded = mapped_model.map_head, load(tmp_path).map_head
    assert repr(loaded) == repr(head)
    header, about, _ = take_apart((tmp_path / "model.safetensors").read_bytes())
    assert about["attachments"] == {"map": {"version": 1, "text": repr(head)}}
    assert {name for name in header if name.startswith("map.")} == {f"map.{k}" for k in head.network.state_dict()}
    assert not any(module.training for module in loaded.modules())


def test_a_file_of_format_1_is_read_and_has_no_head(table, tmp_path):
    """The file was written by the commit before format 2, from the model of `table_model`."""
    old = load(FORMAT_1)
    assert take_apart(FORMAT_1.read_bytes())[1]["format"] == 1
    assert old.attachments == {}
    assert old.card.recipe["seed"] == 0
    assert errors(old, table).mean() == pytest.approx(0.040139347, abs=1e-7)
    save(tmp_path / "m", old)
    assert take_apart((tmp_path / "m").read_bytes())[1]["format"] == 3
    assert np.array_equal(encode_map(load(tmp_path / "m"), table), encode_map(old, table))


def test_a_file_of_format_1_has_no_key_for_a_head(mapped_model, tmp_path):
    save(tmp_path / "good", mapped_model)
    header, about, weights = take_apart((tmp_path / "good").read_bytes())
    for changed in (about, as_formerly(about)):
        assert "unknown one" in refused(tmp_path / "m", put_together(header, changed | {"format": 1}, weights))
    del about["attachments"]  # whose weights are then not those of its parts
    assert "other names" in refused(tmp_path / "m", put_together(header, about | {"format": 1}, weights))


def test_a_header_with_the_texts_of_a_map_head_is_read(good, model, table, tmp_path):
    header, about, weights = take_apart(good)
    for number in (2, 3):
        former = put_together(header, as_formerly(about) | {"format": number}, weights)
        (tmp_path / "m").write_bytes(former)
        assert np.array_equal(encode_map(load(tmp_path / "m"), table), encode_map(model, table))
    save(tmp_path / "again", load(tmp_path / "m"))
    assert (tmp_path / "again").read_bytes() == good
    both = as_formerly(about) | {"attachments": about["attachments"]}
    assert "unknown one" in refused(tmp_path / "m", put_together(header, both, weights))
    assert "lacks a key" in refused(tmp_path / "m", put_together(header, about | {"format": 2}, weights))


@pytest.mark.parametrize("size", [[64, 48], None])
def test_a_file_says_how_pictures_were_read(table_model, tmp_path, size):
    reading = {"size": size, "fit": "crop", "colour": "grey", "depth": 16}
    save(tmp_path / "model.safetensors", table_model._replace(card=replace(table_model.card, reading=reading)))
    assert load(tmp_path).card.reading == reading


def test_the_same_model_gives_the_same_bytes(table_model, picture_model, mapped_model, tmp_path):
    for name, model in {"t": table_model, "p": picture_model, "m": mapped_model}.items():
        save(tmp_path / f"{name}1", model)
        save(tmp_path / f"{name}2", load(tmp_path / f"{name}1"))
        assert (tmp_path / f"{name}1").read_bytes() == (tmp_path / f"{name}2").read_bytes()


def test_no_path_and_no_code_is_in_a_file(good, tmp_path):
    assert str(tmp_path).encode() not in good
    assert b"narrows.model" not in good
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        pickle.loads(good)


def test_truncated_files(good, tmp_path):
    for length in {*range(0, 60), *np.linspace(60, len(good) - 1, 60, dtype=int).tolist()}:
        refused(tmp_path / "m", good[:length])


def test_a_byte_too_many(good, tmp_path):
    refused(tmp_path / "m", good + b"\0")


def test_flipped_bytes_of_the_header(good, tmp_path):
    """Every changed byte is refused, or changes only a number or a name in the card."""
    rng = random.Random(0)
    length = struct.unpack("<Q", good[:8])[0]
    for _ in range(150):
        data = bytearray(good)
        data[rng.randrange(8 + length)] ^= 1 << rng.randrange(8)
        (tmp_path / "m").write_bytes(data)
        with guard():
            try:
                model = load(tmp_path / "m")
            except ModelFileError:
                continue
        assert all(p.isfinite().all() for p in model.network.parameters())


@pytest.mark.parametrize("length", [0, 1, 2**20 + 1, 2**32, 2**63, 2**64 - 1])
def test_headers_that_lie_about_their_length(good, tmp_path, length):
    refused(tmp_path / "m", struct.pack("<Q", length) + good[8:])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, I am a text file and not a model at all",
        pickle.dumps({"weights": [1.0] * 50}),
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 20000) + b"[" * 20000,
        struct.pack("<Q", 60006) + b'{"a":' + b"[" * 30000 + b"]" * 30000 + b"}",
        struct.pack("<Q", 16) + b'{"a":1,"a":2}   ',
        struct.pack("<Q", 9) + b'{"a":NaN}',
        struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
    ],
    ids=["empty", "text", "pickle", "no key", "list", "brackets", "deep", "key twice", "NaN", "no text"],
)
def test_what_is_no_model(data, tmp_path):
    refused(tmp_path / "m", data)


def test_no_file_and_a_folder_without_one(tmp_path):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(ModelFileError, match="no such file"):
            load(path)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.safetensors")
    with guard(), pytest.raises(ModelFileError, match="it is no file"):
        load(tmp_path)


def test_a_file_that_is_longer_than_its_weights_is_not_read(good, tmp_path, monkeypatch):
    """A sparse file of gigabytes is cheap to send."""
    monkeypatch.setattr("narrows.modelfile.load_tensors", lambda data: pytest.fail("weights were read"))
    with (tmp_path / "m").open("wb") as file:
        file.write(good)
        file.truncate(3 * 2**30)
    with guard(), pytest.raises(ModelFileError, match="longer or shorter than its weights"):
        load(tmp_path / "m")
    with (tmp_path / "m").open("r+b") as file:
        file.truncate(5 * 2**30)
    with guard(), pytest.raises(ModelFileError, match="not a safetensors file of a size"):
        load(tmp_path / "m")


def test_flipped_bytes_of_the_weights_load_or_are_refused(good, tmp_path):
    """A changed finite weight cannot be noticed; a model that loads is finite and runs."""
    rng = random.Random(1)
    begin = 8 + struct.unpack("<Q", good[:8])[0]
    loaded = 0
    for _ in range(60):
        data = bytearray(good)
        data[rng.randrange(begin, len(good))] ^= 1 << rng.randrange(8)
        (tmp_path / "m").write_bytes(data)
        with guard(), suppress(ModelFileError):
            state = load(tmp_path / "m").network.state_dict()
            assert all(value.isfinite().all() for value in state.values())
            assert (state["scaling.scale"] > 0).all()
            loaded += 1
    assert loaded > 30


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"format"', '"format": 1, "format"', 1),
        lambda text: text.replace('"origin"', '"origin": "a", "origin"', 1),
        lambda text: text.replace('"train_mse": ', '"other": NaN, "train_mse": ', 1),
        lambda text: text.replace('"train_mse": ', '"other": Infinity, "train_mse": ', 1),
        lambda text: text.replace('"train_mse": ', '"other": 1e999, "train_mse": ', 1),
        lambda text: text.replace('"train_mse": ', f'"other": {"9" * 5000}, "train_mse": ', 1),
        lambda text: text.replace('"train_mse": ', f'"other": {"[" * 90000}, "train_mse": ', 1),
        lambda text: text.replace('"train_mse": ', '"\\u001b[2J": 1, "train_mse": ', 1),
        lambda text: text.replace('"train_mse": ', '"\\u202e": 1, "train_mse": ', 1),
        lambda text: text.replace('"seed": ', '"line\\nbreak": 1, "seed": ', 1),
        lambda text: text.replace('"seed": ', f'"{"x" * 2000}": 1, "seed": ', 1),
        lambda text: text.replace('"seed": ', '"\\ud800": 1, "seed": ', 1),
        lambda text: text.replace('"format": 3', '"format": 3.0', 1),
        lambda text: text.replace('"format": 3', '"format": true', 1),
        lambda text: text.replace('"shape": [5]', '"shape": [5.0]', 1),
        lambda text: text.replace('"shape": [5]', '"shape": [true]', 1),
        lambda text: text.replace('"shape": [5]', '"shape": [5, 1048576, 1048576]', 1),
        lambda text: text + "{}",
        lambda text: f"[{text}]",
        lambda text: "",
    ],
    ids=range(20),
)
def test_hostile_json_in_the_one_text(good, tmp_path, change):
    header, about, weights = take_apart(good)
    text = json.dumps(about)
    assert change(text) != text
    refused(tmp_path / "m", put_together(header, change(text), weights))


@pytest.mark.parametrize("metadata", [None, {}, [], {"narrows": 1}, {"other": "x"}, "text"])
def test_metadata_that_are_not_ours(good, tmp_path, metadata):
    header, about, weights = take_apart(good)
    changed = {**header, "__metadata__": metadata}
    text = json.dumps(changed).encode()
    assert "no model of narrows" in refused(tmp_path / "m", struct.pack("<Q", len(text)) + text + weights)
    header["__metadata__"]["pickle"] = "cos\nsystem\n"
    assert "no model of narrows" in refused(tmp_path / "m", put_together(header, about, weights))


def test_a_figure_that_is_not_finite_is_not_written(table_model, tmp_path):
    card = replace(table_model.card, metrics={"test_mse": float("nan")})
    with pytest.raises(ModelFileError, match="a figure of its card is not finite"):
        save(tmp_path / "m", Model(table_model.network, card))
    assert not list(tmp_path.iterdir())


def test_interrupted_writing_leaves_the_old_file(table_model, good, tmp_path, monkeypatch):
    (tmp_path / "m").write_bytes(good)

    def half(tensors, path, metadata):
        path.write_bytes(good[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr("narrows.modelfile.save_file", half)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "m", table_model, overwrite=True)
    assert (tmp_path / "m").read_bytes() == good
    assert [file.name for file in tmp_path.iterdir()] == ["m"]


HOSTILE_TEXTS = [
    "__import__('os').system('true')",
    "dense(hidden=[1,2,3,4,5,6,7,8,9,10])",
    "dense(hidden=[65536]*9)",
    f"dense(hidden={[65536] * 60})",
    "dense(hidden=[-1])",
    "dense(hidden=[True])",
    "dense(hidden=[1e400])",
    "dense(**{})",
    "dense",
    "densely()",
    "dense(hidden=[8]) | dense(hidden=[8])",
    "dense(" + "(" * 400,
    "x" * 70_000,
    "",
    "conv()",
    "lambda: 0",
    "dense(hidden=[8]); import os",
    "dense(hidden=[0x41])\n\n",
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
@pytest.mark.parametrize("kind", ["backbone", "bottleneck", "corruption", "loss", "scaling"])
def test_texts_that_are_none(good, tmp_path, kind, text):
    header, about, weights = take_apart(good)
    former = as_formerly(about)
    for key in ("texts", "map"):
        if former[key] is not None:
            broken = copy.deepcopy(former)
            broken[key][kind] = text
            refused(tmp_path / "m", put_together(header, broken, weights))
    if about["attachments"]:
        for whole in (text, f"map({kind}={text!r})"):
            about["attachments"]["map"]["text"] = whole
            refused(tmp_path / "m", put_together(header, about, weights))


def test_a_head_that_makes_no_map_is_refused(mapped_model, table_model, picture_model, tmp_path):
    """Each is built and saved like a valid one, so that only its content is wrong."""
    texts = mapped_model.map_head.network.texts
    flat = Network.from_texts((3,), **texts | {"bottleneck": "linear(3)"})
    wide = Network.from_texts((4,), **texts)
    for network, words in ((flat, "does not make two numbers"), (wide, "other names, types or shapes")):
        save(tmp_path / "m", mapped_model._replace(attachments={"map": MapHead.of(network)}), overwrite=True)
        assert words in refused(tmp_path / "m", (tmp_path / "m").read_bytes())
    save(tmp_path / "m", table_model._replace(attachments=mapped_model.attachments), overwrite=True)
    assert "makes two numbers of more" in refused(tmp_path / "m", (tmp_path / "m").read_bytes())
    header, about, weights = take_apart(FORMAT_3_MAP.read_bytes())
    about["map"]["loss"] = "mae()"
    assert "a map head has the loss 'mse'" in refused(tmp_path / "m", put_together(header, about, weights))
    skips = {**picture_model.network.texts, "backbone": "unet(2)", "scaling": "unit(output='linear')"}
    other = Model(Network.from_texts((1, 9, 8), **skips), picture_model.card, mapped_model.attachments)
    save(tmp_path / "m", other, True)
    assert "connections round its bottleneck" in refused(tmp_path / "m", (tmp_path / "m").read_bytes())


WRONG = [
    None,
    True,
    -1,
    0,
    1.5,
    "text",
    [],
    {},
    [1],
    [-1],
    [0],
    [2**40],
    [5] * 9,
    ["a"],
    [[5]],
    {"a": 1},
    "\x1b[2J",
    10**400,
]


@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("key", ["format", "shape", "texts", "card", "attachments", "map"])
def test_wrong_values_in_the_header(good, tmp_path, key, value):
    header, about, weights = take_apart(good)
    about = as_formerly(about) if key == "map" else about
    if about[key] == value:
        pytest.skip("so it is written")
    about[key] = value
    refused(tmp_path / "m", put_together(header, about, weights))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("layout", "sideways"),
        ("layout", []),
        ("layout", "grey"),
        ("layout", "one_channels_last"),
        ("dtype", "object"),
        ("dtype", ["float64"]),
        ("columns", ["a"]),
        ("columns", ["a\x1b[2J", "b", "c", "d", "e"]),
        ("columns", "abcde"),
        ("reading", {"size": [64, 64]}),
        ("reading", {"size": [0, 64], "fit": "crop", "colour": "rgb", "depth": 8}),
        ("reading", {"size": [64, 64], "fit": "crop", "colour": "rgb", "depth": 7}),
        ("reading", []),
        ("origin", "x" * 2000),
        ("origin", "line\nbreak"),
        ("recipe", {"a": [1]}),
        ("recipe", {"a": 1e308}),
        ("recipe", []),
        ("recipe", {"map_samples": "many", "map_seconds": 1.0}),
        ("recipe", {"map_samples": 5}),
        ("recipe", {"steps": None}),
        ("recipe", {"kept_step": "the last"}),
        ("figures", {"test_mse": "good"}),
        ("figures", {"test_mse": None}),
        ("error_quantiles", [1, 2]),
        ("error_quantiles", [3, 2, 1, 1, 1, 1]),
        ("error_quantiles", [-1, 0, 1, 2, 3, 4]),
        ("error_quantiles", ["a"] * 6),
    ],
)
def test_wrong_values_in_the_card(good, tmp_path, key, value):
    header, about, weights = take_apart(good)
    about["card"][key] = value
    assert f"'{key}' of its card" in refused(tmp_path / "m", put_together(header, about, weights))


def test_keys_that_are_missing_or_unknown(good, tmp_path):
    header, about, weights = take_apart(good)
    former = as_formerly(about)
    heads = [former["map"]] if former["map"] else []
    for part in heads:
        for key in list(part):
            value = part.pop(key)
            refused(tmp_path / "m", put_together(header, former, weights))
            part[key] = value
    entries = about["attachments"].values()
    for part in (about, about["texts"], about["card"], *entries):
        for key in list(part):
            if key in ("variances", "given", "history"):  # which files of format 1 lack
                continue
            value = part.pop(key)
            refused(tmp_path / "m", put_together(header, about, weights))
            part[key] = value
        part["extra"] = 1
        refused(tmp_path / "m", put_together(header, about, weights))
        del part["extra"]


def test_a_later_format_is_named(good, tmp_path):
    header, about, weights = take_apart(good)
    about["format"] = 4
    said = refused(tmp_path / "m", put_together(header, about, weights))
    assert "it has format 4 of a later narrows; update narrows" in said


def test_weights_of_other_names_types_and_shapes(good, tmp_path):
    header, about, weights = take_apart(good)
    names = [name for name in header if name != "__metadata__"]
    for name in names:
        for change in (
            {"dtype": "F64"},
            {"dtype": "F16"},
            {"dtype": "Q7"},
            {"shape": [1]},
            {"shape": "x"},
            {"dtype": []},
        ):
            broken = copy.deepcopy(header)
            broken[name] |= change
            if broken != header:
                refused(tmp_path / "m", put_together(broken, about, weights))
        broken = {("other" if key == name else key): value for key, value in header.items()}
        refused(tmp_path / "m", put_together(broken, about, weights))
        broken = {key: value for key, value in header.items() if key != name}
        refused(tmp_path / "m", put_together(broken, about, weights))


def test_offsets_that_overlap_or_leave_the_file(good, tmp_path):
    header, about, weights = take_apart(good)
    for name in [name for name in header if name != "__metadata__"]:
        begin, end = header[name]["data_offsets"]
        for offsets in ([0, end - begin], [begin + 4, end + 4], [end, begin], [begin, 2**62], [-1, end], "x", []):
            broken = copy.deepcopy(header)
            broken[name]["data_offsets"] = offsets
            if broken != header:
                refused(tmp_path / "m", put_together(broken, about, weights))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_neither_written_nor_read(model, good, tmp_path, value):
    header, about, weights = take_apart(good)
    for name in [name for name in header if name != "__metadata__"]:
        entry = header[name]
        begin = entry["data_offsets"][0]
        number = np.array(value, np.float32 if entry["dtype"] == "F32" else np.float64).tobytes()
        data = weights[:begin] + number + weights[begin + len(number) :]
        assert "not finite" in refused(tmp_path / "m", put_together(header, about, data))
    for of_head in {False, model.map_head is not None}:
        changed = copy.deepcopy(model)
        with torch.no_grad():
            next((changed.map_head if of_head else changed.network).parameters()).fill_(value)
        with pytest.raises(ModelFileError, match=r"is not written: its weight .* not finite"):
            save(tmp_path / "new", changed)
        assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_scale_that_is_not_positive(good, tmp_path, value):
    header, about, weights = take_apart(good)
    for name in {"scaling.scale", "map.scaling.scale"} & set(header):
        begin = header[name]["data_offsets"][0]
        data = weights[:begin] + np.float64(value).tobytes() + weights[begin + 8 :]
        assert "not positive" in refused(tmp_path / "m", put_together(header, about, data))


def test_a_file_of_format_2_is_read_with_its_head(table, tmp_path):
    """The file was written by the commit before format 3, from the model of `mapped_model`."""
    old = load(FORMAT_2)
    assert take_apart(FORMAT_2.read_bytes())[1]["format"] == 2
    assert old.card.variances == ()
    assert errors(old, table).mean() == pytest.approx(0.001974345, abs=1e-7)
    assert encode(old, table)[0] == pytest.approx([-0.06915671, -0.36613712, -0.36022446], abs=1e-6)
    points = [[1.015793, 0.3880232], [-0.4616243, -0.6083519]]
    assert encode_map(old, table)[:2] == pytest.approx(np.array(points), abs=1e-5)  # processors round differently
    save(tmp_path / "m", old)
    assert np.array_equal(encode_map(load(tmp_path / "m"), table), encode_map(old, table))


def test_a_file_of_format_3_with_the_key_map_is_read_with_its_head(table, tmp_path):
    """The file was written by the commit before attachments, its head with two layers of four numbers."""
    old = load(FORMAT_3_MAP)
    assert repr(old.map_head).startswith("map(backbone='dense(hidden=[4, 4])', bottleneck='map(2, neighbours=15")
    assert encode(old, table)[0] == pytest.approx([-0.09252113, -0.38741258, -0.6868259], abs=1e-6)
    points = [[-0.30260715, -0.49852568], [0.87353283, 0.12328002]]
    assert encode_map(old, table)[:2] == pytest.approx(np.array(points), abs=1e-6)
    decoded = [-1.532271152e-01, 1.000575646e04, 9.377427466e-04, -5.752799491e00, -9.194471184e-02]
    assert decode_map(old, encode_map(old, table)[:1])[0] == pytest.approx(decoded, rel=1e-6)
    save(tmp_path / "m", old)
    assert set(take_apart((tmp_path / "m").read_bytes())[1]) == {"format", "shape", "texts", "attachments", "card"}
    assert np.array_equal(encode_map(load(tmp_path / "m"), table), encode_map(old, table))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_key_of_the_card_that_a_file_lacks_has_its_default(table_model, tmp_path, number):
    save(tmp_path / "good", table_model)
    header, about, weights = take_apart((tmp_path / "good").read_bytes())
    del about["card"]["variances"], about["attachments"]
    about |= {"format": number} | ({"map": None} if number > 1 else {})
    (tmp_path / "m").write_bytes(put_together(header, about, weights))
    assert load(tmp_path / "m").card == replace(table_model.card, variances=())


@pytest.mark.parametrize("number", [1, 3])
def test_a_key_of_the_card_that_is_unknown_is_named_with_its_writer(table_model, tmp_path, number):
    save(tmp_path / "good", table_model)
    header, about, weights = take_apart((tmp_path / "good").read_bytes())
    if number == 1:
        del about["attachments"]
    about["format"], about["card"]["recipe"]["narrows"] = number, "0.9.1"
    about["card"]["drift"] = 1
    said = refused(tmp_path / "m", put_together(header, about, weights))
    assert "not known here, 'drift' (narrows 0.9.1 wrote it); update narrows" in said
    about["card"]["recipe"] = "\x1b[2J"
    assert "not known here, 'drift'; update" in refused(tmp_path / "m", put_together(header, about, weights))
    del about["card"]["drift"]
    about["card"]["\x1b[2J" * 500] = 1
    assert "\x1b" not in refused(tmp_path / "m", put_together(header, about, weights))

"""Attachments go into a model file and come back, each as its class says; what is not known is refused by name."""

import copy

import pytest
import torch
from headers import put_together, refused, take_apart
from networks import network_of
from parts import Noisy, Spread

from narrows.card import Card
from narrows.errors import SpecError
from narrows.model import register
from narrows.model.attachments import ATTACHMENTS
from narrows.model.attachments.map import MapHead
from narrows.modelfile import Model, load, save
from narrows.spec import arguments, build

ALL = {**ATTACHMENTS, "spread": Spread}


@pytest.fixture(autouse=True)
def menu(monkeypatch):
    """Register the tests' own attachment, and leave the menu as it was."""
    monkeypatch.setitem(ATTACHMENTS, "spread", None)
    register("attachment", Spread)


@pytest.fixture
def model():
    """Return a model with a code of three numbers."""
    network = network_of((5,), torch.randn(20, 5, dtype=torch.float64), bottleneck="linear(3)")
    return Model(network.eval(), Card("table", "float32", recipe={"narrows": "0.7.2"}))


def built(name, network):
    """Return the attachment with its defaults, and with random weights and buffers."""
    attachment = ALL[name]()
    attachment.build(network)
    for value in attachment.state_dict().values():
        value.copy_(torch.rand(value.shape) + 0.5)
    return attachment.eval()


def spread_of(model, z):
    """Return the model with a `Spread` fitted to codes."""
    attachment = Spread()
    attachment.build(model.network)
    attachment.fit(z)
    return model.with_attachment(attachment)


@pytest.mark.parametrize("name", ALL)
def test_it_builds_with_its_defaults_and_its_text_builds_it_again(name):
    attachment = build(name, ATTACHMENTS, "attachment")
    again = build(repr(attachment), ATTACHMENTS, "attachment")
    assert repr(again) == repr(attachment)
    for argument in arguments(type(attachment)):
        assert getattr(again, argument.name) == getattr(attachment, argument.name)


@pytest.mark.parametrize("name", ALL)
def test_it_is_built_without_memory_on_the_meta_device(name, model):
    with torch.device("meta"):
        attachment = ALL[name]()
        attachment.build(model.network)
    assert {value.device.type for value in attachment.state_dict().values()} == {"meta"}


@pytest.mark.parametrize("name", ALL)
def test_saved_and_loaded_it_has_the_same_bits_and_text(name, model, tmp_path):
    attached = model.with_attachment(built(name, model.network))
    save(tmp_path / "m", attached)
    loaded = load(tmp_path / "m")
    assert {key: repr(value) for key, value in loaded.attachments.items()} == {name: repr(attached.attachments[name])}
    assert loaded.tensors().keys() == attached.tensors().keys()
    assert all(torch.equal(value, attached.tensors()[key]) for key, value in loaded.tensors().items())
    assert not loaded.attachments[name].training
    save(tmp_path / "again", loaded)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()
    assert load(tmp_path / "m").network.texts == model.network.texts


@pytest.mark.parametrize("name", ALL)
def test_the_network_that_cannot_have_it_is_refused_attached_and_in_a_file(name, model, tmp_path):
    texts = {"backbone": "unet(2)", "scaling": "unit(output='linear')", "bottleneck": "linear(3)"}
    restoring = Model(network_of((1, 9, 8), **texts), Card("grey", "uint8"))
    attachment = built(name, model.network)
    with pytest.raises(SpecError, match="connections round its bottleneck"):
        restoring.with_attachment(attachment)
    save(tmp_path / "m", restoring._replace(attachments={name: attachment}))
    assert "connections round its bottleneck" in refused(tmp_path / "m", (tmp_path / "m").read_bytes())


def test_several_lie_side_by_side_and_one_replaces_another_of_its_name(model, tmp_path):
    z = torch.randn(50, 3)
    both = spread_of(model.with_attachment(built("map", model.network)), z)
    save(tmp_path / "m", both)
    loaded = load(tmp_path / "m")
    assert list(loaded.attachments) == ["map", "spread"]
    assert torch.equal(loaded.attachments["spread"].distance(z), both.attachments["spread"].distance(z))
    assert torch.equal(loaded.map_head.encode(z), both.map_head.encode(z))
    again = spread_of(both, 2 * z)
    assert again.map_head is both.map_head
    assert torch.equal(again.attachments["spread"].spread, 2 * both.attachments["spread"].spread)
    assert both.attachments["spread"] is not again.attachments["spread"]
    assert model.attachments == {}


def test_codes_and_positions_go_both_ways(model):
    z = torch.randn(4, 3)
    head = built("map", model.network)
    points = head.encode(z)
    assert (points.shape, head.decode(points).shape) == ((4, 2), (4, 3))
    assert head.decode(points).dtype == torch.float32
    again = MapHead.of(head.network)
    assert repr(again) == repr(head)
    assert torch.equal(again.encode(z), points)


def test_a_file_with_one_that_is_unknown_is_refused_by_its_name_and_writer(model, tmp_path, monkeypatch):
    save(tmp_path / "m", spread_of(model, torch.randn(9, 3)))
    monkeypatch.delitem(ATTACHMENTS, "spread")
    data = (tmp_path / "m").read_bytes()
    said = refused(tmp_path / "m", data)
    assert "its attachment 'spread' is not known here (narrows 0.7.2 wrote it); update narrows" in said
    assert "register it first, by narrows.model.register('attachment', ...)" in said
    header, about, weights = take_apart(data)
    del about["card"]["recipe"]["narrows"]
    assert "not known here; update" in refused(tmp_path / "m", put_together(header, about, weights))
    about["attachments"]["\x1b[2J" * 500] = about["attachments"].pop("spread")
    assert "\x1b" not in refused(tmp_path / "m", put_together(header, about, weights))


def test_a_file_with_one_of_another_version_is_refused_by_its_name_and_writer(model, tmp_path, monkeypatch):
    save(tmp_path / "m", spread_of(model, torch.randn(9, 3)))
    monkeypatch.setattr(Spread, "version", 2)
    said = refused(tmp_path / "m", (tmp_path / "m").read_bytes())
    assert "'spread' has the version 3, however the one here is 2 (narrows 0.7.2 wrote it)" in said


@pytest.mark.parametrize(
    "change",
    [
        {"version": True},
        {"version": 3.0},
        {"version": None},
        {"version": [3]},
        {"text": "map()"},
        {"text": "spread(0.1, 0.2)"},
        {"text": "spread(floor=-1)"},
        {"text": "spread() | spread()"},
        {"text": "spread('\n')"},
        {"text": None},
        {"text": "x" * 2000},
        {"other": 1},
        None,
        [],
        "spread",
    ],
    ids=range(15),
)
def test_what_is_no_version_and_text_is_refused(model, tmp_path, change):
    save(tmp_path / "m", spread_of(model, torch.randn(9, 3)))
    header, about, weights = take_apart((tmp_path / "m").read_bytes())
    entry = about["attachments"]["spread"]
    about["attachments"]["spread"] = entry | change if isinstance(change, dict) else change
    refused(tmp_path / "m", put_together(header, about, weights))


def test_numbers_that_it_never_has_are_refused(model, tmp_path):
    attached = spread_of(model, torch.randn(9, 3))
    attached.attachments["spread"].spread[1] = -1
    save(tmp_path / "m", attached)
    assert "a spread is negative" in refused(tmp_path / "m", (tmp_path / "m").read_bytes())


def test_its_tensors_have_names_that_no_weight_of_the_network_has(model, tmp_path, monkeypatch):
    class Encoder(Spread):
        pass

    monkeypatch.setitem(ATTACHMENTS, "encoder", Encoder)
    attachment = Encoder()
    attachment.build(model.network)
    with pytest.raises(SpecError, match=r"the attachment 'encoder' has the name of a part of the network"):
        model.with_attachment(attachment)
    save(tmp_path / "m", model._replace(attachments={"encoder": attachment}))
    assert "has the name of a part" in refused(tmp_path / "m", (tmp_path / "m").read_bytes())


def test_a_copy_of_a_model_shares_nothing(model):
    attached = spread_of(model.with_attachment(built("map", model.network)), torch.randn(9, 3))
    z = torch.randn(4, 3)
    before = attached.map_head.encode(z)
    twin = copy.deepcopy(attached)
    for value in twin.tensors().values():
        value.zero_()
    assert torch.equal(attached.map_head.encode(z), before)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (MapHead, "the attachment 'map' is one of narrows itself"),
        (Noisy, "every attachment is a subclass of Attachment"),
        ("spread", "every attachment is a subclass of Attachment"),
    ],
)
def test_what_is_no_attachment_of_ones_own_is_refused(part, words):
    with pytest.raises(SpecError, match=words):
        register("attachment", part)

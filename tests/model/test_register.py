"""Parts of one's own go through texts, training, files and listings, and a file says where they are missing."""

import numpy as np
import pytest
import torch
from parts import Noisy, Spread

from narrows import Autoencoder, load
from narrows.cli import main
from narrows.errors import ModelFileError, SpecError
from narrows.model import MENUS, register
from narrows.model.corruption import Corruption


class Drop(Corruption):
    """Sets whole columns of a batch to 0."""

    spelling = "drop_columns"

    def __init__(self, share=0.3):
        super().__init__()
        self.share = share

    def forward(self, x, generator):
        """Return `x` with some columns at 0."""
        hidden = torch.rand(x.shape[1:], generator=generator, device=x.device) < self.share
        return x.masked_fill(hidden, 0.0), None


@pytest.fixture(autouse=True)
def menus(monkeypatch):
    """Leave the menus as they were."""
    for kind in ("bottleneck", "corruption"):
        monkeypatch.setitem(MENUS, kind, dict(MENUS[kind]))


def test_a_part_of_ones_own_trains_and_is_saved(table, tmp_path, capsys, monkeypatch):
    register("bottleneck", Noisy)
    register("corruption", Drop)
    options = {"bottleneck": "noisy(2)", "corruption": "drop_columns(0.2) | gaussian(0.1)", "epochs": 2}
    model = Autoencoder(backbone="dense(hidden=[8])", random_state=0, device="cpu", **options).fit(table)
    model.save(tmp_path / "own.safetensors")
    assert np.array_equal(load(tmp_path / "own.safetensors").transform(table), model.transform(table).astype(float))
    assert main(["parts"]) == 0
    assert "drop_columns" in capsys.readouterr().out
    monkeypatch.delitem(MENUS["corruption"], "drop_columns")
    with pytest.raises(ModelFileError, match=r"corruption 'drop_columns' is not known here; register it first"):
        load(tmp_path / "own.safetensors")


def test_a_class_that_is_defined_again_takes_the_place_of_the_former():
    register("bottleneck", Noisy)
    again = type("Noisy", (Noisy.__mro__[1],), dict(vars(Noisy)))
    register("bottleneck", again)
    assert MENUS["bottleneck"]["noisy"] is again


@pytest.mark.parametrize(
    ("kind", "part", "words"),
    [
        ("botleneck", Noisy, "did you mean 'bottleneck'"),
        ("loss", Noisy, "every loss is a subclass of Loss"),
        ("bottleneck", "noisy", "every bottleneck is a subclass of Bottleneck"),
        ("corruption", type("Mask", (Drop.__mro__[1],), {}), "the corruption 'mask' is one of narrows itself"),
    ],
)
def test_what_is_no_part_is_refused(kind, part, words):
    with pytest.raises(SpecError, match=words):
        register(kind, part)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"spelling": "my part"}, "one word of letters, digits and _, however: 'my part'"),
        ({"spelling": "map.x"}, "one word of letters"),
        ({"spelling": "class"}, "one word of letters"),
        ({"spelling": ""}, "one word of letters"),
        ({"version": "1"}, "the version of an attachment is a whole number"),
        ({"version": True}, "the version of an attachment is a whole number"),
    ],
    ids=str,
)
def test_what_could_be_saved_and_never_opened_again_is_refused_at_once(attributes, words):
    own = type("Own", (Spread,), {"spelling": "own", "version": 1} | attributes)
    with pytest.raises(SpecError, match=words):
        register("attachment", own)


def test_a_class_that_lacks_a_method_is_refused_at_once():
    with pytest.raises(SpecError, match="every corruption has a method 'forward', however Own has none"):
        register("corruption", type("Own", (Corruption,), {}))

"""Samples and their targets belong together by row, or by the names of their pictures."""

import numpy as np
import pytest
import torch
from disk import put_all, waves

from narrows.data.read import read
from narrows.data.stream import take
from narrows.errors import NarrowsError
from narrows.training.fit import Fit
from narrows.training.split import arrange


def test_pairs_of_folders_match_by_name_and_others_are_named(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 200, (40, 50), dtype=np.uint8) for name in ("a.png", "sub/b.png", "c.png")}
    noisy = put_all(tmp_path / "noisy", pictures)
    clean = put_all(tmp_path / "clean", {name: picture + 1 for name, picture in list(pictures.items())[:2]})
    put_all(clean, {"z.png": pictures["c.png"]})
    for options in ({"patch_size": 16}, {}):
        samples = read(noisy, target=clean, **options)
        assert set(samples.names) == {"a.png", "sub/b.png"}
        assert {name for name, _ in samples.skipped} == {"c.png", "target z.png"}
        batch = take(*(arrange(x)[0] for x in (samples.x, samples.target)), torch.tensor([0, 1]), torch.Generator())
        assert torch.equal(batch.target, batch.x + 1)


def test_pairs_that_do_not_fit_are_refused(tmp_path):
    x = np.zeros((4, 9, 9), np.uint8)
    for target in (x[:3], x[:, :8], x.astype(float)):
        with pytest.raises(NarrowsError, match="must have one shape and type, however"):
            read(x, target=target)
    a = put_all(tmp_path / "a", {"1.png": np.zeros((9, 9), np.uint8)})
    b = put_all(tmp_path / "b", {"2.png": np.zeros((9, 9), np.uint8)})
    with pytest.raises(NarrowsError, match=r"must have the same names, however: .* has '1.png' and the target '2.png'"):
        read(a, target=b)


def test_pairs_are_learned_without_added_damage():
    clean = waves(60, (16, 16))
    noisy = clean + np.random.default_rng(0).normal(0, 40, clean.shape)
    fit = Fit(read(noisy, target=clean), epochs=10, backbone="unet(4)", bottleneck="linear(2)", device="cpu")
    assert fit.plan.texts["corruption"] == "none()"
    model = fit.run()
    scale = model.network.scaling.scale.item()
    assert model.card.metrics["validation_mse"] < 0.5 * (40 / scale) ** 2

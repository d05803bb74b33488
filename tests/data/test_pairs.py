"""Samples and their targets belong together by row, or by the names of their pictures."""

import numpy as np
import pytest
import torch
from disk import put_all, waves

import narrows
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


@pytest.mark.parametrize(
    ("noisy", "clean"),
    [
        ("a.bmp", "a.png"),
        ("a.PNG", "a.png"),
        ("A.png", "a.png"),
        ("\u00e9.png", "e\u0301.png"),
        ("sub/e\u0301.PNG", "sub/\u00e9.bmp"),
    ],
)
def test_pairs_match_by_stem_and_normal_form(tmp_path, noisy, clean):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 200, (2, 12, 10), np.uint8)
    put_all(tmp_path / "noisy", {noisy: pictures[0], "z.png": pictures[1]})
    put_all(tmp_path / "clean", {clean: pictures[0] + 1, "z.png": pictures[1] + 1})
    samples = read(tmp_path / "noisy", target=tmp_path / "clean")
    assert samples.skipped == ()
    assert "1 of 2 pairs were matched by their names without the ending" in samples.notes[-1]
    np.testing.assert_array_equal(samples.target, samples.x + 1)
    model = narrows.Autoencoder(backbone="unet(2)", max_steps=1, random_state=0).fit(pictures)
    options = {"output": tmp_path / "out", "clean": tmp_path / "clean"}
    outcomes = narrows.denoise(model, tmp_path / "noisy", **options)
    assert [outcome.missing for outcome in outcomes] == ["", ""]
    assert all(outcome.likeness is not None for outcome in outcomes)


def test_a_name_that_could_mean_two_matches_none(tmp_path):
    x = np.zeros((12, 10), np.uint8)
    put_all(tmp_path / "noisy", {"a.bmp": x, "b.png": x})
    put_all(tmp_path / "clean", {"a.png": x, "a.tif": x, "b.png": x})
    assert read(tmp_path / "noisy", target=tmp_path / "clean").names == ("b.png",)

"""Arrays whose axes are named, or must be: from training to what comes back, in Python and in the shell."""

import numpy as np
import pytest

import narrows
from narrows import Autoencoder, DataError
from narrows.cli import main

FAST = {"epochs": 1, "backbone": "dense(hidden=[])", "bottleneck": "linear(2)", "random_state": 0}


def pictures(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [(10, 16, 16, 16), (10, 5, 9, 8), (6, 3, 9, 8), (6, 9, 8, 2)])
def test_four_dimensions_that_may_mean_anything_ask_for_their_axes(shape, tmp_path, capsys):
    with pytest.raises(DataError, match=r'axes="NZHW".*axes="NHWC" or axes="NCHW"'):
        Autoencoder(**FAST).fit(pictures(*shape))
    np.save(tmp_path / "a.npy", pictures(*shape))
    assert main(["train", str(tmp_path / "a.npy"), "-o", str(tmp_path / "run")]) == 2
    assert "axes are: --axes NZHW (each slice is a picture), --axes NHWC or --axes NCHW" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_slices_are_pictures_and_come_back_as_they_were(tmp_path):
    x = pictures(6, 5, 9, 8)
    model = Autoencoder(axes="NZHW", **FAST).fit(x)
    assert model.model_.network.shape == (1, 9, 8)
    assert model.model_.card.layout == "slices"
    assert model.transform(x).shape == (30, 2)
    assert model.score_samples(x).shape == (30,)
    out = model.reconstruct(x)
    np.testing.assert_array_equal(out, model.reconstruct(x.reshape(30, 9, 8)).reshape(x.shape))
    assert model.inverse_transform(model.transform(x)).shape == (30, 9, 8)
    model.save(tmp_path / "m.safetensors")
    loaded = narrows.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.reconstruct(x), out)
    np.testing.assert_array_equal(loaded.denoise(x[:, :3]), out[:, :3])
    np.testing.assert_array_equal(narrows.reconstruct(loaded, x, output=tmp_path / "o.npy"), out)
    np.testing.assert_array_equal(np.load(tmp_path / "o.npy"), out)
    narrows.reconstruct(loaded, x, output=tmp_path / "folder")
    assert len(list((tmp_path / "folder").iterdir())) == 30


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_named_channels_come_back_where_they_were(channels):
    last = pictures(12, 9, 8, channels)
    first = np.ascontiguousarray(np.moveaxis(last, -1, 1))
    one, two = (Autoencoder(axes=axes, **FAST).fit(x) for axes, x in (("NHWC", last), ("nchw", first)))
    assert one.model_.network.shape == two.model_.network.shape == (channels, 9, 8)
    out = one.reconstruct(last)
    assert out.shape == last.shape
    np.testing.assert_array_equal(two.reconstruct(first), np.moveaxis(out, -1, 1))
    np.testing.assert_array_equal(two.inverse_transform(two.transform(first)), np.moveaxis(out, -1, 1))
    assert two.model_.card.layout == "channels_first"


def test_a_cube_of_channels_is_read_as_the_model_learned_it():
    x = pictures(12, 8, 8, 8)
    first = Autoencoder(axes="NCHW", **FAST).fit(x)
    last = Autoencoder(axes="NHWC", **FAST).fit(np.ascontiguousarray(np.moveaxis(x, 1, -1)))
    np.testing.assert_array_equal(first.transform(x), last.transform(np.moveaxis(x, 1, -1)))


@pytest.mark.parametrize(("axes", "shape"), [("NZHW", (4, 3, 9, 8)), ("NCHW", (4, 5, 9, 8)), ("NHWC", (4, 9, 8, 6))])
def test_a_denoiser_of_pictures_of_any_size_keeps_axes(axes, shape):
    x = pictures(*shape)
    model = Autoencoder(axes=axes, backbone="unet(2)", bottleneck="linear(2)", max_steps=2, random_state=0).fit(x)
    larger = np.repeat(x, 2, axis=2)
    assert model.denoise(larger).shape == larger.shape
    np.testing.assert_array_equal(narrows.denoise(model, larger), model.denoise(larger))


@pytest.mark.parametrize("channels", [3, 4])
def test_one_colour_picture_is_one(channels):
    x = pictures(16, 12, channels)
    with pytest.warns(
        UserWarning, match=rf'one colour picture of 16x12; axes="NHW" reads 16 grey ones of 12x{channels}'
    ):
        model = Autoencoder(patch_size=8, **FAST).fit(x)
    assert model.model_.network.shape == (channels, 8, 8)
    assert narrows.read(x, axes="NHW").x.shape == (16, 12, channels)
    corrupted = narrows.corrupt(x, "mask(0.5)")
    assert corrupted.shape == x.shape
    grey = Autoencoder(axes="NHW", **FAST).fit(x)
    assert grey.reconstruct(x).shape == x.shape
    assert grey.model_.network.shape == (1, 12, channels)


def test_labels_go_to_every_slice():
    x = pictures(3, 2, 9, 8)
    assert narrows.read(x, axes="NZHW", labels=["a", "b", "c"]).labels.tolist() == ["a", "a", "b", "b", "c", "c"]
    assert narrows.read(x, axes="NZHW", labels=np.arange(6)).labels.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("axes", ["NWH", "", 3, "NHWCZ"])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(DataError, match="axes must be one of NHW, HWC, NHWC, NCHW, NZHW, however"):
        narrows.read(pictures(3, 9, 8), axes=axes)


def test_axes_of_another_number_of_dimensions_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"NZHW are 4 dimensions, however: the array has 3"):
        narrows.read(pictures(3, 9, 8), axes="NZHW")
    narrows.corrupt(pictures(3, 9, 8), "mask(0.5)", output=tmp_path / "p")
    with pytest.raises(DataError, match="axes are named for an array as it came"):
        narrows.read(tmp_path / "p", axes="NHW")


def test_the_shell_takes_axes_in_every_verb(tmp_path, capsys):
    np.save(tmp_path / "a.npy", pictures(6, 5, 9, 8))
    data, run = str(tmp_path / "a.npy"), str(tmp_path / "run")
    words = ["train", data, "--axes", "NZHW", "--epochs", "1", "--backbone", "dense(hidden=[])", "-o", run]
    assert main([*words, "--bottleneck", "linear(2)"]) == 0
    for verb, name in (("reconstruct", "r.npy"), ("denoise", "d.npy")):
        for axes in ([], ["--axes", "NZHW"]):
            assert main([verb, run, data, "-o", str(tmp_path / name), "--overwrite", *axes]) == 0
            assert np.load(tmp_path / name).shape == (6, 5, 9, 8)
    assert main(["corrupt", data, "--with", "mask(0.5)", "--axes", "NZHW", "-o", str(tmp_path / "c.npy")]) == 0
    assert np.load(tmp_path / "c.npy").shape == (6, 5, 9, 8)
    for verb, name in (("encode", "z.csv"), ("map", "m.csv")):
        assert main([verb, run, data, "--axes", "NZHW", "-o", str(tmp_path / name)]) == 0
        assert len((tmp_path / name).read_text().splitlines()) == 31
    assert main(["evaluate", run, data]) == 0
    assert "Reconstruction of 30 samples" in capsys.readouterr().out
    assert main(["report", run, data, "--axes", "NZHW", "-o", str(tmp_path / "r.html")]) == 0
    assert main(["info", data, "--axes", "NZHW"]) == 0
    assert "(30, 9, 8)" in capsys.readouterr().out

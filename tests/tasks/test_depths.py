"""Numbers of another range than that of training are taken by what they mean, and a line says so."""

import numpy as np
import pytest
from restoring import model_of

import narrows
from narrows.tasks.depths import find_depth
from narrows.tasks.reconstruct import denoise, reconstruct
from narrows.tasks.score import errors

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (20, 16, 16), np.uint8)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fractions_beside_a_model_of_bytes_are_shares_of_the_range(dtype):
    model, shares = model_of(), (PICTURES / 255).astype(dtype)
    tolerance = 2e-3 if dtype == np.float16 else 1e-5
    for task in (reconstruct, denoise):
        result = task(model, shares)
        assert result.dtype == dtype
        assert np.allclose(result * 255.0, task(model, PICTURES.astype(np.float64)), atol=255 * tolerance)
    assert np.allclose(errors(model, shares), errors(model, PICTURES), rtol=0.05 if dtype == np.float16 else 1e-3)
    assert find_depth(model, shares).note.startswith("fractions from 0 to 1: they count as shares")


def test_noisy_and_binary_fractions_are_shares_too():
    model = model_of()
    noisy = PICTURES / 255 + RNG.normal(0, 0.3, PICTURES.shape)
    assert np.allclose(denoise(model, noisy) * 255, denoise(model, noisy * 255))
    binary = (PICTURES > 127).astype(np.float32)
    assert np.allclose(errors(model, binary), errors(model, PICTURES > 127))


def test_bytes_as_floats_dark_ones_and_tables_stay_as_they_are():
    model = model_of()
    assert not find_depth(model, PICTURES.astype(np.float32)).note
    dark = np.array([[0.0, 1.0, 2.0, 3.0]])
    assert find_depth(model, np.tile(dark, (16, 4))).top is None
    assert find_depth(model, np.zeros((16, 16))).top is None
    table = narrows.train(RNG.integers(0, 200, (40, 4)), bottleneck="linear(2)", epochs=1, seed=0)
    assert find_depth(table.model_, RNG.random((3, 4))).top is None


def test_another_scaling_knows_the_range_of_bytes_too():
    model = narrows.train(
        PICTURES, backbone="dense(hidden=[])", bottleneck="linear(2)", scaling="standard", epochs=1, seed=0
    ).model_
    assert np.allclose(errors(model, PICTURES / 255), errors(model, PICTURES), rtol=1e-4)
    assert np.array_equal(errors(model, PICTURES.astype(np.uint16)), errors(model, PICTURES))


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_a_picture_of_fewer_bits_in_16_is_restored_by_its_own_range(bits):
    model, top = model_of(), 2**bits - 1
    shares = RNG.random((40, 50))
    shares[0, 0] = 1.0
    deep = np.rint(shares * top).astype(np.uint16)
    restored = denoise(model, deep)
    assert np.abs(restored / top - denoise(model, deep / top)).max() <= 1 / top
    assert find_depth(model, deep, restores=True).note == f"values of {bits} bits in 16: {top} counts as white"


def test_a_lone_large_pixel_makes_nothing_else_dark_and_stays():
    model = model_of()
    deep = RNG.integers(0, 4096, (60, 50)).astype(np.uint16)
    expected, hot = denoise(model, deep), deep.copy()
    hot[50, 40] = 65535
    restored = denoise(model, hot)
    assert restored[50, 40] == 65535
    assert np.array_equal(restored[:20, :20], expected[:20, :20])
    assert "rare larger ones stay as they are" in find_depth(model, hot, restores=True).note


def test_a_full_16_bit_picture_says_nothing_and_a_dark_one_in_other_tasks_does():
    model, deep = model_of(), PICTURES.astype(np.uint16) * 257
    assert not find_depth(model, deep, restores=True).note
    assert not find_depth(model, deep).note
    assert "multiply them by 16" in find_depth(model, deep // 16).note


def test_numbers_far_beyond_the_models_range_are_named():
    model = model_of(dtype="uint16", top=1023.0)
    assert "values up to 65,535, where the model's range is 0 to 1023" in find_depth(model, np.uint16([[65535]])).note
    assert not find_depth(model, np.uint16([[1023]])).note
    shares = model_of(dtype="float64", top=1.0)
    assert "values up to 255" in find_depth(shares, PICTURES.astype(np.float64)).note


def test_python_warns_and_the_shell_says_it(tmp_path, capsys):
    from narrows import modelfile
    from narrows.cli import main

    modelfile.save(tmp_path / "m.safetensors", model_of())
    loaded = narrows.load(tmp_path / "m.safetensors")
    for use in (loaded.score_samples, loaded.denoise, loaded.reconstruct):
        with pytest.warns(UserWarning, match="fractions from 0 to 1"):
            use(PICTURES / 255)
    np.save(tmp_path / "x.npy", PICTURES / 255)
    for verb in ("denoise", "reconstruct"):
        assert (
            main([verb, str(tmp_path / "m.safetensors"), str(tmp_path / "x.npy"), "-o", f"{tmp_path}/{verb}.npy"]) == 0
        )
    assert capsys.readouterr().out.count("note: fractions from 0 to 1") == 2

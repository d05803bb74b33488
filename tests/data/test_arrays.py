"""Arrays and their files are read as they are, or refused in one sentence."""

import gzip
import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from disk import idx, refused
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from narrows.data import arrays
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.errors import DataError

KINDS = ["bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]


class TestArrays:
    @pytest.mark.parametrize("dtype", KINDS)
    @pytest.mark.parametrize("shape", [(6, 5), (6, 5, 4), (6, 5, 4, 3), (6, 1, 5, 4), (6, 5, 4, 1)])
    def test_shape_type_and_values_are_kept(self, dtype, shape):
        x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        samples = read(x)
        assert samples.x is x
        assert (samples.origin, samples.reading, samples.labels, samples.notes) == ("array", {}, None, ())

    @pytest.mark.parametrize("dtype", KINDS)
    def test_torch_takes_what_comes_out(self, dtype):
        x = np.arange(24).reshape(4, 6).astype(dtype)
        fixed = x.copy()
        fixed.flags.writeable = False
        record = np.zeros(4, dtype=[("a", "u1"), ("b", dtype, 6)])
        record["b"] = x
        for odd in (x.astype(x.dtype.newbyteorder(">")), x[::-1, ::-1][::-1, ::-1], fixed, record["b"], x[:, ::2]):
            expected = odd.astype(x.dtype)
            out = read(odd).x
            assert out.dtype == x.dtype
            np.testing.assert_array_equal(torch.from_numpy(out).numpy(), expected)

    def test_negative_strides_and_read_only_arrays_are_copied(self):
        x = np.arange(12.0).reshape(3, 4)
        flipped, fixed = x[::-1], np.broadcast_to(x[0], (3, 4))
        np.testing.assert_array_equal(torch.from_numpy(read(flipped).x).numpy(), x[::-1])
        np.testing.assert_array_equal(torch.from_numpy(read(fixed).x).numpy(), fixed)

    @pytest.mark.parametrize(
        "dtype", [torch.uint8, torch.int64, torch.float16, torch.float32, torch.bool, torch.uint16]
    )
    def test_a_tensor_is_read_as_its_array(self, dtype):
        tensor = torch.arange(12).reshape(3, 4).to(dtype)
        assert read(tensor).x.dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(read(tensor).x, tensor.numpy())

    def test_tensors_of_training_are_read(self):
        assert read(torch.ones(3, 4, requires_grad=True)).x.dtype == np.float32
        assert read(torch.ones(3, 4, dtype=torch.bfloat16)).x.dtype == np.float32

    @pytest.mark.parametrize(
        "x",
        [
            np.array([[1, None]], dtype=object),
            np.ones((2, 3), complex),
            np.array([["a", "b"]]),
            np.array([[b"a", b"b"]]),
            np.zeros(3, dtype=[("a", "f4")]),
            np.zeros((2, 2), dtype="M8[s]"),
            np.zeros((2, 2), dtype="m8[s]"),
            np.zeros((2, 2), dtype=np.longdouble),
            torch.ones(2, 3, dtype=torch.complex64),
            {"a": 1},
            None,
            pytest.param(object(), id="an object"),
            b"bytes",
        ],
        ids=repr,
    )
    def test_anything_but_numbers_is_refused(self, x):
        assert "whole numbers, floats" in refused(x)

    def test_ragged_rows_and_masked_values_are_refused(self):
        assert "one length" in refused([[1, 2], [3]])
        assert "masked" in refused(np.ma.masked_equal([[1, 2]], 2))

    @given(
        hnp.arrays(
            st.sampled_from(KINDS), hnp.array_shapes(min_dims=2, max_dims=4), elements={"min_value": 0, "max_value": 1}
        )
    )
    def test_what_is_saved_is_read(self, x):
        file = io.BytesIO()
        np.save(file, x)
        file.seek(0)
        out = arrays._read_npy(file, len(file.getvalue()), "x")
        assert out.dtype == x.dtype
        np.testing.assert_array_equal(out, x)


class TestFiles:
    def test_npy(self, save):
        x = np.arange(12, dtype=">u2").reshape(3, 4)
        samples = read(save("table.npy", x))
        assert samples.origin == "table.npy"
        assert samples.x.dtype == np.dtype("=u2")
        np.testing.assert_array_equal(samples.x, x)
        np.testing.assert_array_equal(read(str(save("f.npy", np.asfortranarray(x)))).x, x)

    def test_npz_holds_x_and_y(self, tmp_path):
        x, path = np.arange(12.0).reshape(3, 4), tmp_path / "a.npz"
        for write in (np.savez, np.savez_compressed):
            write(path, x=x, y=np.array([2, 0, 1], np.uint8))
            samples = read(path)
            np.testing.assert_array_equal(samples.x, x)
            assert samples.labels.tolist() == [2, 0, 1]

    def test_npz_of_one_array_or_with_others(self, tmp_path):
        x, path = np.ones((3, 4)), tmp_path / "a.npz"
        np.savez(path, pictures=x)
        assert read(path).x.shape == (3, 4)
        np.savez(path, x=x, other=np.array([None]))
        assert read(path).x.shape == (3, 4)
        np.savez(path, z=x, y=np.ones(3))
        assert "`x`" in refused(path)

    @pytest.mark.parametrize(("code", "kind"), arrays.IDX_TYPES.items())
    def test_idx(self, save, code, kind):
        x = np.arange(24).reshape(2, 3, 4).astype(kind)
        for path in (save("a-idx3-ubyte", idx(x, code)), save("a.gz", gzip.compress(idx(x, code)))):
            samples = read(path)
            assert samples.x.dtype == np.dtype(kind).newbyteorder("=")
            np.testing.assert_array_equal(samples.x, x)

    def test_pickles_are_never_read(self, save, tmp_path):
        class Bomb:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "ran"),)

        objects = io.BytesIO()
        np.save(objects, np.array([Bomb()], dtype=object), allow_pickle=True)
        files = [save("a.npy", pickle.dumps(Bomb())), save("b.pkl", pickle.dumps(Bomb(), 0))]
        assert all("pickle" in refused(path) for path in files)
        assert "objects" in refused(save("c.npy", objects.getvalue()))
        np.savez(tmp_path / "d.npz", x=np.array([Bomb()], dtype=object))
        assert "objects" in refused(tmp_path / "d.npz")
        assert "pickle" in refused(np.ones((2, 2)), labels=files[0])
        assert not (tmp_path / "ran").exists()

    def test_claims_are_refused_before_allocation(self, save, tmp_path, monkeypatch):
        def forbidden(*args):
            raise AssertionError("memory was taken")

        monkeypatch.setattr(arrays.np, "empty", forbidden)
        huge = (10**4, 10**4, 10**4)
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": huge})
        bomb = idx(np.zeros(9, "u1"), dims=huge)
        for path in (save("a.idx", bomb), save("a.gz", gzip.compress(bomb)), save("a.npy", header.getvalue())):
            assert "cut short" in refused(path)

    def test_a_member_of_npz_is_counted_too(self, tmp_path):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("x.npy", header.getvalue())
        assert "cut short" in refused(tmp_path / "a.npz")

    def test_memory_is_counted(self, save, monkeypatch):
        monkeypatch.setattr("narrows.memory.available_memory", lambda: 50)
        assert "memory" in refused(save("a.npy", np.ones((3, 4))))

    @pytest.mark.parametrize("kind", ["npy", "npz", "idx", "gz"])
    def test_truncated_and_damaged_files_are_refused(self, save, tmp_path, kind):
        x = np.random.default_rng(0).integers(0, 255, (20, 10), np.uint8)
        file = io.BytesIO()
        {"npy": np.save, "npz": np.savez_compressed}.get(kind, lambda f, x: f.write(idx(x)))(file, x)
        whole = gzip.compress(file.getvalue()) if kind == "gz" else file.getvalue()
        for cut in range(0, len(whole) - 1, 7):
            assert f"a.{kind}" in refused(save(f"a.{kind}", whole[:cut]))
        generator = np.random.default_rng(1)
        for _ in range(100):
            damaged = bytearray(whole)
            damaged[generator.integers(len(damaged))] ^= int(generator.integers(1, 256))
            try:
                assert isinstance(read(save(f"a.{kind}", bytes(damaged))), Samples)
            except DataError:
                continue

    def test_more_values_than_said_are_refused(self, save):
        assert "more values" in refused(save("a.idx", idx(np.zeros((3, 2), "u1")) + b"1"))

    def test_other_files_are_refused(self, save, tmp_path):
        assert "no format that narrows reads" in refused(save("notes.md", "one two\n3 4\n"))
        assert "empty" in refused(save("empty.npy", b""))
        assert "inside its gzip" in refused(save("a.gz", gzip.compress(b"text")))
        assert "no array" in refused(save("a.npz", b"PK\x05\x06" + bytes(18)))
        assert "no file, folder or data set" in refused(tmp_path / "nothing.npy")
        assert "no file, folder or data set" in refused("x" * 5000)
        assert "no file, folder or data set" in refused("a\0b")

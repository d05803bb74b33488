"""Arrays, their files, tables and labels are read as they are, or refused in one sentence."""

import gzip
import io
import os
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from narrows.data import read as formats
from narrows.data.read import Samples, read
from narrows.errors import DataError

KINDS = ["bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]


def idx(array, code=8, dims=None):
    dims = array.shape if dims is None else dims
    return bytes([0, 0, code, len(dims)]) + struct.pack(f">{len(dims)}I", *dims) + array.tobytes()


def refused(source, **options):
    """Return the sentence that refuses `source`."""
    with pytest.raises(DataError) as caught:
        read(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def save(tmp_path):
    """Return a function that writes bytes, a text or an array to a file and returns its path."""

    def write(name, content):
        path = tmp_path / name
        if isinstance(content, np.ndarray):
            with open(path, "wb") as file:
                np.save(file, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


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

    def test_samples_come_back_as_they_are(self):
        samples = read(np.ones((3, 4)))
        assert read(samples) is samples
        assert read(samples, labels=[1, 2, 3]).labels.tolist() == [1, 2, 3]

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

    def test_no_sample_is_refused(self):
        assert "(0, 5)" in refused(np.zeros((0, 5)))
        assert "(5, 0)" in refused(np.zeros((5, 0)))
        assert "single number" in refused(np.float64(3))

    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
    def test_values_that_are_not_finite_are_counted_and_placed(self, dtype):
        x = np.zeros((5, 6, 7), dtype)
        x[2, 3, 4] = np.nan
        assert "1 value that is NaN or infinite, the first at [2, 3, 4]" in refused(x)
        x[4] = -np.inf
        assert "43 values that are NaN or infinite, the first at [2, 3, 4]" in refused(x)

    @given(
        hnp.arrays(
            st.sampled_from(KINDS), hnp.array_shapes(min_dims=2, max_dims=4), elements={"min_value": 0, "max_value": 1}
        )
    )
    def test_what_is_saved_is_read(self, x):
        file = io.BytesIO()
        np.save(file, x)
        file.seek(0)
        out = formats._read_npy(file, len(file.getvalue()), "x")
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
        np.savez(path, x_train=x, x_test=x)
        assert "x_test, x_train" in refused(path)
        np.savez(path, z=x, y=np.ones(3))
        assert "`x`" in refused(path)

    def test_y_that_is_no_label_is_left_out_with_a_note(self, tmp_path):
        path = tmp_path / "a.npz"
        np.savez(path, x=np.ones((3, 4)), y=np.array([0.5, 1.5, 2]))
        samples = read(path)
        assert samples.labels is None
        assert "left out: y" in samples.notes[0]
        np.savez(path, x=np.ones((3, 4)), y=np.arange(4))
        assert "4 labels, 3 samples" in refused(path)

    @pytest.mark.parametrize(("code", "kind"), formats.IDX_TYPES.items())
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

        monkeypatch.setattr(formats.np, "empty", forbidden)
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
        monkeypatch.setattr("narrows.data.images.available_memory", lambda: 50)
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
        assert "no format that narrows reads" in refused(save("notes.txt", "one two\n3 4\n"))
        assert "empty" in refused(save("empty.npy", b""))
        assert "inside its gzip" in refused(save("a.gz", gzip.compress(b"text")))
        assert "no array" in refused(save("a.npz", b"PK\x05\x06" + bytes(18)))
        assert "no file, folder or data set" in refused(tmp_path / "nothing.npy")
        assert "no file, folder or data set" in refused("x" * 5000)
        assert "no file, folder or data set" in refused("a\0b")

    @pytest.mark.parametrize("name", ["pipe", "pipe.csv"])
    def test_a_pipe_is_no_file(self, tmp_path, name):
        os.mkfifo(tmp_path / name)
        assert "it is no file" in refused(tmp_path / name)

    def test_only_the_last_name_is_shown(self, save, tmp_path, monkeypatch):
        save("a.npy", np.ones((2, 2)))
        assert read(f"{tmp_path}/../{tmp_path.name}/a.npy").origin == "a.npy"


class TestTables:
    def test_a_csv_with_a_header(self, save):
        samples = read(save("wine.csv", 'ash,"alcohol, %"\n1,2.5\n-3e2,4\n'))
        assert samples.columns == ("ash", "alcohol, %")
        assert samples.x.tolist() == [[1, 2.5], [-300, 4]]
        assert samples.x.dtype == np.float64
        assert samples.origin == "wine.csv"

    @pytest.mark.parametrize(
        "text", ["a;b\n1;2\n", "a\tb\n1\t2\n", "\ufeffa,b\r\n1,2\r\n", 'a,b\n"1", 2', "a,b\n1,2\n\n"]
    )
    def test_dialects(self, save, text):
        samples = read(save("t.csv", text))
        assert samples.columns == ("a", "b")
        assert samples.x.tolist() == [[1, 2]]

    def test_one_column_and_a_nameless_one(self, save):
        assert read(save("t.csv", "a\n1\n2\n")).x.tolist() == [[1], [2]]
        assert read(save("t.csv", ",a\n1,2\n")).columns == ("column 1", "a")

    def test_a_text_column_is_named(self, save):
        message = refused(save("t.csv", "age,name\n1,Ann\n2,Bob\n"))
        assert "'name'" in message
        assert "'Ann'" in message

    @pytest.mark.parametrize("gap", ["", " ", "NA", "nan", "NULL", "?"])
    def test_a_gap_is_placed(self, save, gap):
        message = refused(save("t.csv", f"age,height\n1,2\n3,{gap}\n"))
        assert "row 2" in message
        assert "'height'" in message

    def test_other_tables_are_refused(self, save):
        assert "row 2 has 3" in refused(save("t.csv", "a,b\n1,2\n1,2,3\n"))
        assert "2 values in each row" in refused(save("t.csv", "a,b\n1,2,3\n"))
        assert "first line is numbers" in refused(save("t.csv", "1,2\n3,4\n"))
        assert "at least one sample" in refused(save("t.csv", "a,b\n"))
        assert "empty" in refused(save("t.csv", ""))
        assert "cannot be read" in refused(save("t.csv", b"a,b\n\xff\xfe,1\n"))
        assert "cannot be read" in refused(save("t.csv", b"\xff\xfea,b\n1,1\n"))
        assert "'a'" in refused(save("t.csv", "a,b\ninf,1\n"))

    def test_a_folder_called_csv_is_no_table(self, tmp_path):
        (tmp_path / "t.csv").mkdir()
        assert "must hold pictures" in refused(tmp_path / "t.csv")


class TestLabels:
    X = np.ones((3, 4))

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("l.txt", "cat\ndog\ncat\n", ["cat", "dog", "cat"]),
            ("l.txt", "1\n-2\n3", [1, -2, 3]),
            ("l.csv", "kind\ncat\ndog\ncat\n", ["cat", "dog", "cat"]),
            ("l.csv", "1\r\n2\r\n3\r\n", [1, 2, 3]),
            ("l.csv", 'kind\n"a, b"\nc\nd\n', ["a, b", "c", "d"]),
            ("l.npy", np.array([1, 2, 3], ">i2"), [1, 2, 3]),
            ("l.npy", np.array([[1.0], [2.0], [3.0]]), [1, 2, 3]),
            ("l.npy", np.array(["a", "b", "c"]), ["a", "b", "c"]),
            ("l.idx", idx(np.array([7, 8, 9], "u1")), [7, 8, 9]),
            ("l.gz", gzip.compress(idx(np.array([7, 8, 9], "u1")), mtime=0), [7, 8, 9]),
        ],
    )
    def test_files(self, save, name, content, expected):
        labels = read(self.X, labels=save(name, content)).labels
        assert labels.tolist() == expected
        assert labels.dtype.kind == ("i" if isinstance(expected[0], int) else "U")

    def test_npz_and_arrays(self, tmp_path):
        np.savez(tmp_path / "l.npz", y=[1, 2, 3], x=np.ones((9, 9)))
        assert read(self.X, labels=tmp_path / "l.npz").labels.tolist() == [1, 2, 3]
        np.savez(tmp_path / "l.npz", labels=[1, 2, 3])
        assert read(self.X, labels=str(tmp_path / "l.npz")).labels.tolist() == [1, 2, 3]
        for values in ([1, 2, 3], torch.tensor([1, 2, 3]), np.array([1, 2, 3], object), np.array([1, 2, 3], "u8")):
            assert read(self.X, labels=values).labels.tolist() == [1, 2, 3]
        assert read(self.X, labels=[True, False, True]).labels.tolist() == [1, 0, 1]
        assert read(self.X, labels=np.array(["a", "b", "c"], object)).labels.dtype.kind == "U"

    def test_another_length_is_refused_with_both_counts(self, save):
        assert "2 labels, 3 samples" in refused(self.X, labels=save("l.txt", "a\nb\n"))

    def test_what_is_no_label_is_refused(self, save, tmp_path):
        assert "one column" in refused(self.X, labels=np.ones((3, 2)))
        assert "one column" in refused(self.X, labels=[0.5, 1, 2])
        assert "one column" in refused(self.X, labels=np.array([None, 1, "a"]))
        assert "one column" in refused(self.X, labels=save("l.csv", "a,b\n1,2\n"))
        assert "no file of labels" in refused(self.X, labels=tmp_path / "none.txt")
        assert "no file of labels" in refused(self.X, labels=tmp_path)
        assert "empty" in refused(self.X, labels=save("l.txt", ""))
        assert "cannot be read" in refused(self.X, labels=save("l.txt", b"\xff\xfe\xff\n"))

    def test_given_labels_win(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=self.X, y=[1, 2, 3])
        assert read(tmp_path / "a.npz", labels=["a", "b", "c"]).labels.tolist() == ["a", "b", "c"]


def test_reading_neither_warns_nor_leaves_files_open(save):
    path = save("a.npy", np.ones((2, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(path)
        torch.from_numpy(read(Path(path)).x)

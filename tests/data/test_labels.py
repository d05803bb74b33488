"""Labels are integers or texts, one per sample, from values or from a file."""

import gzip

import numpy as np
import pytest
import torch
from disk import idx, refused

from narrows.data.read import read


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
        assert "row 2 is '1j'" in refused(self.X, labels=[1, 1j, "a"])
        assert "row 1 is '1e+300'" in refused(self.X, labels=[1e300, 1.0, 2.0])
        assert "one column" in refused(self.X, labels=save("l.csv", "a,b\n1,2\n"))
        assert "no file of labels" in refused(self.X, labels=tmp_path / "none.txt")
        assert "no file of labels" in refused(self.X, labels=tmp_path)
        assert "empty" in refused(self.X, labels=save("l.txt", ""))
        assert "cannot be read" in refused(self.X, labels=save("l.txt", b"\xff\xfe\xff\n"))

    def test_given_labels_win(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=self.X, y=[1, 2, 3])
        assert read(tmp_path / "a.npz", labels=["a", "b", "c"]).labels.tolist() == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (["01", "1", "001"], ["01", "1", "001"]),
            (["1", "-2", "0"], [1, -2, 0]),
            (["-0", "+1", "1_0"], ["-0", "+1", "1_0"]),
            (["9223372036854775807", "9223372036854775808", "1"], ["9223372036854775807", "9223372036854775808", "1"]),
            (np.array([2**64 - 1, 2**63, 0], np.uint64), [2**64 - 1, 2**63, 0]),
            ([2**64 - 1, 2**63, 0], [2**64 - 1, 2**63, 0]),
            ([2**63, -1, 2**70], [str(2**63), "-1", str(2**70)]),
            ([b"\xff", b"\xfe", b"a"], ["\\xff", "\\xfe", "a"]),
            (["a", float("nan"), "b"], ["a", None, "b"]),
            ([None, 1, "a"], [None, "1", "a"]),
            ([1.0, float("nan"), 2.0], [1, None, 2]),
            (["a", "", " "], ["a", None, None]),
            (["nan", "NA", "None"], ["nan", "NA", "None"]),
            (np.ma.array([1, 2, 3], mask=[0, 1, 0]), [1, None, 3]),
            (np.array([1.0, np.nan, 3.0], np.float32), [1, None, 3]),
        ],
    )
    def test_labels_are_what_was_written(self, given, kept):
        samples = read(self.X, labels=given)
        assert samples.labels.tolist() == kept
        gaps = kept.count(None)
        said = f"note: {gaps} of 3 samples are not labelled (an empty label); maps draw them grey"
        assert samples.notes == ((said,) if gaps else ())

    def test_gaps_of_pandas(self):
        pandas = pytest.importorskip("pandas")
        columns = [
            (pandas.Series(["a", pandas.NA, "b"]), ["a", None, "b"]),
            (pandas.Categorical(["a", None, "b"]), ["a", None, "b"]),
            (pandas.Series(pandas.Categorical([1, None, 2])), [1, None, 2]),
            (pandas.array([1, None, 3], dtype="Int64"), [1, None, 3]),
            (pandas.Series([True, None, False]), [1, None, 0]),
            (pandas.DataFrame({"kind": ["a", "b", None]}), ["a", "b", None]),
        ]
        for column, kept in columns:
            assert read(self.X, labels=column).labels.tolist() == kept

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("l.csv", 'kind\n"two\nlines"\n"a ""b"""\nc\n', ["two\nlines", 'a "b"', "c"]),
            ("l.csv", "kind\na\n\n\n", ["a", None, None]),
            ("l.csv", 'kind\r\n""\r\na\r\nb\r\n', [None, "a", "b"]),
            ("l.csv", "kind\na\nb\nc\n\n\n", ["a", "b", "c"]),
            ("l.txt", "a\nb\x85\n\n", ["a", "b\x85", None]),
            ("l.csv", "zip\n01\n1\n2\n", ["01", "1", "2"]),
        ],
    )
    def test_empty_lines_are_not_labelled_and_quotes_hold_lines_together(self, save, name, content, expected):
        samples = read(self.X, labels=save(name, content))
        assert samples.labels.tolist() == expected
        assert any("2 empty lines more" in note for note in samples.notes) == content.endswith("c\n\n\n")

    def test_a_quote_that_does_not_end_is_said(self, save):
        assert "unexpected end" in refused(self.X, labels=save("l.csv", 'kind\na\n"b\nc\n'))

    def test_no_label_at_all_is_none(self):
        samples = read(self.X, labels=[None, "", float("nan")])
        assert samples.labels is None
        assert "3 of 3" in samples.notes[0]

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
        assert "one column" in refused(self.X, labels=np.array([None, 1, "a"]))
        assert "one column" in refused(self.X, labels=save("l.csv", "a,b\n1,2\n"))
        assert "no file of labels" in refused(self.X, labels=tmp_path / "none.txt")
        assert "no file of labels" in refused(self.X, labels=tmp_path)
        assert "empty" in refused(self.X, labels=save("l.txt", ""))
        assert "cannot be read" in refused(self.X, labels=save("l.txt", b"\xff\xfe\xff\n"))

    def test_given_labels_win(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=self.X, y=[1, 2, 3])
        assert read(tmp_path / "a.npz", labels=["a", "b", "c"]).labels.tolist() == ["a", "b", "c"]

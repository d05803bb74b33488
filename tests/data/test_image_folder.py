"""The pictures of a folder are found, named and labelled by their subfolders."""

import os

import numpy as np
import pytest
from disk import gradient, put, refused

from narrows.data.layout import to_samples
from narrows.data.read import read


class TestFolder:
    def test_sorted_with_subfolders_and_without_hidden_files(self, tmp_path):
        for i, name in enumerate(["b.png", "a/z.png", "a/b/c.PNG", ".hidden.png", ".cache/d.png"]):
            put(tmp_path / name, np.full((4, 5), i, np.uint8))
        samples = read(tmp_path)
        assert samples.names == ("a/b/c.PNG", "a/z.png", "b.png")
        assert samples.x[:, 0, 0].tolist() == [2, 1, 0]
        assert samples.origin == tmp_path.name
        assert samples.labels is None
        assert samples.notes == ()
        assert samples.reading == {"size": [4, 5], "fit": "crop", "colour": "grey", "depth": 8}

    def test_subfolders_are_labels_and_pictures_beside_them_have_none(self, tmp_path):
        for name in ("cat/1.png", "cat/kitten/2.png", "dog/1.png"):
            put(tmp_path / name, gradient(4, 5))
        assert read(tmp_path).labels.tolist() == ["cat", "cat", "dog"]
        assert read(tmp_path, labels=[1, 2, 3]).labels.tolist() == [1, 2, 3]
        assert read(tmp_path / "cat").labels is None
        put(tmp_path / "1.png", gradient(4, 5))
        samples = read(tmp_path)
        assert samples.labels.tolist() == [None, "cat", "cat", "dog"]
        assert samples.notes == ("1 of 4 pictures lie beside the folders and are not labelled",)

    def test_links_in_a_circle_end(self, tmp_path):
        put(tmp_path / "a/1.png", gradient(4, 5))
        os.symlink(tmp_path, tmp_path / "a" / "loop")
        os.symlink(tmp_path / "nothing.png", tmp_path / "gone.png")
        samples = read(tmp_path)
        assert samples.names == ("a/1.png",)
        assert [name for name, _ in samples.skipped] == ["gone.png"]

    def test_other_files_are_counted_in_a_note(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        for name in ("labels.csv", "notes.txt", "readme", ".DS_Store"):
            (tmp_path / name).write_text("text")
        note = "ignored 3 files of formats that are not read (.csv 1, .txt 1, without extension 1)"
        assert read(tmp_path).notes == (note,)

    def test_pictures_of_formats_that_are_not_read_are_counted_by_all_their_endings(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        endings = [".ARW", ".cr2", ".czi", ".dcm", ".dcm", ".nef", ".nii", ".svg"]
        for i, ending in enumerate(endings):
            (tmp_path / f"{i}{ending}").write_bytes(b"...")
        (note,) = read(tmp_path).notes
        assert "ignored 8 files" in note
        assert all(ending.lower() in note for ending in endings)
        assert ".dcm 2" in note

    @pytest.mark.parametrize("ending", ["tga", "ppm", "bmp", "jp2", "pcx", "sgi", "qoi", "dds", "ico"])
    def test_what_pillow_reads_is_read(self, tmp_path, ending):
        put(tmp_path / f"a.{ending}", gradient(32, 32, 3))
        assert np.array_equal(read(tmp_path).x[0], gradient(32, 32, 3))

    def test_no_picture_is_refused(self, tmp_path):
        assert "holds no file" in refused(tmp_path)
        (tmp_path / "a.txt").write_text("text")
        assert "it holds 1 file of formats that are not read (.txt 1)" in refused(tmp_path)

    def test_a_single_picture_is_a_folder_of_one(self, tmp_path):
        samples = read(put(tmp_path / "a.png", gradient(4, 5)))
        assert (samples.names, samples.origin, samples.x.shape) == (("a.png",), "a.png", (1, 4, 5))
        (tmp_path / "b.png").write_text("text")
        assert "b.png" in refused(tmp_path / "b.png")

    def test_torch_takes_them(self, tmp_path):
        torch = pytest.importorskip("torch")
        for name in ("a.png", "b.png"):
            put(tmp_path / name, gradient(4, 5, 3))
        samples, layout = to_samples(read(tmp_path).x)
        assert torch.from_numpy(samples).shape == (2, 3, 4, 5)
        assert layout.kind == "channels_last"

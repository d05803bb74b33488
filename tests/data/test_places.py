"""Pictures and arrays are found wherever people keep them: lists, patterns, zips, folders of arrays."""

import io
import os
import zipfile

import numpy as np
import pytest
from disk import gradient, put, put_all, refused

import narrows
from narrows.cli import main
from narrows.data.read import read

NAMES = ("cat/1.png", "cat/2.png", "dog/1.png")


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    return put_all(tmp_path / "pics", {name: rng.integers(0, 256, (9, 8), np.uint8) for name in NAMES})


def zipped(folder, path, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


class TestSeveralPaths:
    def test_a_list_is_read_as_a_folder_is(self, pictures):
        whole = read(pictures)
        for source in ([pictures / "cat", pictures / "dog"], [str(pictures / name) for name in NAMES], (pictures,)):
            samples = read(source)
            assert samples.names == NAMES
            assert samples.labels.tolist() == whole.labels.tolist() == ["cat", "cat", "dog"]
            assert samples.origin == "pics"
            np.testing.assert_array_equal(samples.x, whole.x)

    def test_a_path_is_taken_once(self, pictures):
        assert read([pictures / NAMES[0], pictures / NAMES[0], pictures / NAMES[1]]).names == ("1.png", "2.png")

    @pytest.mark.parametrize("pattern", ["pics/*/*.png", "pics/**/*.png", "pics/*", "pics/[cd]*/?.png"])
    def test_a_pattern_is_read_as_a_folder_is(self, pictures, monkeypatch, pattern):
        monkeypatch.chdir(pictures.parent)
        assert read(pattern).names == NAMES

    def test_a_pattern_may_match_one_file_of_any_kind(self, tmp_path, save):
        save("only.npy", np.ones((3, 4)))
        assert read(str(tmp_path / "on*.npy")).x.shape == (3, 4)

    def test_a_name_with_the_signs_of_a_pattern_is_that_file(self, tmp_path):
        put(tmp_path / "a[1].png", gradient(9, 8))
        assert read(str(tmp_path / "a[1].png")).names == ("a[1].png",)

    def test_what_is_not_there_is_named(self, pictures):
        assert "no file matches the pattern" in refused(str(pictures / "*.bmp"))
        assert "there is no file, folder or data set" in refused([pictures, "nothing.png"])
        assert "give it alone" in refused([pictures, "mnist:test"])

    def test_the_shell_takes_several_paths(self, pictures, tmp_path, capsys):
        paths = [str(pictures / name) for name in NAMES]
        assert main(["info", *paths]) == 0
        assert "uint8 (3, 9, 8)" in capsys.readouterr().out
        words = ["--backbone", "dense(hidden=[])", "--epochs", "1", "--bottleneck", "linear(2)"]
        assert main(["train", *paths, *words, "-o", str(tmp_path / "run")]) == 0
        assert main(["encode", str(tmp_path / "run"), *paths, "-o", str(tmp_path / "z.npy")]) == 0
        assert np.load(tmp_path / "z.npy").shape == (3, 2)
        assert main(["encode", str(tmp_path / "run"), "-o", str(tmp_path / "z2.npy")]) == 2
        assert "DATA is missing" in capsys.readouterr().err


class TestZip:
    @pytest.mark.parametrize("name", ["data.zip", "DATA.ZIP"])
    def test_pictures_and_their_folders_are_read(self, pictures, tmp_path, name):
        path = zipped(pictures, tmp_path / name)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("__MACOSX/pics/._1.png", b"nothing")
            archive.writestr("pics/notes.txt", "text")
        samples = read(path)
        assert samples.names == NAMES
        assert samples.labels.tolist() == ["cat", "cat", "dog"]
        assert samples.origin == name
        np.testing.assert_array_equal(samples.x, read(pictures).x)
        assert read(path, patch_size=4).names == NAMES

    def test_nothing_stays_behind(self, pictures, tmp_path, monkeypatch):
        (tmp_path / "temporary").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
        read(zipped(pictures, tmp_path / "data.zip"))
        assert not list((tmp_path / "temporary").iterdir())

    def test_names_that_lead_outside_stay_inside(self, pictures, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.write(pictures / NAMES[0], "../../escaped.png")
            archive.write(pictures / NAMES[1], "/absolute.png")
        assert len(read(tmp_path / "a.zip").x) == 2
        assert not list(tmp_path.parent.rglob("escaped.png"))

    def test_bombs_are_refused_by_what_they_say(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.bmp", bytes(2**27))
        assert "decompression bomb" in refused(tmp_path / "a.zip")

    def test_a_damaged_picture_is_skipped_and_a_damaged_zip_refused(self, pictures, tmp_path):
        path = zipped(pictures, tmp_path / "a.zip")
        content = bytearray(path.read_bytes())
        at = content.index((pictures / NAMES[1]).read_bytes()) + 60
        content[at] ^= 255
        path.write_bytes(content)
        samples = read(path)
        assert samples.names == (NAMES[0], NAMES[2])
        assert [name for name, _ in samples.skipped] == ["cat/2.png"]
        path.write_bytes(content[:200])
        assert "may be damaged" in refused(path)

    def test_a_zip_of_other_things_names_the_way(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("a.doc", "x")
        assert "only .doc files; unpack it" in refused(tmp_path / "a.zip")

    def test_denoise_restores_them_one_by_one(self, pictures, tmp_path):
        x = np.random.default_rng(0).integers(0, 256, (20, 16, 16), np.uint8)
        options = {"backbone": "unet(2)", "max_steps": 1, "random_state": 0}
        model = narrows.Autoencoder(**options).fit(x)
        narrows.denoise(model, zipped(pictures, tmp_path / "a.zip"), output=tmp_path / "out")
        narrows.denoise(model, pictures, output=tmp_path / "from folder")
        narrows.denoise(model, [pictures / name for name in NAMES], output=tmp_path / "from list")
        for name in NAMES:
            expected = (tmp_path / "from folder" / name).read_bytes()
            assert (tmp_path / "out" / name).read_bytes() == expected
            assert (tmp_path / "from list" / name).read_bytes() == expected


class TestFoldersOfArrays:
    def test_each_file_is_a_sample(self, tmp_path):
        rng = np.random.default_rng(0)
        arrays = {name: rng.normal(size=(9, 8)) for name in ("a/1.npy", "a/2.npy", "b/1.npy")}
        for name, array in arrays.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            np.save(tmp_path / name, array)
        (tmp_path / "notes.txt").write_text("text")
        samples = read(tmp_path)
        np.testing.assert_array_equal(samples.x, np.stack(list(arrays.values())))
        assert samples.names == tuple(arrays)
        assert samples.labels.tolist() == ["a", "a", "b"]
        assert samples.notes[0] == "3 files of arrays, each one sample"
        assert "ignored 1 files" in samples.notes[1]
        np.testing.assert_array_equal(read(str(tmp_path / "*" / "*.npy")).x, samples.x)

    def test_rows_of_a_table_and_colours(self, tmp_path):
        for folder, shape in (("rows", (5,)), ("colour", (9, 8, 3)), ("thin", (12, 3))):
            os.mkdir(tmp_path / folder)
            for i in range(10):
                np.save(tmp_path / folder / f"{i}.npy", np.full(shape, i))
            assert read(tmp_path / folder).x.shape == (10, *shape)

    def test_shapes_that_differ_and_pickles_are_named(self, tmp_path):
        np.save(tmp_path / "a.npy", np.ones((9, 8)))
        np.save(tmp_path / "b.npy", np.ones((9, 9)))
        assert "a.npy is float64 (9, 8), b.npy float64 (9, 9)" in refused(tmp_path)
        np.save(tmp_path / "b.npy", np.array([None]), allow_pickle=True)
        assert [name for name, _ in read(tmp_path).skipped] == ["b.npy"]
        (tmp_path / "a.npy").unlink()
        assert "objects" in refused(tmp_path)

    def test_pictures_come_first(self, tmp_path):
        np.save(tmp_path / "a.npy", np.ones((9, 8)))
        put(tmp_path / "b.png", gradient(9, 8))
        assert read(tmp_path).names == ("b.png",)


def test_an_open_file_is_no_path():
    assert "whole numbers, floats" in refused(io.BytesIO(b"a"))

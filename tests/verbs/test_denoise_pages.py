"""`narrows denoise` writes files of as many pages, and the other verbs take every page as a picture."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from restoring import model_of, noise, save

import narrows
from narrows import modelfile
from narrows.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a model that takes grey pictures of any size."""
    path = tmp_path_factory.mktemp("models") / "grey.safetensors"
    modelfile.save(path, model_of())
    return path


@pytest.fixture
def denoise(model, capsys):
    """Run `narrows denoise`; returns the exit status, the standard output and the errors."""

    def call(*words):
        status = main(["denoise", str(model), *map(str, words)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def stack(path, pages=3, **options):
    x = noise(pages, 20, 24)
    tifffile.imwrite(path, x, photometric="minisblack", **options)
    return x


def test_a_stack_comes_back_as_a_stack(denoise, model, tmp_path):
    (tmp_path / "in").mkdir()
    x = stack(tmp_path / "in" / "a.tif")
    save(tmp_path / "in" / "b.png", x[0])
    words = ["--compare", tmp_path / "sheets", "--clean", tmp_path / "in"]
    status, said, _ = denoise(tmp_path / "in", "-o", tmp_path / "out", *words)
    assert status == 0
    assert "3 pages of 1 file are read" in said
    assert "4 restored" in said
    restored = narrows.load(model).denoise(x)
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "a.tif"), restored)
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == [
        "a[1].png",
        "a[2].png",
        "a[3].png",
        "b.png",
    ]
    rows = [line.split() for line in said.splitlines() if line.startswith("  a.tif")]
    assert [row[:2] for row in rows] == [[f"a.tif[{page}]", "inf"] for page in (1, 2, 3)]


def test_the_first_page_alone(denoise, tmp_path):
    stack(tmp_path / "a.tif")
    status, said, _ = denoise(tmp_path / "a.tif", "-o", tmp_path / "b.tif", "--pages", "first")
    assert status == 0
    assert "the first page of 1 file is read, 2 are left out" in said
    assert tifffile.imread(tmp_path / "b.tif").shape == (20, 24)


def test_an_animation_keeps_its_ending_and_a_single_gif_becomes_a_png(denoise, tmp_path):
    (tmp_path / "in").mkdir()
    first, *rest = [Image.fromarray(np.full((9, 8), level, np.uint8)) for level in (0, 90, 250)]
    first.save(tmp_path / "in" / "a.gif", save_all=True, append_images=rest, duration=70)
    first.save(tmp_path / "in" / "b.gif")
    assert denoise(tmp_path / "in", "-o", tmp_path / "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.gif", "b.png"]
    with Image.open(tmp_path / "out" / "a.gif") as image:
        assert (image.n_frames, image.info["duration"]) == (3, 70)


def test_a_file_with_a_page_that_cannot_be_restored_is_not_written(denoise, tmp_path):
    (tmp_path / "in").mkdir()
    x = np.ones((3, 4, 5), np.float32)
    x[1, 2, 3] = np.nan
    tifffile.imwrite(tmp_path / "in" / "a.tif", x, photometric="minisblack")
    save(tmp_path / "in" / "b.png", noise(9, 9))
    status, said, _ = denoise(tmp_path / "in", "-o", tmp_path / "out")
    assert status == 1
    assert "skipped a.tif[2]: it holds 1 pixel value that is NaN" in said
    assert "skipped a.tif[3]: a.tif[2] is missing, so a.tif is not written" in said
    assert "1 restored + 3 skipped = 4" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_several_pages_do_not_become_a_jpeg(denoise, tmp_path):
    stack(tmp_path / "a.tif")
    status, _, complaint = denoise(tmp_path / "a.tif", "-o", tmp_path / "a.jpg")
    assert status == 2
    assert "JPEG holds one picture, however the file has 3" in complaint
    assert not (tmp_path / "a.jpg").exists()


def test_fractions_and_wide_integers_come_back_in_their_type(tmp_path):
    x = np.linspace(-500, 1500, 12 * 20 * 24).reshape(12, 20, 24)
    for dtype in (np.float32, np.int32):
        folder = tmp_path / np.dtype(dtype).name
        folder.mkdir()
        tifffile.imwrite(folder / "a.tif", x.astype(dtype), photometric="minisblack")
        model = narrows.train(folder, backbone="conv(channels=[3], grid=True)", patch_size=16, epochs=1, seed=0)
        narrows.denoise(model, folder, output=tmp_path / "out" / folder.name)
        restored = tifffile.imread(tmp_path / "out" / folder.name / "a.tif")
        assert (restored.shape, restored.dtype) == (x.shape, dtype)
        assert restored.std() > 1


def test_every_verb_takes_pages_and_fractions(tmp_path, capsys):
    x = np.random.default_rng(0).normal(1000, 300, (12, 9, 8)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", x, photometric="minisblack")
    data, run = str(tmp_path / "a.tif"), str(tmp_path / "run")
    assert main(["train", data, "-o", run, "--backbone", "dense(hidden=[])", "--epochs", "1"]) == 0
    for verb, output in {"encode": "c.npy", "map": "m.csv", "evaluate": "e.json", "report": "r.html"}.items():
        assert main([verb, run, data, "-o", str(tmp_path / output)]) == 0
    assert main(["reconstruct", run, data, "-o", str(tmp_path / "folder")]) == 0
    assert main(["corrupt", data, "--with", "gaussian(0.1)", "-o", str(tmp_path / "d.npy"), "--pages", "first"]) == 0
    assert main(["info", data, "--pages", "first"]) == 0
    assert "float32 (1, 9, 8)" in capsys.readouterr().out
    assert np.load(tmp_path / "c.npy").shape[0] == 12
    assert "a.tif[12]" in (tmp_path / "m.csv").read_text()
    assert len(list((tmp_path / "folder").iterdir())) == 12
    assert np.load(tmp_path / "d.npy").shape == (1, 9, 8)

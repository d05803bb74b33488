"""`narrows denoise` keeps everything of a file but the noise, and names each file that it cannot restore."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from restoring import model_of, noise, opened, save

import narrows
from narrows import modelfile
from narrows.cli import main
from narrows.files import whole
from narrows.tasks.reconstruct import denoise
from narrows.verbs import pictures as originals


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Model files: `grey` and `rgb` take any size, `fixed` takes 16x16."""
    folder = tmp_path_factory.mktemp("models")
    modelfile.save(folder / "grey.safetensors", model_of())
    modelfile.save(folder / "rgb.safetensors", model_of(channels=3))
    modelfile.save(folder / "fixed.safetensors", model_of("conv(channels=[3])"))
    return folder


@pytest.fixture
def run(models, capsys):
    """Run `narrows denoise MODEL ...`; returns the exit status, the standard output and the errors."""

    def call(model, *words):
        status = main(["denoise", str(models / f"{model}.safetensors"), *map(str, words)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def folder(tmp_path):
    """A folder with a tree of good pictures of several kinds."""
    (tmp_path / "in" / "sub").mkdir(parents=True)
    save(tmp_path / "in" / "a.png", noise(50, 40))
    save(tmp_path / "in" / "b.tif", noise(30, 20, dtype=np.uint16))
    save(tmp_path / "in" / "sub" / "c.jpg", noise(33, 44, 3))
    save(tmp_path / "in" / "sub" / "d.png", noise(3, 2, 4))
    return tmp_path / "in"


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_keeps_tree_names_formats_sizes_and_depths(run, folder, tmp_path):
    status, said, _ = run("grey", folder, "-o", tmp_path / "out")
    assert status == 0
    assert "4 restored" in said
    assert said.count("each colour channel is restored by itself") == 1
    assert names(tmp_path / "out") == names(folder)
    for name in names(folder):
        before, after = opened(folder / name), opened(tmp_path / "out" / name)
        assert (after.format, after.size, after.mode) == (before.format, before.size, before.mode)
    model = model_of()
    x = np.asarray(opened(folder / "b.tif"))
    assert np.array_equal(np.asarray(opened(tmp_path / "out" / "b.tif")), denoise(model, x))
    rgba, restored = (np.asarray(opened(root / "sub" / "d.png")) for root in (folder, tmp_path / "out"))
    assert np.array_equal(restored[..., 3], rgba[..., 3])
    assert np.array_equal(restored[..., :3], denoise(model, rgba[..., :3]))


def test_broken_files_among_good_ones_are_named_and_told_by_the_status(run, folder, tmp_path):
    (folder / "cut.png").write_bytes((folder / "a.png").read_bytes()[:300])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    save(folder / "gaps.tif", np.array([[1, np.nan]], np.float32))
    (folder / "notes.txt").write_text("mine")
    status, said, _ = run("grey", folder, "-o", tmp_path / "out")
    assert status == 1
    assert names(tmp_path / "out") == ["a.png", "b.tif", "sub/c.jpg", "sub/d.png"]
    for name, reason in {
        "cut.png": "",
        "empty.jpg": "the file is empty",
        "text.png": "it is no picture",
        "gaps.tif": "it holds 1 pixel value that is NaN",
    }.items():
        assert f"skipped {name}: {reason}" in said
    assert "4 restored + 4 skipped = 8" in said
    assert "ignored 1 file of formats that are not read (.txt 1)" in said


def test_where_nothing_can_be_done_nothing_is_there(run, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    status, _, complaint = run("grey", empty, "-o", tmp_path / "out")
    assert (status, "must hold pictures" in complaint) == (2, True)
    (empty / "a.png").write_text("no picture")
    status, _, complaint = run("grey", empty, "-o", tmp_path / "out")
    assert status == 2
    assert "a.png: it is no picture" in complaint
    status, _, complaint = run("grey", tmp_path / "nothing", "-o", tmp_path / "out")
    assert status == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["one.png", "one.tif", "one.jpg", "folder", "there"])
def test_one_picture_goes_to_a_file_or_a_folder(run, tmp_path, output):
    x = noise(50, 40)
    save(tmp_path / "a.png", x)
    (tmp_path / "there").mkdir()
    status, _, _ = run("grey", tmp_path / "a.png", "-o", tmp_path / output)
    assert status == 0
    target = tmp_path / output if "." in output else tmp_path / output / "a.png"
    restored = opened(target)
    assert restored.size == (40, 50)
    difference = np.abs(np.asarray(restored).astype(int) - denoise(model_of(), x))
    assert difference.max() == 0 if not output.endswith("jpg") else difference.mean() < 3
    assert run("grey", tmp_path / "a.png", "-o", tmp_path / output)[0] == 2
    assert run("grey", tmp_path / "a.png", "-o", tmp_path / output, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("source", "output", "complaint"),
    [
        ("deep.png", "a.jpg", "8 bits a value"),
        ("a.png", "a.gif", "must end in one of"),
        ("a.png", "a.npy", "must end in one of"),
        (".", "out.png", "is the name of a file"),
        ("a.png", "a.png", "exists already"),
    ],
)
def test_outputs_that_cannot_be_are_refused(run, tmp_path, source, output, complaint):
    save(tmp_path / "a.png", noise(50, 40))
    save(tmp_path / "deep.png", noise(50, 40, dtype=np.uint16))
    before = names(tmp_path)
    status, _, said = run("grey", tmp_path / source, "-o", tmp_path / output)
    assert status == 2
    assert complaint in said
    assert names(tmp_path) == before


def test_nothing_is_overwritten_unasked(run, folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_text("mine")
    assert run("grey", folder, "-o", tmp_path / "out")[0] == 2
    assert names(tmp_path / "out") == ["a.png"]
    assert run("grey", folder, "-o", tmp_path / "out", "--overwrite")[0] == 0
    assert opened(tmp_path / "out" / "a.png").size == (40, 50)
    before = (folder / "a.png").read_bytes()
    assert run("grey", folder, "-o", tmp_path / "fine", "--compare", tmp_path / "fine")[0] == 2
    assert (folder / "a.png").read_bytes() == before


def test_a_gif_becomes_a_png_and_takes_no_others_name(run, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.gif", "b.gif", "b.png"):
        save(source / name, noise(9, 9))
    assert run("grey", source, "-o", tmp_path / "out")[0] == 0
    assert names(tmp_path / "out") == ["a.png", "b.gif.png", "b.png"]
    assert {opened(path).format for path in (tmp_path / "out").iterdir()} == {"PNG"}


def test_transparency_that_a_format_does_not_hold_is_told(run, tmp_path):
    save(tmp_path / "a.png", noise(9, 9, 4))
    status, said, _ = run("grey", tmp_path / "a.png", "-o", tmp_path / "a.jpg")
    assert status == 0
    assert "transparency is left out" in said


def test_a_colour_model_says_what_it_does_to_grey_pictures(run, tmp_path):
    save(tmp_path / "a.png", noise(50, 40))
    status, said, _ = run("rgb", tmp_path / "a.png", "-o", tmp_path / "out.png")
    assert status == 0
    assert "come back grey" in said
    assert opened(tmp_path / "out.png").mode == "L"


def test_sheets_and_figures_beside_the_clean_pictures(run, folder, tmp_path):
    clean = tmp_path / "clean"
    (clean / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/c.jpg", "sub/d.png"):
        (clean / name).write_bytes((folder / name).read_bytes())
    save(clean / "b.png", noise(30, 20))  # another format, another depth
    words = ["--compare", tmp_path / "sheets", "--clean", clean]
    status, said, _ = run("grey", folder, "-o", tmp_path / "out", *words)
    assert status == 0
    assert names(tmp_path / "sheets") == ["a.png", "b.png", "sub/c.png", "sub/d.png"]
    sheet = np.asarray(opened(tmp_path / "sheets" / "sub" / "c.png"))
    assert sheet.ndim == 3
    rows = [line.split() for line in said.splitlines() if line.startswith("  ")]
    assert [row[0] for row in rows[1:]] == ["a.png", "b.tif", "sub/c.jpg", "sub/d.png", "mean"]
    assert rows[1][1] == "inf"  # this "clean" picture is the noisy one
    assert rows[4][3:] == ["-", "-"]  # too small for SSIM
    assert "clipped" in said
    x = np.asarray(opened(folder / "a.png")) / 255
    restored = np.asarray(opened(tmp_path / "out" / "a.png")) / 255
    assert float(rows[1][2]) == pytest.approx(-10 * np.log10(np.square(x - restored).mean()), abs=0.006)


def test_a_clean_picture_that_is_missing_or_unlike_is_named(run, folder, tmp_path):
    clean = tmp_path / "clean"
    clean.mkdir()
    save(clean / "a.png", noise(5, 4))
    status, said, _ = run("grey", folder, "-o", tmp_path / "out", "--clean", clean)
    assert status == 1
    assert "incomplete a.png: restored, but not compared: the clean picture is (5, 4)" in said
    assert "incomplete b.tif: restored, but not compared: there is no clean picture 'b.tif'" in said
    assert "4 restored" in said
    assert len(names(tmp_path / "out")) == 4
    assert run("grey", folder, "-o", tmp_path / "more", "--clean", tmp_path / "nothing")[0] == 2


def test_arrays_of_any_size(run, tmp_path):
    for i, shape in enumerate([(50, 40), (3, 50, 40), (3, 50, 40, 3)]):
        np.save(tmp_path / f"{i}.npy", noise(*shape))
        words = ["-o", tmp_path / f"out{i}.npy", "--compare", tmp_path / f"sheets{i}", "--clean", tmp_path / f"{i}.npy"]
        status, said, _ = run("grey", tmp_path / f"{i}.npy", *words)
        assert status == 0
        assert np.array_equal(np.load(tmp_path / f"out{i}.npy"), denoise(model_of(), np.load(tmp_path / f"{i}.npy")))
        assert len(names(tmp_path / f"sheets{i}")) == (1 if i == 0 else 3)
        assert f"mean of {1 if i == 0 else 3}" in said
        assert ("each colour channel" in said) == (i == 2)


def test_the_estimator_takes_any_size_too(models):
    x = noise(50, 40, 3)
    assert np.array_equal(narrows.load(models / "grey.safetensors").denoise(x), denoise(model_of(), x))


def test_a_model_of_one_size_brings_pictures_to_it(run, folder, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    for name in ("a.png", "b.png"):
        save(small / name, noise(16, 16))
    (small / "broken.png").write_text("no picture")
    status, said, _ = run("fixed", small, "-o", tmp_path / "out", "--compare", tmp_path / "sheets", "--clean", small)
    assert status == 1
    assert "skipped broken.png" in said
    assert names(tmp_path / "out") == names(tmp_path / "sheets") == ["a.png", "b.png"]
    assert "mean of 2" in said


def test_ctrl_c_keeps_the_pictures_that_are_done(run, folder, tmp_path, monkeypatch):
    restore = originals.restore_tiles
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return restore(*arguments)

    monkeypatch.setattr(originals, "restore_tiles", interrupted)
    status, _, complaint = run("grey", folder, "-o", tmp_path / "out")
    assert status == 130
    assert "2 of 4 pictures are restored" in complaint
    assert names(tmp_path / "out") == ["a.png", "b.tif"]


def test_a_stopped_run_goes_on_where_it_was_stopped(run, models, folder, tmp_path):
    sheets = ["--compare", tmp_path / "sheets"]
    assert run("grey", folder, "-o", tmp_path / "out", *sheets)[0] == 0
    whole = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}
    (tmp_path / "out" / "b.tif").unlink()
    (tmp_path / "out" / "sub" / "c.jpg").unlink()
    (tmp_path / "sheets" / "a.png").unlink()
    (tmp_path / "out" / "a.png").write_bytes(b"kept")
    status, said, _ = run("grey", folder, "-o", tmp_path / "out", *sheets, "--skip-existing")
    assert (status, "3 restored + 1 there already = 4" in said) == (0, True)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == whole | {
        "a.png": b"kept"
    }
    assert len(names(tmp_path / "sheets")) == 4
    status, said, _ = run("grey", folder, "-o", tmp_path / "out", *sheets, "--skip-existing")
    assert (status, "0 restored + 4 there already = 4" in said) == (0, True)
    (tmp_path / "out" / "b.tif").unlink()
    model = narrows.load(models / "grey.safetensors")
    outcomes = narrows.denoise(model, folder, output=tmp_path / "out", skip_existing=True)
    assert [outcome.name for outcome in outcomes] == ["b.tif"]
    assert (tmp_path / "out" / "b.tif").read_bytes() == whole["b.tif"]


def test_what_exists_is_skipped_only_where_that_has_a_sense(run, folder, tmp_path):
    (tmp_path / "out").mkdir()
    status, _, complaint = run("grey", folder, "-o", tmp_path / "out", "--overwrite", "--skip-existing")
    assert (status, "either replaced or kept" in complaint) == (2, True)
    np.save(tmp_path / "x.npy", noise(16, 16))
    status, _, complaint = run("fixed", tmp_path / "x.npy", "-o", tmp_path / "out.npy", "--skip-existing")
    assert (status, "restored in one piece" in complaint) == (2, True)


@pytest.mark.parametrize("good", [0, 2])
def test_a_full_disk_is_told_as_such_and_calls_no_picture_broken(run, folder, tmp_path, monkeypatch, good):
    write, calls = originals.write_pages, []

    def full(path, *arguments):
        calls.append(path)
        if len(calls) > good:
            with whole(path):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, *arguments)

    monkeypatch.setattr(originals, "write_pages", full)
    status, said, complaint = run("grey", folder, "-o", tmp_path / "out")
    assert len(calls) == good + 1
    for name in names(folder)[good:]:
        assert f"skipped {name}: cannot be written: No space left on device" in said
    if good:
        assert (status, names(tmp_path / "out")) == (1, names(folder)[:good])
    else:
        assert (status, complaint.count("\n")) == (2, 1)
        assert "cannot be written: No space left on device" in complaint
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["in", "in/sub", "in/new", "link", "in/sub/../new"])
def test_originals_are_never_replaced_nor_joined_by_results(run, folder, tmp_path, output):
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    (tmp_path / "link").symlink_to(folder)
    for model in ("grey", "fixed"):
        for words in (["-o", tmp_path / output], ["-o", tmp_path / "out", "--compare", tmp_path / output]):
            status, _, complaint = run(model, folder, *words, "--overwrite")
            assert (status, "input" in complaint) == (2, True)
    assert run("grey", folder / "a.png", "-o", folder, "--overwrite")[0] == 2
    assert run("grey", folder / "a.png", "-o", folder / "a.png", "--overwrite")[0] == 2
    words = ["-o", tmp_path / output, "--clean", folder, "--overwrite"]
    assert run("grey", folder / "sub", *words)[0] == 2
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["denoise", "reconstruct"])
def test_originals_named_one_by_one_or_by_a_pattern_are_not_replaced_either(models, folder, tmp_path, verb):
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    for data in (["a.png", "b.tif"], ["*.png"], ["**/*.*"]):
        words = [str(folder / name) for name in data]
        command = [verb, str(models / "grey.safetensors"), *words, "--overwrite", "-o"]
        assert main([*command, str(folder)]) == 2
        assert main([*command, str(tmp_path / f"{verb}{len(data)}")]) == 0
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


def test_killed_half_way_it_leaves_whole_files_alone(models, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for i in range(40):
        save(source / f"{i:02d}.png", noise(200, 200, 3))
    words = ["denoise", models / "grey.safetensors", source, "-o", tmp_path / "out"]
    process = subprocess.Popen([sys.executable, "-m", "narrows.cli", *map(str, words)])
    while process.poll() is None and len(list((tmp_path / "out").glob("[!.]*"))) < 2:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = list((tmp_path / "out").glob("[!.]*"))
    assert done
    for path in done:
        assert opened(path).size == (200, 200)


def test_memory_does_not_grow_with_the_picture(models, tmp_path):
    """Apart from the picture and its result, memory is that of one tile."""
    peaks = {}
    for side in (600, 2400):
        save(tmp_path / f"{side}.tif", np.zeros((side, side), np.uint16))
        code = (
            "import resource, sys; from narrows.cli import main; main(sys.argv[1:]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
        )
        words = ["denoise", models / "grey.safetensors", tmp_path / f"{side}.tif", "-o", tmp_path / f"out{side}.tif"]
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True
        )
        peaks[side] = int(done.stdout.split()[-1])
    values = 2400**2 - 600**2
    assert peaks[2400] - peaks[600] < 5 * 2 * values + 30e6  # read, as an array, restored, written: 2 bytes a value

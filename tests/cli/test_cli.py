"""The command line: in a process of its own where that matters, else by `main`."""

import csv
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import narrows
from narrows.cli import main
from narrows.data.read import read
from narrows.modelfile import load


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A file of 300 real digits, which trains in a second."""
    path = tmp_path_factory.mktemp("data") / "digits.npy"
    np.save(path, narrows.read("mnist").x[:300])
    return path


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """A run folder that the command line wrote."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["train", str(digits), "--preset", "tutorial-linear", "--epochs", "3", "-o", str(folder)]) == 0
    return folder


def narrows_process(*words):
    return subprocess.run([sys.executable, "-m", "narrows.cli", *map(str, words)], capture_output=True, text=True)


def test_help_comes_without_heavy_libraries():
    code = (
        "import sys; from narrows.cli import main; status = [main(['--help']), main(['train', '--help'])];"
        "heavy = {'torch', 'sklearn', 'numpy', 'PIL'} & set(sys.modules);"
        "print(status, heavy or 'light')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.endswith("[0, 0] light\n")


def test_a_run_folder_holds_model_history_and_page(run):
    assert {"model.safetensors", "history.csv", "report.html"} <= {file.name for file in run.iterdir()}
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert list(rows[0]) == ["epoch", "train_mse", "val_mse", "seconds"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["val_mse"]) < float(rows[0]["val_mse"])


def test_encode_then_decode_equals_reconstruct_in_other_processes(run, digits, tmp_path):
    for words in (
        ("encode", run, digits, "-o", tmp_path / "z.npy"),
        ("decode", run, tmp_path / "z.npy", "-o", tmp_path / "decoded.npy"),
        ("reconstruct", run / "model.safetensors", digits, "-o", tmp_path / "out.npy"),
    ):
        result = narrows_process(*words)
        assert (result.returncode, result.stderr) == (0, "")
    out = np.load(tmp_path / "out.npy")
    assert out.dtype == np.uint8
    assert out.shape == (300, 28, 28)
    assert np.array_equal(out, np.load(tmp_path / "decoded.npy"))
    assert np.array_equal(out, narrows.load(run).reconstruct(np.load(digits)))


def test_info_says_what_the_file_says(run, digits, capsys):
    assert main(["info", str(run)]) == 0
    said = capsys.readouterr().out
    card = narrows.load(run).model_.card
    assert f"{card.metrics['validation_mse']:.6f}" in said
    assert "128 numbers for 784" in said
    assert "201,616" in said
    assert main(["info", str(digits)]) == 0
    assert "uint8 (300, 28, 28), min 0, max 255" in capsys.readouterr().out


def test_evaluate_names_pca_beside_the_model(run, digits, capsys):
    assert main(["evaluate", str(run), str(digits)]) == 0
    assert "PCA" in capsys.readouterr().out


def test_evaluate_damages_the_data_and_sets_the_filters_beside_the_model(run, digits, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # the slow filters
    damages = ["--corruption", "gaussian(0.3)", "--corruption", "mask(0.5)"]
    assert main(["evaluate", str(run), str(digits), *damages, "--most", "20"]) == 0
    said = capsys.readouterr().out
    assert "Denoising: gaussian(0.3)" in said
    assert "Denoising: mask(0.5)" in said
    assert said.count("Means over 20 pictures") == said.count("doing nothing") == said.count("this model") == 2
    assert said.count("closing") == 1
    assert main(["evaluate", str(run), str(digits), "--corruption", "fog"]) == 2


def test_report_is_one_file(run, digits, tmp_path):
    page = tmp_path / "page.html"
    assert main(["report", str(run), str(digits), "-o", str(page)]) == 0
    assert 'src="http' not in page.read_text()
    assert main(["report", str(run), str(digits), "-o", str(page)]) == 2


def test_corrupt_clips_whole_numbers_and_not_fractions(digits, tmp_path, capsys):
    assert main(["corrupt", str(digits), "--with", "gaussian(0.5)", "-o", str(tmp_path / "noisy.npy")]) == 0
    assert "min 0, max 255" in capsys.readouterr().out.splitlines()[-1]
    np.save(tmp_path / "fractions.npy", np.load(digits) / 255)
    words = ["corrupt", str(tmp_path / "fractions.npy"), "--with", "gaussian(0.5)", "-o", str(tmp_path / "f.npy")]
    assert main(words) == 0
    damaged = np.load(tmp_path / "f.npy")
    assert damaged.min() < 0
    assert damaged.dtype == np.float64
    assert np.std(damaged - np.load(tmp_path / "fractions.npy")) == pytest.approx(0.5, rel=0.02)


def test_denoise_says_when_the_model_never_saw_noise(run, digits, tmp_path, capsys):
    assert main(["denoise", str(run), str(digits), "-o", str(tmp_path / "out")]) == 0
    assert "never saw noise" in capsys.readouterr().out
    assert len(list((tmp_path / "out").glob("*.png"))) == 300


def test_data_unlike_those_of_training_are_named(run, digits, tmp_path, capsys):
    np.save(tmp_path / "light.npy", 255 - np.load(digits))
    main(["encode", str(run), str(tmp_path / "light.npy"), "-o", str(tmp_path / "z.csv")])
    assert "times the usual" in capsys.readouterr().out
    header = (tmp_path / "z.csv").read_text().splitlines()[0]
    assert header.startswith("z0,z1,")


def test_default_run_folders_are_numbered(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["train", str(digits), "--backbone", "dense(hidden=[])", "--epochs", "1"]) == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["digits", "digits-2"]


def test_nothing_is_overwritten_unasked(run, digits, tmp_path, capsys):
    before = (run / "model.safetensors").read_bytes()
    assert main(["train", str(digits), "-o", str(run)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (run / "model.safetensors").read_bytes() == before
    kept = tmp_path / "kept.npy"
    kept.write_bytes(b"mine")
    assert main(["reconstruct", str(run), str(digits), "-o", str(kept)]) == 2
    assert kept.read_bytes() == b"mine"
    assert main(["reconstruct", str(run), str(digits), "-o", str(kept), "--overwrite"]) == 0


def test_overwriting_a_run_leaves_files_that_are_not_ours(digits, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    words = ["train", str(digits), "--backbone", "dense(hidden=[])", "--epochs", "1", "-o", str(folder), "--overwrite"]
    assert main(words) == 0
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "model.safetensors").exists()


@pytest.fixture
def pictures(tmp_path):
    """A folder of 45x31 RGB pictures, one of them broken."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(24):
        grid = np.linspace(0, 1, 45)[None, :, None] * rng.uniform(80, 255, 3) * np.ones((31, 1, 1))
        Image.fromarray(grid.astype(np.uint8)).save(folder / f"{i:02d}.png")
    (folder / "broken.png").write_bytes((folder / "00.png").read_bytes()[:40])
    return folder


def test_a_folder_of_pictures_with_a_broken_one(pictures, tmp_path, capsys):
    assert main(["train", str(pictures), "--epochs", "2", "-o", str(tmp_path / "run")]) == 0
    assert "skipped broken.png" in capsys.readouterr().out
    assert main(["reconstruct", str(tmp_path / "run"), str(pictures), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "skipped broken.png" in said
    assert "24 used + 1 skipped = 25" in said
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{i:02d}.png" for i in range(24)]
    assert narrows.read(str(tmp_path / "out")).x.shape == (24, 31, 45, 3)


def test_pictures_of_mixed_sizes_are_cut_alike(pictures, tmp_path, capsys):
    rng = np.random.default_rng(1)
    for i, size in enumerate([(200, 300), (640, 480), (130, 140)]):
        Image.fromarray(rng.integers(0, 255, (*size, 3), dtype=np.uint8)).save(pictures / f"large{i}.jpg")
    assert main(["train", str(pictures), "--epochs", "1", "-o", str(tmp_path / "run")]) == 0
    assert "64x64" in capsys.readouterr().out
    assert narrows.load(tmp_path / "run").model_.network.shape == (3, 64, 64)


def hostile(folder, kind):
    """Return a path or a name that is not valid data."""
    path = folder / "source"
    match kind:
        case "a text file":
            path = path.with_suffix(".txt")
            path.write_text("hello")
        case "an empty folder":
            path.mkdir()
        case "NaN":
            path = path.with_suffix(".npy")
            np.save(path, np.full((20, 3), np.nan))
        case "one sample":
            path = path.with_suffix(".npy")
            np.save(path, np.random.default_rng(0).normal(size=(1, 28, 28)))
        case "a constant array":
            path = path.with_suffix(".npy")
            np.save(path, np.full((20, 3), 7.0))
        case "pickled objects":
            path = path.with_suffix(".npy")
            np.save(path, np.array([{}, []], dtype=object), allow_pickle=True)
    return str(path)


@pytest.mark.parametrize(
    "kind",
    ["nothing there", "a text file", "an empty folder", "NaN", "one sample", "a constant array", "pickled objects"],
)
def test_bad_data_are_answered_in_one_sentence(tmp_path, capsys, kind):
    source = hostile(tmp_path, kind)
    assert main(["train", source, "-o", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("narrows: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_pickle_is_no_model(tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"weights": [1.0] * 100}))
    assert main(["info", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "mnist", "--preset", "tutorial-liner"], "did you mean 'tutorial-linear'"),
        (["train", "mnits"], "did you mean 'mnist'"),
        (["train", "mnist", "--bottleneck", "sparze(3)"], "did you mean 'sparse'"),
        (["trian", "mnist"], "did you mean 'train'"),
        (["train", "mnist", "--size", "1", "2", "3"], "--size takes one number or two"),
        (["train", "mnist", "--device", "tpu"], "device must be"),
        (["reconstruct", "no-such-run", "mnist", "-o", "x.npy"], "no such file"),
    ],
)
def test_a_mistyped_word_is_answered(words, hint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert hint in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_do_not_suit_are_refused_before_the_work(run, digits, tmp_path, capsys):
    assert main(["reconstruct", str(run), str(digits), "-o", str(tmp_path / "out.csv")]) == 2
    assert "does not suit" in capsys.readouterr().err


def test_codes_of_another_width_are_refused(run, tmp_path, capsys):
    np.save(tmp_path / "z.npy", np.zeros((3, 5)))
    assert main(["decode", str(run), str(tmp_path / "z.npy"), "-o", str(tmp_path / "out.npy")]) == 2
    assert "rows of 128 numbers" in capsys.readouterr().err


def test_parts_lists_every_menu(capsys):
    assert main(["parts"]) == 0
    said = capsys.readouterr().out
    assert all(
        name in said for name in ("dense(", "sparse(", "salt_pepper(", "bce(", "standard(", "tutorial-conv", "unet(")
    )
    assert "denoise           gaussian(0.0, 0.5)" in said


def test_pictures_train_at_their_own_resolution_in_pairs_and_from_noise_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for folder, std in (("clean", 0), ("noisy", 30)):
        (tmp_path / folder).mkdir()
        for i in range(4):
            rows, columns = np.mgrid[: 40 + i, :50]
            picture = 128 + 80 * np.sin(rows / 5 + columns / (7 + i)) + rng.normal(0, std, rows.shape)
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(tmp_path / folder / f"{i}.png")
    (tmp_path / "clean" / "3.png").unlink()
    small = ["--backbone", "unet(2)", "--epochs", "1", "-o"]
    assert main(["train", "noisy", "--self-supervised", *small, "blind"]) == 0
    assert main(["train", "clean", "--preset", "denoise", *small, "blend"]) == 0
    assert main(["train", "noisy", "--target", "clean", "--patch-size", "16", *small, "pairs"]) == 0
    said = capsys.readouterr().out
    assert "skipped 3.png: the target has no picture of this name" in said
    assert "next: narrows denoise pairs noisy -o out" in said
    assert "count as clean" in said
    parts = {name: load(tmp_path / name).network for name in ("blind", "blend", "pairs")}
    assert [repr(network.corruption).split("(")[0] for network in parts.values()] == ["blind_spots", "gaussian", "none"]
    assert [network.shape for network in parts.values()] == [(1, 43, 50), (1, 42, 50), (1, 16, 16)]
    assert load(tmp_path / "pairs").card.reading == {"size": None, "fit": "crop", "colour": "grey", "depth": 8}


def test_a_table_trains_and_comes_back_as_a_table(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 6)) + 5
    np.savetxt(tmp_path / "t.csv", rows, delimiter=",", header="a,b,c,d,e,f", comments="")
    assert main(["train", str(tmp_path / "t.csv"), "--bottleneck", "linear(2)", "-o", str(tmp_path / "run")]) == 0
    assert main(["reconstruct", str(tmp_path / "run"), str(tmp_path / "t.csv"), "-o", str(tmp_path / "o.csv")]) == 0
    with (tmp_path / "o.csv").open() as file:
        assert next(csv.reader(file)) == list("abcdef")
        restored = np.array([[float(v) for v in row] for row in csv.reader(file)])
    assert ((restored - rows) ** 2).mean() < 0.05 * rows.var()
    header = (tmp_path / "run" / "model.safetensors").read_bytes()
    length = int.from_bytes(header[:8], "little")
    about = json.loads(json.loads(header[8 : 8 + length])["__metadata__"]["narrows"])
    assert about["card"]["columns"] == list("abcdef")
    assert str(tmp_path) not in json.dumps(about)


@pytest.mark.parametrize("steps", [0, 3])
def test_ctrl_c_keeps_what_is_trained(steps, digits, tmp_path, monkeypatch, capsys):
    from narrows.training.loop import train

    def stopped(run):
        if not steps:
            raise KeyboardInterrupt
        for done, progress in enumerate(train(run), 1):
            epochs.add(progress.epoch)
            yield progress
            if done == steps:
                raise KeyboardInterrupt

    epochs = set()
    monkeypatch.setattr("narrows.verbs.learn.train", stopped)
    status = main(["train", str(digits), "--backbone", "dense(hidden=[])", "-o", str(tmp_path / "run")])
    if not steps:
        assert status == 130
        assert not (tmp_path / "run").exists()
    else:
        assert status == 0
        assert "stopped early" in capsys.readouterr().out
        assert len(narrows.load(tmp_path / "run").history_) == len(epochs)


def test_a_loss_that_explodes_is_no_model(digits, tmp_path, monkeypatch, capsys):
    from narrows.presets import PRESETS
    from narrows.recipe import Recipe

    monkeypatch.setitem(
        PRESETS, "wild", Recipe(optimizer="adam(1e30)", backbone="dense(hidden=[8])", scaling="standard")
    )
    assert main(["train", str(digits), "--preset", "wild", "-o", str(tmp_path / "run")]) == 2
    assert "no longer finite" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_former_flags_go_on_with_a_line_that_names_the_new_ones(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for i in range(3):
        Image.fromarray(np.full((30, 20), 40 * i, np.uint8)).save(tmp_path / "in" / f"{i}.png")
    command = ["corrupt", str(tmp_path / "in"), "--with", "gaussian(0.1)", "--size", "16", "-o"]
    assert main([*command, str(tmp_path / "old"), "--fit=pad"]) == 0
    assert "--fit is called --resize-mode now" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "new"), "--resize-mode", "pad"]) == 0
    assert capsys.readouterr().err == ""
    assert np.array_equal(read(tmp_path / "old").x, read(tmp_path / "new").x)

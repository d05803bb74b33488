"""Whatever becomes of standard output and of the disk, what was trained is there."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import narrows
from narrows.cli import main
from narrows.cli.streams import Lasting, lasting_streams

FAST = ["--backbone", "dense(hidden=[])", "--bottleneck", "linear(2)"]
NARROWS = [sys.executable, "-m", "narrows.cli"]
LIMIT = 60  # seconds, far more than any of these takes


@pytest.fixture(autouse=True)
def ctrl_c():
    """Let Ctrl-C raise KeyboardInterrupt, which it does not where the tests run in the background."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "x8.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (200, 6), np.uint8))
    return str(path)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "x8"
    assert main(["train", data, *FAST, "--epochs", "1", "-o", str(folder)]) == 0
    return str(folder)


def shell(line, **options):
    command = ["bash", "-c", f"set -o pipefail; {line}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, **options)


@pytest.mark.parametrize("end", ["| head -1", ">&- 2>&-"])
def test_a_training_does_not_depend_on_standard_output(data, tmp_path, end):
    words = f"{' '.join(NARROWS)} train {data} --backbone 'dense(hidden=[])' --epochs 20 -o {tmp_path / 'run'}"
    done = shell(f"{words} {end}")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(narrows.load(tmp_path / "run").history_) == 20


@pytest.mark.parametrize("line", ["parts | head -1", "parts > /dev/full"])
def test_what_only_prints_ends_without_a_traceback(line):
    done = shell(f"{' '.join(NARROWS)} {line}")
    assert done.returncode in (0, 141)
    full = "narrows: standard output cannot be written: No space left on device\n"
    assert done.stderr == (full if "full" in line else "")


def test_a_full_output_is_told_once_and_costs_nothing(run, data, tmp_path, monkeypatch, capsys):
    for words in (
        ["train", data, *FAST, "--epochs", "2", "-o", str(tmp_path / "run")],
        ["evaluate", run, data],
        ["info", run],
        ["--help"],
    ):
        with open("/dev/full", "w") as full, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", full)
            assert main(words) == 0
        assert capsys.readouterr().err == "narrows: standard output cannot be written: No space left on device\n"
    assert len(narrows.load(tmp_path / "run").history_) == 2


@pytest.mark.parametrize("stream", ["absent", "closed", "breaks", "ascii"])
def test_streams_of_every_kind(data, tmp_path, monkeypatch, stream):
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    closed = io.StringIO()
    closed.close()
    out = {"absent": None, "closed": closed, "breaks": Broken(), "ascii": io.TextIOWrapper(io.BytesIO(), "ascii")}[
        stream
    ]
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", out)
    labels = tmp_path / "étiquettes.csv"
    assert main(["train", data, *FAST, "--epochs", "2", "-o", str(tmp_path / "é")]) == 0
    assert main(["train", "no-such-file", "-o", str(labels)]) == 2
    assert sys.stdout is out
    model = narrows.Autoencoder(backbone="dense(hidden=[])", epochs=2, verbose=1, random_state=0)
    assert model.fit(np.load(data)).history_
    assert narrows.load(tmp_path / "é").history_


def test_what_a_stream_cannot_encode_becomes_a_question_mark():
    bytes_ = io.BytesIO()
    stream = Lasting(io.TextIOWrapper(bytes_, "ascii"))
    print("café 1", file=stream, flush=True)
    assert bytes_.getvalue() == b"caf? 1\n"


def test_streams_are_put_back(capsys):
    before = sys.stdout, sys.stderr
    with lasting_streams():
        print("said")
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "said\n"


@contextmanager
def as_usual(number):
    """Handle a signal as a process does by default, also where the tests run without a terminal and ignore it."""
    former = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, former)


def test_sigterm_ends_a_training_with_the_model_so_far(data, tmp_path):
    words = [*NARROWS, "train", data, *FAST, "--epochs", "1000000", "-o", str(tmp_path / "run")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    for _ in range(2):  # as to a whole group and to its leader
        process.send_signal(signal.SIGTERM)
    said, complaint = process.communicate(timeout=LIMIT)
    assert (process.returncode, complaint) == (143, "")
    assert "stopped early; the model as it is now is kept" in said
    assert narrows.load(tmp_path / "run").transform(np.load(data)).shape == (200, 2)
    assert os.listdir(tmp_path) == ["run"]


@pytest.mark.parametrize(
    ("number", "status", "has_map"),
    [(signal.SIGHUP, 129, False), (signal.SIGINT, 0, True)],
)
def test_a_signal_in_training(data, tmp_path, monkeypatch, capsys, number, status, has_map):
    from narrows.training.loop import train

    def stopped(run):
        for progress in train(run):
            yield progress
            signal.raise_signal(number)

    monkeypatch.setattr("narrows.verbs.learn.train", stopped)
    monkeypatch.setattr("narrows.training.map_head.MAX_STEPS", 20)
    words = ["train", data, "--backbone", "dense(hidden=[])", "--bottleneck", "linear(3)", "-o", str(tmp_path / "run")]
    with as_usual(signal.SIGHUP):
        assert main(words) == status
    model = narrows.load(tmp_path / "run").model_
    assert model.card.recipe["steps"] < 50
    assert (model.map_head is not None) == has_map
    assert ("is kept, without a map" in capsys.readouterr().out) == (not has_map)


def test_a_signal_before_the_first_step_writes_nothing(data, tmp_path, monkeypatch, capsys):
    def ended(*_, **__):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("narrows.verbs.train.make_plan", ended)
    former = signal.getsignal(signal.SIGTERM)
    assert main(["train", data, "-o", str(tmp_path / "run")]) == 143
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == former


def test_signals_that_come_while_it_is_measured_and_written_lose_nothing(data, tmp_path, monkeypatch):
    from narrows.verbs import learn

    finish, write_run = learn.finish, learn.write_run

    def finished(run):
        os.kill(os.getpid(), signal.SIGINT)
        return finish(run)

    def written(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        write_run(*arguments)

    monkeypatch.setattr(learn, "finish", finished)
    monkeypatch.setattr(learn, "write_run", written)
    assert main(["train", data, *FAST, "--epochs", "1", "-o", str(tmp_path / "run")]) == 143
    assert narrows.load(tmp_path / "run").history_


def test_a_model_that_cannot_be_written_is_kept_elsewhere_and_the_sentence_says_where(
    data, tmp_path, monkeypatch, capsys
):
    from narrows import modelfile

    save = modelfile.save_file

    def full(tensors, path, metadata):
        if "elsewhere" not in str(path):
            raise modelfile.SafetensorError("Error while serializing: I/O error: No space (os error 28)")
        save(tensors, path, metadata)

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(modelfile, "save_file", full)
    assert main(["train", data, *FAST, "--epochs", "1", "-o", str(tmp_path / "new" / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"narrows: {tmp_path}/new/run cannot be written: No space left on device; the trained model")
    assert said.count("\n") == 1
    kept = said.strip().rpartition(" ")[2]
    assert narrows.load(kept).history_
    model = narrows.load(kept)
    with pytest.raises(
        narrows.DataError, match=r"m.st cannot be written: No space left on device; the trained"
    ) as error:
        model.save(tmp_path / "new" / "m.st")
    assert narrows.load(str(error.value).rpartition(" ")[2]).model_.network.shape == (6,)
    assert os.listdir(tmp_path) == ["elsewhere"]


def test_where_nothing_can_be_written_that_is_said(data, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setattr("narrows.modelfile.save_file", full)
    with pytest.raises(narrows.DataError, match="No space left on device; and nor can the temporary folder"):
        narrows.train(np.load(data), backbone="dense(hidden=[])", epochs=1, output=tmp_path / "run")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_place_that_cannot_be_is_told_before_training(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("narrows.verbs.train.make_plan", lambda *_, **__: pytest.fail("trained"))
    (tmp_path / "file").write_text("no folder")
    assert main(["train", data, "-o", str(tmp_path / "file" / "run")]) == 2
    assert "cannot be written: Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["reconstruct", "{run}", "{data}", "-o", "{data}"],
        ["encode", "{run}", "{data}", "-o", "{data}"],
        ["decode", "{run}", "{data}", "-o", "{data}"],
        ["denoise", "{run}", "{data}", "-o", "{data}"],
        ["corrupt", "{data}", "--with", "gaussian(0.1)", "-o", "{data}"],
        ["map", "{run}", "{folder}", "-o", "{folder}/map.html"],
        ["report", "{run}", "{folder}", "-o", "{folder}/report.html"],
        ["evaluate", "{run}", "{folder}", "-o", "{folder}/tables.json"],
        ["train", "{folder}", "-o", "{folder}/run"],
        ["train", "{folder}", "-o", "{folder}"],
    ],
)
def test_no_verb_replaces_its_input(run, data, tmp_path, words, capsys):
    before = Path(data).read_bytes()
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("a\n1\n")
    filled = [word.format(run=run, data=data, folder=folder) for word in words]
    assert main([*filled, "--overwrite"]) == 2
    assert "input" in capsys.readouterr().err
    assert Path(data).read_bytes() == before
    assert os.listdir(folder) == ["a.csv"]

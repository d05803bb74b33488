"""Outputs are complete or absent, and nothing is overwritten without `overwrite`."""

import errno
import os
import pickle
from pathlib import Path

import pytest

from narrows.errors import DataError
from narrows.files import OutputError, check_folder, refuse_inputs, whole, whole_folder


def fail_half_way(context, write):
    with pytest.raises(KeyboardInterrupt), context as temporary:  # noqa: PT012, what fails is the block itself
        write(temporary)
        raise KeyboardInterrupt


def test_an_interrupted_file_leaves_the_old_one_and_no_rubbish(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    fail_half_way(whole(path, overwrite=True), lambda temporary: temporary.write_text("half"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_folder_is_not_there(tmp_path):
    fail_half_way(whole_folder(tmp_path / "run"), lambda temporary: (temporary / "a").write_text("half"))
    assert list(tmp_path.iterdir()) == []


def test_overwriting_a_folder_keeps_what_is_not_replaced(tmp_path):
    (tmp_path / "run" / "sub").mkdir(parents=True)
    (tmp_path / "run" / "mine").write_text("mine")
    (tmp_path / "run" / "sub" / "a").write_text("old")
    with whole_folder(tmp_path / "run", overwrite=True) as temporary:
        (temporary / "sub").mkdir()
        (temporary / "sub" / "a").write_text("new")
    assert (tmp_path / "run" / "mine").read_text() == "mine"
    assert (tmp_path / "run" / "sub" / "a").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("context", [whole, whole_folder])
def test_existing_things_are_refused_with_the_way_out(tmp_path, context):
    (tmp_path / "there").mkdir()
    with pytest.raises(DataError, match="exists already and is kept; overwrite=True replaces it"):
        context(tmp_path / "there").__enter__()


@pytest.mark.parametrize("context", [whole, whole_folder])
def test_a_place_that_cannot_be_written_is_named(tmp_path, context):
    (tmp_path / "file").write_text("a file is no folder")
    with pytest.raises(DataError, match="cannot be written"):
        context(tmp_path / "file" / "out").__enter__()


def test_written_files_have_ordinary_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    with whole(tmp_path / "out") as temporary:
        temporary.write_text("")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("context", [whole, whole_folder])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_leaves_no_folder_and_names_the_output_and_the_reason(tmp_path, context, error):
    with pytest.raises((OutputError, KeyboardInterrupt)) as raised, context(tmp_path / "a" / "b" / "out.npy"):
        raise error
    assert list(tmp_path.iterdir()) == []
    if not isinstance(error, KeyboardInterrupt):
        assert str(raised.value).startswith(f"{tmp_path}/a/b/out.npy cannot be written: No space left on device;")
        assert raised.value.is_full
        assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_where_a_library_hides_the_reason_the_system_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left on device"), whole(tmp_path / "out.npy"):
        raise OSError("7840000 requested and 262144 written")
    monkeypatch.undo()
    with (
        pytest.raises(OutputError, match=r"out.npy cannot be written: the encoder failed;"),
        whole(tmp_path / "out.npy"),
    ):
        raise OSError("the encoder\nfailed")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_a_folder_that_fails_is_told_as_the_folder(tmp_path):
    def write():
        with whole_folder(tmp_path / "run") as temporary, whole(temporary / "a.png"):
            full()

    with pytest.raises(OutputError, match=f"^{tmp_path}/run cannot be written: No space"):
        write()


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    (tmp_path / "run").mkdir()
    for path in (tmp_path / "out", tmp_path / "run" / "a"):
        path.write_text("old")
        path.chmod(mode)
    with whole(tmp_path / "out", overwrite=True) as temporary:
        temporary.write_text("new")
    with whole_folder(tmp_path / "run", overwrite=True) as folder:
        (folder / "a").write_text("new")
    for path in (tmp_path / "out", tmp_path / "run" / "a"):
        assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)


def test_links_are_written_through(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    for name in ("file", "inner"):
        (real / name).write_text("old")
    links = tmp_path / "links"
    (links / "folder").mkdir(parents=True)
    for name, target in (("file", "file"), ("new", "new"), ("run", "run"), ("folder/inner", "inner")):
        (links / name).symlink_to(real / target)
    for name in ("file", "new"):
        with whole(links / name, overwrite=True) as temporary:
            temporary.write_text("written")
    with whole_folder(links / "run") as folder:
        (folder / "a").write_text("written")
    with whole_folder(links / "folder", overwrite=True) as folder:
        (folder / "inner").write_text("written")
    assert all((links / name).is_symlink() for name in ("file", "new", "run", "folder/inner"))
    assert {path.read_text() for path in (real / "file", real / "new", real / "run" / "a", real / "inner")} == {
        "written"
    }
    assert sorted(path.name for path in real.iterdir()) == ["file", "inner", "new", "run"]


def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="neither a file nor a folder"):
        whole(tmp_path / "pipe", overwrite=True).__enter__()
    assert (tmp_path / "pipe").is_fifo()


def test_a_long_name_is_written(tmp_path):
    with whole(tmp_path / f"{'n' * 250}.csv") as temporary:
        temporary.write_text("all of it")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path / "file" / "run", tmp_path / "file"):
        with pytest.raises(OutputError, match="Not a directory"):
            check_folder(path, overwrite=True)
    check_folder(tmp_path / "a" / "b", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("output", "given", "words"),
    [
        ("a.npy", "a.npy", "is the input itself"),
        ("folder/../a.npy", "a.npy", "is the input itself"),
        ("link.npy", "a.npy", "is the input itself"),
        ("hard.npy", "a.npy", "is the input itself"),
        ("a.npy", "link.npy", "is the input itself"),
        ("folder", "folder", "is the input itself"),
        ("folder/sub", "folder", "lies in the input"),
        ("folder/sub/deep/out.html", "folder", "lies in the input"),
        ("way/sub", "folder", "lies in the input"),
        ("folder/sub", "way", "lies in the input"),
        ("folder", "folder/inner", "holds the input"),
        ("folder", "folder/b.png", "holds the input"),
        ("folder", "folder/*.png", "holds the input"),
        ("folder", ["a.npy", "folder/b.png"], "holds the input"),
        ("folder", Path("folder/inner"), "holds the input"),
        ("out", "folder", ""),
        ("folder2", "folder", ""),
        ("folder/c.npy", "folder/b.png", ""),
        (".", "folder/b.png", ""),
        ("a.npy", 3.0, ""),
        ("a.npy", "mnist:test", ""),
    ],
)
def test_an_output_is_no_input_by_whatever_way(tmp_path, monkeypatch, output, given, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "b.png").write_text("")
    (tmp_path / "a.npy").write_text("")
    (tmp_path / "link.npy").symlink_to("a.npy")
    os.link("a.npy", "hard.npy")
    (tmp_path / "way").symlink_to("folder")
    if not words:
        refuse_inputs(output, given)
        return
    with pytest.raises(DataError, match=words):
        refuse_inputs(output, given)

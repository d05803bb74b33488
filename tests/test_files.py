"""Outputs are complete or absent, and nothing is overwritten without `overwrite`."""

import pytest

from narrows.errors import DataError
from narrows.files import whole, whole_folder


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
    with pytest.raises(DataError, match="exists already and is kept; add --overwrite"):
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

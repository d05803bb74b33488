"""The run folder that training writes: the model, the history, a page and its pictures."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from narrows import modelfile
from narrows.errors import DataError
from narrows.files import OutputError, whole_folder
from narrows.modelfile import FILE_NAME, Model

HISTORY = "history.csv"
COLUMNS = ("epoch", "train_mse", "val_mse", "seconds")


def write_run(
    folder: Path,
    model: Model,
    history: Sequence[Mapping[str, Any]],
    files: Mapping[str, bytes],
    overwrite: bool = False,
) -> None:
    """Write a run folder, completely or not at all.

    Parameters
    ----------
    folder : the path; an existing one is refused unless `overwrite`, which replaces files of the same names.
    model : what goes into model.safetensors.
    history : a mapping per epoch with the keys COLUMNS; `val_mse` is None where none was measured.
    files : what else goes into it, by name: the page and its pictures.

    Raises DataError where the folder exists; OutputError where it cannot be written, see `or_elsewhere`.
    """

    def write(place: Path, overwrite: bool) -> None:
        with whole_folder(place, overwrite) as temporary:
            modelfile.save(temporary / FILE_NAME, model)
            (temporary / HISTORY).write_text(history_text(history), encoding="utf-8")
            for name, data in files.items():
                (temporary / name).write_bytes(data)

    or_elsewhere(write, folder, overwrite)


def or_elsewhere(write: Callable[[Path, bool], None], path: Path, overwrite: bool) -> None:
    """Write a trained model to `path`, and where that cannot be, to the system's temporary folder or to the home.

    Parameters
    ----------
    write : takes a path and `overwrite`.

    Raises DataError where `path` exists and `overwrite` is False; OutputError where `path` cannot be written, which
    says why, and where the model is instead.
    """
    try:
        write(path, overwrite)
    except OutputError as error:
        kept = _write_elsewhere(write, path.resolve().name)
        where = "and nor can the temporary folder, so make room" if kept is None else f"the trained model is in {kept}"
        raise OutputError(f"{path} cannot be written: {error.reason}; {where}", error.reason, error.is_full) from None


def _write_elsewhere(write: Callable[[Path, bool], None], name: str) -> Path | None:
    """Write to a new folder of another place, and return the path there; None where that fails too."""
    for find in (tempfile.gettempdir, Path.home):
        with suppress(OSError, RuntimeError, OutputError):  # a place may be missing or full as well
            folder = Path(tempfile.mkdtemp(prefix="narrows-", dir=find()))
            try:
                write(folder / name, False)
            except OutputError:
                folder.rmdir()
                raise
            return folder / name
    return None


def history_text(history: Sequence[Mapping[str, Any]]) -> str:
    """Return the history as the text of a CSV file; None becomes an empty cell.

    Examples
    --------
    >>> print(history_text([{"epoch": 1, "train_mse": 0.5, "val_mse": None, "seconds": 2.0}]), end="")
    epoch,train_mse,val_mse,seconds
    1,0.5,,2.0
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def read_history(folder: Path) -> list[dict[str, float | None]]:
    """Return the history in a run folder, a dict per epoch with the keys COLUMNS; [] where there is no such file.

    Raises DataError for a file that is not a history.
    """
    path = Path(folder) / HISTORY
    if not path.exists():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{key: float(row[key]) if row[key] else None for key in COLUMNS} for row in csv.DictReader(file)]
    except (KeyError, ValueError, TypeError, csv.Error):
        raise DataError(f"{path} is not a history that training wrote; delete it, or train again") from None

"""The run folder that training writes: the model, the history, a page and its pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from narrows import modelfile
from narrows.errors import DataError
from narrows.files import whole_folder
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

    Raises DataError where the folder exists or cannot be written.
    """
    with whole_folder(folder, overwrite) as temporary:
        modelfile.save(temporary / FILE_NAME, model)
        (temporary / HISTORY).write_text(history_text(history), encoding="utf-8")
        for name, data in files.items():
            (temporary / name).write_bytes(data)


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

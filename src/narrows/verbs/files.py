"""Files of pictures restored one by one at their full size, each written back as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from narrows.data.image_file import Original, carried_mode, find_format, read_original, write_original
from narrows.data.images import EXTENSIONS, list_pictures, reason_of
from narrows.data.write import png_names
from narrows.errors import DataError
from narrows.files import refuse_existing
from narrows.metrics.likeness import Likeness, find_range, measure
from narrows.modelfile import Model
from narrows.tasks.tiles import restore_pictures, says_of_colours
from narrows.view.sheets import write_sheet

ARRAYS = {".npy", ".npz", ".csv"}


class Job(NamedTuple):
    """One picture to restore.

    Attributes
    ----------
    name : of the picture within its folder, to show.
    source, target : the file and where the restored one goes.
    format : the format that the target's ending asks for, None for the source's own.
    sheet : where the comparison goes.
    clean : the clean picture, or the folder that holds it.
    """

    name: str
    source: Path
    target: Path
    format: str | None = None
    sheet: Path | None = None
    clean: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    Attributes
    ----------
    name : the job's.
    missing : what was asked for and is not there, with the reason; "" where all is.
    written : whether the restored picture is there.
    notes : what a person should know.
    likeness : to the clean picture, where there is a clean picture.
    """

    name: str
    missing: str = ""
    written: bool = False
    notes: tuple[str, ...] = ()
    likeness: Likeness | None = None


def plan_jobs(
    source: Path, output: Path, compare: Path | None = None, clean: Path | None = None, overwrite: bool = False
) -> tuple[list[Job], tuple[str, ...], dict[str, str]]:
    """Return what is to be done for a picture or a folder, notes, and the folders that cannot be listed.

    Parameters
    ----------
    source : a picture, or a folder whose tree and names are kept.
    output : for a picture another, of any ending that can be written, or a folder; for a folder a folder.
    compare : the same for the sheets.
    clean : the clean picture, or a folder that holds one of the same name for each.

    Raises DataError where there is no picture, or an output exists and `overwrite` is False.
    """
    skipped: dict[str, str] = {}
    found, notes = list_pictures(source, skipped)
    alone = not source.is_dir()
    if clean is not None and not clean.exists():
        raise DataError(f"there is no file or folder {str(clean)!r} with the clean pictures")
    root = source.parent if alone else source
    names = [file.relative_to(root) for _, file in found]
    targets = _place(output, [_renamed(name, set(names)) for name in names], alone, overwrite)
    sheets: Sequence[Path | None] = [None] * len(found)
    if compare is not None:
        sheets = _place(compare, [Path(name) for name in png_names(list(map(str, names)))], alone, overwrite)
        if set(sheets) & set(targets):
            raise DataError(f"the comparison {compare} would replace the restored pictures; choose another name")
    jobs = [
        Job(shown, file, target, _asked_format(file, target), sheet, clean)
        for (shown, file), target, sheet in zip(found, targets, sheets, strict=True)
    ]
    return jobs, notes, skipped


def restore_file(model: Model, job: Job, overwrite: bool = False) -> Outcome:
    """Restore one picture and write it, and what else the job asks for; what goes wrong is told in the outcome."""
    try:
        original = read_original(job.source)
        mode = carried_mode(original, job.format or original.format)
        notes = _notes(model, original, mode, job)
        restored = restore_pictures(model, original.values)
        write_original(job.target, original, restored, job.format, overwrite)
    except MemoryError:
        return Outcome(job.name, "it is too large for the memory that is free")
    except Exception as error:  # Pillow's decoders and encoders raise about seven classes of error
        return Outcome(job.name, reason_of(error))
    try:
        clean = None if job.clean is None else _read_clean(job, original)
        likeness = None if clean is None else measure(model, original.values, restored, clean)
        if job.sheet is not None:
            data_range = find_range(model, original.values if clean is None else clean)
            write_sheet(job.sheet, original.values, restored, clean, data_range, overwrite)
    except Exception as error:
        return Outcome(job.name, f"restored, but not compared: {reason_of(error)}", True, notes)
    return Outcome(job.name, "", True, notes, likeness)


def _place(output: Path, names: list[Path], alone: bool, overwrite: bool) -> list[Path]:
    """Return where results of `names` go, and refuse what exists."""
    if alone and output.suffix and not output.is_dir():
        find_format(output)
        refuse_existing(output, overwrite)
        return [output]
    if output.suffix.lower() in EXTENSIONS | ARRAYS and not output.is_dir():
        raise DataError(f"a folder of pictures is restored to a folder, however: -o {output} is the name of a file")
    targets = [output / name for name in names]
    for path in targets if alone else [output]:
        refuse_existing(path, overwrite)
    return targets


def _renamed(name: Path, names: set[Path]) -> Path:
    """Return the name of a result: that of the picture, but for a GIF, which becomes a PNG."""
    if name.suffix.lower() != ".gif":
        return name
    renamed = name.with_suffix(".png")
    return renamed if renamed not in names else name.with_name(f"{name.name}.png")


def _asked_format(source: Path, target: Path) -> str | None:
    """Return the format of an ending that differs from the source's; a picture with a wrong one keeps it."""
    return None if source.suffix.lower() == target.suffix.lower() else find_format(target)


def _notes(model: Model, original: Original, mode: str, job: Job) -> tuple[str, ...]:
    notes = []
    if colours := says_of_colours(model, 1 if original.values.ndim == 2 else original.values.shape[2]):
        notes.append(colours)
    if original.alpha is not None and not mode.endswith("A"):
        notes.append(f"transparency is left out, which {job.target.suffix or original.format} does not hold")
    return tuple(notes)


def _read_clean(job: Job, original: Original) -> np.ndarray:
    """Return the values of the clean picture in the depth of the noisy one."""
    assert job.clean is not None
    values = read_original(_find_clean(job.clean, Path(job.name))).values
    if values.shape != original.values.shape:
        raise DataError(f"the clean picture is {values.shape}, however the noisy one is {original.values.shape}")
    if values.dtype == original.values.dtype:
        return values
    if values.dtype == np.uint8:
        return values.astype(np.uint16) * 257
    return np.rint(np.divide(values, 257, dtype=np.float32)).astype(np.uint8)  # no end of a step is near a half


def _find_clean(clean: Path, name: Path) -> Path:
    """Return the clean picture of `name`: in a folder that of the same name, or of the same stem."""
    if not clean.is_dir():
        return clean
    if (clean / name).exists():
        return clean / name
    for ending in sorted(EXTENSIONS):
        if (clean / name).with_suffix(ending).exists():
            return (clean / name).with_suffix(ending)
    raise DataError(f"there is no clean picture {str(name)!r} in {clean}")

"""Files of pictures to restore, one by one at their own size, format and depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from narrows.data.image_file import Original, carried_mode, find_format, read_original, write_original
from narrows.data.image_folder import list_pictures
from narrows.data.image_formats import EXTENSIONS
from narrows.data.write import png_names
from narrows.errors import DataError
from narrows.files import OutputError, refuse_existing, refuse_inputs
from narrows.metrics.data_range import find_range
from narrows.metrics.likeness import likeness_table
from narrows.modelfile import Model
from narrows.tasks.depths import find_depth
from narrows.tasks.tiles import note_on_channels, restore_pictures
from narrows.verbs.events import Events, Note, Result
from narrows.verbs.restoring import Job, Outcome, Source
from narrows.view.sheets import write_sheet

ARRAYS = {".npy", ".npz", ".csv"}


@dataclass(eq=False)
class PictureJob(Job):
    """One file with a picture.

    Attributes
    ----------
    name : of the picture within its folder, to show.
    source, target : the noisy file, and the file of the restored picture.
    format : that of the target's ending, None for the source's own.
    sheet : the file of the comparison, None for none.
    clean : the clean picture, or the folder that holds it, None for none.
    keeps : whether an output that is there is kept.
    original : what `read` has read, None before.
    """

    name: str
    source: Path
    target: Path
    format: str | None = None
    sheet: Path | None = None
    clean: Path | None = None
    keeps: bool = False
    original: Original | None = field(default=None, init=False)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do, since all outputs are there and kept."""
        return self.keeps and self.target.exists() and (self.sheet is None or self.sheet.exists())

    def read(self, model: Model) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the picture's values at its own size, and notes on its colours, depth and transparency."""
        self.original = original = read_original(self.source)
        mode = carried_mode(original, self.format or original.format)
        notes = []
        if colours := note_on_channels(model, 1 if original.values.ndim == 2 else original.values.shape[2]):
            notes.append(colours)
        if depth := find_depth(model, original.values, restores=True).note:
            notes.append(depth)
        if original.alpha is not None and not mode.endswith("A"):
            notes.append(f"transparency is left out, which {self.target.suffix or original.format} does not hold")
        return original.values, tuple(notes)

    def restore(self, model: Model, noisy: np.ndarray) -> np.ndarray:
        """Return the restored picture."""
        return restore_pictures(model, noisy)

    def write(self, restored: np.ndarray, overwrite: bool) -> None:
        """Write the restored picture with the format, depth and metadata of the original."""
        assert self.original is not None, "it has been read"
        if self.keeps and self.target.exists():
            return
        write_original(self.target, self.original, restored, self.format, overwrite)

    def read_clean(self) -> np.ndarray | None:
        """Return the values of the clean picture in the depth of the noisy one, None where there is none."""
        if self.clean is None:
            return None
        assert self.original is not None, "it has been read"
        noisy, values = self.original.values, read_original(_find_clean(self.clean, Path(self.name))).values
        if values.shape != noisy.shape:
            raise DataError(f"the clean picture is {values.shape}, however the noisy one is {noisy.shape}")
        if values.dtype == noisy.dtype:
            return values
        if values.dtype == np.uint8:
            return values.astype(np.uint16) * 257
        return np.rint(np.divide(values, 257, dtype=np.float32)).astype(np.uint8)  # no quotient is near a half

    def write_sheet(
        self, model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None, overwrite: bool
    ) -> None:
        """Write noisy, restored and difference side by side, where there is a `sheet`."""
        if self.sheet is not None and not (self.keeps and self.sheet.exists()):
            data_range = find_range(model, noisy if clean is None else clean)
            write_sheet(self.sheet, noisy, restored, clean, data_range, overwrite)

    def close(self) -> None:
        """Release the file's values."""
        self.original = None


class Pictures(Source):
    """A picture, or a folder of them whose tree and names are kept.

    Parameters
    ----------
    source : a picture, or a folder.
    output : for a picture another file, of any ending that can be written, or a folder; for a folder a folder.
    compare : the same for the sheets; None writes none.
    clean : the clean picture, or a folder that holds one of the same name for each.
    overwrite, skip_existing : replace outputs that exist, or keep them.

    Attributes
    ----------
    unlisted : folders that cannot be listed, with the reason.
    kept : how many pictures have all their outputs already.

    Raises DataError where there is no picture, an output is an input, or one exists and is neither replaced nor kept.
    """

    goes_on = True

    def __init__(
        self,
        source: Path,
        output: Path,
        compare: Path | None = None,
        clean: Path | None = None,
        overwrite: bool = False,
        skip_existing: bool = False,
    ) -> None:
        if overwrite and skip_existing:
            raise DataError("what exists is either replaced or kept, however both were asked for; leave out one")
        self.source, self.output = source, output
        replaces = overwrite or skip_existing
        self.unlisted: dict[str, str] = {}
        found, self.notes = list_pictures(source, self.unlisted)
        alone = not source.is_dir()
        if clean is not None and not clean.exists():
            raise DataError(f"there is no file or folder {str(clean)!r} with the clean pictures")
        if clean is not None and not alone and not clean.is_dir():
            raise DataError(f"the clean pictures of a folder are a folder too, however: {str(clean)!r} is a file")
        root = source.parent if alone else source
        names = [file.relative_to(root) for _, file in found]
        targets = _find_targets(output, [_renamed(name, set(names)) for name in names], alone, replaces)
        sheets: Sequence[Path | None] = [None] * len(found)
        if compare is not None:
            sheets = _find_targets(compare, [Path(name) for name in png_names(list(map(str, names)))], alone, replaces)
            if set(sheets) & set(targets):
                raise DataError(f"the comparison {compare} would replace the restored pictures; choose another name")
        for path in filter(None, (targets[0], sheets[0]) if alone else (output, compare)):
            refuse_inputs(path, source, clean)
        jobs = [
            PictureJob(shown, file, target, _new_format(file, target), sheet, clean, skip_existing)
            for (shown, file), target, sheet in zip(found, targets, sheets, strict=True)
        ]
        self.jobs: Sequence[PictureJob] = [job for job in jobs if not job.is_done]
        self.kept = len(jobs) - len(self.jobs)

    def finish(self, outcomes: Sequence[Outcome]) -> Events:
        """Yield what is missing, and PSNR and SSIM where there are clean pictures; the result is the outcomes."""
        yield from (Note(f"skipped {folder}: {reason}") for folder, reason in self.unlisted.items())
        written = sum(outcome.written for outcome in outcomes)
        if outcomes and not written and not self.kept:
            first = outcomes[0]
            if isinstance(first.error, OutputError):
                raise first.error
            raise DataError(f"no picture of {str(self.source)!r} could be restored; {first.name}: {first.missing}")
        known = {outcome.name: outcome.likeness for outcome in outcomes if outcome.likeness is not None}
        if known:
            yield likeness_table(list(known), list(known.values()))
        missing = len(self.jobs) - written
        kept = f" + {self.kept:,} there already" if self.kept else ""
        skipped = f" + {missing:,} skipped" if missing else ""
        total = f" = {len(self.jobs) + self.kept:,}" if kept or skipped else ""
        yield Note(f"{self.output}: {written:,} restored{kept}{skipped}{total}")
        yield Result(outcomes, int(bool(self.unlisted) or any(outcome.missing for outcome in outcomes)))


def _find_targets(output: Path, names: list[Path], alone: bool, overwrite: bool) -> list[Path]:
    """Return the file of the result of each of `names`; raise a DataError for what exists or cannot be written."""
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
    """Return the name of a result: that of the picture, except for a GIF, which becomes a PNG."""
    if name.suffix.lower() != ".gif":
        return name
    renamed = name.with_suffix(".png")
    return renamed if renamed not in names else name.with_name(f"{name.name}.png")


def _new_format(source: Path, target: Path) -> str | None:
    """Return the format that the ending of `target` names where it differs from the source's ending, else None."""
    return None if source.suffix.lower() == target.suffix.lower() else find_format(target)


def _find_clean(clean: Path, name: Path) -> Path:
    """Return the clean picture of `name`: `clean` itself, or in a folder the file of the same name or the same stem."""
    if not clean.is_dir():
        return clean
    if (clean / name).exists():
        return clean / name
    for ending in sorted(EXTENSIONS):
        if (clean / name).with_suffix(ending).exists():
            return (clean / name).with_suffix(ending)
    raise DataError(f"there is no clean picture {str(name)!r} in {clean}")

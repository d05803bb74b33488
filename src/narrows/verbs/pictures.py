"""Files of pictures to restore, page by page at their own size, format and depth."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from narrows.data.image_file import (
    Original,
    carried_mode,
    count_pages,
    find_format,
    notes_on_writing,
    read_original,
    read_page,
    write_pages,
    written_ending,
)
from narrows.data.image_folder import find_root, list_pictures
from narrows.data.image_formats import EXTENSIONS
from narrows.data.image_open import check_pages, note_on_pages, open_file, page_names
from narrows.data.image_source import PictureFile
from narrows.data.matching import match_names
from narrows.data.places import Place
from narrows.data.write import png_names
from narrows.errors import DataError
from narrows.files import OutputError, refuse_existing, refuse_inputs
from narrows.metrics.data_range import find_range
from narrows.metrics.likeness import likeness_table
from narrows.modelfile import Model
from narrows.tasks.depths import find_depth
from narrows.tasks.tiles import note_on_channels
from narrows.verbs.events import Event, Events, Note, Result
from narrows.verbs.restoring import Job, Outcome, Source, restore_tiles
from narrows.view.sheets import write_sheet

ARRAYS = {".npy", ".npz", ".csv"}


@dataclass(eq=False)
class PictureOutput:
    """A file of one restored picture or several, written once all of them are there.

    Attributes
    ----------
    source, target : the noisy file, and the restored one.
    pages : the pictures that it is to hold.
    format : that of the target's ending, None for the source's own.
    keeps : whether it is there already and stays as it is.
    originals, restored : what was read and restored so far.
    broken : the picture that could not be restored, "" while there is none.
    written : whether the file is there.
    file : the noisy file while it is open.
    """

    source: Path
    target: Path
    pages: int = 1
    format: str | None = None
    keeps: bool = False
    originals: list[Original] = field(default_factory=list)
    restored: list[np.ndarray] = field(default_factory=list)
    broken: str = ""
    written: bool = False
    file: PictureFile | None = None

    def read(self, page: int) -> Original:
        """Read a page of the noisy file, which stays open until `drop`."""
        if self.file is None:
            self.file = open_file(self.source)
        return read_page(self.file, page)

    def add(self, original: Original, restored: np.ndarray, overwrite: bool) -> None:
        """Take the next picture, and write the file after the last one."""
        if self.keeps:
            self.written = True
            return
        self.originals.append(original)
        self.restored.append(restored)
        if len(self.restored) == self.pages:
            write_pages(self.target, self.originals, self.restored, self.format, overwrite)
            self.written = True

    def drop(self) -> None:
        """Close the noisy file, and release what was read and restored."""
        self.originals, self.restored = [], []
        if self.file is not None:
            self.file.close()
            self.file = None


@dataclass(eq=False)
class PictureJob(Job):
    """One picture: a file with one, or a page of a file.

    Attributes
    ----------
    name : of the picture within its folder, to show.
    path : of its file within the folder.
    output : the file that it goes to.
    page : its number in the noisy file, from 0.
    sheet : the file of the comparison, None for none.
    clean : the clean picture, or the folder that holds it, None for none.
    original : what `read` has read, None before.
    """

    name: str
    path: Path
    output: PictureOutput
    page: int = 0
    sheet: Path | None = None
    clean: Path | None = None
    original: Original | None = field(default=None, init=False)
    added: bool = field(default=False, init=False)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do, since all outputs are there and kept."""
        return self.output.keeps and self.sheet is None

    def read(self, model: Model) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the picture's values at its own size, and notes on its colours, depth and transparency."""
        output = self.output
        if output.broken:
            raise ValueError(f"{output.broken} is missing, so {output.target.name} is not written")
        self.original = original = output.read(self.page)
        format_ = output.format or original.format
        mode = carried_mode(original, format_, output.pages)
        notes = notes_on_writing(original, format_)
        if colours := note_on_channels(model, 1 if original.values.ndim == 2 else original.values.shape[2]):
            notes.append(colours)
        if depth := find_depth(model, original.values, restores=True).note:
            notes.append(depth)
        if original.alpha is not None and "A" not in mode and mode != "other":
            notes.append(f"transparency is left out, which {output.target.suffix or original.format} does not hold")
        return original.values, tuple(notes)

    def restore(self, model: Model, noisy: np.ndarray) -> Generator[Event, None, np.ndarray]:
        """Yield progress and return the restored picture."""
        return (yield from restore_tiles(model, noisy, self.name))

    def write(self, restored: np.ndarray, overwrite: bool) -> None:
        """Give the restored picture to its file, which has the format, depth and metadata of the original."""
        assert self.original is not None, "it has been read"
        self.output.add(self.original, restored, overwrite)
        self.added = True

    def read_clean(self) -> np.ndarray | None:
        """Return the values of the clean picture in the depth of the noisy one, None where there is none."""
        if self.clean is None:
            return None
        assert self.original is not None, "it has been read"
        noisy, path = self.original.values, _find_clean(self.clean, self.path)
        values = read_original(path, self.page if count_pages(path) > 1 else 0).values
        if values.shape != noisy.shape:
            raise DataError(f"the clean picture is {values.shape}, however the noisy one is {noisy.shape}")
        if values.dtype == noisy.dtype:
            return values
        if {values.dtype.name, noisy.dtype.name} != {"uint8", "uint16"}:
            raise DataError(f"the clean picture is {values.dtype}, however the noisy one is {noisy.dtype}")
        if values.dtype == np.uint8:
            return values.astype(np.uint16) * 257
        return np.rint(np.divide(values, 257, dtype=np.float32)).astype(np.uint8)  # no quotient is near a half

    def write_sheet(
        self, model: Model, noisy: np.ndarray, restored: np.ndarray, clean: np.ndarray | None, overwrite: bool
    ) -> None:
        """Write noisy, restored and difference side by side, where there is a `sheet`."""
        if self.sheet is not None:
            data_range = find_range(model, noisy if clean is None else clean)
            write_sheet(self.sheet, noisy, restored, clean, data_range, overwrite)

    def close(self) -> None:
        """Release the picture's values, and those of its file where this one is missing."""
        self.original = None
        if not self.added and not self.output.broken:
            self.output.broken = self.name
        if self.output.broken or self.output.written:
            self.output.drop()


class Pictures(Source):
    """A picture, or a folder of them whose tree and names are kept.

    Parameters
    ----------
    source : a picture, or a folder.
    output : for a picture another file, of any ending that can be written, or a folder; for a folder a folder.
    compare : the same for the sheets; None writes none.
    clean : the clean picture, or a folder that holds one of the same name for each.
    overwrite, skip_existing : replace outputs that exist, or keep them.
    pages : "all" pages of each file, or the "first".

    Attributes
    ----------
    unlisted : folders that cannot be listed, with the reason.
    kept : how many pictures have all their outputs already.

    Raises DataError where there is no picture, an output is an input, or one exists and is neither replaced nor kept.
    """

    goes_on = True

    def __init__(
        self,
        source: Path | Place,
        output: Path,
        compare: Path | None = None,
        clean: Path | None = None,
        overwrite: bool = False,
        skip_existing: bool = False,
        pages: str = "all",
    ) -> None:
        check_pages(pages)
        if overwrite and skip_existing:
            raise DataError("what exists is either replaced or kept, however both were asked for; leave out one")
        self.source, self.output = source, output
        replaces = overwrite or skip_existing
        self.unlisted: dict[str, str] = {}
        found, notes = list_pictures(source, self.unlisted)
        alone = not source.is_dir()
        if clean is not None and not clean.exists():
            raise DataError(f"there is no file or folder {str(clean)!r} with the clean pictures")
        if clean is not None and not alone and not clean.is_dir():
            raise DataError(f"the clean pictures of a folder are a folder too, however: {str(clean)!r} is a file")
        root = find_root(source)
        paths = [file.relative_to(root) for _, file in found]
        held = [count_pages(file) for _, file in found]
        counts = [1] * len(held) if pages == "first" else held
        self.notes = (*notes, *note_on_pages(held, pages))
        endings = [written_ending(path, count) for path, count in zip(paths, counts, strict=True)]
        targets = _find_targets(output, _renamed(paths, endings), alone, replaces, counts)
        outputs = [
            PictureOutput(file, target, count, _new_format(file, target), keeps=skip_existing and target.exists())
            for (_, file), target, count in zip(found, targets, counts, strict=True)
        ]
        jobs = [
            PictureJob(shown, path, made, page, clean=clean)
            for (name, _), path, made in zip(found, paths, outputs, strict=True)
            for page, shown in enumerate(page_names(name, made.pages))
        ]
        if compare is not None:
            _add_sheets(jobs, compare, alone, replaces, targets)
        sheet = jobs[0].sheet
        for job in jobs:
            if skip_existing and job.sheet is not None and job.sheet.exists():
                job.sheet = None
        inputs = list(source.paths) if isinstance(source, Place) else source
        for made in filter(None, (targets[0], sheet) if alone else (output, compare)):
            refuse_inputs(made, inputs, clean)
        self.jobs: Sequence[PictureJob] = [job for job in jobs if not job.is_done]
        self.kept = len(jobs) - len(self.jobs)

    def settle(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the outcomes, in which pages whose file was not written are missing."""
        return [
            outcome if job.output.written or not outcome.written else _unwritten(outcome, job)
            for job, outcome in zip(self.jobs, outcomes, strict=False)
        ]

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


def _add_sheets(jobs: Sequence[PictureJob], compare: Path, alone: bool, overwrite: bool, targets: list[Path]) -> None:
    """Give every job the file of its comparison."""
    names = png_names([page_names(str(job.path), job.output.pages)[job.page] for job in jobs])
    sheets = _find_targets(compare, list(map(Path, names)), alone and len(names) == 1, overwrite)
    if set(sheets) & set(targets):
        raise DataError(f"the comparison {compare} would replace the restored pictures; choose another name")
    for job, sheet in zip(jobs, sheets, strict=True):
        job.sheet = sheet


def _unwritten(outcome: Outcome, job: PictureJob) -> Outcome:
    reason = f"{job.output.broken or 'another page'} is missing, so {job.output.target.name} is not written"
    return replace(outcome, missing=reason, written=False)


def _find_targets(
    output: Path, names: list[Path], alone: bool, overwrite: bool, pages: Sequence[int] = (1,)
) -> list[Path]:
    """Return the file of the result of each of `names`; raise a DataError for what exists or cannot be written."""
    if alone and output.suffix and not output.is_dir():
        if not (output.suffix.lower() == names[0].suffix.lower() == ".gif" and pages[0] > 1):
            find_format(output)
        refuse_existing(output, overwrite)
        return [output]
    if output.suffix.lower() in EXTENSIONS | ARRAYS and not output.is_dir():
        raise DataError(f"a folder of pictures is restored to a folder, however: -o {output} is the name of a file")
    targets = [output / name for name in names]
    for path in targets if alone else [output]:
        refuse_existing(path, overwrite)
    return targets


def _renamed(paths: list[Path], endings: list[str]) -> list[Path]:
    """Return the names of the results: those of the pictures, or with another ending where that is free."""
    taken = set(paths)
    named = []
    for path, ending in zip(paths, endings, strict=True):
        renamed = path.with_suffix(ending)
        if ending != path.suffix and renamed in taken:
            renamed = path.with_name(f"{path.name}{ending}")
        taken.add(renamed)
        named.append(renamed)
    return named


def _new_format(source: Path, target: Path) -> str | None:
    """Return the format that the ending of `target` names where it differs from the source's ending, else None."""
    return None if source.suffix.lower() == target.suffix.lower() else find_format(target)


def _find_clean(clean: Path, name: Path) -> Path:
    """Return the clean picture of `name`: `clean` itself, or in a folder the file of the same name or the same stem."""
    if not clean.is_dir():
        return clean
    if (clean / name).exists():
        return clean / name
    folder = clean / name.parent
    others = [file.name for file in folder.iterdir() if file.suffix.lower() in EXTENSIONS] if folder.is_dir() else []
    found = match_names([name.name], others).get(name.name)
    if found is None:
        raise DataError(f"there is no clean picture {str(name)!r} in {clean}")
    return folder / found

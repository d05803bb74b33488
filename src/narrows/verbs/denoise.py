"""The verb `denoise` in the shell: files of pictures one by one at their own size, or an array as a whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from narrows.cli.printing import describe_array, follow, print_table
from narrows.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from narrows.data.read import Samples
    from narrows.modelfile import Model
    from narrows.verbs.files import Outcome


def denoise_files(
    model: Model, source: str, output: str, compare: str | None, clean: str | None, overwrite: bool
) -> int:
    """Restore a picture, or a folder of them, and say what became of each that is not there.

    Returns the exit status: 1 where a picture is missing. Raises DataError where none is there.
    """
    from narrows.verbs.files import plan_jobs, restore_file

    sheets, truth = (None if name is None else Path(name) for name in (compare, clean))
    jobs, notes, unlisted = plan_jobs(Path(source), Path(output), sheets, truth, overwrite)
    for note in notes:
        print(note)
    done: list[Outcome] = []
    try:
        for outcome in follow((restore_file(model, job, overwrite) for job in jobs), len(jobs), "restoring"):
            _say(outcome, done)
            done.append(outcome)
    except KeyboardInterrupt:
        print(f"narrows: stopped; {_count(done)} of {len(jobs)} pictures are restored", file=sys.stderr)
        return 130
    for folder, reason in unlisted.items():
        print(f"skipped {folder}: {reason}")
    if not _count(done):
        reasons = [f"{outcome.name}: {outcome.missing}" for outcome in done]
        raise DataError(f"no picture of {source!r} could be restored; {reasons[0]}")
    _print_likeness(done)
    missing = len(jobs) - _count(done)
    print(f"{output}: {_count(done):,} restored" + (f" + {missing:,} skipped = {len(jobs):,}" if missing else ""))
    return int(bool(unlisted) or any(outcome.missing for outcome in done))


def denoise_samples(
    model: Model, samples: Samples, output: str, compare: str | None, clean: str | None, overwrite: bool
) -> int:
    """Restore an array, or pictures that were brought to the model's size, as a whole.

    Returns the exit status: 1 where a picture was skipped.
    """
    from narrows.data.layout import to_pictures
    from narrows.data.write import check_suits, write
    from narrows.files import refuse_existing
    from narrows.metrics.likeness import find_range, likeness_table, measure
    from narrows.tasks.reconstruct import denoise
    from narrows.tasks.tiles import says_of_colours, takes_any_size
    from narrows.view.sheets import write_sheets

    check_suits(output, samples.x)  # before the work; what comes out is as what goes in
    if compare is not None:
        refuse_existing(compare, overwrite)
    truth = None if clean is None else _read_clean(clean, samples)
    if takes_any_size(model) and (colours := says_of_colours(model, to_pictures(samples.x)[0].shape[1])):
        print(f"note: {colours}")
    restored = denoise(model, samples.x)
    write(output, restored, names=samples.names or samples.columns, overwrite=overwrite)
    if compare is not None:
        data_range = find_range(model, samples.x)
        write_sheets(Path(compare), samples.x, restored, truth, samples.names, data_range, overwrite)
    if truth is not None:
        print_table(likeness_table(samples.names or (), [measure(model, samples.x, restored, truth)]))
    print(f"{output}: {describe_array(restored)}")
    return int(bool(samples.skipped))


def _count(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.written for outcome in outcomes)


def _say(outcome: Outcome, before: Sequence[Outcome]) -> None:
    """Print what is new about an outcome: a note once, whatever the number of pictures that it holds for."""
    said = {note for other in before for note in other.notes}
    for note in outcome.notes:
        if note not in said:
            print(f"note: {note}")
    if outcome.missing:
        print(f"{'incomplete' if outcome.written else 'skipped'} {outcome.name}: {outcome.missing}")


def _print_likeness(outcomes: Sequence[Outcome]) -> None:
    from narrows.metrics.likeness import likeness_table

    known = {outcome.name: outcome.likeness for outcome in outcomes if outcome.likeness is not None}
    if known:
        print_table(likeness_table(list(known), list(known.values())))


def _read_clean(clean: str, samples: Samples) -> np.ndarray:
    """Return the clean samples, one for each noisy one."""
    from narrows.data.read import read

    truth = read(clean, reading=samples.reading or None)
    x = truth.x
    if samples.names is not None and truth.names is not None and samples.names != truth.names:
        places = {name: i for i, name in enumerate(truth.names)}
        lacking = [name for name in samples.names if name not in places]
        if lacking:
            raise DataError(f"there is no clean picture {lacking[0]!r} in {clean}")
        x = x[[places[name] for name in samples.names]]
    if x.shape != samples.x.shape or x.dtype != samples.x.dtype:
        raise DataError(
            f"the clean data must be like the noisy ones, {samples.x.dtype} {samples.x.shape}, however: {clean} is "
            f"{x.dtype} {x.shape}"
        )
    return x

"""The verbs `evaluate` and `report`: the metrics of a model on data, as tables or as a page."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from narrows.data.named import NAMED
from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.files import refuse_existing, refuse_inputs, whole
from narrows.metrics.comparison import Comparison
from narrows.metrics.evaluate import evaluate as make_tables
from narrows.modelfile import Model
from narrows.runfolder import read_history
from narrows.spec import check_whole
from narrows.verbs.describe import shell_word
from narrows.verbs.events import Counted, Event, Events, Note, Result
from narrows.verbs.numbers import check_tables_output, write_tables
from narrows.verbs.reading import Location, find_reference, open_model, read_as, read_for
from narrows.view.report import run_report


def evaluate(
    model: Model | Location,
    data: Any,
    *,
    output: Location | None = None,
    corruption: Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    labels: Any = None,
    reference: Any = None,
    overwrite: bool = False,
    **reading: Any,
) -> Events:
    """Measure a model and plain methods on data; the result is a list of tables.

    Parameters
    ----------
    output : FILE.json or FILE.csv that holds the tables too.
    corruption : corruptions as texts; the data are damaged by each, and a table says how well they are restored. ()
        measures everything else.
    most : at most so many damaged pictures are measured, at least 1; 1,000 by default, or fewer large ones.
    seed : of the damage.
    labels : of the samples, for the metrics of a map.
    reading : options of `read` that all verbs share, such as `axes`.
    reference : the training data, which PCA is fitted on and filters are set by; needed where the model does not know
        them by name, or there is no PCA beside it.

    Raises DataError for data that the model does not take, SpecError for a text that is no corruption.
    """
    if output is not None:
        check_tables_output(output, overwrite)
        refuse_inputs(output, data, labels)
    model = open_model(model)
    samples, _ = yield from read_for(model, data, labels=labels, **reading)
    beside = find_reference(model, samples, (yield from _read_reference(model, reference)))
    tables = []
    for text in corruption:
        comparison = yield from compare({"this model": model}, samples.x, beside.x, text, most, seed)
        tables.append(comparison.table(beside.name))
        yield tables[-1]
    if not corruption:
        known = beside.labels if samples.labels is not None else None
        found = make_tables(model, samples.x, beside.x, beside.name, samples.labels, known, beside.is_own)
        for table in found:
            tables.append(table)
            yield table
    if output is not None:
        write_tables(output, tables, overwrite)
        yield Note(f"{output}: {len(tables)} table{'' if len(tables) == 1 else 's'}")
    yield Result(tables)


def report(
    model: Model | Location,
    data: Any = None,
    *,
    output: Location | None = None,
    corruption: Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    labels: Any = None,
    reference: Any = None,
    history: Sequence[Mapping[str, Any]] | None = None,
    overwrite: bool = False,
    **reading: Any,
) -> Events:
    """Write the page of a model on data; the result is the page's path.

    Parameters
    ----------
    model : a run folder or a model file, or with an `output` also a `Model`.
    data : None takes the test split of the training data, where these are known by name.
    output : the page, report-NAME.html beside the model by default.
    corruption, most, seed, labels, reference, reading : as `evaluate` takes them.
    history : of the training; None reads that of the run folder.

    Raises SpecError for a text that is no corruption; DataError for data that the model does not take, and where the
    page exists and `overwrite` is False.
    """
    run = None if isinstance(model, Model) else Path(model)
    if output is not None:
        refuse_existing(output, overwrite)
        refuse_inputs(output, data, labels)
    elif run is None:
        raise DataError("the page of a model that is in no file needs an output; name one, such as 'report.html'")
    model = open_model(model)
    if data is None and model.card.origin not in NAMED:
        way_out = "give some" if run is None else f"write `narrows report {shell_word(run)} DATA`"
        raise DataError(f"the report of {'this model' if run is None else run} needs data to show; {way_out}")
    chosen = NAMED[model.card.origin].test or model.card.origin if data is None else data
    samples, _ = yield from read_for(model, chosen, labels=labels, **reading)
    beside = find_reference(model, samples, (yield from _read_reference(model, reference)))
    folder = None if run is None else run if run.is_dir() else run.parent
    if history is None:
        history = [] if folder is None else read_history(folder)
    comparisons = []
    for text in corruption:
        comparisons.append((yield from compare({"this model": model}, samples.x, beside.x, text, most, seed)))
    page = run_report(
        model,
        history,
        samples.x,
        x_name=samples.origin,
        reference=None if beside.is_own else beside.x,
        names=samples.names,
        labels=samples.labels,
        skipped=samples.skipped,
        comparisons=comparisons,
        reference_name=beside.name,
    )
    path = (
        Path(output) if output is not None else (folder or Path()) / f"report-{samples.origin.replace(':', '-')}.html"
    )
    with whole(path, overwrite) as temporary:
        temporary.write_text(page.html, encoding="utf-8")
    yield Note(str(path))
    yield Result(path)


def _read_reference(model: Model, reference: Any) -> Generator[Event, None, Samples | None]:
    """Return the training data as the model reads them; None where nobody named them."""
    if reference is None:
        return None
    return (yield from read_as(model, reference))


def compare(
    models: dict[str, Model], x: np.ndarray, reference: np.ndarray, corruption: str, most: int | None, seed: int
) -> Generator[Event, None, Comparison]:
    """Return the comparison of models with the plain filters on damaged data."""
    most = None if most is None else check_whole("most", most, 1)
    comparison = Comparison(models, x, reference, corruption, most=most, seed=seed)
    yield Counted(corruption, 0, len(comparison))
    for done, _ in enumerate(comparison, 1):
        yield Counted(corruption, done, len(comparison))
    return comparison

"""The verb `map`: samples on a model's map, as a picture, an interactive page or a table."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from narrows import modelfile
from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.files import refuse_existing, refuse_inputs
from narrows.modelfile import Model
from narrows.tables.write import WRITERS
from narrows.tasks.encode import encode, has_map
from narrows.tasks.mapping import Map, check_differ, make_map
from narrows.tasks.session import Session
from narrows.training.map_head import add_head, add_pca_head, choose_samples
from narrows.verbs.describe import describe_map
from narrows.verbs.events import Event, Events, Note, Result, Working
from narrows.verbs.map_table import write_map_table
from narrows.verbs.reading import Location, find_reference, open_model, read_for
from narrows.view.explorer.page import write_explorer
from narrows.view.map_picture import write_picture

PICTURES = (".png", ".svg")
MOST_NAMED = 10  # characters that a note names
DRAWN = (*PICTURES, ".html")
ENDINGS = (*DRAWN, *WRITERS)


def draw_map(
    model: Model | Location,
    data: Any,
    *,
    output: Location | None = None,
    labels: Any = None,
    colour_by: str | None = None,
    pca: bool = False,
    overwrite: bool = False,
    **reading: Any,
) -> Events:
    """Compute the positions of samples on a model's map; the result is a `Map`, also written to `output` if given.

    For a model without a map, a map head is fitted; where `model` is a path, it is added to the file.

    Parameters
    ----------
    output : FILE.png or .svg, .html, or a table such as .csv or .parquet.
    labels : one per sample (N,), or a file with them, for colours.
    colour_by : "label", "error" or the name of a table's column, for the colours of a picture or a page.
    reading : options of `read` that all verbs share, such as `axes`.
    pca : take the first two principal components of the codes instead of a map.

    Raises SpecError for a model without a code; DataError for data of which no map can be made, and where `output`
    exists and `overwrite` is False.
    """
    if output is not None:
        check_output(output, colour_by, overwrite)
        refuse_inputs(output, data, labels)
    path = None if isinstance(model, Model) else model
    model = open_model(model)
    model.network.check_code()
    samples, session = yield from read_for(model, data, labels=labels, measures_all=True, **reading)
    is_drawn = output is not None and Path(output).suffix.lower() not in WRITERS
    if is_drawn or pca or not has_map(model):
        check_differ(session, samples)
    if pca:
        session = session.with_map(add_pca_head(model, _reference_codes(session, samples)))
    elif not has_map(model):
        session = yield from _with_map(session, samples, path)
    mapped = make_map(session.model, samples, session, is_drawn)
    if output is not None:
        if missing := write_map(output, session.model, mapped, colour_by, overwrite):
            yield Note(
                f"note: no font here has {' '.join(missing[:MOST_NAMED])}, so {output} shows the codes of these; "
                f"install a font that has them, or write .svg or .html"
            )
        yield Note(f"{output}: {len(mapped):,} samples")
    yield Result(mapped)


def check_output(output: Location, colour_by: str | None, overwrite: bool) -> None:
    """Raise a DataError where a map cannot be written to `output`, or not with `colour_by`."""
    ending = Path(output).suffix.lower()
    if ending not in ENDINGS:
        raise DataError(f"a map is written as {', '.join(ENDINGS)}, however: -o {output}; give it one of these endings")
    if colour_by is not None and ending not in DRAWN:
        raise DataError(f"--colour-by is for {', '.join(DRAWN)}, however: -o {output}; leave it out")
    refuse_existing(output, overwrite)


def write_map(output: Location, model: Model, mapped: Map, colour_by: str | None, overwrite: bool) -> str:
    """Write a map in the format that the ending of `output` names; return characters that no font here has."""
    ending = Path(output).suffix.lower()
    if ending == ".html":
        write_explorer(output, model, mapped, overwrite, colour_by)
    elif ending in PICTURES:
        return write_picture(output, model, mapped, colour_by, overwrite=overwrite)
    else:
        write_map_table(output, mapped, overwrite=overwrite)
    return ""


def _reference_codes(session: Session, samples: Samples, most: bool = False) -> np.ndarray:
    """Return the codes of the training data where these are known by name, else those of the session.

    most : return only as many codes as a map head is fitted on.
    """
    model = session.model
    x = find_reference(model, samples).x
    index = choose_samples(len(x), model.network.code_size).numpy() if most else slice(None)
    return session.codes[index] if x is session.x else encode(model, x[index])


def _with_map(session: Session, samples: Samples, path: Location | None) -> Generator[Event, None, Session]:
    """Return the session with a map head fitted on the codes of the training data, and write it to the file `path`."""
    yield Working("fitting the map")
    model = add_head(session.model, _reference_codes(session, samples, most=True))
    yield Note(f"map: {describe_map(model)}")
    if path is not None:
        try:
            modelfile.save(modelfile.find_file(path), model, overwrite=True)
        except DataError as error:
            yield Note(f"note: this map is not kept: {error}")
    return session.with_map(model)

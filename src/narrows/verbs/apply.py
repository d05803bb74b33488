"""The verbs `reconstruct`, `encode` and `decode`, one pass through a model each, and `corrupt`, which damages data."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from narrows.data.places import open_place
from narrows.data.samples import Samples
from narrows.data.write import check_suits, write
from narrows.errors import DataError
from narrows.files import refuse_existing, refuse_inputs
from narrows.modelfile import Model
from narrows.tables.columns import named
from narrows.tasks import corrupt as damage
from narrows.tasks import encode as codes_of
from narrows.tasks import reconstruct as restore
from narrows.tasks.tiles import is_other_size
from narrows.verbs.describe import describe_array
from narrows.verbs.events import Event, Events, Note, Result
from narrows.verbs.pictures import Pictures
from narrows.verbs.reading import (
    Location,
    are_files_of_any_size,
    as_written,
    describe_written,
    open_model,
    read_data,
    read_for,
    reading_of,
    start_session,
    write_like,
)
from narrows.verbs.restoring import restore_all, restore_tiles


def reconstruct(
    model: Model | Location,
    data: Any,
    *,
    output: Location | None = None,
    overwrite: bool = False,
    **reading: Any,
) -> Events:
    """Encode and decode data; the result is an array like the data, also written to `output` where that is given.

    reading : options of `read` that all verbs share, such as `axes`.

    Where the model takes pictures of any size, files of pictures are written one by one at their own size; the result
    is an `Outcome` for each then, and needs an output.

    Raises DataError for data that the model does not take, and where `output` exists and `overwrite` is False.
    """
    model = open_model(model)
    if are_files_of_any_size(model, data) and output is not None:
        pages = reading.get("pages") or "all"
        with open_place(data) as place:
            yield from restore_all(model, Pictures(place, Path(output), overwrite=overwrite, pages=pages), overwrite)
        return
    _refuse(output, overwrite, data)
    samples = yield from read_data(data, **reading_of(model, reading))
    if output is not None:
        check_suits(output, as_written(output, samples, samples.x))  # before the work: the result has the data's type
    if is_other_size(model, samples.x):
        result = yield from restore_tiles(model, samples.x, samples.origin)
    else:
        result = restore.reconstruct_session((yield from start_session(model, samples)))
    if output is not None:
        write_like(output, samples, result, overwrite)
        yield Note(f"{output}: {describe_written(output, samples, result)}")
    yield Result(samples.back(result))


def encode(
    model: Model | Location,
    data: Any,
    *,
    output: Location | None = None,
    overwrite: bool = False,
    **reading: Any,
) -> Events:
    """Compute the code of every sample; the result is an array (N, k), also written to `output` where that is given.

    In a table file the columns of the data that are not learned stand before the codes.

    reading : options of `read` that all verbs share, such as `axes`.

    Raises SpecError for a model without a code; DataError for data that the model does not take, and where `output`
    exists and `overwrite` is False.
    """
    _refuse(output, overwrite, data)
    model = open_model(model)
    model.network.check_code()
    samples, session = yield from read_for(model, data, **reading)
    codes = session.codes
    if output is not None:
        names = _code_names(codes.shape[1])
        beside = samples.beside
        table = None if beside is None else beside.put_before(named(names).decode(codes))
        write(output, codes, names=names, overwrite=overwrite, rows=samples.names, table=table)
        yield Note(f"{output}: {codes.shape[0]:,} codes of {codes.shape[1]:,} numbers")
    yield Result(codes)


def decode(model: Model | Location, codes: Any, *, output: Location | None = None, overwrite: bool = False) -> Events:
    """Decode codes (N, k); the result is an array of samples, also written to `output` where that is given.

    Raises SpecError for a model without a code; DataError for codes of another width, and where `output` exists and
    `overwrite` is False.
    """
    _refuse(output, overwrite, codes)
    model = open_model(model)
    model.network.check_code()
    read_codes = yield from _read_codes(codes, model.network.code_size)
    result = codes_of.decode(model, read_codes.x)
    if output is not None:
        table = model.card.table.decode(result) if model.card.table is not None else None
        write(output, result, names=model.card.columns, overwrite=overwrite, table=table)
        yield Note(f"{output}: {describe_array(result)}")
    yield Result(result)


def _read_codes(codes: Any, size: int) -> Generator[Event, None, Samples]:
    """Read codes: the columns that `encode` names, where a table has them, else all."""
    try:
        return (yield from read_data(codes, model_columns=named(_code_names(size))))
    except DataError:  # no such columns
        return (yield from read_data(codes))


def _code_names(size: int) -> list[str]:
    return [f"z{i}" for i in range(size)]


def corrupt(
    data: Any,
    corruption: str,
    *,
    output: Location | None = None,
    seed: int = 0,
    size: Any = None,
    resize_mode: str | None = None,
    overwrite: bool = False,
    **reading: Any,
) -> Events:
    """Damage data; the result is an array like the data, also written to `output` where that is given.

    Parameters
    ----------
    corruption : a part as text, "gaussian(0.08)"; its units are those that training would choose.
    seed : makes the damage repeatable.
    size, resize_mode, reading : how the data are read, as `read` takes it.

    Raises SpecError for a text that is no corruption; DataError for data that cannot be read, and where `output` exists
    and `overwrite` is False.
    """
    _refuse(output, overwrite, data)
    samples = yield from read_data(data, size=size, resize_mode=resize_mode, **reading)
    shape = None if samples.axes is None else samples.axes.sample_shape(samples.x)
    kinds = None if samples.table is None else samples.table.runs
    damaged, units = damage.corrupt(samples.x, corruption, seed, shape, kinds)
    if output is not None:
        write_like(output, samples, damaged, overwrite)
    yield Note(f"damage: {corruption}, in units of {units}")
    yield Note(f"before: {describe_array(samples.arrange(samples.x))}")
    yield Note(f"after:  {describe_array(samples.arrange(damaged))}")
    yield Result(samples.back(damaged))


def _refuse(output: Location | None, overwrite: bool, data: Any) -> None:
    if output is not None:
        refuse_existing(output, overwrite)
        refuse_inputs(output, data)

"""What verbs read: models and data, with what there is to say of them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from narrows import modelfile
from narrows.data.named import NAMED
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.modelfile import Model
from narrows.tasks.score import UNUSUAL, times_usual
from narrows.tasks.session import Session
from narrows.verbs.events import Event, Note

Location = str | Path  # of a file or a folder
CHECKED = 512  # samples whose errors tell as well as all whether data are like those of training


class Reference(NamedTuple):
    """The data that plain methods learn from.

    Attributes
    ----------
    x : in the user's layout.
    name : in words, for the notes of tables.
    labels : where `x` has some and the data measured are its test split, None otherwise.
    """

    x: np.ndarray
    name: str
    labels: np.ndarray | None


def open_model(model: Model | Location) -> Model:
    """Return a model that is at hand, or the one in a file or a run folder."""
    return model if isinstance(model, Model) else modelfile.load(model)


def read_data(data: Any, **options: Any) -> Generator[Event, None, Samples]:
    """Read samples and say what was noticed and what was skipped."""
    samples = read(data, **options)
    yield from (Note(note) for note in samples.notes)
    yield from (Note(f"skipped {name}: {reason}") for name, reason in samples.skipped)
    if samples.skipped:
        used, skipped = len(samples.x), len(samples.skipped)
        yield Note(f"{used:,} used + {skipped:,} skipped = {used + skipped:,}")
    return samples


def read_for(
    model: Model, data: Any, *, labels: Any = None, measures_all: bool = False
) -> Generator[Event, None, tuple[Samples, Session]]:
    """Read data as the model's own were read, and say where they are unlike them.

    Parameters
    ----------
    measures_all : whether the verb needs the error of every sample, so that it is measured at once.
    """
    samples = yield from read_data(data, reading=model.card.reading or None, labels=labels)
    session = Session(model, samples.x)
    errors = session.errors[:CHECKED] if measures_all else session.first_errors(CHECKED)
    times = times_usual(model, errors)
    if times is not None and times >= UNUSUAL:
        yield Note(
            f"note: the error on {samples.origin} is {times:.0f} times the usual, so these data are unlike those of "
            f"training (a light background, another scale?) and the results may be poor"
        )
    return samples, session


def find_reference(model: Model, samples: Samples) -> Reference:
    """Return the data that plain methods learn from: the training data where they are known by name, else `samples`."""
    if model.card.origin in NAMED:
        known = read(model.card.origin)
        return Reference(known.x, model.card.origin, known.labels if samples.origin == known.test else None)
    return Reference(samples.x, f"{samples.origin}, the very data measured, which favours it", None)

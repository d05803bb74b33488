"""The section of a report that shows the model's map."""

from __future__ import annotations

import numpy as np

from narrows.data.samples import Samples
from narrows.errors import DataError
from narrows.modelfile import Model
from narrows.tasks.encode import has_map
from narrows.tasks.mapping import make_map
from narrows.tasks.session import Session
from narrows.view.colours import colour
from narrows.view.figure import Figure
from narrows.view.map_decoded import draw_decoded
from narrows.view.map_points import draw_points
from narrows.view.page import Page


def add_map(
    page: Page, model: Model, x: np.ndarray, labels: np.ndarray | None, errors: np.ndarray | None = None
) -> None:
    """Add the map of the samples `x`, coloured by their labels; nothing where they make no map.

    `errors` are theirs, where they were measured before.
    """
    if not has_map(model):
        return
    try:
        mapped = make_map(model, Samples(x, labels=labels), Session(model, x, errors))
    except DataError:  # one sample, or all at one position
        return
    page.section("The map")
    by = "" if labels is None else ", coloured by their labels, which training never saw"
    page.picture(
        "map.svg",
        draw_points(model, mapped, colour(mapped), Figure),
        f"{len(mapped):,} samples on the model's map{by}.",
        f"{len(mapped):,} samples{by}. What is near is alike; far distances and gaps say less, and the axes nothing.",
    )
    page.picture(
        "map-spots.svg",
        draw_decoded(model, mapped, Figure),
        "What the model decodes over the part of the map where the samples lie.",
        "What the model decodes at each spot of the same part of the map. Fainter: no sample is near, so nobody has "
        "checked it.",
    )

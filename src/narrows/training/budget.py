"""How long to train: as given, else as a preset says, else by a rule."""

from __future__ import annotations

import math

from narrows.data.stream import Stream
from narrows.recipe import Recipe
from narrows.spec import check_number, check_whole
from narrows.training.choose import MAX_SECONDS, MAX_VISITS, MORE_FOR_CROPS, choose_steps
from narrows.training.loop import Budget

MIN_SECONDS = 0.1  # that a cap on the time may be


def choose_budget(
    recipe: Recipe, stream: Stream, max_seconds: float | None, has_cap: bool, start_seconds: float
) -> Budget:
    """Return the budget of a training.

    Parameters
    ----------
    recipe : with the options that a person gave.
    stream : the batches.
    max_seconds : the cap on the time that a person gave.
    has_cap : whether there is a cap where nobody gave one.
    start_seconds : what setting the weights took.

    Raises SpecError for epochs, steps or seconds out of range.
    """
    visits, epoch = len(stream.source.visits), stream.steps_per_epoch
    more = MORE_FOR_CROPS if visits > len(stream.source) else 1
    steps = round(recipe.share_of_steps * choose_steps(visits))
    if recipe.values is not None:
        values = stream.batch_size * math.prod(stream.source.shape)
        steps = min(round(more * recipe.values / values), max(steps, MAX_VISITS * epoch))
    if recipe.epochs is not None:
        steps = check_whole("epochs", recipe.epochs, 1, 10**6) * epoch
    if recipe.max_steps is not None:
        steps = min(steps, check_whole("max_steps", recipe.max_steps, 1, 10**9))
    if max_seconds is not None:
        return Budget(steps, check_number("max_seconds", max_seconds, MIN_SECONDS), start_seconds)
    cap = MAX_SECONDS if recipe.max_seconds is None else more * recipe.max_seconds
    return Budget(steps, cap if has_cap else math.inf, start_seconds)

"""A training in one object: its plan, its run and its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from narrows.data.samples import Samples
from narrows.model.network import Network
from narrows.modelfile import Model
from narrows.recipe import Recipe
from narrows.training.finished import Finished, finish
from narrows.training.loop import Progress, train
from narrows.training.plan import make_plan
from narrows.training.run import History, Run


class Fit:
    """A training: the constructor makes the plan, iterating trains, `finish` returns the model.

    Parameters
    ----------
    samples, preset, options : as `make_plan` takes them.

    Attributes
    ----------
    plan : a `Plan`, what was resolved.
    training : a `Run`, its state.
    end : what `finish` makes of it, with what people are told of the training.

    Examples
    --------
    >>> import numpy as np
    >>> from narrows.data.read import read
    >>> fit = Fit(read(np.random.default_rng(0).normal(size=(64, 4))), bottleneck="linear(2)", epochs=3)
    >>> model = fit.run()
    >>> len(fit.history), model.card.recipe["steps"]
    (3, 24)
    """

    def __init__(self, samples: Samples, preset: str | Recipe | None = None, **options: Any) -> None:
        self.plan = make_plan(samples, preset, **options)
        self.training = Run(self.plan)
        self._end: Finished | None = None

    def __iter__(self) -> Iterator[Progress]:
        """Train, yielding the progress; after each the network is usable, and iterating may stop."""
        return train(self.training)

    def run(self) -> Model:
        """Train to the end and return the model."""
        for _ in self:
            pass
        return self.finish()

    def finish(self) -> Model:
        """End the training, now or where it is finished, and return the model with its card."""
        return self.end.model

    @property
    def end(self) -> Finished:
        """The model and what people are told of the training; ends it, now or where it is finished."""
        if self._end is None:
            self._end = finish(self.training)
        return self._end

    @property
    def network(self) -> Network:
        """The network in training, and once that has ended the model's."""
        return self.training.network if self._end is None else self._end.model.network

    @property
    def history(self) -> History:
        """A dict per epoch that was measured."""
        return self.training.history

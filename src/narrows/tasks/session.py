"""A model and samples: converted once, and passed through the network once for several tasks."""

from __future__ import annotations

from copy import copy
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from narrows.modelfile import Model
from narrows.tasks.units import as_samples


class Session:
    """A model and samples in its units, with the codes, errors and positions, each computed on first use.

    Parameters
    ----------
    model : the model.
    x : samples in the user's layout, units and type.
    errors : of all samples, where they were measured before.

    Attributes
    ----------
    samples : (N, C, *grid), in the units that the model was trained in.
    back : turns samples like these into an array of the user's layout and type.

    Raises DataError for an array whose samples are not of the model's shape.
    """

    def __init__(self, model: Model, x: np.ndarray, errors: np.ndarray | None = None) -> None:
        self.model, self.x = model, x
        self.samples, self.back = as_samples(model, x)
        if errors is not None:
            self.__dict__["errors"] = errors  # as the cached property keeps them

    def __len__(self) -> int:
        return len(self.samples)

    def with_map(self, model: Model) -> Session:
        """Return a session of `model`, the same network with another map; codes and errors are kept."""
        session = copy(self)
        session.model = model
        vars(session).pop("points", None)
        return session

    @cached_property
    def codes(self) -> np.ndarray:
        """The codes, float32 (N, k); raises SpecError for a model without a code."""
        network = self.model.network
        network.check_code()
        return network.in_blocks(lambda rows: network.encode(rows).z.flatten(1), self.samples).numpy()

    @cached_property
    def errors(self) -> np.ndarray:
        """The MSE of every sample, float64 (N,), per value and in model's units; the same pass computes the codes."""
        if not self.model.network.has_code:
            return self.first_errors(len(self))
        network = self.model.network

        def code_and_error(rows: Tensor) -> Tensor:
            z, errors = network.code_and_error(rows)
            return torch.cat([z.flatten(1).double(), errors[:, None]], 1)

        result = network.in_blocks(code_and_error, self.samples)
        self.__dict__.setdefault("codes", result[:, :-1].float().numpy())
        return result[:, -1].numpy().copy()

    def first_errors(self, count: int) -> np.ndarray:
        """Return the errors of the first `count` samples alone, as `errors` has them."""
        if "errors" in self.__dict__:
            return self.errors[:count]
        network = self.model.network
        return network.in_blocks(network.errors, self.samples[:count]).numpy()

    @cached_property
    def points(self) -> np.ndarray:
        """The positions on the model's map, float32 (N, 2): the code, or the output of the map head for it."""
        network, head = self.model.network, self.model.map_head
        if head is None:
            return self.codes
        codes = torch.from_numpy(self.codes)
        return network.in_blocks(head.encode, codes).numpy()

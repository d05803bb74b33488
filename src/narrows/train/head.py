"""The map of any model: a small network between its codes and two numbers, fitted by the same loop."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Generator

from narrows.data.formats import read
from narrows.data.stream import take
from narrows.errors import SpecError
from narrows.model.chain import squared_error
from narrows.model.network import Network
from narrows.modelfile import Model, Scalar
from narrows.train.fit import Fit

HEAD: dict[str, str] = {
    "backbone": "dense(hidden=[256])",
    "bottleneck": "linear(2)",
    "corruption": "none",
    "loss": "mse",
    "scaling": "standard",
}
NEIGHBOURS = 15
MOST_CODES = 20_000  # more of them place the map no better
MOST_VALUES = 2**25  # of all codes together: 128 MiB
CHUNK = 1024  # samples that are encoded at once
MAX_SECONDS = 60.0
SHARE_OF_SECONDS = 0.15  # of the cap on training, which a map beside it may take


def takes_head(network: Network) -> bool:
    """Return whether a map head has something to do: the code holds the sample, and in more than two numbers.

    Examples
    --------
    >>> texts = {"backbone": "dense", "corruption": "none", "loss": "mse", "scaling": "standard"}
    >>> [takes_head(Network.from_texts((9,), bottleneck=f"linear({size})", **texts)) for size in (2, 3)]
    [False, True]
    """
    return network.has_code and network.code_size > 2


def comes_with_head(fit: Fit) -> bool:
    """Return whether a model of this training gets a map head unasked: the default model does, specialists do not."""
    return fit.preset is None and takes_head(fit.network)


def training_codes(fit: Fit) -> np.ndarray:
    """Return the codes (n, k) of the samples that were trained on, undamaged; a seeded choice where there are many."""
    network, source = fit.network, fit.source
    most = min(MOST_CODES, max(256, MOST_VALUES // network.code_size))
    chance = Generator().manual_seed(fit.seed)
    index = source.visits[torch.randperm(len(source.visits), generator=chance)[:most]]
    chunks = (take(source, None, part, chance)["x"] for part in index.split(CHUNK))
    return torch.cat([network.in_blocks(lambda rows: network.encode(rows).z.flatten(1), x) for x in chunks]).numpy()


def add_head(model: Model, codes: np.ndarray, seed: int = 0, max_seconds: float = MAX_SECONDS) -> Model:
    """Return `model` with a map head fitted on `codes` (n, k), those of data such as it was trained on.

    Parameters
    ----------
    seed : makes the head repeatable.
    max_seconds : a cap on its training; a head that it cuts does not repeat bit for bit.

    Raises
    ------
    SpecError : for a model whose code is no sample, or has no more than two numbers.
    DataError : for codes that make no map: too few, or all of them equal.
    """
    model.network.check_code()
    if not takes_head(model.network):
        raise SpecError(
            f"a map head makes two numbers of more, however the code of this model has {model.network.code_size}; "
            f"train with a bottleneck such as 'linear(8)'"
        )
    began = time.perf_counter()
    options: dict[str, Any] = {**HEAD, "validation": 0, "max_seconds": max_seconds}
    head = Fit(read(codes), seed=seed, device=str(model.network.device), **options).run().network
    done: dict[str, Scalar] = {"map_samples": len(codes), "map_seconds": time.perf_counter() - began}
    return Model(model.network, replace(model.card, recipe=model.card.recipe | done), head)


def add_default_head(fit: Fit, model: Model) -> Model:
    """Return what `fit` trained with the map head that it `comes_with_head`, and with its error on held-out samples."""
    model = add_head(model, training_codes(fit), fit.seed, SHARE_OF_SECONDS * fit.budget.max_seconds)
    if fit.held_out is None or fit.target is not None:  # what is asked for is then no longer the sample itself
        return model
    network, head = model.network, model.head
    errors = network.in_blocks(lambda x: squared_error(network, head, x).flatten(1).mean(1), fit.held_out["x"])
    figures = model.card.figures | {"map_mse": errors.mean().item()}
    return model._replace(card=replace(model.card, figures=figures))

"""The map of any model: a small network between its codes and two numbers, fitted by the same loop."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import Linear

from narrows.data.read import read
from narrows.data.stream import take
from narrows.errors import DataError, SpecError
from narrows.model.chain import squared_error
from narrows.model.network import Network, as_tensor
from narrows.modelfile import Model, Scalar
from narrows.training.fit import Fit
from narrows.training.loop import Budget
from narrows.training.optim import Muon

HEAD: dict[str, str] = {"corruption": "none", "loss": "mse", "scaling": "standard"}
LAYERS, WIDTH = 6, 128  # fewer layers part the groups less well, wider ones no better
OPTIMIZER = Muon(0.03)  # the usual, larger steps part the groups of deep heads less well
FEW, NARROW = 4096, 64  # the width for fewer codes than these, which a wide head learns by heart and slowly
NEIGHBOURS = 15
MOST_CODES = 20_000  # a third of MNIST
MOST_VALUES = 2**25  # of all codes together: 128 MiB
CHUNK = 1024  # samples that are encoded at once
BATCH_SIZE = 256
MOST_STEPS = 1000
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
    chance = Generator().manual_seed(fit.seed)
    index = source.visits[choose_samples(len(source.visits), network.code_size, fit.seed)]
    chunks = (take(source, None, part, chance)["x"] for part in index.split(CHUNK))
    return torch.cat([network.in_blocks(lambda rows: network.encode(rows).z.flatten(1), x) for x in chunks]).numpy()


def choose_samples(count: int, code_size: int, seed: int = 0) -> Tensor:
    """Return which of `count` samples a head is fitted on, in the order of chance: 20,000, or fewer of large codes.

    Examples
    --------
    >>> [len(choose_samples(count, size)) for count, size in [(70_000, 32), (70_000, 10_000), (9, 32)]]
    [20000, 3355, 9]
    """
    most = min(MOST_CODES, max(256, MOST_VALUES // code_size))
    return torch.randperm(count, generator=Generator().manual_seed(seed))[:most]


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
    _check_head(model.network, codes)
    began = time.perf_counter()
    hidden = [WIDTH if len(codes) >= FEW else NARROW] * LAYERS
    options: dict[str, Any] = {**HEAD, "backbone": f"dense(hidden={hidden})", "validation": 0}
    options["bottleneck"] = f"map(2, neighbours={min(NEIGHBOURS, len(codes) - 1)})"
    fit = Fit(read(codes), seed=seed, device=str(model.network.device), **options)
    fit.stream.batch_size = min(BATCH_SIZE, len(codes))  # in small ones few are there to be told from a neighbour
    fit.budget = Budget(min(fit.budget.steps, MOST_STEPS), max_seconds, fit.budget.spent)
    fit.optimizer = OPTIMIZER
    fit.bfloat16 = False  # in which places far from the middle of the map would fall together
    head = fit.run().network
    done: dict[str, Scalar] = {"map_samples": len(codes), "map_seconds": time.perf_counter() - began}
    return Model(model.network, replace(model.card, recipe=model.card.recipe | done), head)


@torch.no_grad()
def add_pca_head(model: Model, codes: np.ndarray) -> Model:
    """Return `model` with a head that is no more than the two principal components of `codes` (n, k).

    It needs no training. The sign of each component is the one that makes its largest weight positive.

    Raises SpecError where `add_head` does, DataError for codes that are all equal.
    """
    _check_head(model.network, codes)
    head = Network.from_texts((model.network.code_size,), backbone="dense(hidden=[])", bottleneck="linear(2)", **HEAD)
    head.scaling.fit([as_tensor(codes)])
    centred = as_tensor(codes).double() - head.scaling.offset
    directions = torch.linalg.svd(centred, full_matrices=False).Vh[:2]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    directions = directions * largest.sign()
    (inwards,), (outwards,) = (
        [m for m in half.modules() if isinstance(m, Linear)] for half in (head.encoder, head.decoder)
    )
    inwards.weight.copy_(directions * head.scaling.scale)
    outwards.weight.copy_((directions / head.scaling.scale).mT)
    for layer in (inwards, outwards):
        layer.bias.zero_()
    return model._replace(head=head.to(model.network.device).eval())


def _check_head(network: Network, codes: np.ndarray) -> None:
    """Raise a SpecError for a network that takes no head, a DataError for codes that make no map."""
    network.check_code()
    if not takes_head(network):
        raise SpecError(
            f"a map head makes two numbers of more, however the code of this model has {network.code_size}; train with "
            f"a bottleneck such as 'linear(8)'"
        )
    if (codes == codes[:1]).all():
        what = "there is only 1" if len(codes) == 1 else f"all {len(codes):,} have the same code"
        raise DataError(f"a map needs samples that differ, however {what}; give more data")


def add_default_head(fit: Fit, model: Model) -> Model:
    """Return what `fit` trained with the map head that it `comes_with_head`, and with its error on held-out samples."""
    model = add_head(model, training_codes(fit), fit.seed, SHARE_OF_SECONDS * fit.budget.max_seconds)
    if fit.held_out is None or fit.target is not None:  # what is asked for is then no longer the sample itself
        return model
    network, head = model.network, model.head
    errors = network.in_blocks(lambda x: squared_error(network, head, x).flatten(1).mean(1), fit.held_out["x"])
    metrics = model.card.metrics | {"map_mse": errors.mean().item()}
    return model._replace(card=replace(model.card, metrics=metrics))

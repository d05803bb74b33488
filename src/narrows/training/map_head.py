"""The map of any model: a small network between its codes and two numbers, trained by the same loop."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import torch
from torch import Generator, Tensor, nn

from narrows.card import Scalar
from narrows.data.read import read
from narrows.data.stream import take
from narrows.errors import DataError, TrainingError
from narrows.model.attachments.map import HEAD, MapHead, takes_head
from narrows.model.bottleneck import Map
from narrows.model.chain import map_errors
from narrows.model.network import Network, as_tensor
from narrows.model.pca import exact_axes
from narrows.model.settings import default_settings
from narrows.modelfile import Model
from narrows.recipe import Recipe
from narrows.training.choose import MIN_SECONDS
from narrows.training.finished import Finished
from narrows.training.loop import train
from narrows.training.plan import Plan, make_plan
from narrows.training.run import Run

LAYERS, WIDTH = 6, 96  # fewer layers separate groups less well, wider ones no better
FEW_CODES, FEW_CODES_WIDTH = 4096, 64  # a wider head overfits fewer codes than these, and is slower
OPTIMIZER = "muon(0.05)"
MIN_CODES = 100  # of fewer, a head that cannot be trained says that these are too few
MAX_CODES = 20_000  # a third of MNIST
MAX_CODE_VALUES = 2**25  # of all codes together: 128 MiB
CHUNK = 1024  # samples that are encoded at once
BATCH_SIZE = 256
MAX_STEPS, STEPS_BY_ROOT = 450, 9  # of few codes as many times the root of their number
MAX_HEAD_SECONDS = 60.0
SHARE_OF_SECONDS = 0.15  # of the cap on training, which a map beside it may take


def gets_map(run: Run) -> bool:
    """Return whether the model of this training gets a map head by default: those of presets do not."""
    return run.plan.preset is None and takes_head(run.network)


@default_settings()
def training_codes(plan: Plan, network: Network, most_values: int = MAX_CODE_VALUES) -> np.ndarray:
    """Return the codes (n, k) of the samples to train on, undamaged; a seeded choice where there are many.

    `network` is what was trained by `plan`; `most_values` are those that all codes have together, as far as 256 codes
    have no more.
    """
    source, seed = plan.split.source, plan.seed
    generator = Generator().manual_seed(seed)
    index = source.visits[choose_samples(len(source.visits), network.code_size, seed, most_values)]
    chunks = (take(source, None, part, generator).x for part in index.split(CHUNK))
    return torch.cat([network.in_blocks(lambda rows: network.encode(rows).z.flatten(1), x) for x in chunks]).numpy()


def choose_samples(count: int, code_size: int, seed: int = 0, most_values: int = MAX_CODE_VALUES) -> Tensor:
    """Return which of `count` samples a head is fitted on, in random order: 20,000, or fewer of large codes.

    Examples
    --------
    >>> [len(choose_samples(count, size)) for count, size in [(70_000, 32), (70_000, 10_000), (9, 32)]]
    [20000, 3355, 9]
    """
    most = min(MAX_CODES, max(256, most_values // code_size))
    return torch.randperm(count, generator=Generator().manual_seed(seed))[:most]


@default_settings()
def add_head(model: Model, codes: np.ndarray, seed: int = 0, max_seconds: float = MAX_HEAD_SECONDS) -> Model:
    """Return `model` with a map head fitted on `codes` (n, k), those of data such as it was trained on.

    Parameters
    ----------
    seed : makes the head repeatable.
    max_seconds : a cap on its training; a head that it cuts does not repeat bit for bit.

    Raises
    ------
    SpecError : for a model with skip connections, or whose code has no more than two numbers.
    DataError : for codes that make no map: too few, or all of them equal.
    """
    MapHead().check(model.network)
    _check_codes(codes)
    began = time.perf_counter()
    hidden = [WIDTH if len(codes) >= FEW_CODES else FEW_CODES_WIDTH] * LAYERS
    recipe = Recipe(
        backbone=f"dense(hidden={hidden}, activation='silu')",
        bottleneck=f"map(2, neighbours={min(Map().neighbours, len(codes) - 1)})",
        optimizer=OPTIMIZER,
        batch_size=min(BATCH_SIZE, len(codes)),  # in smaller batches groups separate less well
        max_steps=min(MAX_STEPS, round(STEPS_BY_ROOT * math.sqrt(len(codes)))),
        bfloat16=False,  # which would round different positions far from 0 to the same one
    ).given(**HEAD)
    device, seconds = str(model.network.device), max(max_seconds, MIN_SECONDS)
    run = Run(make_plan(read(codes), recipe, seed=seed, device=device, validation=0, max_seconds=seconds))
    try:
        for _ in train(run):
            pass
    except TrainingError:
        if len(codes) >= MIN_CODES:
            raise
        raise DataError(f"{len(codes):,} samples are too few for a map of them; give more data") from None
    head = MapHead.of(run.network.eval())
    done: dict[str, Scalar] = {"map_samples": len(codes), "map_seconds": time.perf_counter() - began}
    card = replace(model.card, recipe=model.card.recipe | done)
    return model._replace(card=card).with_attachment(head)


@default_settings()
@torch.no_grad()
def add_pca_head(model: Model, codes: np.ndarray) -> Model:
    """Return `model` with a head that makes the first two principal components of `codes` (n, k).

    It needs no training. The sign of each component is the one that makes its largest weight positive.

    Raises SpecError where `add_head` does, DataError for codes that are all equal.
    """
    MapHead().check(model.network)
    _check_codes(codes)
    map_head = MapHead(backbone="dense(hidden=[])", bottleneck="linear(2)")
    map_head.build(model.network)
    head = map_head.network
    head.scaling.fit([as_tensor(codes)])
    size = model.network.code_size
    mean, deviation = head.scaling.back(torch.zeros(1, size)), head.scaling.back_deviation(torch.ones(size))
    axes = exact_axes(as_tensor(codes).double() - mean, 2)
    (encoder,), (decoder,) = (
        [m for m in half.modules() if isinstance(m, nn.Linear)] for half in (head.encoder, head.decoder)
    )
    encoder.weight.copy_(axes * deviation)
    decoder.weight.copy_((axes / deviation).mT)
    for layer in (encoder, decoder):
        layer.bias.zero_()
    return model.with_attachment(map_head.to(model.network.device).eval())


def _check_codes(codes: np.ndarray) -> None:
    """Raise a DataError for codes (n, k) that make no map."""
    if (codes == codes[:1]).all():
        what = "there is only 1" if len(codes) == 1 else f"all {len(codes):,} have the same code"
        raise DataError(f"a map needs samples that differ, however {what}; give more data")


def add_default_head(run: Run, end: Finished) -> Model:
    """Return the model of a finished run, with a map head, and its error on held-out samples among the metrics."""
    codes = training_codes(run.plan, end.model.network)
    model = add_head(end.model, codes, run.plan.seed, SHARE_OF_SECONDS * run.budget.max_seconds)
    if end.held_out is None or end.held_out.target is not None:  # with a target, the sample itself is not learned
        return model
    network, head = model.network, model.map_head
    errors = network.in_blocks(lambda x: map_errors(network, head, x), end.held_out.x)
    metrics = model.card.metrics | {"map_mse": errors.mean().item()}
    return model._replace(card=replace(model.card, metrics=metrics))

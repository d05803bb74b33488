"""The network before its first step: its weights, set by the samples, and the target positions of their codes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from narrows.data.source import Source
from narrows.data.stream import take
from narrows.errors import SpecError
from narrows.model.bottleneck import PositionedBottleneck
from narrows.model.initialise import initialise
from narrows.model.network import Network
from narrows.model.settings import DrawsFrom
from narrows.training.tsne import find_positions

START_VALUES = 2**21  # values of the samples that the weights are set by, 256 samples at least
MAX_START_SAMPLES = 1024  # except where the start is PCA itself, which more samples make better
START_OUTPUTS = 2**23  # of one layer then: 32 MiB
LARGE_START = 2**27  # values that these samples have at most, even where they are large: 0.5 GiB
POSITION_VALUES = 2**28  # of all samples, in which their neighbours are found: 1 GiB
POSITIONS_WEIGHT = 0.5  # of the cost of codes away from their target positions, in variances of a sample


def build_network(shape: tuple[int, ...], texts: Mapping[str, str], seed: int, device: torch.device) -> Network:
    """Return a network for samples of `shape`, with seeded random weights, on `device`."""
    with DrawsFrom(Generator().manual_seed(seed)):
        network = Network.from_texts(shape, **texts)
    return network.to(device)


def set_weights(
    network: Network, source: Source, target: Source | None, seed: int, max_seconds: float = math.inf
) -> None:
    """Set the weights by samples, by a random part of them where there are many; see `initialise`.

    Of large samples there are so few, 2 at least, that it takes a part of `max_seconds`, the cap on training.
    """
    count = max(256, START_VALUES // network.values)
    if network.backbone.starts_as_pca:
        widest = max(weight.shape[0] for weight in network.parameters())
        count = min(max(256, START_OUTPUTS // widest), count)
    else:
        count = min(MAX_START_SAMPLES, count)
    most = min(LARGE_START, START_VALUES * max(1.0, max_seconds))
    count = min(count, max(2, int(most / network.values)))
    generator = Generator().manual_seed(seed)
    index = torch.randperm(len(source.visits), generator=generator)[:count]
    batch = take(source, target, source.visits[index], generator)
    initialise(network, batch.to(network.device))


def check_positions(network: Network, source: Source, target: Source | None) -> None:
    """Raise a SpecError where the codes have target positions, and the samples are crops or have a target."""
    if isinstance(network.bottleneck, PositionedBottleneck) and not (target is None and source.takes_whole):
        what = "are cut into crops" if target is None else "have a target"
        raise SpecError(
            f"{network.bottleneck!r} places whole samples by their neighbours, however the data {what}; take "
            f"bottleneck='linear(2)'"
        )


def find_target_positions(network: Network, source: Source, seed: int) -> Tensor | None:
    """Return the target position (N, k) of each training sample's code; None where the bottleneck uses none.

    A bottleneck's weight that is None is set: to half the variance of a sample, all its values together. Of many large
    samples, some values at equal distances stand for all.
    """
    part = network.bottleneck
    if not isinstance(part, PositionedBottleneck):
        return None
    with torch.no_grad():
        chunks = (network.scaling(chunk.to(network.device)) for chunk in source.chunks())
        every = -(-len(source) * network.values // POSITION_VALUES)
        rows = torch.cat([network.scaling.fill(chunk).flatten(1)[:, ::every].contiguous() for chunk in chunks])
    if part.weight is None:
        part.weight = float(f"{POSITIONS_WEIGHT * every * rows.var(0).sum().item():.3g}")
    return find_positions(rows, part.features_out, part.neighbours, seed)

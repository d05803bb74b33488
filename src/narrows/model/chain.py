"""A network and its map head in a chain: sample -> code -> position on the map, and back.

Without a head the code itself is the position, so these functions serve models with and without one.
"""

from __future__ import annotations

from torch import Tensor

from narrows.model.attachments.map import MapHead
from narrows.model.network import Network


def encode_map(network: Network, head: MapHead | None, x: Tensor) -> Tensor:
    """Return the positions (N, 2) on the map of samples `x` (N, C, *grid), in user's units.

    Examples
    --------
    >>> import torch
    >>> texts = {"backbone": "dense", "corruption": "none", "loss": "mse", "scaling": "standard"}
    >>> network = Network.from_texts((5,), bottleneck="linear(3)", **texts)
    >>> head = MapHead(bottleneck="linear(2)")
    >>> head.build(network)
    >>> encode_map(network, head, torch.zeros(4, 5)).shape, decode_map(network, head, torch.zeros(4, 2)).shape
    (torch.Size([4, 2]), torch.Size([4, 5]))
    """
    z = network.encode(x).z.flatten(1)
    return z if head is None else head.encode(z)


def decode_map(network: Network, head: MapHead | None, points: Tensor) -> Tensor:
    """Return the samples (M, C, *grid) that `points` (M, 2) of the map decode to, in user's units, float64."""
    return network.decode(_code(network, head, points))


def map_errors(network: Network, head: MapHead | None, x: Tensor) -> Tensor:
    """Return the MSE (N,) of samples `x` (N, C, *grid) by way of the map, in model's units, float64."""
    restored = restore_map(network, head, encode_map(network, head, x))
    return network.scaling.mean_squares(restored.double(), network.scaling(x).double())


def restore_map(network: Network, head: MapHead | None, points: Tensor) -> Tensor:
    """Return the samples (M, *model_shape) that `points` (M, 2) of the map decode to, in model's units."""
    return network.scaling.activation(network.decoder(_code(network, head, points), ()))


def _code(network: Network, head: MapHead | None, points: Tensor) -> Tensor:
    """Return the codes (M, *code_shape) that `points` (M, 2) decode to."""
    z = points if head is None else head.decode(points)
    return z.view(-1, *network.code_shape)

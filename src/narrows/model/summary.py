"""A network's layers, shapes and numbers of weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from narrows.model.network import Network


@dataclass(frozen=True)
class Layer:
    """One layer: its name, the shape of one sample's output, and the number of its weights."""

    name: str
    shape: tuple[int, ...]
    parameters: int


@torch.no_grad()
def layers(network: Network) -> list[Layer]:
    """Return the layers in the order in which a sample passes them, from "data" through "code" to the output.

    Examples
    --------
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)", corruption="none",
    ...     loss="mse", scaling="standard")
    >>> [(layer.name, layer.shape, layer.parameters) for layer in layers(network)]
    [('data', (4,), 0), ('Linear', (2,), 10), ('code: linear(2)', (2,), 0), ('Linear', (4,), 12)]
    """
    rows = [Layer("data", network.scaling.model_shape(network.shape), 0)]

    def note(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        count = sum(p.numel() for p in module.parameters())
        rows.append(Layer(type(module).__name__, tuple(output.shape[1:]), count))

    halves = [*network.encoder.modules(), *network.decoder.modules()]
    hooks = [module.register_forward_hook(note) for module in halves if not list(module.children())]
    shape = network.scaling.input_shape(network.shape)
    h, skips = network.encoder(torch.zeros(1, *shape, device=network.device))
    z = network.bottleneck(h).z
    count = sum(p.numel() for p in network.bottleneck.parameters())
    rows.append(Layer(f"code: {network.texts['bottleneck']}", tuple(z.shape[1:]), count))
    network.decoder(z, skips)
    for hook in hooks:
        hook.remove()
    return [row for before, row in zip([None, *rows], rows, strict=False) if not _is_silent(before, row)]


def describe_code(network: Network) -> str:
    """Return the code's size beside the data's in words.

    Examples
    --------
    >>> describe_code(Network.from_texts((4,), backbone="dense", bottleneck="linear(2)", corruption="none",
    ...     loss="mse", scaling="standard"))
    '2 numbers for 4'
    """
    if not network.has_code:
        return "none that holds a sample, as connections go round the bottleneck; this model restores"
    size, values = network.code_size, math.prod(network.shape)
    grid = f" ({'x'.join(map(str, network.code_shape))})" if len(network.code_shape) > 1 else ""
    text = f"{size:,} numbers{grid} for {values:,}"
    return text if size < values else f"{text}: not narrower than the data, so nothing has to be left out"


def _is_silent(before: Layer | None, row: Layer) -> bool:
    """Whether a layer changes at most the shape of its input; a cut that cuts nothing does so too."""
    silent = row.name.endswith(("Flatten", "Unflatten")) or (row.name == "Cut" and before and before.shape == row.shape)
    return bool(silent)

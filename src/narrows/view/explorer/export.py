"""The encoder and the decoder of a network as lists of layers and numbers, which `files/network.js` runs in a browser.

A network with a layer of another type than those in KINDS, below, is not exported; its scaling and its bottleneck say
themselves what the browser does in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from narrows.model.layers import (
    Cut,
    Parallel,
    PatchConv,
    PatchConvTranspose,
    PixelConv,
    PixelFlatten,
    PixelUnflatten,
)
from narrows.model.network import Network

T = TypeVar("T")


class UnknownLayerError(Exception):
    """A layer that the browser cannot run."""


@dataclass
class Exported:
    """Layers in their order, as data.

    Attributes
    ----------
    layers : each with its `kind`, the `shape` of its output, and what its kind needs.
    weights : of the layers that have some, one after another: weight, then bias, each in torch's order.
    multiplications : of one sample.
    """

    layers: list[dict[str, Any]] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)
    multiplications: int = 0

    def add(self, shape: Sequence[int], kind: str, weights: Sequence[Tensor] = (), **about: Any) -> None:
        """Add a layer whose output has this shape."""
        self.layers.append({"kind": kind, "shape": list(shape), **about})
        self.weights += [np.asarray(w.detach().cpu(), np.float32).ravel() for w in weights]


def export_decoder(networks: Sequence[Network]) -> Exported | None:
    """Return the layers that decode a code of the first of `networks` to a sample of the last, in user's units.

    Each network decodes the output of the one before: the map head's, then the model's. None where a layer is unknown.

    Examples
    --------
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)", corruption="none",
    ...     loss="mse", scaling="standard")
    >>> [layer["kind"] for layer in export_decoder([network]).layers]
    ['linear', 'shape', 'back']
    """
    exported = Exported()
    try:
        for network in networks:
            shape = network.code_shape
            if exported.layers:
                exported.add(shape, "shape")
            shape = _add_module(exported, network.decoder, shape)
            scaling = _known(network.scaling.export())
            if activation := scaling.pop("activation", None):
                exported.add(shape, activation)
            exported.add(network.shape, "back", **scaling)
    except UnknownLayerError:
        return None
    return exported


def export_encoder(networks: Sequence[Network]) -> Exported | None:
    """Return the layers that encode a sample of the first of `networks`, in user's units, to a code of the last.

    None where a layer is unknown, and for tables with gaps, of which nobody draws one.

    Examples
    --------
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="relu(2)", corruption="none",
    ...     loss="mse", scaling="standard")
    >>> [layer["kind"] for layer in export_encoder([network]).layers]
    ['scale', 'shape', 'linear', 'relu', 'shape']
    """
    exported = Exported()
    try:
        for network in networks:
            scaling = _known(None if network.scaling.tells_observed else network.scaling.export())
            scaling.pop("activation", None)
            exported.add(network.shape, "scale", **scaling)
            shape = _add_module(exported, network.encoder, network.shape)
            for layer in _known(network.bottleneck.export()):
                exported.add(shape, **layer)
            exported.add((network.code_size,), "shape")
    except UnknownLayerError:
        return None
    return exported


def _add_module(exported: Exported, module: nn.Module, shape: Sequence[int]) -> tuple[int, ...]:
    """Add the layers of `module` and return the shape of its output."""
    if isinstance(module, nn.Sequential):
        for part in module:
            shape = _add_module(exported, part, shape)
        return tuple(shape)
    if isinstance(module, Parallel):
        return _add_parallel(exported, module, shape)
    write = KINDS.get(type(module))
    if write is None:
        raise UnknownLayerError
    with torch.no_grad():
        result = module(torch.zeros(1, *shape, device=next(iter(module.parameters()), torch.zeros(0)).device))
    out = tuple(result.shape[1:])
    about = write(module)
    weights = list(module.parameters())  # weight, then bias, for the layers that have some
    exported.add(out, weights=weights, **about)
    if weights:
        positions = shape if isinstance(module, nn.ConvTranspose2d) else out
        exported.multiplications += weights[0].numel() * int(np.prod(positions[1:]))
    return out


def _add_parallel(exported: Exported, module: Parallel, shape: Sequence[int]) -> tuple[int, ...]:
    """Add parts whose outputs are summed, for an interpreter with a stack of samples.

    "keep" pushes the current sample; "swap" exchanges it with the top of the stack; "add" pops the top and adds it.
    """
    first, *others = module.parts
    exported.add(shape, "keep")
    out = _add_module(exported, first, shape)
    for i, part in enumerate(others):
        exported.add(shape, "swap")
        if i < len(others) - 1:
            raise UnknownLayerError  # a third part would need the input once more
        out = _add_module(exported, part, shape)
        exported.add(out, "add")
    return out


def _known(exported: T | None) -> T:
    """Return what a part exports; raise an UnknownLayerError where the browser cannot run it."""
    if exported is None:
        raise UnknownLayerError
    return exported


def _write_conv(layer: nn.Conv2d | nn.ConvTranspose2d) -> dict[str, Any]:
    simple = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros" and layer.bias is not None
    square = all(isinstance(v, tuple) and v[0] == v[1] for v in (layer.kernel_size, layer.stride, layer.padding))
    if not (simple and square and layer.output_padding == (0, 0)):
        raise UnknownLayerError
    kind = "transposed" if isinstance(layer, nn.ConvTranspose2d) else "conv"
    return {"kind": kind, "kernel": layer.kernel_size[0], "stride": layer.stride[0], "padding": layer.padding[0]}


def _write_linear(layer: nn.Linear) -> dict[str, Any]:
    if layer.bias is None:
        raise UnknownLayerError
    return {"kind": "linear"}


def _write_pool(layer: nn.MaxPool2d) -> dict[str, Any]:
    if layer.kernel_size != layer.stride or not isinstance(layer.kernel_size, int) or layer.padding != 0:
        raise UnknownLayerError
    return {"kind": "maxpool", "size": layer.kernel_size}


def _write_upsample(layer: nn.Upsample) -> dict[str, Any]:
    factor = layer.scale_factor
    if layer.mode != "nearest" or not isinstance(factor, int | float) or factor != int(factor):
        raise UnknownLayerError
    return {"kind": "upsample", "factor": int(factor)}


KINDS: dict[type[nn.Module], Callable[[Any], dict[str, Any]]] = {
    nn.Linear: _write_linear,
    nn.Conv2d: _write_conv,
    nn.ConvTranspose2d: _write_conv,
    nn.MaxPool2d: _write_pool,
    nn.Upsample: _write_upsample,
    Cut: lambda layer: {"kind": "cut"},
    nn.ReLU: lambda layer: {"kind": "relu"},
    nn.LeakyReLU: lambda layer: {"kind": "leaky", "slope": layer.negative_slope},
    nn.SiLU: lambda layer: {"kind": "silu"},
    PixelConv: _write_conv,
    PatchConv: _write_conv,
    PatchConvTranspose: _write_conv,
    PixelFlatten: lambda layer: {"kind": "byPixel"},
    PixelUnflatten: lambda layer: {"kind": "byChannel"},
    nn.Flatten: lambda layer: {"kind": "shape"},
    nn.Unflatten: lambda layer: {"kind": "shape"},
}

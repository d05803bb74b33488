"""The memory of a training step: asked before the first one, which is taken in parts where it would not fit."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from narrows.errors import DataError
from narrows.memory import available_memory
from narrows.model.network import build_part

NUMBER = 4  # bytes
WEIGHT_COPIES = 8  # the weights, their gradient, what the optimizer remembers and makes of it, and the snapshots
SAMPLE_COPIES = 8  # of a sample around encoder and decoder: scaled, its noise, damaged, restored, their gradients
LAYER_COPIES = 4  # of a layer's output, at most
USED = 0.8  # share of the free memory that a step may take
SMALLER = 0.9  # share of the side that would fit just so


class StepMemory:
    """What a training step takes, found without taking one.

    Parameters
    ----------
    shape : of one sample in user's units, (C, *grid).
    texts : of the network's parts.
    free : bytes that are free for it, those for the weights among them; None for any number.
    smaller : the option that makes pictures smaller.

    Attributes
    ----------
    weights : bytes for the weights, and for all that is as large as these.

    Examples
    --------
    >>> texts = {"backbone": "dense(hidden=[8])", "bottleneck": "linear(2)", "scaling": "standard"}
    >>> memory = StepMemory((4,), texts, free=2**30)
    >>> memory.check()
    >>> memory.part_size(64), StepMemory((4,), texts, free=memory.weights + 20 * memory.sample).part_size(64)
    (64, 11)
    """

    def __init__(
        self, shape: tuple[int, ...], texts: Mapping[str, str], free: int | None, smaller: str = "size"
    ) -> None:
        self.shape, self.free, self.smaller = shape, free, smaller
        backbone, bottleneck, scaling = (
            build_part(kind, texts[kind]) for kind in ("backbone", "bottleneck", "scaling")
        )
        scaling.build(shape)
        self.input_shape, output_shape = scaling.input_shape(shape), scaling.model_shape(shape)
        self.features = bottleneck.features_out
        self.values = max(math.prod(self.input_shape), math.prod(output_shape))
        with torch.device("meta"):  # where tensors have no values
            self.halves = backbone.build(
                self.input_shape, output_shape, bottleneck.features_in, bottleneck.features_out
            )
        self.parameters = [p for half in self.halves for p in half.parameters()]
        self.weights = WEIGHT_COPIES * NUMBER * sum(p.numel() for p in self.parameters)

    def check(self) -> None:
        """Raise a DataError where a step on one sample does not fit."""
        if self._surely_fits(1, share=1.0) or self.free is None:
            return
        needed = self.weights + self.sample
        if needed <= self.free:
            return
        shape = "x".join(map(str, self.shape[1:] or self.shape))
        what, way_out = f"samples of {shape} values", "learn fewer columns, or take a narrower backbone"
        if len(self.shape) == 3:
            side = int(SMALLER * math.sqrt(self.free / needed * math.prod(self.shape[1:])))
            what, way_out = f"pictures of {shape}", f"{self.smaller}={side} would fit" if side else "take smaller ones"
        have = f"{needed / 1e9:.1f} GB even one at a time, however: {self.free / 1e9:.1f} GB are available"
        raise DataError(f"training this network on {what} would take {have}; {way_out}")

    def part_size(self, batch_size: int) -> int:
        """Return how many samples of a batch are learned from at once: all, or those of equal parts that fit."""
        if self._surely_fits(batch_size, USED) or self.free is None:
            return batch_size
        fitting = max(1, int((USED * self.free - self.weights) / self.sample))
        return -(-batch_size // -(-batch_size // fitting))

    def describe_parts(self, batch_size: int) -> tuple[str, ...]:
        """Return a line where a batch is learned from in parts, else nothing."""
        size = self.part_size(batch_size)
        if size == batch_size or self.free is None:
            return ()
        needed = (self.weights + batch_size * self.sample) / 1e9
        return (
            f"memory: a step on {batch_size:,} samples would take {needed:.1f} GB, and {self.free / 1e9:.1f} GB are "
            f"available; so its gradient is added up over parts of {size:,}",
        )

    @cached_property
    def sample(self) -> int:
        """Bytes for each sample: what the layers keep for its gradient, and copies of itself.

        One sample passes them, where that surely fits; else it passes on the meta device, which takes torch a second.
        """
        device = "cpu" if self._surely_fits(1, USED) else "meta"
        encoder, decoder = (_without_values(half, device) for half in self.halves)
        kept: dict[int, Tensor] = {}

        def keep(tensor: Tensor) -> Tensor:
            kept[tensor.untyped_storage()._cdata] = tensor
            return tensor

        with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
            h, skips = encoder(torch.zeros(1, *self.input_shape, device=device))
            z = torch.zeros(1, self.features, *h.shape[2:], device=device, requires_grad=True)
            logits = decoder(z, skips)
        weights = {p.untyped_storage()._cdata for half in (encoder, decoder) for p in half.parameters()}
        sizes = [tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in weights]
        del logits  # whose graph holds what was kept
        return sum(sizes) + SAMPLE_COPIES * NUMBER * self.values

    def _surely_fits(self, samples: int, share: float) -> bool:
        """Return whether samples fit even if every convolution's output were as large as the picture."""
        pixels = math.prod(self.shape[1:])
        outputs = sum(max(p.shape[:2]) * (pixels if p.ndim > 2 else 1) for p in self.parameters if p.ndim > 1)
        most = NUMBER * (SAMPLE_COPIES * self.values + LAYER_COPIES * outputs)
        return self.free is None or self.weights + samples * most <= share * self.free


def _without_values(module: nn.Module, device: str) -> nn.Module:
    """Return a copy of a module of the meta device on another, with any weights; `to_empty` would load a compiler."""
    return copy.deepcopy(module)._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device=device))


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that are free on a device, those that torch keeps for later among them; None if unknown.

    Examples
    --------
    >>> free_memory(torch.device("cpu")) != 0
    True
    """
    if device.type != "cuda":
        return available_memory()
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept

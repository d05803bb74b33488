"""The composition: backbone x bottleneck x corruption x loss, on scaled data."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn

from narrows.batch import Batch
from narrows.errors import SpecError
from narrows.model.backbone import BACKBONES, Backbone, SkipBackbone, Sum
from narrows.model.bottleneck import BOTTLENECKS, Bottleneck, Code, PositionedBottleneck
from narrows.model.corruption import CORRUPTIONS, Chain, Corruption
from narrows.model.inference import in_blocks, rows_at_once
from narrows.model.loss import LOSSES, MSE, Loss
from narrows.model.scaling import Scaling
from narrows.model.scalings import SCALINGS
from narrows.spec import Part, build

MENUS: dict[str, dict[str, Any]] = {
    "backbone": BACKBONES,
    "bottleneck": BOTTLENECKS,
    "corruption": CORRUPTIONS,
    "loss": LOSSES,
    "scaling": SCALINGS,
}
JOINS: dict[str, tuple[Callable[..., Part], str]] = {"backbone": (Sum, "+"), "corruption": (Chain, "|")}
MAX_KEPT_SIZES = 8  # picture sizes whose encoder and decoder are kept: the tiles of a picture have at most four
MAX_VALUES = 2**28  # values of one sample: beyond any picture, within what memory holds
Halves = tuple[nn.Module, nn.Module]  # encoder and decoder


class Cost(NamedTuple):
    """What a batch costs, each (N,).

    Attributes
    ----------
    total : what is minimised.
    mse : per value of the user's that is observed, in model's units; where the corruption gives weights, over the
        values that it weights.
    penalty : of the code, see `Code`.
    """

    total: Tensor
    mse: Tensor
    penalty: Tensor


def build_part(kind: str, text: str) -> Any:
    """Build the part of `kind` (a key of MENUS) that `text` names.

    Examples
    --------
    >>> build_part("corruption", "mask(0.5) | gaussian(0.1)")
    mask(0.5, value=0.0) | gaussian(0.1, clip=False)
    """
    join, sign = JOINS.get(kind, (None, "|"))
    return build(text, MENUS[kind], kind, join, sign)


def as_tensor(x: np.ndarray) -> Tensor:
    """Return samples as a torch tensor without a copy; types that torch has no arithmetic for become float64.

    Examples
    --------
    >>> as_tensor(np.zeros((2, 3), np.uint8)).dtype, as_tensor(np.zeros((2, 3), np.uint64)).dtype
    (torch.uint8, torch.float64)
    """
    if x.dtype in (np.uint32, np.uint64, np.longdouble):
        x = x.astype(np.float64)
    return torch.from_numpy(x if x.flags.writeable else x.copy())  # torch warns of read-only arrays


def damage(
    x: Tensor, scaling: Scaling, corruption: Corruption, generator: Generator
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return `x` (user's units) in model's units, the same damaged, and the loss weights of its values.

    Damaged whole numbers are clamped to the range of the data, which pictures in files cannot leave either.
    """
    clean = scaling(x)
    damaged, weight = corruption(clean, generator)
    if damaged is not clean and scaling.limits is not None and (corruption.clip or not x.is_floating_point()):
        damaged = damaged.clamp(*scaling.limits)
    return clean, damaged, weight


class Network(nn.Module):
    """An autoencoder: x -> scale -> corrupt -> encode -> bottleneck -> decode -> compare with x.

    Parameters
    ----------
    shape : of one sample in user's units, (C, *grid); a table's row is (C,).
    backbone, bottleneck, corruption, loss, scaling : the parts, see MENUS. `scaling` has been built for `shape`.

    Examples
    --------
    >>> network = Network.from_texts((1, 28, 28), bottleneck="relu(128)", backbone="dense(hidden=[])",
    ...     corruption="none", loss="mse", scaling="unit")
    >>> sum(p.numel() for p in network.parameters())
    201616
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        backbone: Backbone,
        bottleneck: Bottleneck,
        corruption: Corruption,
        loss: Loss,
        scaling: Scaling,
    ) -> None:
        super().__init__()
        if loss.needs_logits and not scaling.has_sigmoid:
            raise SpecError(
                f"the loss {loss!r} compares shares between 0 and 1, however the scaling is {scaling!r}; "
                f"use scaling=\"unit(output='sigmoid')\" or loss='mse'"
            )
        if isinstance(bottleneck, PositionedBottleneck) and backbone.grid:
            raise SpecError(f"{bottleneck!r} relates whole samples and needs a vector code, however: {backbone!r}")
        corruption.build(scaling)
        loss.build(scaling)
        self.shape = tuple(shape)
        self.backbone = backbone
        self.bottleneck = bottleneck
        self.corruption = corruption
        self.loss = loss
        self.scaling = scaling
        input_shape, output_shape = scaling.input_shape(self.shape), scaling.model_shape(self.shape)
        self.values = math.prod(output_shape)
        features = bottleneck.features_in, bottleneck.features_out
        self.encoder, self.decoder = backbone.build(input_shape, output_shape, *features)
        self.code_shape = self._probe_code_shape(input_shape)
        self._other_halves: dict[tuple[int, ...], Halves] = {}  # a dict, so that torch does not count their weights

    @classmethod
    def from_texts(cls, shape: tuple[int, ...], **texts: str) -> Network:
        """Build a network for samples of `shape` from a text for every key of MENUS."""
        parts = {kind: build_part(kind, texts[kind]) for kind in MENUS}
        parts["scaling"].build(tuple(shape))
        return cls(shape, **parts)

    @property
    def texts(self) -> dict[str, str]:
        """The text of every part, enough to build the same network again."""
        return {kind: repr(getattr(self, kind)) for kind in MENUS}

    @property
    def code_size(self) -> int:
        """Numbers of one sample's code."""
        return math.prod(self.code_shape)

    @property
    def has_code(self) -> bool:
        """Whether the code is all that the decoder reads; with skip connections it is not."""
        return not isinstance(self.backbone, SkipBackbone)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    def to(self, *args: Any, **kwargs: Any) -> Network:
        """Move as every module does, with the weights of convolutions in the memory format channels last.

        That is two to three times faster on a CPU, and the other format would round differently.
        """
        super().to(*args, **kwargs)
        super().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    def with_objective(self, corruption: Corruption, loss: Loss) -> Network:
        """Return a network with another corruption and loss that shares its weights: to train one is to train both."""
        corruption.build(self.scaling)
        loss.build(self.scaling)
        twin = copy.copy(self)
        twin._modules = self._modules | {"corruption": corruption, "loss": loss}  # the other modules are shared
        return twin

    def forward(self, batch: Batch | Tensor, generator: Generator | None = None) -> Cost:
        """Return the cost of a batch in user's units: the training step's objective.

        A tensor (N, C, *grid) means a batch of these samples alone. Target positions are for a `PositionedBottleneck`.
        Without a generator nothing is damaged and nothing is random.
        """
        batch = batch if isinstance(batch, Batch) else Batch(batch)
        clean, damaged, weight = self.damage(batch.x, generator)
        if batch.target is not None:
            clean = self.scaling(batch.target)
        h, skips = self.encoder(self.scaling.as_input(damaged))
        code = self.bottleneck(h, generator)
        logits = self.decoder(code.z, skips).float()  # under autocast it comes in 16 bits
        output = logits, self.scaling.activation(logits)

        target, weights = self.scaling.weigh(clean, weight)
        loss = self.loss(output, target, weights)
        penalty = code.penalty
        if batch.target_position is not None and isinstance(self.bottleneck, PositionedBottleneck):
            penalty = penalty + self.bottleneck.relate(code.z.float(), batch.target_position)
        if isinstance(self.loss, MSE) and weights is None:
            mse = loss.detach() / self.values
        else:
            mse = self.scaling.mean_squares(output[1].detach(), clean, weight)
        # loss and penalty are divided by the same number, so that their ratio stays
        return Cost((loss + penalty) / self.values, mse, penalty)

    def damage(self, x: Tensor, generator: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return `x` (user's units) in model's units, the same damaged, and the loss weights of its values."""
        if generator is None:
            clean = self.scaling(x)
            return clean, clean, None
        return damage(x, self.scaling, self.corruption, generator)

    def restore(self, scaled: Tensor) -> Tensor:
        """Return the reconstruction of samples (N, C, *grid), without damage or randomness; both in model's units.

        Where the backbone has a `tiling`, pictures may be of any size.
        """
        encoder, decoder = self._halves(tuple(scaled.shape[1:]))
        h, skips = encoder(self.scaling.as_input(scaled))
        return self.scaling.activation(decoder(self.bottleneck(h).z, skips))

    def _halves(self, shape: tuple[int, ...]) -> Halves:
        """Return (encoder, decoder) for samples of `shape` in model's units, with this network's own weights."""
        if self.backbone.tiling is None or shape == self.scaling.model_shape(self.shape):
            return self.encoder, self.decoder
        halves = self._other_halves.pop(shape, None) or self._build_halves(shape)
        self._other_halves[shape] = halves
        if len(self._other_halves) > MAX_KEPT_SIZES:
            del self._other_halves[next(iter(self._other_halves))]  # the least recently used one
        for half, own in zip(halves, (self.encoder, self.decoder), strict=True):
            half.load_state_dict(own.state_dict(keep_vars=True), assign=True)
            half.train(self.training)
        return halves

    def _build_halves(self, shape: tuple[int, ...]) -> Halves:
        """Return (encoder, decoder) for samples of `shape`, quickly, as their weights have no values yet."""
        with torch.device("meta"):
            return self.backbone.build(shape, shape, self.bottleneck.features_in, self.bottleneck.features_out)

    def encode(self, x: Tensor) -> Code:
        """Return the code of `x` (N, C, *grid), without damage or randomness."""
        h, _ = self.encoder(self.scaling.as_input(self.scaling(x)))
        return self.bottleneck(h)

    def decode(self, z: Tensor) -> Tensor:
        """Return the samples that codes `z` (N, *code_shape) decode to, in user's units, float64.

        Raises SpecError for a network with skip connections.
        """
        self.check_code()
        return self.scaling.back(self.scaling.activation(self.decoder(z, ())))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return the reconstruction of `x` (N, C, *grid), in user's units, float64."""
        return self.scaling.back(self.restore(self.scaling(x)))

    def code_and_error(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the codes (N, *code_shape) of `x` (N, C, *grid), and its `errors`, in one pass."""
        scaled = self.scaling(x)
        h, skips = self.encoder(self.scaling.as_input(scaled))
        z = self.bottleneck(h).z
        restored = self.scaling.activation(self.decoder(z, skips))
        return z, self.scaling.mean_squares(restored.double(), scaled.double())

    def errors(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Return the MSE (N,) of samples `x` (N, C, *grid), in model's units, float64: over the observed values.

        `target` is what they should become, `x` itself by default.
        """
        scaled = self.scaling(x)
        expected = scaled if target is None else self.scaling(target)
        return self.scaling.mean_squares(self.restore(scaled).double(), expected.double())

    def squared_error(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Return the squared error of every value of `x` (N, C, *grid), in model's units, float64; NaN for gaps.

        `target` is what it should become, `x` itself by default.
        """
        scaled = self.scaling(x)
        expected = scaled if target is None else self.scaling(target)
        return (self.restore(scaled).double() - expected.double()).square()

    def in_blocks(self, function: Callable[[Tensor], Tensor], x: Tensor, block_rows: int | None = None) -> Tensor:
        """Return `function` of the rows of `x` on the CPU, the same bit for bit alone and in any batch.

        See `narrows.model.inference.in_blocks`. Blocks have 64 rows by default, or fewer large ones.
        """
        block_rows = block_rows or rows_at_once(max(self.values, math.prod(x.shape[1:])))
        return in_blocks(self, function, x, block_rows, self.device)

    def check_code(self) -> None:
        """Raise a SpecError where the code alone does not hold a sample."""
        if not self.has_code:
            raise SpecError(
                f"a model with the backbone {self.backbone!r} has connections round its bottleneck, so its code does "
                f"not hold a sample; it restores, and other uses need a backbone such as 'dense' or 'conv'"
            )

    @torch.no_grad()
    def _probe_code_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one code; that of a grid is found by encoding a sample of zeros."""
        features = self.bottleneck.features_out
        if not self.backbone.grid:
            return (features,)
        h, _ = self.encoder(torch.zeros(1, *input_shape))
        return (features, *h.shape[2:])

"""The composition: backbone x bottleneck x corruption x loss, on scaled data."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import linear, pad
from torch.overrides import TorchFunctionMode

from narrows.errors import SpecError
from narrows.model.backbone import BACKBONES, Backbone, SkipBackbone, Sum
from narrows.model.bottleneck import BOTTLENECKS, Bottleneck, Code, PositionedBottleneck
from narrows.model.corruption import CORRUPTIONS, Chain, Corruption
from narrows.model.initialise import EXACT, RIDGE, cut_blocks, fit_layer, principal_components
from narrows.model.layers import parallel_parts
from narrows.model.loss import LOSSES, MSE, Loss
from narrows.model.scaling import SCALINGS, Scaling
from narrows.spec import Part, build

MENUS: dict[str, Mapping[str, Callable[..., Part]]] = {
    "backbone": BACKBONES,
    "bottleneck": BOTTLENECKS,
    "corruption": CORRUPTIONS,
    "loss": LOSSES,
    "scaling": SCALINGS,
}
JOINS: dict[str, tuple[Callable[..., Part], str]] = {"backbone": (Sum, "+"), "corruption": (Chain, "|")}
BLOCK_ROWS = 64  # rows that go through a network at once when it is in use
LANE = 16  # 32-bit numbers that the widest processors add at once
HALVES = 8  # sizes whose halves are kept: tiles of a picture have at most four
MAX_VALUES = 2**28  # values of one sample: beyond any picture, within what memory holds
Halves = tuple[nn.Module, nn.Module]  # encoder and decoder


class Cost(NamedTuple):
    """What a batch costs, each (N,): `total` is minimised; `mse` is per value, in model's units."""

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
    """Return samples as a torch tensor without a copy; types that torch cannot reckon with become float64.

    Examples
    --------
    >>> as_tensor(np.zeros((2, 3), np.uint8)).dtype, as_tensor(np.zeros((2, 3), np.uint64)).dtype
    (torch.uint8, torch.float64)
    """
    if x.dtype in (np.uint32, np.uint64, np.longdouble):
        x = x.astype(np.float64)
    return torch.from_numpy(x if x.flags.writeable else x.copy())  # torch warns of arrays that are read only


def damage(
    x: Tensor, scaling: Scaling, corruption: Corruption, generator: Generator
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return `x` (user's units) in model's units, the same damaged, and the loss weights of its values.

    Whole numbers stay within their range, since nobody's damaged picture leaves it.
    """
    clean = scaling(x)
    damaged, weight = corruption(clean, generator)
    if damaged is not clean and scaling.limits is not None and (corruption.clip or not x.is_floating_point()):
        damaged = damaged.clamp(*scaling.limits)
    return clean, damaged, weight


class Network(nn.Module):
    """An autoencoder: x -> scale -> corrupt -> encode -> narrow -> decode -> compare with x.

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
        self.shape = tuple(shape)
        self.backbone = backbone
        self.bottleneck = bottleneck
        self.corruption = corruption
        self.loss = loss
        self.scaling = scaling
        model_shape = scaling.model_shape(self.shape)
        self.values = math.prod(model_shape)
        self.encoder, self.decoder = backbone.build(model_shape, bottleneck.features_in, bottleneck.features_out)
        self.code_shape = self._probe_code_shape(model_shape)
        self._other_halves: dict[tuple[int, ...], Halves] = {}  # a dict, so that they are no children with weights

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
        """Whether the code holds all that the decoder reads (not so with skips)."""
        return not isinstance(self.backbone, SkipBackbone)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.scaling.offset.device

    def to(self, *args: Any, **kwargs: Any) -> Network:
        """Move as every module does, and keep pictures laid out channels last.

        That is two to three times faster on a CPU, and another layout rounds otherwise.
        """
        super().to(*args, **kwargs)
        super().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    def with_objective(self, corruption: Corruption, loss: Loss) -> Network:
        """Return a network of the same weights that is asked for something else; to train one is to train both."""
        twin = copy.copy(self)
        twin._modules = self._modules | {"corruption": corruption, "loss": loss}  # the others are shared
        return twin

    def forward(
        self,
        x: Tensor,
        target: Tensor | None = None,
        target_position: Tensor | None = None,
        generator: Generator | None = None,
    ) -> Cost:
        """Return the cost of a batch `x` (N, C, *grid) in user's units: the training step's objective.

        `target` is what it should become (`x` itself by default), `target_position` (N, features) where each code
        should lie for a `PositionedBottleneck`. Without a generator nothing is damaged and nothing is drawn.
        """
        clean, damaged, weight = self.damage(x, generator)
        if target is not None:
            clean = self.scaling(target)
        h, skips = self.encoder(damaged)
        code = self.bottleneck(h, generator)
        logits = self.decoder(code.z, skips).float()  # under autocast it comes in 16 bits
        output = logits, self.scaling.activation(logits)

        loss = self.loss(output, clean, weight)
        penalty = code.penalty
        if target_position is not None and isinstance(self.bottleneck, PositionedBottleneck):
            penalty = penalty + self.bottleneck.relate(code.z.float(), target_position)
        if isinstance(self.loss, MSE) and weight is None:
            mse = loss.detach() / self.values
        else:
            mse = (output[1].detach() - clean).square().flatten(1).mean(1)
        # one division, so that penalty and loss keep their true proportion
        return Cost((loss + penalty) / self.values, mse, penalty)

    def damage(self, x: Tensor, generator: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return `x` (user's units) in model's units, the same damaged, and the loss weights of its values."""
        if generator is None:
            clean = self.scaling(x)
            return clean, clean, None
        return damage(x, self.scaling, self.corruption, generator)

    def restore(self, scaled: Tensor) -> Tensor:
        """Return samples (N, C, *grid) through the narrow place, without damage or chance; all in model's units.

        Where the backbone has a `tiling`, pictures may be of any size.
        """
        encoder, decoder = self._halves(tuple(scaled.shape[1:]))
        h, skips = encoder(scaled)
        return self.scaling.activation(decoder(self.bottleneck(h).z, skips))

    def _halves(self, shape: tuple[int, ...]) -> Halves:
        """Return (encoder, decoder) for samples of `shape` in model's units, of this network's own weights."""
        if self.backbone.tiling is None or shape == self.scaling.model_shape(self.shape):
            return self.encoder, self.decoder
        halves = self._other_halves.pop(shape, None) or self._build_halves(shape)
        self._other_halves[shape] = halves
        if len(self._other_halves) > HALVES:
            del self._other_halves[next(iter(self._other_halves))]  # the one that was not used for longest
        for half, own in zip(halves, (self.encoder, self.decoder), strict=True):
            half.load_state_dict(own.state_dict(keep_vars=True), assign=True)
            half.train(self.training)
        return halves

    def _build_halves(self, shape: tuple[int, ...]) -> Halves:
        """Return (encoder, decoder) for samples of `shape` without values for the weights, which takes milliseconds."""
        with torch.device("meta"):
            return self.backbone.build(shape, self.bottleneck.features_in, self.bottleneck.features_out)

    def encode(self, x: Tensor) -> Code:
        """Return the code of `x` (N, C, *grid), without damage and without chance."""
        h, _ = self.encoder(self.scaling(x))
        return self.bottleneck(h)

    def decode(self, z: Tensor) -> Tensor:
        """Return what codes `z` (N, *code_shape) stand for, in user's units, float64."""
        self.check_code()
        return self.scaling.back(self.scaling.activation(self.decoder(z, ())))

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, *grid) through the narrow place, in user's units, float64."""
        return self.scaling.back(self.restore(self.scaling(x)))

    def squared_error(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Return the squared error of every value of `x` (N, C, *grid), in model's units, float64.

        `target` is what it should become, `x` itself by default.
        """
        scaled = self.scaling(x)
        wanted = scaled if target is None else self.scaling(target)
        return (self.restore(scaled).double() - wanted.double()).square()

    @torch.no_grad()
    def start(self, x: Tensor, target: Tensor | None = None) -> None:
        """Set the weights by a batch `x` (N, C, *grid), so that every unit is awake and the code says much at once.

        `target` is what the batch should become, itself by default.

        Layer by layer the outputs get mean 0 and deviation 1 (Mishkin and Matas, "All You Need Is a Good Init", 2016).
        The layer that makes the code is set by least squares to make the batch's principal components, around the mean
        that the bottleneck asks for, and the last layer to read the batch from what reaches it: so an untrained network
        is about as good as PCA, and a ReLU on the code loses nothing that it would miss. A backbone that adds its input
        begins as the correction that least squares find for the damage. Of backbones side by side the first is set so,
        without the ridge that keeps deeper layers from reading noise; the last layers of the others begin at 0.
        """
        scaled = seen = self.scaling(x)
        if self.backbone.adds_input:
            _, seen, _ = self.damage(x, Generator(self.device).manual_seed(0))
        if target is not None:
            scaled = self.scaling(target)
        encoders, decoders = (parallel_parts(half) for half in (self.encoder, self.decoder))
        code, *other_codes = [_weighted_layers(part)[-1] for part in encoders]
        last, *other_lasts = [_weighted_layers(part)[-1] for part in decoders]
        ridge = EXACT if other_codes else RIDGE
        set_by = {code: self._start_code(scaled, ridge), last: self._start_output(scaled, seen, ridge)}
        set_by |= dict.fromkeys([*other_codes, *other_lasts], _start_at_zero)
        layers = [*_weighted_layers(self.encoder), *_weighted_layers(self.decoder)]
        hooks = [layer.register_forward_hook(set_by.get(layer, _spread)) for layer in layers]
        self.restore(seen)  # the hooks set a layer once it is passed, so the next one gets what the set one makes
        for hook in hooks:
            hook.remove()

    def _start_output(self, scaled: Tensor, seen: Tensor, ridge: float) -> Callable[..., None]:
        """Return a hook that sets the last layer by samples in model's units, from what the encoder has `seen`."""

        def hook(layer: Any, inputs: tuple[Tensor], output: Tensor) -> None:
            target = self.scaling.inverse_activation(scaled) - (seen if self.backbone.adds_input else 0)
            fit_layer(layer, inputs[0], target if output.ndim > 2 else target.flatten(1), ridge)

        return hook

    def _start_code(self, scaled: Tensor, ridge: float) -> Callable[..., Tensor]:
        """Return a hook that sets the layer that makes the code by samples in model's units."""

        def hook(layer: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
            components = self._components(scaled)
            if components.shape[1]:  # one sample, or all alike, have none
                fit_layer(layer, inputs[0], components, ridge)
            output = _spread(layer, inputs, layer.forward(inputs[0]))
            layer.bias.add_(self.bottleneck.start_mean)
            return output + self.bottleneck.start_mean

        return hook

    def _components(self, scaled: Tensor) -> Tensor:
        """Return what the code should begin as for samples in model's units: (N, k, *grid of the code)."""
        if not self.backbone.grid:
            return principal_components(scaled.flatten(1), self.bottleneck.features_out)
        places = self.code_shape[1:]
        blocks = cut_blocks(scaled, places)
        rows = principal_components(blocks, self.bottleneck.features_out, rotate=True)
        return rows.unflatten(0, (len(scaled), *places)).movedim(-1, 1)

    def in_blocks(self, function: Callable[[Tensor], Tensor], x: Tensor, block_rows: int = BLOCK_ROWS) -> Tensor:
        """Return `function` of the rows of `x`, in blocks of `block_rows` rows, the last one padded, on the CPU.

        A matrix product may round a row differently in a batch of another size, or where its memory starts elsewhere;
        in blocks of one size and aligned rows a sample's result is the same bit for bit, alone and in any company.
        """
        training, results = self.training, []
        self.eval()
        with torch.inference_mode(), _AlignedRows():
            for start in range(0, max(len(x), 1), block_rows):  # no rows: one block says the result's shape
                rows = x[start : start + block_rows]
                block = torch.zeros(block_rows, *x.shape[1:], dtype=x.dtype, device=self.device)
                block[: len(rows)] = rows.to(self.device)
                results.append(function(block)[: len(rows)].cpu())
        self.train(training)
        return torch.cat(results).clone()

    def check_code(self) -> None:
        """Raise a SpecError where the code alone does not hold a sample."""
        if not self.has_code:
            raise SpecError(
                f"a model with the backbone {self.backbone!r} has connections round its bottleneck, so its code does "
                f"not hold a sample; it restores, and other uses need a backbone such as 'dense' or 'conv'"
            )

    @torch.no_grad()
    def _probe_code_shape(self, model_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one code; a grid's is found by sending a sample through the encoder."""
        features = self.bottleneck.features_out
        if not self.backbone.grid:
            return (features,)
        h, _ = self.encoder(torch.zeros(1, *model_shape))
        return (features, *h.shape[2:])


class _AlignedRows(TorchFunctionMode):
    """Pads what every linear layer multiplies with zeros, so that no row's sum begins within a processor's lane.

    On processors, matrix products with few columns add a row in an order that depends on where its memory starts.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is linear:
            x, weight, *bias = args
            x, gap = x.contiguous(), -x.shape[-1] % LANE
            args = (pad(x, (0, gap)), pad(weight, (0, gap)), *bias) if gap else (x, weight, *bias)
        return function(*args, **(kwargs or {}))


def _weighted_layers(module: nn.Module) -> list[Any]:
    """Return the layers that multiply by weights and add a bias, in the order in which they were made."""
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    return [layer for layer in module.modules() if isinstance(layer, kinds) and layer.bias is not None]


def _start_at_zero(layer: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    """Make a layer's weights, and so what leaves it, 0: a forward hook."""
    layer.weight.zero_()
    layer.bias.zero_()
    return torch.zeros_like(output)


def _spread(layer: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    """Give what leaves a layer mean 0 and deviation 1, feature by feature: a forward hook."""
    axes = [0, *range(2, output.ndim)]
    deviation, mean = torch.std_mean(output, axes, correction=0)
    deviation[deviation < 1e-4] = 1.0  # one sample, or all alike: nothing to go by
    along = [1] * layer.weight.ndim
    along[1 if isinstance(layer, nn.ConvTranspose2d) else 0] = -1
    layer.weight.div_(deviation.view(along))
    layer.bias.sub_(mean).div_(deviation)
    features = [1, -1] + [1] * (output.ndim - 2)
    return (output - mean.view(features)) / deviation.view(features)

"""The weights before training, set by data: the code as their principal components, the rest by least squares."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate, pad, unfold

from narrows.batch import Batch
from narrows.model.layers import parallel_parts
from narrows.model.network import Network
from narrows.model.pca import whitened_scores

RIDGE = 0.3  # share of the summed variance of the inputs, which keeps many inputs of few rows from fitting noise
EXACT_RIDGE = 1e-9  # the same where the inputs are the data themselves, so that there is no noise to fit
LOGIT_STEPS = 30  # least squares in a row, by which categories come near their least cross-entropy
MAX_PIXELS = 2**15  # of the inputs that a convolution is fitted to


@torch.no_grad()
def initialise(network: Network, batch: Batch | Tensor) -> None:
    """Set the weights of `network` by a batch in user's units, so that it begins about as good as PCA.

    A tensor (N, C, *grid) means a batch of these samples alone.

    Layer by layer the outputs get mean 0 and deviation 1 (Mishkin and Matas, "All You Need Is a Good Init", 2016).
    The layer that makes the code is set by least squares to make the batch's principal components, with the
    `start_mean` of the bottleneck as their mean, so that a ReLU on the code cuts off little. The last layer is set by
    least squares to make the batch from its own inputs; for categories by repeated ones, see `logit_step` of the
    scaling. Gaps count as the usual values. A backbone that adds its input begins as the correction that
    least squares find for the corruption. Of backbones side by side the first is set so, with hardly any ridge; the
    last layers of the others begin at 0.
    """
    batch = batch if isinstance(batch, Batch) else Batch(batch)
    scaled = seen = network.scaling(batch.x)  # with gaps
    if network.backbone.adds_input:
        _, seen, _ = network.damage(batch.x, Generator(network.device).manual_seed(0))
    if batch.target is not None:
        scaled = network.scaling(batch.target)
    encoders, decoders = (parallel_parts(half) for half in (network.encoder, network.decoder))
    scaled = network.scaling.fill(scaled)
    code, *other_codes = [_weighted_layers(part)[-1] for part in encoders]
    last, *other_lasts = [_weighted_layers(part)[-1] for part in decoders]
    ridge = EXACT_RIDGE if other_codes else RIDGE
    set_by = {code: _set_code(network, scaled, ridge), last: _set_output(network, scaled, seen, ridge)}
    set_by |= dict.fromkeys([*other_codes, *other_lasts], _set_to_zero)
    layers = [*_weighted_layers(network.encoder), *_weighted_layers(network.decoder)]
    hooks = [layer.register_forward_hook(set_by.get(layer, _standardise)) for layer in layers]
    network.restore(seen)  # a hook sets each layer as it is passed, so the next one gets the outputs of a set layer
    for hook in hooks:
        hook.remove()


def _set_output(network: Network, scaled: Tensor, seen: Tensor, ridge: float) -> Callable[..., None]:
    """Return a hook that sets the last layer by samples in model's units; the encoder got `seen`."""

    def hook(layer: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        target = network.scaling.start_logits(scaled) - (seen if network.backbone.adds_input else 0)
        fit_layer(layer, inputs[0], target if output.ndim > 2 else target.flatten(1), ridge)
        for _ in range(LOGIT_STEPS):
            logits = layer.forward(inputs[0])
            step = network.scaling.logit_step(logits, scaled)
            if step is None:
                break
            fit_layer(layer, inputs[0], logits + step, ridge)

    return hook


def _set_code(network: Network, scaled: Tensor, ridge: float) -> Callable[..., Tensor]:
    """Return a hook that sets the layer that makes the code by samples in model's units."""

    def hook(layer: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
        scores = _starting_codes(network, scaled)
        if scores.shape[1]:  # one sample, or all alike, have none
            fit_layer(layer, inputs[0], scores, ridge)
        output = _standardise(layer, inputs, layer.forward(inputs[0]))
        layer.bias.add_(network.bottleneck.start_mean)
        return output + network.bottleneck.start_mean

    return hook


def _starting_codes(network: Network, scaled: Tensor) -> Tensor:
    """Return the codes with which to begin for samples in model's units: (N, k, *grid of the code)."""
    size = network.bottleneck.features_out
    if not network.backbone.grid:
        return whitened_scores(scaled.flatten(1), size)
    grid = network.code_shape[1:]
    rows = whitened_scores(cut_blocks(scaled, grid), size, rotate=True)
    return rows.unflatten(0, (len(scaled), *grid)).movedim(-1, 1)


def cut_blocks(x: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Return the square blocks of `x` (N, C, H, W), less its mean, one per cell of `grid` (rows, columns).

    They are the rows of (N * rows * columns, C * side * side). The side is a power of two; where a block reaches beyond
    the picture, it is filled with the mean.

    Examples
    --------
    >>> cut_blocks(torch.ones(5, 1, 31, 28), (8, 7)).shape
    torch.Size([280, 16])
    """
    side = 2 ** math.ceil(math.log2(max(x.shape[-2] / grid[0], x.shape[-1] / grid[1])))
    below, right = side * grid[0] - x.shape[-2], side * grid[1] - x.shape[-1]
    mean = x.mean((0, 2, 3), keepdim=True)
    blocks = unfold(pad(x - mean, (0, right, 0, below)), side, stride=side)
    return blocks.mT.flatten(0, 1)


@torch.no_grad()
def fit_layer(layer: Any, inputs: Tensor, targets: Tensor, ridge: float = RIDGE) -> None:
    """Set a layer by ridge regression, so that it makes `targets` (N, k, *grid) of `inputs`.

    Where k is less than the layer's outputs, the first k outputs are set; where the layer's grid is finer than the
    targets', each target is repeated. `ridge` is a share of the summed variance of the inputs.
    """
    if inputs.ndim > 2:
        few = max(32, MAX_PIXELS // inputs[0, 0].numel())
        inputs, targets = inputs[:few], targets[:few]
    if isinstance(layer, nn.ConvTranspose2d):
        _fit_transposed(layer, inputs, targets, ridge)
        return
    if isinstance(layer, nn.Conv2d):
        padding: Any = layer.padding
        rows = unfold(inputs, layer.kernel_size, padding=padding, stride=layer.stride)
        height = (inputs.shape[2] + 2 * padding[0] - layer.kernel_size[0]) // layer.stride[0] + 1
        targets = interpolate(targets, size=(height, rows.shape[2] // height))
        inputs, targets = rows.mT.flatten(0, 1), targets.flatten(2).mT.flatten(0, 1)
    mean, level = inputs.mean(0), targets.mean(0)
    weight = _least_squares(inputs - mean, targets - level, ridge).mT
    count = len(weight)
    layer.weight[:count] = weight.view(count, *layer.weight.shape[1:])
    layer.bias[:count] = level - weight @ mean


def _fit_transposed(layer: Any, inputs: Tensor, targets: Tensor, ridge: float) -> None:
    """Set a transposed convolution whose kernel is as large as its stride, so that each input pixel makes one block."""
    side = layer.stride[0]
    level = targets.mean((0, 2, 3))
    below, right = side * inputs.shape[2] - targets.shape[2], side * inputs.shape[3] - targets.shape[3]
    blocks = unfold(pad(targets - level.view(1, -1, 1, 1), (0, right, 0, below)), side, stride=side)
    weight = _least_squares(inputs.flatten(2).mT.flatten(0, 1), blocks.mT.flatten(0, 1), ridge)
    layer.weight.copy_(weight.view(layer.weight.shape))
    layer.bias.copy_(level)


def _least_squares(inputs: Tensor, targets: Tensor, share: float) -> Tensor:
    """Return the weights (features, k) of ridge regression, by the smaller of the two Gram matrices."""
    inputs, targets = inputs.double(), targets.double()
    ridge = (share * inputs.square().sum() / len(inputs)).clamp_min(1e-9)  # where all inputs are alike
    is_tall = len(inputs) > inputs.shape[1]
    gram = inputs.mT @ inputs if is_tall else inputs @ inputs.mT
    gram.diagonal().add_(ridge)
    if is_tall:
        return torch.linalg.solve(gram, inputs.mT @ targets).float()
    return (inputs.mT @ torch.linalg.solve(gram, targets)).float()


def _weighted_layers(module: nn.Module) -> list[Any]:
    """Return the layers that multiply by weights and add a bias, in the order in which they were made."""
    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    return [layer for layer in module.modules() if isinstance(layer, kinds) and layer.bias is not None]


def _set_to_zero(layer: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    """Set a layer's weights, and with them its output, to 0: a forward hook."""
    layer.weight.zero_()
    layer.bias.zero_()
    return torch.zeros_like(output)


def _standardise(layer: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    """Give each feature of a layer's output mean 0 and deviation 1: a forward hook."""
    axes = [0, *range(2, output.ndim)]
    deviation, mean = torch.std_mean(output, axes, correction=0)
    deviation[deviation < 1e-4] = 1.0  # one sample, or all alike: there is no deviation to divide by
    along = [1] * layer.weight.ndim
    along[1 if isinstance(layer, nn.ConvTranspose2d) else 0] = -1
    layer.weight.div_(deviation.view(along))
    layer.bias.sub_(mean).div_(deviation)
    features = [1, -1] + [1] * (output.ndim - 2)
    return output.sub_(mean.view(features)).div_(deviation.view(features))

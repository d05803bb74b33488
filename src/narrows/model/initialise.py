"""Where training starts: the code as the data's principal components."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, unfold

from narrows.model.pca import PCA

RIDGE = 0.3  # of the summed variance of the inputs: the more of them beside the rows, the more noise they could read
EXACT = 1e-9  # the same where the inputs are what is to be explained, which leaves no noise to be read
PLACES = 2**15  # places of pictures that a convolution is fitted to
ROTATIONS = 50  # rounds of varimax; it has settled long before


def principal_components(rows: Tensor, count: int, rotate: bool = False) -> Tensor:
    """Return the scores (N, at most `count`) of `rows` (N, values) along their principal components, deviation 1.

    Parameters
    ----------
    count : as many as the rows have, at most.
    rotate : turn the components so that each one stands for few of the values (Kaiser, "The Varimax Criterion",
        1958); the code of a picture's place then names its parts.

    The sign of each is the one whose rare values are the low ones. Through a maximum over places and a cut at 0, as
    pooling and a ReLU make, such a score keeps where a rare thing is; one of the other sign only that it is near.

    Examples
    --------
    >>> principal_components(torch.tensor([[0.0, 1.0], [0.0, 3.0], [0.0, 3.0], [0.0, 3.0]]), 2).flatten().tolist()
    ... # doctest: +NUMBER
    [-1.73, 0.577, 0.577, 0.577]
    """
    pca = PCA.fit(rows, count)
    directions = pca.axes.mT
    scores = (rows - pca.mean) @ (_varimax(directions) if rotate else directions)
    scores /= scores.square().mean(0).sqrt()
    skew = scores.pow(3).mean(0)
    return torch.where(skew > 0, -scores, scores)


def cut_blocks(x: Tensor, places: tuple[int, ...]) -> Tensor:
    """Return the blocks of `x` (N, C, H, W) that the places of a grid stand for: (N * places, C * side * side).

    The side is a power of two; a block that reaches beyond the picture is filled with its mean.

    Examples
    --------
    >>> cut_blocks(torch.ones(5, 1, 31, 28), (8, 7)).shape
    torch.Size([280, 16])
    """
    side = 2 ** math.ceil(math.log2(max(x.shape[-2] / places[0], x.shape[-1] / places[1])))
    below, right = side * places[0] - x.shape[-2], side * places[1] - x.shape[-1]
    mean = x.mean((0, 2, 3), keepdim=True)
    blocks = unfold(pad(x - mean, (0, right, 0, below)), side, stride=side)
    return blocks.mT.flatten(0, 1)


@torch.no_grad()
def fit_layer(layer: Any, inputs: Tensor, targets: Tensor, ridge: float = RIDGE) -> None:
    """Set a layer by ridge regression, so that it makes `targets` (N, k, *grid) of `inputs`.

    Fewer targets than the layer has outputs set the first ones; a layer of a finer grid than the targets' repeats them.
    `ridge` is a share of the summed variance of the inputs.
    """
    if inputs.ndim > 2:
        few = max(32, PLACES // inputs[0, 0].numel())
        inputs, targets = inputs[:few], targets[:few]
    if isinstance(layer, nn.ConvTranspose2d):
        _fit_stamps(layer, inputs, targets, ridge)
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


def _fit_stamps(layer: Any, inputs: Tensor, targets: Tensor, ridge: float) -> None:
    """Set a transposed convolution whose kernel is as large as its stride: every input place makes its own block."""
    side = layer.stride[0]
    level = targets.mean((0, 2, 3))
    below, right = side * inputs.shape[2] - targets.shape[2], side * inputs.shape[3] - targets.shape[3]
    blocks = unfold(pad(targets - level.view(1, -1, 1, 1), (0, right, 0, below)), side, stride=side)
    weight = _least_squares(inputs.flatten(2).mT.flatten(0, 1), blocks.mT.flatten(0, 1), ridge)
    layer.weight.copy_(weight.view(layer.weight.shape))
    layer.bias.copy_(level)


def _least_squares(inputs: Tensor, targets: Tensor, share: float) -> Tensor:
    """Return the weights (features, k) of ridge regression, through whichever of the two Gram matrices is smaller."""
    inputs, targets = inputs.double(), targets.double()
    ridge = (share * inputs.square().sum() / len(inputs)).clamp_min(1e-9)  # where all inputs are alike
    is_tall = len(inputs) > inputs.shape[1]
    gram = inputs.mT @ inputs if is_tall else inputs @ inputs.mT
    gram.diagonal().add_(ridge)
    if is_tall:
        return torch.linalg.solve(gram, inputs.mT @ targets).float()
    return (inputs.mT @ torch.linalg.solve(gram, targets)).float()


def _varimax(directions: Tensor) -> Tensor:
    """Return orthonormal `directions` (values, k) turned so that the variance of their squares is the largest."""
    rotation = torch.eye(directions.shape[1], dtype=directions.dtype, device=directions.device)
    for _ in range(ROTATIONS):
        turned = directions @ rotation
        left, _, right = torch.linalg.svd(directions.mT @ (turned**3 - turned * turned.square().mean(0)))
        rotation = left @ right
    return directions @ rotation

"""Positions on a line, a plane or in space for samples, so that neighbours lie together: t-SNE by a grid."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from narrows.model.neighbours import find_neighbours, project

STEPS, EARLY = 400, 80  # of these, the early ones pull groups through each other
EXAGGERATION = 12.0  # of the pull, early on; a step is as long as N / exaggeration (Belkina et al., 2019)
ATTRACTION = 1.5  # of the pull, to the end: more sets groups further apart and keeps fewer true neighbours
LEAST = 4  # samples; fewer stay where their components put them
MOMENTUM = 0.8
TURN = 5  # neighbours that pull at each sample in a step; in the next, others
START_STD = 0.01
CELL = 0.125  # of the grid, about, where the pull is strongest at 1; wider where that takes too many
GRID = {1: (64, 4096), 2: (64, 256), 3: (24, 40)}  # cells along each side, by dimensions: the fewest and the most


def find_positions(rows: Tensor, size: int, neighbours: int, seed: int = 0) -> Tensor:
    """Return a position (N, size) for each of `rows` (N, values): each near its neighbours', deviation 1 in all.

    Van der Maaten and Hinton, "Visualizing Data using t-SNE", 2008, with every neighbour of a sample alike and
    from the principal components on. A few neighbours pull at each step, in turn; all samples push, through a grid and
    a Fourier transform: Linderman et al., "Fast Interpolation-Based t-SNE for Improved Visualization of Single-Cell
    RNA-Seq Data", 2019, with linear interpolation. The pull stays stronger than t-SNE's to the end, which lies towards
    UMAP: Boehm, Berens and Kobak, "Attraction-Repulsion Spectrum in Neighbor Embeddings", 2022.

    Parameters
    ----------
    size : dimensions, 1 to 3.
    neighbours : of each sample that count as near; at most a third of the samples do, since a layout in which nearly
        all pull at each other falls into one position.

    Raises
    ------
    DataError : for one sample, or where all are equal.

    Examples
    --------
    >>> find_positions(torch.arange(40.0)[:, None], 2, neighbours=3).shape
    torch.Size([40, 2])
    """
    rows = project(rows.flatten(1).float())
    neighbours = min(neighbours, max(1, (len(rows) - 1) // 3))
    near = find_neighbours(rows, neighbours)
    chance = Generator(rows.device).manual_seed(seed)
    turns = torch.rand(near.shape, generator=chance, device=rows.device).argsort(1)
    near = near.gather(1, turns).mT.contiguous()  # each sample's neighbours in an order of its own
    positions = _start(rows, size, chance)  # a row per coordinate, which adds and sums fastest
    speed, gain = torch.zeros_like(positions), torch.ones_like(positions)
    for step in range(STEPS if len(rows) >= LEAST else 0):
        exaggeration = EXAGGERATION if step < EARLY else ATTRACTION
        turn = torch.arange(step * TURN, (step + 1) * TURN, device=rows.device) % neighbours
        slope = exaggeration * _pull(positions, near[turn]) - _push(positions)
        gain = torch.where(slope * speed < 0, gain + 0.2, gain * 0.8).clamp_min_(0.01)
        speed.mul_(MOMENTUM).sub_(gain.mul(slope), alpha=positions.shape[1] / exaggeration)
        positions = positions + speed
    positions = positions - positions.mean(1, keepdim=True)
    return (positions / positions.square().mean().sqrt()).mT.contiguous()


def _start(scores: Tensor, size: int, chance: Generator) -> Tensor:
    """Return the first components (size, N) of centred `scores` (N, values), small, with a trace of noise if none."""
    scores = pad(scores, (0, max(0, size - scores.shape[1])))
    _, directions = torch.linalg.eigh(scores.mT @ scores)
    start = directions[:, -size:].flip(1).mT @ scores.mT
    noise = torch.randn(start.shape, generator=chance, device=start.device)
    return START_STD * (start / start.square().mean().sqrt() + 0.01 * noise)


def _pull(positions: Tensor, partners: Tensor) -> Tensor:
    """Return how the share of the cost of `partners` (d, N) grows along each coordinate, (size, N)."""
    ends = partners.flatten().expand(len(positions), -1)  # gathered and scattered so, they take a third of the time
    gaps = positions[:, None] - positions.gather(1, ends).unflatten(1, partners.shape)
    pull = gaps / (1 + gaps.square().sum(0))
    back = torch.zeros_like(positions).scatter_add_(1, ends, pull.flatten(1))
    return (pull.sum(1) - back) / (2 * partners.numel())


def _push(positions: Tensor) -> Tensor:
    """Return how much the cost falls along each coordinate by the distance from all others, (size, N)."""
    size = len(positions)
    low = positions.amin(1, keepdim=True)
    span = max((positions.amax(1, keepdim=True) - low).max().item(), 1e-6)
    least, most = GRID[size]
    side = min(most, max(least, int(span / CELL) // 16 * 16))  # by sixteens, which transform fast
    cell = 2 ** (math.ceil(4 * math.log2(span / (side - 2))) / 4)  # by steps, so that the kernels stay for a while
    index, weight = _corners((positions - low) / cell, side)
    corners = index.flatten()
    mass = positions.new_zeros(side**size).scatter_add_(0, corners, weight.flatten())
    dims, padded = list(range(1, size + 1)), [2 * side] * size
    spectrum = torch.fft.rfftn(mass.view(1, *[side] * size), s=padded, dim=dims)
    fields = torch.fft.irfftn(spectrum * _kernels(side, cell, size, positions.device), s=padded, dim=dims)
    for dim in dims:
        fields = fields.narrow(dim, 0, side)
    fields = fields.flatten(1).gather(1, corners.expand(size + 1, -1)).unflatten(1, index.shape)
    total, *push = (fields * weight).sum(1)
    return torch.stack(push) / (total - 1).sum().clamp_min(1e-6)


@lru_cache(maxsize=1)
def _kernels(side: int, cell: float, size: int, device: torch.device) -> Tensor:
    """Return the transforms of 1 / (1 + d^2), and of the square of it times the gap along each coordinate."""
    axis = torch.fft.fftfreq(2 * side, 1 / (2 * side), device=device) * cell
    gaps = torch.stack(torch.meshgrid([axis] * size, indexing="ij"))
    nearness = 1 / (1 + gaps.square().sum(0))
    return torch.fft.rfftn(torch.cat([nearness[None], nearness.square() * gaps]), dim=list(range(1, size + 1)))


def _corners(position: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the grid points round each `position` (size, N), in cells, as (index, weight), each (2^size, N)."""
    floor = position.floor().clamp_(0, side - 2)
    rest = position - floor
    size = len(position)
    steps = torch.tensor(list(product((0, 1), repeat=size)), device=position.device)[:, :, None]
    stride = torch.tensor([[side ** (size - 1 - i)] for i in range(size)], device=position.device)
    index = (floor.long() * stride).sum(0) + (steps * stride).sum(1)
    weight = torch.where(steps == 1, rest, 1 - rest).prod(1)
    return index, weight

"""Positions on a line, a plane or in space for samples, so that neighbours lie together: t-SNE by a grid."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from narrows.model.neighbours import find_neighbours
from narrows.model.pca import axes_of_projected, project

STEPS, EARLY_STEPS = 280, 60  # the early ones attract more strongly, so that groups can pass through each other
MANY_SAMPLES, MORE_STEPS, MORE_EARLY_STEPS = 50_000, 400, 80  # groups of so many take longer to come together
EARLY_ATTRACTION = 12.0  # factor of the attraction in the early steps; the rate is N / factor (Belkina et al., 2019)
ATTRACTION = 1.5  # the factor after that: more sets groups further apart and keeps fewer true neighbours
MIN_SAMPLES = 4  # fewer keep the positions of their principal components
MOMENTUM = 0.8
NEIGHBOURS_PER_STEP = 5  # that attract each sample in a step; in the next step, others
START_STD = 0.01
CELL = (
    0.125  # side of a grid cell, where the attraction is strongest at distance 1; wider where the grid gets too large
)
GRID = {1: (64, 4096), 2: (64, 256), 3: (24, 40)}  # cells along each side, by dimensions: the fewest and the most


def find_positions(rows: Tensor, size: int, neighbours: int, seed: int = 0) -> Tensor:
    """Return a position (N, size) for each of `rows` (N, values), near those of its neighbours; deviation 1 in all.

    Van der Maaten and Hinton, "Visualizing Data using t-SNE", 2008, with equal weights for all neighbours of a sample,
    and with the principal components as the start. In each step a few neighbours attract, in turn, and all samples
    repel, by a grid and a Fourier transform: Linderman et al., "Fast Interpolation-Based t-SNE for Improved
    Visualization of Single-Cell RNA-Seq Data", 2019, with linear interpolation. The attraction stays stronger than
    t-SNE's to the end, as it is in UMAP: Boehm, Berens and Kobak, "Attraction-Repulsion Spectrum in Neighbor
    Embeddings", 2022.

    Parameters
    ----------
    size : dimensions, 1 to 3.
    neighbours : of each sample that attract it; at most a third of the samples, since a layout in which nearly all
        attract each other falls into one point.

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
    generator = Generator(rows.device).manual_seed(seed)
    turns = torch.rand(near.shape, generator=generator, device=rows.device).argsort(1)
    near = near.gather(1, turns).mT.contiguous()  # each sample's neighbours in an order of its own
    positions = _start(rows, size, generator)  # one row per coordinate, which is fastest
    speed, gain = torch.zeros_like(positions), torch.ones_like(positions)
    steps, early_steps = _count_steps(len(rows))
    for step in range(steps):
        attraction = EARLY_ATTRACTION if step < early_steps else ATTRACTION
        turn = NEIGHBOURS_PER_STEP * step + torch.arange(NEIGHBOURS_PER_STEP, device=rows.device)
        slope = attraction * _attraction(positions, near[turn % neighbours]) - _repulsion(positions)
        gain = torch.where(slope * speed < 0, gain + 0.2, gain * 0.8).clamp_min_(0.01)
        speed.mul_(MOMENTUM).sub_(gain.mul(slope), alpha=positions.shape[1] / attraction)
        positions = positions + speed
    positions = positions - positions.mean(1, keepdim=True)
    return (positions / positions.square().mean().sqrt()).mT.contiguous()


def _count_steps(samples: int) -> tuple[int, int]:
    """Return how many steps a layout takes, and how many of them are early ones."""
    if samples < MIN_SAMPLES:
        return 0, 0
    return (STEPS, EARLY_STEPS) if samples < MANY_SAMPLES else (MORE_STEPS, MORE_EARLY_STEPS)


def _start(scores: Tensor, size: int, generator: Generator) -> Tensor:
    """Return the first components (size, N) of centred `scores` (N, values), scaled down, with a trace of noise."""
    scores = pad(scores, (0, max(0, size - scores.shape[1])))
    start = axes_of_projected(scores, size) @ scores.mT
    noise = torch.randn(start.shape, generator=generator, device=start.device)
    return START_STD * (start / start.square().mean().sqrt() + 0.01 * noise)


def _attraction(positions: Tensor, partners: Tensor) -> Tensor:
    """Return the gradient (size, N) of the attractive cost between each sample and its `partners` (d, N)."""
    ends = partners.flatten().expand(len(positions), -1)  # by a flat index, gather and scatter take a third of the time
    gaps = positions[:, None] - positions.gather(1, ends).unflatten(1, partners.shape)
    force = gaps / (1 + gaps.square().sum(0))
    back = torch.zeros_like(positions).scatter_add_(1, ends, force.flatten(1))
    return (force.sum(1) - back) / (2 * partners.numel())


def _repulsion(positions: Tensor) -> Tensor:
    """Return the negative gradient (size, N) of the repulsive cost between each sample and all others."""
    size = len(positions)
    low = positions.amin(1, keepdim=True)
    span = max((positions.amax(1, keepdim=True) - low).max().item(), 1e-6)
    least, most = GRID[size]
    side = min(most, max(least, int(span / CELL) // 16 * 16))  # a multiple of 16, for a fast transform
    cell = 2 ** (math.ceil(4 * math.log2(span / (side - 2))) / 4)  # in steps, so that the kernels can be used again
    index, weight = _corners((positions - low) / cell, side)
    corners = index.flatten()
    mass = positions.new_zeros(side**size).scatter_add_(0, corners, weight.flatten())
    dims, padded = list(range(1, size + 1)), [2 * side] * size
    spectrum = torch.fft.rfftn(mass.view(1, *[side] * size), s=padded, dim=dims)
    fields = torch.fft.irfftn(spectrum * _kernels(side, cell, size, positions.device), s=padded, dim=dims)
    for dim in dims:
        fields = fields.narrow(dim, 0, side)
    fields = fields.flatten(1).gather(1, corners.expand(size + 1, -1)).unflatten(1, index.shape)
    total, *force = (fields * weight).sum(1)
    return torch.stack(force) / (total - 1).sum().clamp_min(1e-6)


@lru_cache(maxsize=1)
def _kernels(side: int, cell: float, size: int, device: torch.device) -> Tensor:
    """Return the Fourier transforms of 1 / (1 + d^2), and of its square times the gap along each coordinate."""
    axis = torch.fft.fftfreq(2 * side, 1 / (2 * side), device=device) * cell
    gaps = torch.stack(torch.meshgrid([axis] * size, indexing="ij"))
    nearness = 1 / (1 + gaps.square().sum(0))
    return torch.fft.rfftn(torch.cat([nearness[None], nearness.square() * gaps]), dim=list(range(1, size + 1)))


def _corners(position: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the grid points around each `position` (size, N), in cells, as (index, weight), each (2^size, N)."""
    floor = position.floor().clamp_(0, side - 2)
    rest = position - floor
    size = len(position)
    steps = torch.tensor(list(product((0, 1), repeat=size)), device=position.device)[:, :, None]
    stride = torch.tensor([[side ** (size - 1 - i)] for i in range(size)], device=position.device)
    index = (floor.long() * stride).sum(0) + (steps * stride).sum(1)
    weight = torch.where(steps == 1, rest, 1 - rest).prod(1)
    return index, weight

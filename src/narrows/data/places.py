"""Places on a line, a plane or in space for samples, so that neighbours lie together: t-SNE by a grid."""

from __future__ import annotations

from itertools import product

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from narrows.data.neighbours import find_neighbours, project

STEPS, EARLY = 600, 80  # of these, the early ones pull groups through each other
EXAGGERATION = 12.0  # of the pull, early on; a step is as long as N / exaggeration (Belkina et al., 2019)
ATTRACTION = 1.5  # of the pull, to the end: more sets groups further apart and keeps fewer true neighbours
MOMENTUM = 0.8
DRAWS = 5  # neighbours that pull at each sample in a step
START_STD = 0.01
CELL = 0.125  # of the grid, about, where the pull is strongest at 1; wider where that takes too many
GRID = {1: (64, 4096), 2: (64, 256), 3: (24, 40)}  # cells along each side, by dimensions: the fewest and the most


def find_places(rows: Tensor, size: int, neighbours: int, seed: int = 0) -> Tensor:
    """Return a place (N, size) for each of `rows` (N, values): each near its neighbours', deviation 1 in all.

    Van der Maaten and Hinton, "Visualizing Data using t-SNE", 2008, with every neighbour of a sample alike and
    from the principal components on. A few neighbours drawn at each step pull; all
    samples push, through a grid and a Fourier transform: Linderman et al., "Fast Interpolation-Based t-SNE for Improved
    Visualization of Single-Cell RNA-Seq Data", 2019, with linear interpolation. The pull stays stronger than t-SNE's to
    the end, which lies towards UMAP: Boehm, Berens and Kobak, "Attraction-Repulsion Spectrum in Neighbor Embeddings",
    2022.

    Parameters
    ----------
    size : dimensions, 1 to 3.
    neighbours : of each sample that count as near.

    Raises
    ------
    DataError : for at most `neighbours` samples, or where all are equal.

    Examples
    --------
    >>> find_places(torch.arange(40.0)[:, None], 2, neighbours=3).shape
    torch.Size([40, 2])
    """
    near = find_neighbours(rows, neighbours)
    chance = Generator(rows.device).manual_seed(seed)
    places = _start(project(rows.flatten(1).float()), size, chance)
    speed, gain = torch.zeros_like(places), torch.ones_like(places)
    for step in range(STEPS):
        exaggeration = EXAGGERATION if step < EARLY else ATTRACTION
        slope = exaggeration * _pull(places, near, chance) - _push(places)
        gain = torch.where(slope * speed < 0, gain + 0.2, gain * 0.8).clamp_min(0.01)
        speed = MOMENTUM * speed - len(places) / exaggeration * gain * slope
        places = places + speed
    places = places - places.mean(0)
    return places / places.square().mean().sqrt()


def _start(scores: Tensor, size: int, chance: Generator) -> Tensor:
    """Return the first principal components (N, size), small, with a trace of noise for those that are none."""
    scores = pad(scores, (0, max(0, size - scores.shape[1])))
    _, directions = torch.linalg.eigh(scores.mT @ scores)
    start = scores @ directions[:, -size:].flip(1)
    noise = torch.randn(start.shape, generator=chance, device=start.device)
    return START_STD * (start / start.square().mean().sqrt() + 0.01 * noise)


def _pull(places: Tensor, near: Tensor, chance: Generator) -> Tensor:
    """Return how the neighbours' share of the cost grows along each coordinate, (N, size)."""
    n = len(near)
    drawn = torch.randint(near.shape[1], (n, DRAWS), generator=chance, device=near.device)
    partners = near.gather(1, drawn)
    gaps = places[:, None] - places[partners]
    pull = gaps / (1 + gaps.square().sum(2, keepdim=True))
    back = [places.new_zeros(n).index_add_(0, partners.flatten(), column.flatten()) for column in pull.unbind(2)]
    return (pull.sum(1) - torch.stack(back, 1)) / (2 * n * DRAWS)  # by columns, which add 20 times as fast as rows


def _push(places: Tensor) -> Tensor:
    """Return how much the cost falls along each coordinate by the distance from all others, (N, size)."""
    size = places.shape[1]
    low = places.amin(0)
    span = (places.amax(0) - low).max().clamp_min(1e-6)
    least, most = GRID[size]
    side = min(most, max(least, int(span / CELL) // 16 * 16))  # by sixteens, which transform fast
    cell = span / (side - 2)
    index, weight = _corners((places - low) / cell, side)
    mass = places.new_zeros(side**size).index_add_(0, index.flatten(), weight.flatten())
    axis = torch.fft.fftfreq(2 * side, 1 / (2 * side), device=places.device) * cell
    gaps = torch.stack(torch.meshgrid([axis] * size, indexing="ij"))
    nearness = 1 / (1 + gaps.square().sum(0))
    kernels = torch.cat([nearness[None], nearness.square() * gaps])
    dims, padded = list(range(1, size + 1)), [2 * side] * size
    spectrum = torch.fft.rfftn(mass.view(1, *[side] * size), s=padded, dim=dims)
    fields = torch.fft.irfftn(spectrum * torch.fft.rfftn(kernels, dim=dims), s=padded, dim=dims)
    for dim in dims:
        fields = fields.narrow(dim, 0, side)
    total, *push = (fields.reshape(size + 1, -1)[:, index] * weight).sum(1)
    return torch.stack(push, 1) / (total - 1).sum().clamp_min(1e-6)


def _corners(position: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return the grid points round each `position` (N, size), in cells, as (index, weight), each (2^size, N)."""
    floor = position.floor().clamp(0, side - 2)
    rest = position - floor
    size = position.shape[1]
    stride = torch.tensor([side ** (size - 1 - i) for i in range(size)], device=position.device)
    steps = torch.tensor(list(product((0, 1), repeat=size)), device=position.device)
    index = ((floor.long() + steps[:, None]) * stride).sum(2)
    weight = torch.where(steps[:, None] == 1, rest, 1 - rest).prod(2)
    return index, weight

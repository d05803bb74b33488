"""Exact nearest neighbours, by blocks of matrix products."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from narrows.errors import DataError

COMPONENTS = 50  # wider rows are first projected on so many principal components
POWERS = 4  # rounds of subspace iteration; the directions have settled to within what neighbours feel
BLOCK = 2**24  # distances held at once: 64 MiB
GROUPS = 16  # distances that stand for one in the first sieve
MARGIN = 4  # candidates beside the k, since a distance by products is rounded


def find_neighbours(rows: Tensor, k: int) -> Tensor:
    """Return the indices (N, k) of the `k` nearest other samples of every sample, nearest first.

    Distances are Euclidean, between `rows` (N, values) as they are where these have at most 50 values; wider ones are
    first projected on their 50 principal directions, where the neighbours are exact again. That takes a fraction of the
    time and leaves out what is mostly noise. Of equally near samples the one that comes first is taken. Memory is
    64 MiB and a few copies of the projected rows.

    Raises
    ------
    DataError : for at most `k` samples, or where all are equal.

    Examples
    --------
    >>> find_neighbours(torch.tensor([[0.0], [1.0], [5.0], [7.0]]), 2).tolist()
    [[1, 2], [0, 2], [3, 1], [2, 1]]
    """
    if len(rows) <= k:
        raise DataError(
            f"{k} neighbours of each sample need at least {k + 1} samples to learn from, however there "
            f"{'is only 1' if len(rows) == 1 else f'are {len(rows)}'}; give more data or ask for fewer neighbours"
        )
    rows = project(rows.flatten(1).float())
    if bool((rows == rows[0]).all()):
        raise DataError("all samples are equal, so none is nearer than another; check the data")
    count = min(k + MARGIN, len(rows) - 1)
    squares = rows.square().sum(1)
    height = max(1, min(len(rows), BLOCK // len(rows)))
    distances = rows.new_empty(height, len(rows))  # fresh memory for each block would cost as much as the product
    found = []
    for index in torch.arange(len(rows), device=rows.device).split(height):
        distance = distances[: len(index)]
        torch.addmm(squares, rows[index], rows.mT, alpha=-2, out=distance)  # less the block's own squares
        distance[torch.arange(len(index), device=rows.device), index] = torch.inf
        near = _smallest(distance, count).sort().values
        exact = (rows[near] - rows[index, None]).square().sum(2)
        order = exact.sort(stable=True).indices[:, :k]
        found.append(near.gather(1, order))
    return torch.cat(found)


def project(rows: Tensor, components: int = COMPONENTS) -> Tensor:
    """Return `rows` (N, values) less their mean, along their first principal directions where they have more values.

    By subspace iteration from a fixed start (Halko, Martinsson and Tropp, "Finding Structure with Randomness", 2011).

    Examples
    --------
    >>> project(torch.eye(100)).shape, project(torch.eye(4)).shape
    (torch.Size([100, 50]), torch.Size([4, 4]))
    """
    rows = rows - rows.mean(0)
    if rows.shape[1] <= components:
        return rows
    directions = torch.randn(rows.shape[1], components, generator=Generator().manual_seed(0)).to(rows.device)
    for _ in range(POWERS):
        directions = torch.linalg.qr(rows.mT @ (rows @ directions)).Q
    return rows @ directions


def _smallest(distance: Tensor, count: int) -> Tensor:
    """Return the places (n, count) of the smallest in each row of `distance` (n, N), in any order.

    Columns are taken in groups of 16: the smallest `count` lie in the `count` groups with the smallest minima. Those
    minima are found several times as fast as the smallest of all.
    """
    n, columns = distance.shape
    stride = columns // GROUPS  # a group is every `stride`-th column
    if stride < 4 * count:
        return distance.topk(count, largest=False).indices
    cut = distance[:, : stride * GROUPS].unflatten(1, (GROUPS, stride))
    groups = cut.amin(1).topk(count, largest=False).indices
    places = (groups[:, None] + stride * torch.arange(GROUPS, device=distance.device)[:, None]).flatten(1)
    rest = torch.arange(stride * GROUPS, columns, device=distance.device).expand(n, -1)
    places = torch.cat([places, rest], 1)
    return places.gather(1, distance.gather(1, places).topk(count, largest=False).indices)

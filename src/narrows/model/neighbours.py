"""Exact nearest neighbours, by blocks of matrix products."""

from __future__ import annotations

import torch
from torch import Tensor

from narrows.errors import DataError
from narrows.model.pca import project

MAX_DISTANCES = 2**24  # held at once: 64 MiB
GROUP_COLUMNS = 16  # distances whose smallest is compared first, see `_smallest`
SPARE_CANDIDATES = 4  # beside the k, since distances by matrix products are rounded


def find_neighbours(rows: Tensor, k: int) -> Tensor:
    """Return the indices (N, k) of the `k` nearest other samples of every sample, nearest first.

    Distances are Euclidean. Rows (N, values) of more than 50 values are first projected on 50 principal axes, and the
    neighbours are exact among the projected rows: that takes a fraction of the time and leaves out what is mostly
    noise. Of equally near samples the one that comes first is taken. Memory is 64 MiB and a few copies of the projected
    rows.

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
    count = min(k + SPARE_CANDIDATES, len(rows) - 1)
    squares = rows.square().sum(1)
    height = max(1, min(len(rows), MAX_DISTANCES // len(rows)))
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


def _smallest(distance: Tensor, count: int) -> Tensor:
    """Return the columns (n, count) of the smallest values in each row of `distance` (n, N), in any order.

    Columns are taken in groups of 16: the smallest `count` values lie in the `count` groups with the smallest minima.
    To find those minima takes a fraction of the time of finding the smallest of all values.
    """
    n, columns = distance.shape
    stride = columns // GROUP_COLUMNS  # a group is every `stride`-th column
    if stride < 4 * count:
        return distance.topk(count, largest=False).indices
    cut = distance[:, : stride * GROUP_COLUMNS].unflatten(1, (GROUP_COLUMNS, stride))
    groups = cut.amin(1).topk(count, largest=False).indices
    index = (groups[:, None] + stride * torch.arange(GROUP_COLUMNS, device=distance.device)[:, None]).flatten(1)
    rest = torch.arange(stride * GROUP_COLUMNS, columns, device=distance.device).expand(n, -1)
    index = torch.cat([index, rest], 1)
    return index.gather(1, distance.gather(1, index).topk(count, largest=False).indices)

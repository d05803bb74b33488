"""The bottleneck: from the encoder's output `h` to the code `z`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Generator, Tensor, nn

from narrows.model.layers import MAX_FEATURES
from narrows.spec import Part, check_number, check_whole

MAX_NEIGHBOURS = 65536


@dataclass(frozen=True)
class Code:
    """What a bottleneck returns.

    Attributes
    ----------
    z : the code (N, features) or (N, features, *grid).
    penalty : a cost (N,) of every sample's code, on the scale of a sum over values (a KL term, say).
    symbols : the integers that stand for `z`, for discrete codes.
    """

    z: Tensor
    penalty: Tensor
    symbols: Tensor | None = None


class Bottleneck(Part, nn.Module, ABC):
    """Turns `h` (N, features_in, *grid) into a code of `features_out` numbers, per cell of the grid if there is one.

    Without a generator it is deterministic: a random code gives its mean. `start_mean` is the mean that `h` has before
    training, in standard deviations.
    """

    features_in: int
    features_out: int
    start_mean = 0.0

    @abstractmethod
    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return the code of `h` (N, features_in, *grid)."""

    def export(self) -> tuple[dict[str, Any], ...] | None:
        """Return the layers that do the same in the explorer's JavaScript, each with its `kind`; None without such."""
        return None


class PositionedBottleneck(Bottleneck):
    """A bottleneck whose codes have target positions, which are found before training.

    `neighbours` is the number of nearest samples that they keep together; a `weight` that is None is set by training.
    """

    neighbours: int
    weight: float | None

    @abstractmethod
    def relate(self, z: Tensor, target_position: Tensor) -> Tensor:
        """Return a cost (N,) of codes `z` (N, features) that lie away from their `target_position`."""


class Plain(Bottleneck, ABC):
    """A bottleneck that reads and makes the same number of features, without weights.

    Parameters
    ----------
    size : numbers of the code, for each cell of the grid if the backbone makes one.
    """

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.size = check_whole("size", size, 1, MAX_FEATURES)
        self.features_in = self.features_out = size


class Linear(Plain):
    """Passes `size` numbers through unchanged.

    Parameters
    ----------
    size : numbers of the code, for each cell of the grid if the backbone makes one.

    Examples
    --------
    >>> import torch
    >>> Linear(2)(torch.tensor([[-1.0, 2.0]])).z
    tensor([[-1.,  2.]])
    """

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return `h` as the code."""
        return _free(h)

    def export(self) -> tuple[dict[str, Any], ...]:
        """Return no layer."""
        return ()


class ReLU(Plain):
    """Cuts negative numbers to 0.

    Parameters
    ----------
    size : numbers of the code, for each cell of the grid if the backbone makes one.

    Examples
    --------
    >>> import torch
    >>> ReLU(2)(torch.tensor([[-1.0, 2.0]])).z
    tensor([[0., 2.]])
    """

    start_mean = 1.0  # a number that begins below 0 for all samples would have no gradient

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return max(h, 0) as the code."""
        return _free(h.relu())

    def export(self) -> tuple[dict[str, Any], ...]:
        """Return one layer."""
        return ({"kind": "relu"},)


class Sparse(Plain):
    """Keeps the `k` largest numbers, for each cell of the grid if there is one, and sets the others to 0.

    Makhzani and Frey, "k-Sparse Autoencoders", 2013.

    Parameters
    ----------
    size : numbers of the code, for each cell of the grid if the backbone makes one.
    k : how many of them are kept, at most `size`.

    Examples
    --------
    >>> import torch
    >>> Sparse(3, 1)(torch.tensor([[1.0, 3.0, 2.0]])).z
    tensor([[0., 3., 0.]])
    """

    def __init__(self, size: int = 128, k: int = 16) -> None:
        super().__init__(size)
        self.k = check_whole("k", k, 1, size)

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return `h` with all but its `k` largest features set to 0."""
        values, index = h.topk(self.k, dim=1)
        return _free(h.new_zeros(h.shape).scatter(1, index, values))


class Map(Plain, PositionedBottleneck):
    """Passes `size` numbers through unchanged, and draws each code to its target position, near those of neighbours.

        cost = weight * log(1 + |z - target position|^2 / width^2)

    The positions lie on a line, a plane or in space; t-SNE of the training samples finds them before training, with
    deviation 1 (`narrows.training.tsne`). So the network learns positions for new samples too, as in Cho, Berger and
    Peng, "Generalizable and Scalable Visualization of Single-Cell Data Using Neural Networks", 2018; here from a
    finished layout, since training on pairs of neighbours takes many times as many steps (benchmarks/log.md). By the
    logarithm, a sample whose position the encoder cannot predict counts little.

    Parameters
    ----------
    size : numbers of the code, 1 to 3: 2 for a picture of the data.
    neighbours : how many nearest samples of each sample the positions keep together.
    weight : of that cost beside the loss, which is a sum over a sample's values; None is 1 until training sets it to
        half the summed variance of a sample's values, so that it means the same for all data.
    width : the distance at which the gradient is largest, in deviations of all positions.

    Examples
    --------
    >>> import torch
    >>> Map(2, weight=1.0).relate(torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [3.0, 0.0]])).round(decimals=2)
    tensor([0.0000, 5.4200])
    """

    def __init__(self, size: int = 2, *, neighbours: int = 15, weight: float | None = None, width: float = 0.2) -> None:
        super().__init__(size)
        self.size = check_whole("size", size, 1, 3)
        self.neighbours = check_whole("neighbours", neighbours, 1, MAX_NEIGHBOURS)
        self.weight = None if weight is None else check_number("weight", weight, 0)
        self.width = check_number("width", width, 1e-3)

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return `h` as the code."""
        return _free(h)

    def export(self) -> tuple[dict[str, Any], ...]:
        """Return no layer."""
        return ()

    def relate(self, z: Tensor, target_position: Tensor) -> Tensor:
        """Return the cost (N,) of codes `z` that lie away from each `target_position` (N, size)."""
        weight = 1.0 if self.weight is None else self.weight
        return weight * ((z - target_position).square().sum(1) / self.width**2).log1p()


def _free(z: Tensor) -> Code:
    """Return a code that costs nothing."""
    return Code(z, z.new_zeros(z.shape[0]))


BOTTLENECKS: dict[str, type[Bottleneck]] = {"linear": Linear, "relu": ReLU, "sparse": Sparse, "map": Map}

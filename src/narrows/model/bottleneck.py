"""The narrow place: from the encoder's output `h` to the code `z`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Generator, Tensor, nn

from narrows.spec import Part, check_number, check_whole

MAX_SIZE = 65536


@dataclass(frozen=True)
class Code:
    """What comes out of the narrow place.

    Attributes
    ----------
    z : the code (N, features) or (N, features, *grid).
    penalty : a cost (N,) of every sample's code, on the scale of a sum over values (a KL term, say).
    symbols : whole numbers that stand for `z`, for discrete codes.
    """

    z: Tensor
    penalty: Tensor
    symbols: Tensor | None = None


class Bottleneck(Part, nn.Module, ABC):
    """Turns `h` (N, features_in, *grid) into a code of `features_out` numbers a place.

    Without a generator there is no chance in it: a random code gives its mean. `start_mean` is the mean that `h` has
    before training, in deviations.
    """

    features_in: int
    features_out: int
    start_mean = 0.0

    @abstractmethod
    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return the code of `h` (N, features_in, *grid)."""


class PositionedBottleneck(Bottleneck):
    """A bottleneck whose codes have places to take, found beforehand by the `neighbours` of the training samples.

    A `weight` that is None is set by training.
    """

    neighbours: int
    weight: float | None

    @abstractmethod
    def relate(self, z: Tensor, target_position: Tensor) -> Tensor:
        """Return a cost (N,) of codes `z` (N, features) that lie away from their `target_position`."""


class Plain(Bottleneck):
    """A bottleneck that reads and makes the same number of features, without weights.

    Parameters
    ----------
    size : numbers of the code; of each place where the backbone makes a grid.
    """

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.size = check_whole("size", size, 1, MAX_SIZE)
        self.features_in = self.features_out = size


class Linear(Plain):
    """Passes `size` numbers through unchanged.

    Parameters
    ----------
    size : numbers of the code; of each place where the backbone makes a grid.

    Examples
    --------
    >>> import torch
    >>> Linear(2)(torch.tensor([[-1.0, 2.0]])).z
    tensor([[-1.,  2.]])
    """

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return `h` as the code."""
        return _free(h)


class ReLU(Plain):
    """Cuts negative numbers to 0.

    Parameters
    ----------
    size : numbers of the code; of each place where the backbone makes a grid.

    Examples
    --------
    >>> import torch
    >>> ReLU(2)(torch.tensor([[-1.0, 2.0]])).z
    tensor([[0., 2.]])
    """

    start_mean = 1.0  # a number that starts below 0 for all samples would never learn

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return max(h, 0) as the code."""
        return _free(h.relu())


class Sparse(Plain):
    """Keeps the `k` largest numbers of each place and sets the others to 0.

    Makhzani and Frey, "k-Sparse Autoencoders", 2013.

    Parameters
    ----------
    size : numbers of the code; of each place where the backbone makes a grid.
    k : how many of them stay, at most `size`.

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
        """Return the `k` largest of every place of `h`, in their places."""
        values, places = h.topk(self.k, dim=1)
        return _free(h.new_zeros(h.shape).scatter(1, places, values))


class Map(Plain, PositionedBottleneck):
    """Passes `size` numbers through unchanged, and draws each code to the place that its neighbours give its sample.

        cost = weight * log(1 + |z - target position|^2 / width^2)

    The places lie on a line, a plane or in space; t-SNE of the training samples finds them beforehand, with deviation 1
    (`narrows.training.tsne`). The network learns to place new samples, as in Cho, Berger and Peng, "Generalizable and
    Scalable Visualization of Single-Cell Data Using Neural Networks", 2018; here from a layout that has settled, since
    from pairs of neighbours it takes many times as many steps to untangle (benchmarks/log.md). The logarithm lets go of
    a sample whose place no encoder could tell.

    Parameters
    ----------
    size : numbers of the code, 1 to 3: 2 for a picture of the data.
    neighbours : of each sample that count as near.
    weight : of that cost beside the loss, which is a sum over a sample's values; None is 1 until training sets it to
        half the variance of a sample, of all its values together, so that it means the same for all data.
    width : the distance at which the pull is strongest, in deviations of all places.

    Examples
    --------
    >>> import torch
    >>> Map(2, weight=1.0).relate(torch.zeros(2, 2), torch.tensor([[0.0, 0.0], [3.0, 0.0]])).round(decimals=2)
    tensor([0.0000, 5.4200])
    """

    def __init__(self, size: int = 2, *, neighbours: int = 15, weight: float | None = None, width: float = 0.2) -> None:
        super().__init__(size)
        self.size = check_whole("size", size, 1, 3)
        self.neighbours = check_whole("neighbours", neighbours, 1, MAX_SIZE)
        self.weight = None if weight is None else check_number("weight", weight, 0)
        self.width = check_number("width", width, 1e-3)

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return `h` as the code."""
        return _free(h)

    def relate(self, z: Tensor, target_position: Tensor) -> Tensor:
        """Return the cost (N,) of codes `z` that lie away from each `target_position` (N, size)."""
        weight = 1.0 if self.weight is None else self.weight
        return weight * ((z - target_position).square().sum(1) / self.width**2).log1p()


def _free(z: Tensor) -> Code:
    """Return a code that costs nothing."""
    return Code(z, z.new_zeros(z.shape[0]))


BOTTLENECKS: dict[str, type[Bottleneck]] = {"linear": Linear, "relu": ReLU, "sparse": Sparse, "map": Map}

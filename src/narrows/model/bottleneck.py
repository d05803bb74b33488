"""The narrow place: from the encoder's output `h` to the code `z`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
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


class PairedBottleneck(Bottleneck):
    """A bottleneck that also relates the codes of partners: of each sample and one of its `neighbours` nearest."""

    neighbours: int

    @abstractmethod
    def relate(self, z: Tensor, partner_z: Tensor) -> Tensor:
        """Return a cost (N,): one per anchor in `z` (N, features), against the whole batch of partners."""


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


class Map(Plain, PairedBottleneck):
    """Passes `size` numbers through unchanged, and draws the codes of neighbours together.

    Each sample has to tell its neighbour from all others in the batch, by how near they lie:

        cost = weight * -log( s(z, partner) / sum of s(z, other) ),    s(a, b) = 1 / (1 + |a - b|^2)

    InfoNCE with a Cauchy kernel: Boehm, Berens and Kobak, "Unsupervised Visualization of Image Datasets Using
    Contrastive Learning", 2023. The heavy tails of the kernel leave room between groups in few dimensions, as in t-SNE,
    and the encoder places new samples: Sainburg, McInnes and Gentner, "Parametric UMAP Embeddings for Representation
    and Semisupervised Learning", 2021. How it is kin to t-SNE and UMAP: Damrich, Boehm, Hamprecht and Kobak, "From
    t-SNE to UMAP with Contrastive Learning", 2023.

    Parameters
    ----------
    size : numbers of the code: 2 for a picture of the data.
    neighbours : of each sample that count as near, in training; a partner is drawn from them at every step.
    weight : of that cost, in nats, beside the loss, a sum over a sample's values.

    Examples
    --------
    >>> import torch
    >>> near, far = torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([[9.0, 0.0], [0.0, 0.0]])
    >>> part = Map(2)
    >>> bool((part.relate(near, near) < part.relate(near, far)).all())
    True
    """

    def __init__(self, size: int = 2, *, neighbours: int = 15, weight: float = 1.0) -> None:
        super().__init__(size)
        self.neighbours = check_whole("neighbours", neighbours, 1, MAX_SIZE)
        self.weight = check_number("weight", weight, 0)

    def forward(self, h: Tensor, generator: Generator | None = None) -> Code:
        """Return `h` as the code."""
        return _free(h)

    def relate(self, z: Tensor, partner_z: Tensor) -> Tensor:
        """Return the cost (N,) of telling each partner from the others, the mean of both directions."""
        both = torch.cat([z, partner_z]).float()  # under autocast they come in 16 bits
        # column by column: a product of matrices would round near places to one
        gaps = ((column[:, None] - column).square() for column in both.unbind(1))
        distance = sum(gaps, start=both.new_zeros(()))
        nearness = 1 / (1 + distance)
        n = len(z)
        others = nearness.sum(1) - nearness.diagonal()
        cost = others.log() - nearness.diagonal(n).repeat(2).log()
        return self.weight * cost.unflatten(0, (2, n)).mean(0)


def _free(z: Tensor) -> Code:
    """Return a code that costs nothing."""
    return Code(z, z.new_zeros(z.shape[0]))


BOTTLENECKS: dict[str, type[Bottleneck]] = {"linear": Linear, "relu": ReLU, "sparse": Sparse, "map": Map}

"""Optimizers, and schedules of their learning rate.

They are written out here, since torch.optim loads torch's compiler with its first optimizer, which takes seconds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.functional import pad

from narrows.spec import Part, check_number

EPSILON = 1e-8  # keeps quotients finite
MAX_HEIGHT = 64  # rows that Muon makes orthogonal at once; more would take too long
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's polynomial: five rounds bring singular values to 0.7 to 1.2
ROUNDS = 5
HEIGHT_MULTIPLE = 16  # of every block, so that blocks of small layers go through one iteration together


class Optimizer(Part, ABC):
    """A recipe for an optimizer; `rate` is its highest learning rate."""

    rate: float

    @abstractmethod
    def build(self, parameters: Iterable[Parameter]) -> Steps:
        """Return the optimizer at work on `parameters`."""


class Steps(ABC):
    """An optimizer at work: what it remembers of the gradients of `parameters`."""

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self.parameters: list[Tensor] = list(parameters)

    @abstractmethod
    def step(self, rate: float) -> None:
        """Change the parameters by their gradients, at the learning rate `rate`."""

    @abstractmethod
    def remembered(self) -> list[Tensor]:
        """Return all tensors, beside the parameters, that a step changes in place; a run that goes on sets them."""


class Adam(Optimizer):
    """Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.

    Parameters
    ----------
    rate : the highest learning rate.

    Examples
    --------
    >>> Adam(0.002)
    adam(0.002)
    """

    def __init__(self, rate: float = 1e-3) -> None:
        self.rate = check_number("rate", rate, 0)

    def build(self, parameters: Iterable[Parameter]) -> Steps:
        """Return Adam with the moments' memory of its authors, 0.9 and 0.999."""
        return _AdamSteps(parameters)


class AdamW(Optimizer):
    """Adam with decoupled weight decay: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Parameters
    ----------
    rate : the highest learning rate.
    weight_decay : share of every weight taken away per step, times the rate.

    Examples
    --------
    >>> AdamW(0.002)
    adamw(0.002, weight_decay=0.01)
    """

    def __init__(self, rate: float = 1e-3, *, weight_decay: float = 0.01) -> None:
        self.rate = check_number("rate", rate, 0)
        self.weight_decay = check_number("weight_decay", weight_decay, 0)

    def build(self, parameters: Iterable[Parameter]) -> Steps:
        """Return Adam whose steps also shrink the weights."""
        return _AdamSteps(parameters, weight_decay=self.weight_decay)


class Muon(Optimizer):
    """Steps that move a layer's weights equally far in all directions: Jordan et al., "Muon", 2024.

    The mean gradient G = U S V' of a matrix becomes about U V', so that directions of small gradients, such as fine
    detail, are learned as fast as the large ones. Biases are left to Adam. Here wide matrices are cut into blocks of
    rows, which costs a small part of the whole and trains as well (benchmarks/log.md).

    Parameters
    ----------
    rate : the highest learning rate.
    momentum : share of the mean gradient that stays at every step.

    Examples
    --------
    >>> Muon(0.1)
    muon(0.1, momentum=0.9)
    """

    def __init__(self, rate: float = 0.05, *, momentum: float = 0.9) -> None:
        self.rate = check_number("rate", rate, 0)
        self.momentum = check_number("momentum", momentum, 0, 0.999)

    def build(self, parameters: Iterable[Parameter]) -> Steps:
        """Return Muon for the matrices and kernels, Adam for the rest."""
        return _MuonSteps(parameters, self.momentum)


class _AdamSteps(Steps):
    def __init__(
        self, parameters: Iterable[Tensor], *, memory: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters)
        self.memory, self.weight_decay = memory, weight_decay
        self.mean = [torch.zeros_like(p) for p in self.parameters]
        self.square = [torch.zeros_like(p) for p in self.parameters]
        self.count = torch.zeros((), dtype=torch.int64)

    def remembered(self) -> list[Tensor]:
        return [self.count, *self.mean, *self.square]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.count += 1
        count = int(self.count)
        b1, b2 = self.memory
        if not self.parameters:  # which torch refuses
            return
        gradients = [_gradient(p) for p in self.parameters]
        torch._foreach_lerp_(self.mean, gradients, 1 - b1)
        torch._foreach_mul_(self.square, b2)
        torch._foreach_addcmul_(self.square, gradients, gradients, value=1 - b2)
        deviation = torch._foreach_div(self.square, 1 - b2**count)
        torch._foreach_sqrt_(deviation)
        torch._foreach_add_(deviation, EPSILON)
        if self.weight_decay:
            torch._foreach_mul_(self.parameters, 1 - rate * self.weight_decay)
        torch._foreach_addcdiv_(self.parameters, self.mean, deviation, value=-rate / (1 - b1**count))


class _MuonSteps(Steps):
    def __init__(self, parameters: Iterable[Parameter], momentum: float) -> None:
        super().__init__(parameters)
        self.momentum = momentum
        self.matrices = [p for p in self.parameters if p.ndim > 1]
        self.mean = [torch.zeros_like(p) for p in self.matrices]
        # the short memory of the squares suits runs of a few hundred steps
        self.rest = _AdamSteps((p for p in self.parameters if p.ndim < 2), memory=(0.9, 0.99))

    def remembered(self) -> list[Tensor]:
        return [*self.mean, *self.rest.remembered()]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        if self.matrices:
            self._step_matrices(rate)
        self.rest.step(rate)

    def _step_matrices(self, rate: float) -> None:
        # torch._foreach_* take all layers in one call, which for small ones is most of the time
        gradients = [_gradient(p) for p in self.matrices]
        torch._foreach_lerp_(self.mean, gradients, 1 - self.momentum)
        ahead = torch._foreach_lerp(gradients, self.mean, self.momentum)
        # a layer without a gradient stays: else what is left of its momentum, however little, makes a full step
        torch._foreach_mul_(ahead, [norm > 0 for norm in torch._foreach_norm(gradients)])
        for p, direction in zip(self.matrices, orthogonalise([a.flatten(1) for a in ahead]), strict=True):
            rows, columns = direction.shape
            p.sub_(direction.reshape(p.shape), alpha=rate * math.sqrt(max(1.0, rows / columns)))


def orthogonalise(matrices: list[Tensor]) -> list[Tensor]:
    """Return matrices of the same shapes whose singular values are near 1 and whose singular vectors stay.

    The shorter side is cut into blocks of at most 64 rows, and that holds within each. All blocks of one height go
    through the Newton-Schulz iteration together, on their Gram matrices: X <- p(X X') X changes X X' to p G p, so the
    long side takes part in the first and the last product alone.

    Examples
    --------
    >>> (direction,) = orthogonalise([torch.diag(torch.tensor([3.0, 0.5]))])
    >>> bool((direction.diagonal() > 0.65).all() and (direction.diagonal() < 1.25).all())
    True
    """
    blocks = [_blocks(matrix) for matrix in matrices]
    results = list(matrices)
    for height in {block.shape[1] for block in blocks}:
        index = [i for i, block in enumerate(blocks) if block.shape[1] == height]
        factors = _newton_schulz(torch.cat([blocks[i] @ blocks[i].mT for i in index]))
        for i, factor in zip(index, factors.split([len(blocks[i]) for i in index]), strict=True):
            rows, columns = matrices[i].shape
            joined = (factor @ blocks[i]).flatten(0, 1)[: min(rows, columns)]
            results[i] = joined.mT if rows > columns else joined
    return results


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _blocks(matrix: Tensor) -> Tensor:
    """Return a matrix, transposed where it is tall, as blocks (count, at most 64, columns), padded with zeros."""
    matrix = matrix.mT if len(matrix) > matrix.shape[1] else matrix
    count = -(-len(matrix) // MAX_HEIGHT)
    height = -(-len(matrix) // (HEIGHT_MULTIPLE * count)) * HEIGHT_MULTIPLE
    missing = count * height - len(matrix)
    matrix = pad(matrix, (0, 0, 0, missing)) if missing else matrix  # else a view, which takes no time
    return matrix.unflatten(0, (count, height))


def _newton_schulz(gram: Tensor) -> Tensor:
    """Return the factor (count, k, k) that makes X orthogonal, from X X' (count, k, k)."""
    square = gram.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] + EPSILON**2  # of X's norm, which is brought to 1
    gram = gram / square
    factor = polynomial = _polynomial(gram)
    for _ in range(ROUNDS - 1):
        gram = polynomial @ gram @ polynomial
        polynomial = _polynomial(gram)
        factor = polynomial @ factor
    return factor / square.sqrt()


def _polynomial(gram: Tensor) -> Tensor:
    a, b, c = NEWTON_SCHULZ
    result = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    result.diagonal(dim1=1, dim2=2).add_(a)
    return result


class Schedule(Part, ABC):
    """The learning rate as a share of its highest value, over the share of the steps that is done."""

    ends = True  # whether it ends near 0, so that stopping early would waste it

    @abstractmethod
    def factor(self, done: float) -> float:
        """Return the share of the highest rate after the share `done` of the steps, both in [0, 1]."""


class OneCycle(Schedule):
    """Rises and falls along half cosines: Smith and Topin, "Super-Convergence", 2018.

    Parameters
    ----------
    warmup : the share of the steps that rise, from 1/25 of the highest rate; the rest falls to 1/1000 of it.

    Examples
    --------
    >>> [round(OneCycle(warmup=0.25).factor(done), 3) for done in (0, 0.25, 1)]
    [0.04, 1.0, 0.001]
    """

    spelling = "one_cycle"

    def __init__(self, *, warmup: float = 0.15) -> None:
        self.warmup = check_number("warmup", warmup, 0.001, 0.999)

    def factor(self, done: float) -> float:
        """Return the share of the highest rate at `done`."""
        if done < self.warmup:
            return _half_cosine(1 / 25, 1.0, done / self.warmup)
        return _half_cosine(1.0, 1e-3, (done - self.warmup) / (1 - self.warmup))


class Linear(Schedule):
    """Rises and falls along straight lines: Bergsma et al., "Straight to Zero", 2025.

    Parameters
    ----------
    warmup : the share of the steps that rise, from 1/25 of the highest rate; the rest falls to 1/1000 of it.

    Examples
    --------
    >>> [round(Linear(warmup=0.2).factor(done), 3) for done in (0, 0.1, 0.2, 1)]
    [0.04, 0.52, 1.0, 0.001]
    """

    def __init__(self, *, warmup: float = 0.1) -> None:
        self.warmup = check_number("warmup", warmup, 0.001, 0.999)

    def factor(self, done: float) -> float:
        """Return the share of the highest rate at `done`."""
        if done < self.warmup:
            return _line(1 / 25, 1.0, done / self.warmup)
        return _line(1.0, 1e-3, (done - self.warmup) / (1 - self.warmup))


class Cosine(Schedule):
    """Falls along half a cosine: Loshchilov and Hutter, "SGDR", 2017, without restarts.

    Examples
    --------
    >>> Cosine().factor(0.5)
    0.5
    """

    def factor(self, done: float) -> float:
        """Return the share of the highest rate at `done`."""
        return _half_cosine(1.0, 0.0, done)


class Constant(Schedule):
    """Keeps the rate; training may stop early.

    Examples
    --------
    >>> Constant().factor(0.9)
    1.0
    """

    ends = False

    def factor(self, done: float) -> float:
        """Return 1."""
        return 1.0


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


def _line(start: float, end: float, share: float) -> float:
    return start + (end - start) * min(share, 1.0)


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "muon": Muon}
SCHEDULES: dict[str, type[Schedule]] = {"one_cycle": OneCycle, "linear": Linear, "cosine": Cosine, "constant": Constant}

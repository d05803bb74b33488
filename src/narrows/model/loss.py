"""The cost of a reconstruction, per value and per sample.

`output` is a pair: the decoder's logits, and what the scaling's activation makes of them, in model's units.
Cross-entropies read the logits, since a saturated sigmoid has gradient 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from narrows.model.scaling import Scaling
from narrows.spec import Part

Output = tuple[Tensor, Tensor]  # (logits, output), each (N, C, *grid)


class Loss(Part, nn.Module, ABC):
    """The cost of an output beside a target, both in model's units."""

    needs_logits = False  # whether it reads the logits of values in [0, 1]
    with_categories: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None  # of the scaling, once it is built

    def build(self, scaling: Scaling) -> None:
        """Learn which values are categories; their cost is the cross-entropy, whatever that of the others is."""
        self.with_categories = scaling.with_categories

    @abstractmethod
    def pointwise(self, output: Output, target: Tensor) -> Tensor:
        """Return the cost of every value that is a number, shaped like `target`."""

    def costs(self, output: Output, target: Tensor) -> Tensor:
        """Return the cost of every value, shaped like `target`; those of a category add up to its cross-entropy."""
        costs = self.pointwise(output, target)
        return costs if self.with_categories is None else self.with_categories(costs, output[0], target)

    def forward(self, output: Output, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the cost (N,) of every sample: the SUM over its values.

        A `weight` (like `target`) is scaled to mean 1 over the batch, so that the mean cost keeps its size.
        """
        costs = self.costs(output, target)
        if weight is not None:
            costs = costs * (weight / weight.mean().clamp_min(1e-12))
        return costs.flatten(1).sum(1)


class MSE(Loss):
    """The squared error.

    Examples
    --------
    >>> import torch
    >>> MSE()((torch.zeros(1, 3), torch.zeros(1, 3)), torch.tensor([[0.0, 1.0, 2.0]]))
    tensor([5.])
    """

    def pointwise(self, output: Output, target: Tensor) -> Tensor:
        """Return (output - target)^2."""
        return mse_loss(output[1], target, reduction="none")


class MAE(Loss):
    """The absolute error, which a few wild values pull less.

    Examples
    --------
    >>> import torch
    >>> MAE()((torch.zeros(1, 3), torch.zeros(1, 3)), torch.tensor([[0.0, 1.0, -2.0]]))
    tensor([3.])
    """

    def pointwise(self, output: Output, target: Tensor) -> Tensor:
        """Return |output - target|."""
        return (output[1] - target).abs()


class BCE(Loss):
    """The binary cross-entropy of values in [0, 1]; needs `unit(output='sigmoid')`.

    Examples
    --------
    >>> import torch
    >>> BCE()((torch.zeros(1, 1), torch.full((1, 1), 0.5)), torch.ones(1, 1)).item()  # log 2
    0.6931471824645996
    """

    needs_logits = True

    def pointwise(self, output: Output, target: Tensor) -> Tensor:
        """Return -target log(output) - (1 - target) log(1 - output), from the logits."""
        return binary_cross_entropy_with_logits(output[0], target, reduction="none")


LOSSES: dict[str, type[Loss]] = {"mse": MSE, "mae": MAE, "bce": BCE}

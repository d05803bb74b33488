"""User's units <-> the model's units, both ways; saved with the model.

An output activation that cannot reach the data's range is a common fault of autoencoders, so the part that knows the
data's units also has the activation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from narrows.errors import DataError, SpecError
from narrows.model.moments import column_variances, find_extremes, find_moments, find_usual_ends, without_zeros
from narrows.spec import Part, check_choice, check_number

FARTHEST = 1e300  # deviations; float64 cannot hold much more
LARGEST = 1e12  # in model's units: larger values are clamped to this, so that no sum and no square overflows
WIDE = (torch.float64, torch.int32, torch.int64, torch.uint32, torch.uint64)  # float32 would round their values


class Range(NamedTuple):
    """The values that data can have, in user's units: from `low`, over a distance of `span`.

    Examples
    --------
    >>> Range(0.0, 4095.0).from_depth(torch.tensor([51.0]), full=255.0)
    tensor([819.], dtype=torch.float64)
    """

    low: float
    span: float

    @property
    def high(self) -> float:
        """The largest value."""
        return self.low + self.span

    def from_depth(self, x: Tensor, full: float) -> Tensor:
        """Return numbers of another depth, from 0 to `full`, as values of this range, float64."""
        return x.double() / full * self.span + self.low

    def to_depth(self, x: Tensor, full: float) -> Tensor:
        """Return values of this range as numbers of another depth, from 0 to `full`; neither rounded nor clamped."""
        return (x - self.low) / self.span * full


class Scaling(Part, nn.Module, ABC):
    """All conversion between user's units and the model's, both ways.

    One user's column or channel may make several of the model's, see `model_shape` and `fold`. What is learned from
    data lies in buffers, which `build` makes for a shape and `fit` fills; they are saved with the model.

    Attributes
    ----------
    limits : the range of the data in model's units, None where they have none.
    has_sigmoid : whether the activation is a sigmoid, whose logits cross-entropies need.
    unit_name : what a cost or a deviation of 1 is, in words.
    usual_corruption : the text of the corruption that training adds by default.
    shortens : whether values far from all others count by their logarithm.
    tables_only : whether it takes tables alone, no pictures.
    tells_observed : whether samples may have gaps, NaN in either units, and the encoder is told which they are.
    """

    limits: tuple[float, float] | None = None
    has_sigmoid = False
    unit_name = "the model's units"
    usual_corruption = "gaussian(0.0, 0.1)"
    shortens = False
    tables_only = False
    tells_observed = False

    @property
    def has_categories(self) -> bool:
        """Whether there are categories, whose outputs are no linear function of the logits."""
        return False

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> None:
        """Make the buffers for samples of `shape` (C, *grid), in user's units."""

    @abstractmethod
    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Fill the buffers from chunks (n, C, *grid) of the training data, in user's units, in one pass or in more."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, *grid) in model's units, float32."""

    @abstractmethod
    def back(self, value: Tensor) -> Tensor:
        """Return `value` (N, *model_shape) of the model in user's units, float64 (N, C, *grid)."""

    def model_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that backbones see for user's samples of `shape`."""
        return shape

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that encoders see for user's samples of `shape`, see `as_input`."""
        return self.model_shape(shape)

    def as_input(self, scaled: Tensor) -> Tensor:
        """Return what the encoder sees of samples in model's units: gaps are filled, and beside all which they are."""
        return scaled

    def fill(self, scaled: Tensor) -> Tensor:
        """Return samples in model's units with a usual value in place of every gap."""
        return scaled

    def observed(self, scaled: Tensor) -> Tensor | None:
        """Return which of the user's columns (N, C) are observed in samples in model's units; None where all are."""
        return None

    def spread(self, cells: Tensor) -> Tensor:
        """Return what is said of the user's columns (N, C, *grid) for the values (N, *model_shape) that they make."""
        return cells

    def weigh(self, scaled: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the target of a loss for samples in model's units, finite, and its weights; None where all are 1.

        `weight` is that of the corruption.
        """
        return scaled, weight

    def mean_squares(self, output: Tensor, scaled: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the MSE (N,) of an output beside samples, in model's units: the mean over the user's observed columns.

        A column that makes several values counts as `fold` says. A `weight` broadcasts over the values; a sample all of
        whose weights are 0 has no error.
        """
        scaled, weight = self.weigh(scaled, weight)
        squares = (output - scaled).square()
        if weight is None:
            return self.fold(squares).flatten(1).mean(1)
        weight = weight.expand_as(squares)
        cells = self.fold(weight) / self.fold(torch.ones_like(weight[:1]))
        return self.fold(squares * weight).flatten(1).sum(1) / cells.flatten(1).sum(1).clamp_min(1e-12)

    def with_categories(self, costs: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        """Return the costs of a loss (N, *model_shape) with those of categories in place, which are its own for any."""
        return costs

    def clamp(self, value: Tensor) -> Tensor:
        """Return values in model's units within the range of the data, where they have one."""
        return value if self.limits is None else value.clamp(*self.limits)

    def activation(self, logits: Tensor) -> Tensor:
        """Return the decoder's `logits` as values in model's units."""
        return logits

    def inverse_activation(self, value: Tensor) -> Tensor:
        """Return the logits that `activation` turns into `value`."""
        return value

    def start_logits(self, value: Tensor) -> Tensor:
        """Return the logits for `value` that the last layer is first set to make."""
        return self.inverse_activation(value)

    def logit_step(self, logits: Tensor, value: Tensor) -> Tensor | None:
        """Return a change of the last layer's `logits` towards those that fit `value` better; None where they do."""
        return None

    def fold(self, costs: Tensor) -> Tensor:
        """Return costs (N, *model_shape) of the values that the network sees as costs (N, C, *grid) of the user's."""
        return costs

    def back_deviation(self, deviation: Tensor) -> Tensor:
        """Return deviations (C,) of a table's columns, roots of folded costs, in user's units.

        They are NaN for a column of which that cannot be said, here for all.
        """
        return torch.full_like(deviation, math.nan)

    def variances(self, x: Tensor) -> Tensor:
        """Return the variance (C,) of each column of `x` in user's units, float64, see `column_variances`."""
        return column_variances(x)

    def user_squares(self, value: Tensor, x: Tensor) -> Tensor:
        """Return the squared errors of values in model's units beside `x` (N, C, *grid), in units of `variances`."""
        return (self.back(value) - x.double()).square()

    @property
    def user_range(self) -> Range | None:
        """The range of the data in user's units, None where they have none, or columns differ."""
        return None

    def export(self) -> dict[str, Any] | None:
        """Return what the explorer's JavaScript converts samples by, None where it cannot.

        These are lists `scale` and `offset`, a number per channel; maybe a `tail`, as `Robust` has it; maybe the
        `activation`, "sigmoid" or "clamp"; and maybe the `cells` of a table, as `Columns` has them.
        """
        return None

    def check(self) -> None:
        """Raise a SpecError where the buffers, read from a file, hold numbers that `fit` never sets."""


class Affine(Scaling, ABC):
    """The map `(x - offset) / scale`, which holds for most values at least.

    `offset` and `scale` are float64 buffers that broadcast over a batch (N, C, *grid).
    """

    offset: Tensor
    scale: Tensor

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the buffers for samples of `shape` (C, *grid)."""
        self.channels = shape[0]
        size = self.statistics_shape(shape)
        self.register_buffer("offset", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(size, dtype=torch.float64))

    @abstractmethod
    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of `offset` and `scale` for samples of `shape` (C, *grid)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, *grid) in model's units, float32."""
        if x.dtype in WIDE:
            return ((x.double() - self.offset) / self.scale).clamp(-LARGEST, LARGEST).float()
        scaled = (x.float() - self.offset.float()) * (1 / self.scale).float()
        return scaled.clamp(-LARGEST, LARGEST) if x.is_floating_point() else scaled

    def back(self, value: Tensor) -> Tensor:
        """Return `value` (N, C, *grid) of the model in user's units, float64."""
        return value.double() * self.scale + self.offset

    def back_deviation(self, deviation: Tensor) -> Tensor:
        """Return deviations (C,) of a table's columns in user's units, as those of values not far from all others."""
        return deviation * self.scale.flatten()

    def export(self) -> dict[str, Any]:
        """Return `scale` and `offset`, a number per channel."""
        numbers = {"scale": self.scale, "offset": self.offset}
        return {key: value.expand(self.channels, *value.shape[1:]).flatten().tolist() for key, value in numbers.items()}

    def check(self) -> None:
        """Raise a SpecError for a scale that is not positive."""
        if not (self.scale > 0).all():
            raise SpecError("its scaling has a scale that is not positive")

    def _check_spread(self) -> None:
        if not (self.offset.isfinite().all() and self.scale.isfinite().all()):
            raise DataError("the data's spread is beyond what 64-bit numbers hold; divide them by a constant first")


class Unit(Affine):
    """Maps the data's range to [0, 1].

    The range of bytes and booleans is that of their type. Of other integers without negative ones it goes from 0 to the
    next 2^k - 1 from their maximum on (4095 for 12-bit pictures). Fractions within [0, 1] stay as they are. All other
    data use their smallest and largest value.

    Parameters
    ----------
    output : "sigmoid" bounds the decoder's output to (0, 1); "linear" leaves it unbounded in training and clamps it
        in use, for backbones that add their input.

    Examples
    --------
    >>> scaling = Unit()
    >>> scaling.build((1, 28, 28))
    >>> scaling.fit([torch.tensor([0, 17], dtype=torch.uint8)])
    >>> scaling(torch.tensor([255], dtype=torch.uint8)).item()
    1.0
    """

    limits = (0.0, 1.0)
    unit_name = "shares of the range"

    def __init__(self, *, output: str = "sigmoid") -> None:
        super().__init__()
        self.output = check_choice("output", output, ("sigmoid", "linear"))
        self.has_sigmoid = output == "sigmoid"

    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (1, ...): one range for all values."""
        return (1,) * len(shape)

    @property
    def user_range(self) -> Range:
        """The range of all values."""
        return Range(self.offset.item(), self.scale.item())

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set the range from the data, see the class."""
        low, high = find_extremes(chunks)
        self.offset.fill_(low)
        self.scale.fill_(high - low if high > low else 1.0)
        self._check_spread()

    def activation(self, logits: Tensor) -> Tensor:
        """Return `logits` within the range: by a sigmoid, or clamped where the network is in use."""
        if self.output == "sigmoid":
            return logits.sigmoid()
        return logits if self.training else logits.clamp(0.0, 1.0)

    def inverse_activation(self, value: Tensor) -> Tensor:
        """Return the logits for `value`, clamped to where a sigmoid still has a gradient."""
        return value.logit(eps=1 / 256) if self.has_sigmoid else value

    def export(self) -> dict[str, Any]:
        """Return `scale`, `offset` and the `activation`, which clamps where it is no sigmoid."""
        return super().export() | {"activation": "sigmoid" if self.has_sigmoid else "clamp"}


class Standard(Affine):
    """Maps each column of a table, or each channel of pictures, to mean 0 and standard deviation 1.

    A constant column gets scale 1.

    Examples
    --------
    >>> scaling = Standard()
    >>> scaling.build((2,))
    >>> scaling.fit([torch.tensor([[1.0, 5.0], [3.0, 5.0]])])
    >>> scaling(torch.tensor([[3.0, 5.0]]))
    tensor([[1., 0.]])
    """

    unit_name = "standard deviations of the data"

    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (C, 1, ...): one mean and one deviation per column or channel."""
        return (shape[0],) + (1,) * (len(shape) - 1)

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set means and deviations from the data."""
        mean, deviation = find_moments(chunks, self.offset)
        self.offset.copy_(mean)
        self.scale.copy_(without_zeros(mean, deviation))
        self._check_spread()


class Robust(Affine):
    """Maps each column of a table to about mean 0 and deviation 1, and rare, distant values by their logarithm.

        z = (x - offset) / scale                                 up to `tail` from 0
        z = +-(tail + log(1 + |(x - offset) / scale| - tail))    beyond

    Offset and scale are the mean and the standard deviation of a column whose largest and smallest 2 % are brought to
    the values next to them (winsorised: Tukey, "The Future of Data Analysis", 1962), in tables of 20 rows or more. So
    neither a mistyped cell nor a long tail makes the other values nearly equal. Where only those 2 % vary, scale is the
    plain standard deviation; a constant column gets scale 1.

    Parameters
    ----------
    tail : distance from 0, in deviations, up to which the scaling is linear.

    Examples
    --------
    >>> scaling = Robust()
    >>> scaling.build((1,))
    >>> scaling.fit([torch.cat([torch.linspace(-1, 1, 99), torch.tensor([1e6])])[:, None]])
    >>> scaling(torch.tensor([[1.0], [1e6]])).round(decimals=1)
    tensor([[ 1.7000],
            [18.3000]])
    """

    unit_name = "standard deviations of the data"
    usual_corruption = "gaussian(0.0, 0.8)"
    shortens = True

    def __init__(self, *, tail: float = 4.0) -> None:
        super().__init__()
        self.tail = check_number("tail", tail, 0.1, 1e6)

    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (C, 1, ...): one offset and one scale per column or channel."""
        return (shape[0],) + (1,) * (len(shape) - 1)

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set offsets and scales from the data, see the class."""
        low, high = (end.view_as(self.offset) for end in find_usual_ends(chunks))
        mean, deviation = find_moments((chunk.double().clamp(low, high) for chunk in chunks), self.offset)
        if (deviation == 0).any():
            whole_mean, whole = find_moments(chunks, self.offset)
            mean, deviation = (
                torch.where(deviation == 0, whole_mean, mean),
                torch.where(deviation == 0, whole, deviation),
            )
        self.offset.copy_(mean)
        self.scale.copy_(without_zeros(mean, deviation))
        self._check_spread()

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, *grid) in model's units, float32; computed in float64, which holds any distance."""
        z = (x.double() - self.offset) / self.scale
        beyond = (z.abs() - self.tail).clamp(0, FARTHEST)
        return torch.where(beyond > 0, z.sign() * (self.tail + beyond.log1p()), z).float()

    def back(self, value: Tensor) -> Tensor:
        """Return `value` (N, C, *grid) of the model in user's units, float64."""
        value = value.double()
        beyond = (value.abs() - self.tail).clamp(0, math.log(FARTHEST))
        z = torch.where(beyond > 0, value.sign() * (self.tail + beyond.expm1()), value)
        return (z * self.scale + self.offset).clamp(-FARTHEST, FARTHEST)

    def export(self) -> dict[str, Any]:
        """Return `scale`, `offset` and `tail`."""
        return super().export() | {"tail": self.tail}

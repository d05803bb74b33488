"""User's units <-> the model's units, both ways; saved with the model.

An output activation that cannot reach the data's range is a common fault of autoencoders, so the part that knows the
data's units also has the activation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from narrows.errors import DataError, SpecError
from narrows.spec import Part, check_choice, check_number

FARTHEST = 1e300  # deviations; float64 cannot hold much more
LARGEST = 1e12  # in model's units: larger values are clamped to this, so that no sum and no square overflows
WINSORISED = 0.02  # share of a column's values at either end that are clamped before its spread is measured
MIN_WINSORISED_ROWS = 20  # from which that is one value at least
MAX_SORTED = 2**22  # values of a table that are sorted for that
ROUNDING = 2.0**-50  # share of a column's mean: a deviation of no more is rounding
WIDE = (torch.float64, torch.int32, torch.int64, torch.uint32, torch.uint64)  # float32 would round their values


class Scaling(Part, nn.Module, ABC):
    """The map from user's units to model's units, `(x - offset) / scale` for most values, and back.

    `offset` and `scale` are float64 buffers that broadcast over a batch (N, C, *grid); `build` makes
    them for a shape, `fit` fills them from data.
    """

    is_linear = True  # whether `(x - offset) / scale` holds for all values, not for most only
    has_sigmoid = False  # whether the activation is a sigmoid, whose logits cross-entropies need
    offset: Tensor
    scale: Tensor

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the buffers for samples of `shape` (C, *grid): per column of a table, per channel of a picture."""
        size = self.statistics_shape(shape)
        self.register_buffer("offset", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(size, dtype=torch.float64))

    @abstractmethod
    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of `offset` and `scale` for samples of `shape` (C, *grid)."""

    @abstractmethod
    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set `offset` and `scale` from chunks (n, C, *grid) of the training data, in user's units."""

    @property
    @abstractmethod
    def limits(self) -> tuple[float, float] | None:
        """The range of the data in model's units, None where it has none."""

    def model_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that backbones see for user's samples of `shape`."""
        return shape

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, *grid) in model's units, float32."""
        if x.dtype in WIDE:
            return ((x.double() - self.offset) / self.scale).clamp(-LARGEST, LARGEST).float()
        scaled = (x.float() - self.offset.float()) * (1 / self.scale).float()
        return scaled.clamp(-LARGEST, LARGEST) if x.is_floating_point() else scaled

    def activation(self, logits: Tensor) -> Tensor:
        """Return the decoder's `logits` as values in model's units."""
        return logits

    def inverse_activation(self, value: Tensor) -> Tensor:
        """Return the logits that `activation` turns into `value`."""
        return value

    def back(self, value: Tensor) -> Tensor:
        """Return `value` (N, C, *grid) of the model in user's units, float64."""
        return value.double() * self.scale + self.offset

    def fold(self, costs: Tensor) -> Tensor:
        """Return costs (N, C, *grid) of the values that the network sees as costs of the user's values."""
        return costs

    def _check_spread(self) -> None:
        if not (self.offset.isfinite().all() and self.scale.isfinite().all()):
            raise DataError("the data's spread is beyond what 64-bit numbers hold; divide them by a constant first")


class Unit(Scaling):
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

    def __init__(self, *, output: str = "sigmoid") -> None:
        super().__init__()
        self.output = check_choice("output", output, ("sigmoid", "linear"))
        self.has_sigmoid = output == "sigmoid"

    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (1, ...): one range for all values."""
        return (1,) * len(shape)

    @property
    def limits(self) -> tuple[float, float]:
        """Always [0, 1]."""
        return (0.0, 1.0)

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set the range from the data, see the class."""
        low, high = _extremes(chunks)
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


class Standard(Scaling):
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

    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (C, 1, ...): one mean and one deviation per column or channel."""
        return (shape[0],) + (1,) * (len(shape) - 1)

    @property
    def limits(self) -> None:
        """Standardised data have no range."""
        return None

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set means and deviations from the data."""
        mean, deviation = _moments(chunks, self.offset)
        self.offset.copy_(mean)
        self.scale.copy_(_without_zeros(mean, deviation))
        self._check_spread()


class Robust(Scaling):
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

    is_linear = False

    def __init__(self, *, tail: float = 4.0) -> None:
        super().__init__()
        self.tail = check_number("tail", tail, 0.1, 1e6)

    def statistics_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (C, 1, ...): one offset and one scale per column or channel."""
        return (shape[0],) + (1,) * (len(shape) - 1)

    @property
    def limits(self) -> None:
        """There is no range."""
        return None

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Set offsets and scales from the data, see the class."""
        chunks = list(chunks)
        low, high = (end.view_as(self.offset) for end in _usual_ends(chunks))
        mean, deviation = _moments((chunk.double().clamp(low, high) for chunk in chunks), self.offset)
        if (deviation == 0).any():
            whole_mean, whole = _moments(chunks, self.offset)
            mean, deviation = (
                torch.where(deviation == 0, whole_mean, mean),
                torch.where(deviation == 0, whole, deviation),
            )
        self.offset.copy_(mean)
        self.scale.copy_(_without_zeros(mean, deviation))
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


def _moments(chunks: Iterable[Tensor], like: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and deviations, shaped like `like`, by Chan, Golub and LeVeque's update of moments (1979).

    The first sample is subtracted first, so that small deviations from a large mean keep their digits.
    """
    count, origin, mean, squares = 0, None, torch.zeros_like(like), torch.zeros_like(like)
    for chunk in chunks:
        axes = [0, *range(2, chunk.ndim)]
        if origin is None:
            origin = chunk[0].double().reshape(chunk.shape[1], -1)[:, 0].view_as(like)
        x = chunk.double() - origin
        n = x.numel() // x.shape[1]
        chunk_mean = x.mean(axes, keepdim=True)[0]
        delta = chunk_mean - mean
        squares += ((x - chunk_mean) ** 2).sum(axes, keepdim=True)[0] + delta**2 * (count * n / (count + n))
        mean += delta * (n / (count + n))
        count += n
    return mean + (0 if origin is None else origin), (squares / max(count, 1)).sqrt()


def _without_zeros(mean: Tensor, deviation: Tensor) -> Tensor:
    """Return the deviations, with 1 for each that is no more than the rounding of its mean."""
    return torch.where(deviation <= ROUNDING * mean.abs(), torch.ones_like(deviation), deviation)


def _usual_ends(chunks: list[Tensor]) -> Iterable[Tensor]:
    """Return the smallest and the largest value (C,) of each column, those to be winsorised left out, float64."""
    step = -(-sum(chunk.numel() for chunk in chunks) // MAX_SORTED)
    rows = torch.cat([chunk[::step].double().movedim(1, 0).flatten(1) for chunk in chunks], 1).sort(1).values
    count = rows.shape[1]
    cut = max(1, round(WINSORISED * count)) if count >= MIN_WINSORISED_ROWS else 0
    return rows[:, cut], rows[:, count - 1 - cut]


def choose_scaling(x: Tensor, output: str = "sigmoid") -> tuple[str, str]:
    """Return the text of the scaling that `auto` means for `x` (N, C, *grid), and the reason in words.

    `output` is how `unit` treats the decoder's output: "linear" for a backbone that adds its input.

    Examples
    --------
    >>> choose_scaling(torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    ("unit(output='sigmoid')", 'whole numbers of 8 bits')
    """
    unit, standard = repr(Unit(output=output)), repr(Standard())
    if x.ndim == 2:
        return repr(Robust()), "a table: each column to its usual spread, rare values far from it by their logarithm"
    if x.dtype in (torch.uint8, torch.uint16, torch.bool):
        return unit, "truth values" if x.dtype == torch.bool else f"whole numbers of {x.dtype.itemsize * 8} bits"
    if not x.dtype.is_floating_point:
        return unit, "pictures of whole numbers"
    if x.min() >= 0 and x.max() <= 1:
        return unit, "pictures within [0, 1]"
    return standard, "pictures beyond [0, 1]: each channel to mean 0 and deviation 1"


def _extremes(chunks: Iterable[Tensor]) -> tuple[float, float]:
    """Return the ends of the data's range by the rule of `Unit`."""
    low, high, dtype = float("inf"), float("-inf"), None
    for chunk in chunks:
        dtype = chunk.dtype
        if dtype in (torch.uint8, torch.bool):
            return 0.0, 255.0 if dtype == torch.uint8 else 1.0
        values = chunk.double()  # torch.uint16 has no min and max
        low, high = min(low, values.min().item()), max(high, values.max().item())
    if dtype is None:
        raise SpecError("a scaling needs data to fit, however there were none")
    if not dtype.is_floating_point and low >= 0:
        return 0.0, float(2 ** max(int(high).bit_length(), 1) - 1)
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


SCALINGS: dict[str, type[Scaling]] = {"unit": Unit, "standard": Standard, "robust": Robust}

"""User's units <-> the model's units, both ways; saved with the model.

An output activation that cannot reach the data is the most repeated fault of autoencoder libraries, so
the part that knows the data's units also bounds the decoder's output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from narrows.errors import DataError, SpecError
from narrows.spec import Part, check_choice

WIDE = (torch.float64, torch.int32, torch.int64, torch.uint32, torch.uint64)  # float32 would round them


class Scaling(Part, nn.Module, ABC):
    """The map from user's units to model's units, `(x - offset) / scale`, and back.

    `offset` and `scale` are float64 buffers that broadcast over a batch (N, C, *grid); `build` makes
    them for a shape, `fit` fills them from data.
    """

    logits = False  # whether `raw` is a logit of a value in [0, 1], which cross-entropies need
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
            return ((x.double() - self.offset) / self.scale).float()
        return (x.float() - self.offset.float()) * (1 / self.scale).float()

    def squash(self, raw: Tensor) -> Tensor:
        """Return the decoder's output `raw` as values in model's units."""
        return raw

    def unsquash(self, value: Tensor) -> Tensor:
        """Return the raw output that `squash` turns into `value`."""
        return value

    def back(self, value: Tensor) -> Tensor:
        """Return `value` (N, C, *grid) of the model in user's units, float64."""
        return value.double() * self.scale + self.offset

    def fold(self, costs: Tensor) -> Tensor:
        """Return costs per value of the model (N, C, *grid) as costs per value of the user."""
        return costs

    def _check_spread(self) -> None:
        if not (self.offset.isfinite().all() and self.scale.isfinite().all()):
            raise DataError("the data's spread is beyond what 64-bit numbers hold; divide them by a constant first")


class Unit(Scaling):
    """Maps the data's range to [0, 1].

    The range of bytes and of truth values is that of their type; other whole numbers from 0 up reach to the
    next 2^k - 1 above their maximum (12-bit pictures to 4095); fractions that lie in [0, 1] stay as they are; other
    data use their smallest and largest value.

    Parameters
    ----------
    output : "sigmoid" bounds the decoder's output to (0, 1); "linear" leaves it free in training and
        clamps it in use, for backbones that add their input.

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
        self.logits = output == "sigmoid"

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

    def squash(self, raw: Tensor) -> Tensor:
        """Return `raw` within the range: by a sigmoid, or clamped where the network is in use."""
        if self.output == "sigmoid":
            return raw.sigmoid()
        return raw if self.training else raw.clamp(0.0, 1.0)

    def unsquash(self, value: Tensor) -> Tensor:
        """Return the raw output for `value`, kept where a sigmoid still has a slope to leave from."""
        return value.logit(eps=1 / 256) if self.logits else value


class Standard(Scaling):
    """Maps each column of a table, or each channel of pictures, to mean 0 and standard deviation 1.

    A constant column gets scale 1, so that it stays finite.

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
        """Set means and deviations from the data (Chan, Golub and LeVeque's update of moments, 1979)."""
        count, mean, squares = 0, self.offset.clone(), torch.zeros_like(self.scale)
        for chunk in chunks:
            axes = [0, *range(2, chunk.ndim)]
            x = chunk.double()
            n = x.numel() // x.shape[1]
            chunk_mean = x.mean(axes, keepdim=True)[0]
            delta = chunk_mean - mean
            squares += ((x - chunk_mean) ** 2).sum(axes, keepdim=True)[0] + delta**2 * (count * n / (count + n))
            mean += delta * (n / (count + n))
            count += n
        deviation = (squares / max(count, 1)).sqrt()
        # a column counts as constant where its deviation is no more than rounding of its mean
        constant = deviation <= 1e-12 * mean.abs()
        self.offset.copy_(mean)
        self.scale.copy_(torch.where(constant, torch.ones_like(deviation), deviation))
        self._check_spread()


def choose_scaling(x: Tensor, output: str = "sigmoid") -> tuple[str, str]:
    """Return the text of the scaling that `auto` means for `x` (N, C, *grid), and the reason in words.

    `output` is how `unit` treats the decoder's output: "linear" for a backbone that adds its input.

    Examples
    --------
    >>> choose_scaling(torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    ("unit(output='sigmoid')", 'whole numbers of 8 bits')
    """
    unit, standard = repr(Unit(output=output)), repr(Standard())
    if x.dtype in (torch.uint8, torch.uint16, torch.bool):
        return unit, "truth values" if x.dtype == torch.bool else f"whole numbers of {x.dtype.itemsize * 8} bits"
    if x.ndim == 2:
        return standard, "a table: each column to mean 0 and deviation 1"
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


SCALINGS: dict[str, type[Scaling]] = {"unit": Unit, "standard": Standard}

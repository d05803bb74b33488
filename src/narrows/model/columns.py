"""Tables with gaps and categories: one small rule per kind of column."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from narrows.errors import SpecError
from narrows.model.moments import column_variances
from narrows.model.scaling import Robust, Scaling
from narrows.spec import check_whole, shown

RUN = re.compile(r"n(\d{1,9})|c(\d{1,9})(?:\*(\d{1,9}))?")
MAX_WIDTH = 2**20  # of the model's columns
FITTED = 2  # columns that are fitted at a time
SHARPEST = 256  # times the sum of the other categories: the likeliest one in a start by least squares


class Columns(Scaling):
    """Scales a table column by column: numbers as `Robust` does, categories as one value for each that is 0 or 1.

    A gap is NaN, in user's units and in the model's. The encoder sees a column's usual value in its place, 0 for a
    number and the training frequencies for a category, and beside all values whether each column is observed, 1 or 0. A
    gap costs nothing. What is none of a category's values is unknown to the encoder as a gap is; its error is that of a
    value of probability 0, and costs nothing in training. The decoder makes a category's probabilities by a
    softmax, whose loss is the cross-entropy whatever the loss of the numbers is.

    Parameters
    ----------
    kinds : of the columns, in order: "n13 c5 n2 c2*3" are 13 numbers, a category of five values, 2 numbers and three
        categories of two. The values of a category of k are 0, 1, ... k - 1. None: all are numbers.

    Examples
    --------
    >>> scaling = Columns("n1 c3")
    >>> scaling.build((2,))
    >>> scaling.fit([torch.tensor([[1.0, 0.0], [3.0, 2.0], [math.nan, 2.0], [2.0, math.nan]])])
    >>> scaling(torch.tensor([[2.0, 2.0], [math.nan, math.nan]]))
    tensor([[0., 0., 0., 1.],
            [nan, nan, nan, nan]])
    >>> scaling.as_input(scaling(torch.tensor([[math.nan, 2.0]])))
    tensor([[0., 0., 0., 1., 0., 1.]])
    """

    unit_name = "standard deviations of the data"
    usual_corruption = "hide(0.0, 0.5)"
    shortens = tables_only = tells_observed = True
    usual: Tensor

    def __init__(self, kinds: str | None = None) -> None:
        super().__init__()
        self.kinds = kinds
        self._runs = None if kinds is None else _read_runs(kinds)

    @property
    def has_categories(self) -> bool:
        """Whether there are categories, whose outputs are no linear function of the logits."""
        return any(size for size, _ in self._runs or ())

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the buffers for rows of `shape` (C,); raises SpecError for pictures and for more or fewer columns."""
        sizes = self._sizes(shape)
        self._numbers = [i for i, size in enumerate(sizes) if not size]  # where they are among the user's columns
        # categories of one size lie together, so that each is a slice: the size, and the user's columns
        self._blocks = [(k, [i for i, size in enumerate(sizes) if size == k]) for k in sorted({*sizes} - {0})]
        cells = self._numbers + [i for _, columns in self._blocks for i in columns]
        self._order = sorted(range(len(cells)), key=cells.__getitem__)  # the user's order, from the model's
        self.width = sum(size or 1 for size in sizes)
        self.numbers = Robust()
        self.numbers.build((len(self._numbers),))
        usual = [torch.zeros(len(self._numbers)), *(torch.full((k * len(c),), 1 / k) for k, c in self._blocks)]
        self.register_buffer("usual", torch.cat(usual))

    def _sizes(self, shape: tuple[int, ...]) -> list[int]:
        """Return the size of each of the user's columns, 0 for a number."""
        if len(shape) != 1:
            raise SpecError(
                f"the scaling {shown(repr(self))} is for tables, however one sample is {shape}; take scaling='unit' or "
                f"'standard' for pictures"
            )
        runs = [(0, shape[0])] if self._runs is None else self._runs
        if sum(count for _, count in runs) != shape[0]:
            count = sum(count for _, count in runs)
            raise SpecError(
                f"the scaling {shown(repr(self))} is for {count:,} columns, however the table has {shape[0]:,}; name "
                f"the kind of each, or take scaling='auto'"
            )
        return [size for size, count in runs for _ in range(count)]

    def model_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (M,): a value for each number, and one for each of a category's values."""
        return (sum(size or 1 for size in self._sizes(shape)),)

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (M + C,): the model's values, and of every user's column whether it is observed."""
        return (*(width + shape[0] for width in self.model_shape(shape)),)

    def fit(self, chunks: Iterable[Tensor]) -> None:
        """Learn each column's spread or frequencies from its observed values; one of gaps alone stays as it is."""
        numbers = {column: i for i, column in enumerate(self._numbers)}
        sizes = [(size, column) for size, columns in self._blocks for column in columns]
        starts = accumulate((size for size, _ in sizes), initial=len(numbers))
        categories = {column: slice(start, start + size) for (size, column), start in zip(sizes, starts, strict=False)}
        for first in range(0, len(self._order), FITTED):  # not one by one, since samples lie row by row
            rows = torch.cat([chunk[:, first : first + FITTED].clone() for chunk in chunks])  # views would keep all
            for column, values in enumerate(rows.unbind(1), first):
                known = values[~values.isnan()] if values.is_floating_point() else values
                if column in numbers:
                    self._fit_number(numbers[column], known.double())
                else:
                    self._fit_category(categories[column], known)

    def _fit_number(self, i: int, values: Tensor) -> None:
        if len(values):
            alone = Robust()
            alone.build((1,))
            alone.fit([values[:, None]])
            self.numbers.offset[i], self.numbers.scale[i] = alone.offset[0], alone.scale[0]

    def _fit_category(self, place: slice, values: Tensor) -> None:
        size = place.stop - place.start
        index = values[(values >= 0) & (values < size) & (values == values.round())]
        if len(index):
            self.usual[place] = torch.bincount(index.long(), minlength=size) / len(index)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C) in model's units, float32 (N, M); NaN for gaps, negative for a category's unseen value."""
        x = x.double()
        parts = [self.numbers(_take(x, self._numbers))]
        for size, columns in self._blocks:
            index = _take(x, columns)[..., None]
            chosen = index == torch.arange(size, device=x.device)
            other = torch.where(index.isnan(), math.nan, _unlike_all(size)).float()
            parts.append(torch.where(chosen.any(-1, keepdim=True), chosen.float(), other).flatten(1))
        return torch.cat(parts, 1)

    def back(self, value: Tensor) -> Tensor:
        """Return `value` (N, M) of the model in user's units, float64 (N, C); of a category the likeliest value.

        NaN stays NaN, and a value that was none of a category's is -1.
        """
        numbers, *categories = self._parts(value)
        parts = [self.numbers.back(numbers)]
        for group in categories:
            index = group.argmax(-1).double()
            index = torch.where(group[..., 0] == _unlike_all(group.shape[-1]), -1.0, index)
            parts.append(torch.where(group[..., 0].isnan(), math.nan, index))
        return self._in_users_order(torch.cat(parts, 1))

    def activation(self, logits: Tensor) -> Tensor:
        """Return numbers as they are, and the probabilities of each category's values."""
        numbers, *categories = self._parts(logits)
        return torch.cat([numbers, *(group.softmax(-1).flatten(1) for group in categories)], 1)

    def inverse_activation(self, value: Tensor) -> Tensor:
        """Return the logits for `value`, those of a category clamped to where a softmax still has a gradient."""
        numbers, *categories = self._parts(value)
        logs = (group.clamp_min(1 / (SHARPEST * group.shape[-1])).log().flatten(1) for group in categories)
        return torch.cat([numbers, *logs], 1)

    def start_logits(self, value: Tensor) -> Tensor:
        """Return logits like `value` with which a fit begins: of categories those of their frequencies."""
        numbers, *_ = self._parts(value)
        usual = self.inverse_activation(self.usual[None].to(value.dtype))
        return torch.cat([numbers, usual[:, numbers.shape[1] :].expand(len(value), -1)], 1)

    def logit_step(self, logits: Tensor, value: Tensor) -> Tensor | None:
        """Return a change of the logits whose fit by least squares lowers the cross-entropy, each time it is taken.

        The Hessian of a softmax's cross-entropy is at most a half: Böhning, "Multinomial Logistic Regression
        Algorithm", 1992.
        """
        if not self._blocks:
            return None
        step = 2 * (value - self.activation(logits))
        step[:, : len(self._numbers)] = 0
        return step

    def with_categories(self, costs: Tensor, logits: Tensor, target: Tensor) -> Tensor:
        """Return costs (N, M) with the cross-entropy in place of those of categories."""
        if not self._blocks:
            return costs
        (numbers, *_), (_, *categories) = self._parts(costs), self._parts(logits)
        targets = self._parts(target)[1:]
        pairs = zip(targets, categories, strict=True)
        return torch.cat([numbers, *(-(t.clamp_min(0) * log_softmax(group, -1)).flatten(1) for t, group in pairs)], 1)

    def fold(self, costs: Tensor) -> Tensor:
        """Return costs (N, M) as those of the user's columns (N, C): a category's are summed."""
        numbers, *categories = self._parts(costs)
        return self._in_users_order(torch.cat([numbers, *(group.sum(-1) for group in categories)], 1))

    def observed(self, scaled: Tensor) -> Tensor:
        """Return which of the user's columns (N, C) are observed in `scaled` (N, M), with a value that is known."""
        numbers, *categories = self._parts(self._known(scaled))
        return self._in_users_order(torch.cat([numbers, *(group[..., 0] for group in categories)], 1))

    def spread(self, cells: Tensor) -> Tensor:
        """Return cells (N, C) of the user's columns as those of the model's (N, M)."""
        parts = [_take(cells, self._numbers)]
        parts += [_take(cells, c)[..., None].expand(-1, -1, size).flatten(1) for size, c in self._blocks]
        return torch.cat(parts, 1)

    def fill(self, scaled: Tensor) -> Tensor:
        """Return `scaled` (N, M) with the usual values in place of gaps and of unseen values."""
        return torch.where(self._known(scaled), scaled, self.usual.to(scaled.dtype))

    def as_input(self, scaled: Tensor) -> Tensor:
        """Return what the encoder sees (N, M + C): filled values, and of every column whether it is observed."""
        return torch.cat([self.fill(scaled), self.observed(scaled).to(scaled.dtype)], 1)

    def weigh(self, scaled: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return `scaled` with gaps filled, and the weights of its values: 0 for gaps."""
        gaps = scaled.isnan()
        seen = (~gaps).to(scaled.dtype)
        return torch.where(gaps, self.usual.to(scaled.dtype), scaled), seen if weight is None else seen * weight

    def clamp(self, value: Tensor) -> Tensor:
        """Return `value` with probabilities between 0 and 1."""
        numbers, *categories = self._parts(value)
        return torch.cat([numbers, *(group.clamp(0, 1).flatten(1) for group in categories)], 1)

    def variances(self, x: Tensor) -> Tensor:
        """Return the variance (C,) of each column's observed values, float64; that of a category's values, summed."""
        variances = torch.zeros(x.shape[1], dtype=torch.float64, device=x.device)
        for size, columns in self._blocks:
            for column in columns:
                known = x[:, column][(x[:, column] >= 0) & (x[:, column] < size)]
                shares = torch.bincount(known.long(), minlength=size).double() / max(len(known), 1)
                variances[column] = (shares * (1 - shares)).sum()
        for column in self._numbers:
            values = x[:, column].double()
            values = values[~values.isnan()]
            if len(values):
                variances[column] = column_variances(values[:, None])[0]
        return variances

    def user_squares(self, value: Tensor, x: Tensor) -> Tensor:
        """Return squared errors (N, C): of numbers in user's units, of categories the Brier score; NaN for gaps."""
        squares = (self.back(value) - x.double()).square()
        if self._blocks:
            scores = self.fold((value.double() - self(x).double()).square())
            for _, columns in self._blocks:
                squares[:, columns] = scores[:, columns]
        return squares

    def back_deviation(self, deviation: Tensor) -> Tensor:
        """Return deviations (C,) in user's units, NaN for categories."""
        result = torch.full_like(deviation, math.nan)
        result[self._numbers] = self.numbers.back_deviation(deviation[self._numbers])
        return result

    def export(self) -> dict[str, Any]:
        """Return those of the numbers, and the `cells`: where each column begins in the model's values, and its size.

        The size of a number is 0.
        """
        cells = [(i, 0) for i in range(len(self._numbers))]
        for size, columns in self._blocks:
            first = cells[-1][0] + max(cells[-1][1], 1) if cells else 0
            cells += [(first + i * size, size) for i in range(len(columns))]
        return self.numbers.export() | {"cells": [cells[i] for i in self._order]}

    def check(self) -> None:
        """Raise a SpecError for a scale that is not positive, and for frequencies that are none."""
        self.numbers.check()
        numbers, *categories = self._parts(self.usual[None])
        if (numbers != 0).any() or any(((group < 0) | (group > 1)).any() for group in categories):
            raise SpecError("its scaling has frequencies that are not between 0 and 1")

    def _known(self, scaled: Tensor) -> Tensor:
        """Return where `scaled` (N, M) holds a value that is known: no gap, and none that a category does not have."""
        known, first = ~scaled.isnan(), len(self._numbers)
        for size, columns in self._blocks:
            block = slice(first, first := first + size * len(columns))
            known[:, block] &= scaled[:, block] != _unlike_all(size)
        return known

    def _parts(self, values: Tensor) -> list[Tensor]:
        """Return values (N, M) as those of numbers (N, n), and of the categories of each size k, (N, count, k)."""
        sizes = [len(self._numbers), *(k * len(columns) for k, columns in self._blocks)]
        numbers, *categories = values.split(sizes, 1)
        return [numbers, *(part.unflatten(1, (-1, k)) for part, (k, _) in zip(categories, self._blocks, strict=True))]

    def _in_users_order(self, cells: Tensor) -> Tensor:
        return _take(cells, self._order)


def _read_runs(kinds: str) -> list[tuple[int, int]]:
    """Return the runs of a text of kinds: the size, 0 for numbers, and how many columns."""
    words = kinds.split() if isinstance(kinds, str) else []
    matches = [RUN.fullmatch(word) for word in words]
    if not matches or not all(matches):
        raise SpecError(
            f"kinds names columns by runs such as 'n13 c5 c2*3', 13 numbers, a category of 5 values and three of 2, "
            f"however: kinds={shown(repr(kinds))}"
        )
    runs = []
    for numbers, size, count in (match.groups() for match in matches if match):
        size_of = 0 if size is None else check_whole("the size of a category", int(size), 1, MAX_WIDTH)
        runs.append((size_of, int(numbers or count or 1)))
    if sum(max(size, 1) * count for size, count in runs) > MAX_WIDTH:
        raise SpecError(f"kinds may make at most {MAX_WIDTH:,} values of a row, however: kinds={shown(repr(kinds))}")
    return runs


@cache
def _unlike_all(size: int) -> float:
    """Return c such that the squared distance of (c, ..., c) to any probabilities p is 1 + |p|^2.

    That is the Brier score of a value that has the probability 0. It is a number of 32 bits.
    """
    return torch.tensor((1 - math.sqrt(1 + size)) / size, device="cpu").item()


def _take(x: Tensor, columns: list[int]) -> Tensor:
    """Return some columns of `x` (N, C), without a copy where they lie in a row."""
    if columns == list(range(columns[0], columns[0] + len(columns)) if columns else []):
        return x[:, columns[0] : columns[0] + len(columns)] if columns else x[:, :0]
    return x[:, torch.tensor(columns, device=x.device)]

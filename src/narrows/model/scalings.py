"""The menu of scalings, and which of them `auto` means."""

from __future__ import annotations

import torch
from torch import Tensor

from narrows.model.columns import Columns
from narrows.model.scaling import Robust, Scaling, Standard, Unit


def choose_scaling(x: Tensor, output: str = "sigmoid", kinds: str | None = None) -> tuple[str, str]:
    """Return the text of the scaling that `auto` means for `x` (N, C, *grid), and the reason in words.

    Parameters
    ----------
    output : how `unit` treats the decoder's output: "linear" for a backbone that adds its input.
    kinds : of a table's columns, see `Columns`; None where all are numbers.

    Examples
    --------
    >>> choose_scaling(torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    ("unit(output='sigmoid')", 'whole numbers of 8 bits')
    """
    unit, standard = repr(Unit(output=output)), repr(Standard())
    if x.ndim == 2 and (kinds is not None or has_gaps(x)):
        return repr(Columns(kinds)), "a table with gaps or categories: numbers by their usual spread, gaps cost nothing"
    if x.ndim == 2:
        return repr(Robust()), "a table: each column to its usual spread, rare values far from it by their logarithm"
    if x.dtype in (torch.uint8, torch.uint16, torch.bool):
        return unit, "truth values" if x.dtype == torch.bool else f"whole numbers of {x.dtype.itemsize * 8} bits"
    if not x.dtype.is_floating_point:
        return unit, "pictures of whole numbers"
    if x.min() >= 0 and x.max() <= 1:
        return unit, "pictures within [0, 1]"
    return standard, "pictures beyond [0, 1]: each channel to mean 0 and deviation 1"


def has_gaps(x: Tensor) -> bool:
    """Return whether `x` holds NaN.

    Examples
    --------
    >>> has_gaps(torch.tensor([1.0, float("nan")])), has_gaps(torch.tensor([1, 2]))
    (True, False)
    """
    return x.is_floating_point() and bool(x.isnan().any())


SCALINGS: dict[str, type[Scaling]] = {"unit": Unit, "standard": Standard, "robust": Robust, "columns": Columns}

"""Damaging data on purpose, to try a model on them."""

from __future__ import annotations

import numpy as np
import torch

from narrows.data.layout import to_samples
from narrows.model.columns import Columns
from narrows.model.network import as_tensor, build_part, damage
from narrows.model.scalings import choose_scaling
from narrows.model.settings import default_settings
from narrows.model.strength import check_strength
from narrows.tasks.depths import FULL, cast


@default_settings()
def corrupt(
    x: np.ndarray, corruption: str, seed: int = 0, shape: tuple[int, ...] | None = None, kinds: str | None = None
) -> tuple[np.ndarray, str]:
    """Return `x` damaged, in its own arrangement and type, and the scaling whose units the damage has.

    Whole numbers are clamped to their range; fractions are not, unless the corruption says `clip=True`. Where gaps are
    made in whole numbers, floats come back.

    Parameters
    ----------
    x : arranged as for training; its scaling is chosen as training would choose it.
    corruption : a part as text, "gaussian(0.08)": 0.08 of the range for pictures, of a standard deviation for tables.
    seed : makes the damage repeatable.
    shape : of one sample (C, H, W), where the array's dimensions do not show it.
    kinds : of a table's columns, as the scaling `columns` takes them; None where all are numbers.

    Raises SpecError for a text that is no corruption, or is far too strong; DataError for an array that cannot be used
    as data.

    Examples
    --------
    >>> damaged, units = corrupt(np.zeros((2, 8, 8), np.uint8), "salt_pepper(0.5)")
    >>> damaged.dtype, sorted(set(damaged.flat)), units
    (dtype('uint8'), [np.uint8(0), np.uint8(255)], "unit(output='sigmoid')")
    """
    part = build_part("corruption", corruption)
    samples, layout = to_samples(x, shape)
    inside = as_tensor(samples)
    text = repr(Columns(kinds)) if part.makes_gaps else choose_scaling(inside, kinds=kinds)[0]
    scaling = build_part("scaling", text)
    check_strength(part, scaling, FULL.get(x.dtype.name, 255.0))
    scaling.build(samples.shape[1:])
    part.build(scaling)
    scaling.fit([inside])
    clean, damaged, _ = damage(inside, scaling, part, torch.Generator().manual_seed(seed))
    values, before = scaling.back(damaged), scaling.back(clean)
    values = torch.where(values == before, inside.to(values.dtype), values).numpy()  # what is not hit keeps its digits
    return layout.back(values if part.makes_gaps and x.dtype.kind != "f" else cast(values, x.dtype)), text

"""Whether a corruption's strengths fit the units that it works in: a slip would drown the data in noise."""

from __future__ import annotations

from narrows.errors import SpecError
from narrows.model.corruption import Corruption
from narrows.model.scaling import Scaling

MOST_RANGES, MOST_DEVIATIONS = 2.0, 20.0  # stronger noise leaves nothing to learn


def check_strength(corruption: Corruption, scaling: Scaling, span: float = 255.0) -> None:
    """Raise a SpecError for noise, or values written in place of others, that are meant in the user's units.

    Parameters
    ----------
    scaling : built or not, since its `limits` say enough.
    span : the range of the data in user's units, for the advice.

    Examples
    --------
    >>> from narrows.model.corruption import Gaussian
    >>> from narrows.model.scaling import Unit
    >>> check_strength(Gaussian(0.5), Unit())
    >>> try:
    ...     check_strength(Gaussian(25), Unit())
    ... except SpecError as error:
    ...     print(error)
    strengths are shares of the range, however gaussian(25.0, clip=False) has 25; for 25 of 255 write 0.098
    """
    has_range = scaling.limits is not None
    strongest = max([corruption.largest_std, *map(abs, corruption.replacements)])
    if strongest <= (MOST_RANGES if has_range else MOST_DEVIATIONS):
        return
    rule = f"strengths are {scaling.unit_name}, however {corruption!r} has {strongest:g}"
    if has_range:
        raise SpecError(f"{rule}; for {strongest:g} of {span:g} write {strongest / span:.2g}")
    raise SpecError(f"{rule}; divide what is meant in the data's own units by their standard deviation")

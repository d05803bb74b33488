"""Times on an axis and in words: seconds since 1970 become dates."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from narrows.tables.column import Column

DAY = 86_400.0
EARLIEST, LATEST = -6.2e10, 2.5e11  # seconds from 1970: about the years 5 and 9892
Ticks = Callable[[float, float, int], list[tuple[float, str]]]  # as `time_ticks`
# by the unit that NumPy counts them in: the seconds of one, and how many of them a step may have
STEPS = (
    ("s", 1.0, (1, 2, 5, 10, 15, 30)),
    ("m", 60.0, (1, 2, 5, 10, 15, 30)),
    ("h", 3600.0, (1, 2, 4, 8, 12)),
    ("D", DAY, (1, 2, 4, 7, 14)),
    ("M", 30.44 * DAY, (1, 2, 3, 6)),
    ("Y", 365.25 * DAY, (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),
)
WRITTEN: dict[str, Callable[[str], str]] = {  # of "2020-03-05T06:30:15" by the unit of the step
    "s": lambda text: text[11:],
    "m": lambda text: text[11:16],
    "h": lambda text: f"{text[5:10]} {text[11:13]}h",
    "D": lambda text: text[:10],
    "M": lambda text: text[:7],
    "Y": lambda text: text[:4],
}


def ticks_of(column: Column) -> Ticks | None:
    """Return what marks the values of a column of times on an axis, None for another column.

    Examples
    --------
    >>> ticks_of(Column("opens", "time", "time32[s]"))(0, 3600, 2)
    [(0.0, '00:00'), (1800.0, '00:30'), (3600.0, '01:00')]
    """
    if column.kind != "time":
        return None
    return clock_ticks if column.dtype.startswith(("time32", "time64")) else time_ticks


def time_ticks(low: float, high: float, most: int = 4) -> list[tuple[float, str]]:
    """Return round times between two ends, in seconds since 1970, and how they are written.

    Examples
    --------
    >>> [words for _, words in time_ticks(0, 3 * 365.25 * 86_400)]
    ['1970', '1971', '1972']
    >>> [words for _, words in time_ticks(0, 86_400 * 50)]
    ['1970-01-01', '1970-01-15', '1970-01-29', '1970-02-12']
    """
    low, high = max(low, EARLIEST), min(high, LATEST)
    least = max(high - low, 1.0) / most
    unit, _, times = next(
        ((unit, length, times) for unit, length, steps in STEPS for times in steps if times * length >= least),
        ("Y", 0.0, STEPS[-1][2][-1]),
    )
    zero = 1970 if unit == "Y" else 0  # so that years are round, and not those since 1970
    first, last = (
        np.datetime64(math.floor(end), "s").astype(f"datetime64[{unit}]").astype(int) + zero for end in (low, high)
    )
    steps = np.arange(-(-first // times) * times, last + 1, times) - zero
    moments = steps.astype(f"datetime64[{unit}]").astype("datetime64[s]")
    found = zip(moments.astype(float).tolist(), moments.astype(str).tolist(), strict=True)
    return [(moment, WRITTEN[unit](text)) for moment, text in found if low <= moment <= high]


def clock_ticks(low: float, high: float, most: int = 4) -> list[tuple[float, str]]:
    """Return round times of the day between two ends, in seconds since midnight, and how they are written.

    Examples
    --------
    >>> [words for _, words in clock_ticks(0, 86_400)]
    ['00:00', '08:00', '16:00', '24:00']
    """
    least = max(high - low, 1.0) / most
    lengths = (times * length for _, length, steps in STEPS[:3] for times in steps)
    step = next((length for length in lengths if length >= least), DAY)
    moments = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    tail = (lambda s: f":{s % 60:02.0f}") if step < 60 else lambda s: ""
    return [(s, f"{s // 3600:02.0f}:{s // 60 % 60:02.0f}{tail(s)}") for s in moments]

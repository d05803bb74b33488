"""Lengths of time in words."""

from __future__ import annotations

import math

UNITS = {"years": 365.2425 * 86_400, "days": 86_400.0, "hours": 3600.0, "minutes": 60.0}  # in seconds


def show_duration(seconds: float) -> str:
    """Return a length of time in the largest unit of which it is two or more, "-" for NaN.

    Examples
    --------
    >>> show_duration(1.9 * 86_400), show_duration(45.0), show_duration(8e8)
    ('45.6 hours', '45 seconds', '25.4 years')
    """
    if math.isnan(seconds):
        return "-"
    unit, length = next(((u, n) for u, n in UNITS.items() if abs(seconds) >= 2 * n), ("seconds", 1.0))
    return f"{seconds / length:,.0f} {unit}" if seconds >= 1000 * length else f"{seconds / length:.3g} {unit}"

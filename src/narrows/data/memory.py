"""How much memory there is, asked before a large array is made."""

from __future__ import annotations

from pathlib import Path

from narrows.errors import DataError


def check_memory(needed: int, name: str, way_out: str = "read fewer samples") -> None:
    """Raise a DataError if `needed` bytes for `name` are more than the memory that is available.

    >>> check_memory(1000, "a small array")
    """
    free = available_memory()
    if free is not None and needed > free:
        have = f"{free / 1e9:.1f} GB are available"
        raise DataError(f"{name} would take {needed / 1e9:.1f} GB of memory, however: {have}; {way_out}")


def available_memory() -> int | None:
    """Return the bytes of memory that are available, None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None

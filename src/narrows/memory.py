"""How much memory there is, asked before a large array is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from narrows.errors import DataError

ROOT = Path("/")
# files of a control group: its limits, what it uses, and the key of what it can drop of that; version 2, then 1
V2 = (("memory.max", "memory.high"), "memory.current", "inactive_file")
V1 = (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file")


def check_memory(needed: int, name: str, way_out: str = "read fewer samples") -> None:
    """Raise a DataError if `needed` bytes for `name` are more than the memory that is available.

    >>> check_memory(1000, "a small array")
    """
    free = available_memory()
    if free is not None and needed > free:
        have = f"{free / 1e9:.1f} GB are available"
        raise DataError(f"{name} would take {needed / 1e9:.1f} GB of memory, however: {have}; {way_out}")


def available_memory() -> int | None:
    """Return the bytes of memory that are available, None where the system does not say.

    These are the least of what the machine and the limits of its containers (control groups) leave. Where there is no
    /proc, as on macOS, they are all bytes of the machine.
    """
    known = [free for free in (_free_of_machine(), *_free_of_groups()) if free is not None]
    return max(0, min(known)) if known else None


def _free_of_machine() -> int | None:
    try:
        lines = (ROOT / "proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None
    return total if total > 0 else None


def _free_of_groups() -> Iterator[int]:
    """Yield what each control group of this process leaves of its limits."""
    try:
        lines = (ROOT / "proc/self/cgroup").read_text().splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "":
            yield from _free_of(ROOT / "sys/fs/cgroup", path, *V2)
        elif "memory" in controllers.split(","):
            yield from _free_of(ROOT / "sys/fs/cgroup/memory", path, *V1)


def _free_of(mount: Path, path: str, limits: tuple[str, ...], used: str, droppable: str) -> Iterator[int]:
    """Yield what the group `path` and those above it leave; inside a container the path may be that of the host."""
    inside = PurePosixPath(path.lstrip("/"))
    for group in (mount / inside, *(mount / above for above in inside.parents)):
        capped = [number for name in limits if (number := _read_number(group / name)) is not None]
        if capped:
            yield min(capped) - (_read_number(group / used) or 0) + _read_stat(group / "memory.stat", droppable)


def _read_number(path: Path) -> int | None:
    """Return the number that a file holds; None for `max` and where there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _read_stat(path: Path, key: str) -> int:
    """Return the number after a key of memory.stat, 0 where there is none."""
    try:
        return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.split()[:1] == [key])
    except (OSError, StopIteration, ValueError, IndexError):
        return 0

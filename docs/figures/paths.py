"""Where things lie; makes the modules of benchmarks/ importable, which record figures and read MNIST as arrays."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
RESULTS = DOCS / "results"
CACHE = DOCS.parent / "runs" / "docs"  # not in git: states of trainings, to go on from
PACKAGES = ("torch", "numpy", "numba", "narrows")

sys.path.append(str(DOCS.parent / "benchmarks"))


def describe_run() -> dict[str, Any]:
    """Return the command, the machine and the versions, for the head of the results; a toy may do without Numba."""
    import record

    return record.describe_run(*filter(_is_installed, PACKAGES))


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True

"""Makes the modules beside the benchmarks importable: how figures are recorded, and MNIST as arrays."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

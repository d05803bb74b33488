"""How it is learned, fast."""

from narrows.training.fit import Fit
from narrows.training.loop import Budget, Progress, train

__all__ = ["Budget", "Fit", "Progress", "train"]

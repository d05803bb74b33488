"""How it is learned, fast."""

from narrows.train.fit import Fit
from narrows.train.loop import Budget, Progress, train

__all__ = ["Budget", "Fit", "Progress", "train"]

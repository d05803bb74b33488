"""The weights that training keeps, and which of them the model ends with."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor

from narrows.errors import TrainingError
from narrows.model.network import Network
from narrows.training.state import State, part, prefixed

START_ROWS = 1024  # of the validation share, on which the start is measured
SURE = 2.0  # standard errors that weights must be better by, to be chosen before the last ones or the start
ERROR_CAP = 30.0  # times the median error; a larger error counts as this when weights are chosen
NUMBERS = ("good_step", "best_step", "best_epoch", "last_step", "best_mse")
ERRORS = ("start_errors", "best_errors", "last_errors")
WEIGHTS = ("start", "good", "best")
PATIENCE = 10  # epochs without a better validation error, after which a constant rate stops


class Snapshots:
    """The network's weights at the start, the last good ones, and the best ones by the validation error.

    Attributes
    ----------
    kept_step : the step whose weights were chosen, 0 for those of the start; None before.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.good = self.best = self.start = copy.deepcopy(network.state_dict())
        self.good_step = self.best_step = self.best_epoch = self.last_step = 0
        self.best_mse = math.inf
        self.start_errors = self.best_errors = self.last_errors = torch.zeros(0)
        self.kept_step: int | None = None

    def keep_start(self, errors: Tensor) -> None:
        """Remember the errors (n,) of the start on a part of the validation share, see `thin`."""
        self.start_errors = errors

    def keep_good(self, step: int, train_mse: float = 0.0) -> None:
        """Keep the weights, or go back to the last good ones and raise a TrainingError where these are not finite."""
        if not (math.isfinite(train_mse) and all(bool(p.isfinite().all()) for p in self.network.parameters())):
            self.network.load_state_dict(self.good)
            raise TrainingError(
                f"the loss is no longer finite between steps {self.good_step} and {step}, so training stops and keeps "
                f"the weights of step {self.good_step}; scale the data (scaling='auto') or take another loss or a "
                f"preset with a lower rate"
            )
        self.good, self.good_step = copy.deepcopy(self.network.state_dict()), step

    def keep_best(self, step: int, epoch: int, errors: Tensor) -> None:
        """Remember the weights as the best where the mean of `errors` (n,) is the lowest; raise if it is not finite."""
        val_mse = errors.mean().item()
        if not math.isfinite(val_mse):
            raise TrainingError(
                f"the error of the held-out samples is not finite at step {step}, so training stops; look there "
                f"for values far from all others, or scale the data (scaling='auto')"
            )
        self.last_errors, self.last_step = errors, step
        if val_mse < self.best_mse:
            self.best_mse, self.best, self.best_epoch = val_mse, self.good, epoch
            self.best_errors, self.best_step = errors, step

    def state_dict(self) -> State:
        """Return the weights and what is known of them."""
        state: State = {name: getattr(self, name) for name in NUMBERS + ERRORS}
        for name in WEIGHTS:
            state |= prefixed(name, getattr(self, name))
        return state if self.kept_step is None else state | {"kept_step": self.kept_step}

    def load_state_dict(self, state: State) -> None:
        """Go on from a `state_dict`."""
        for name in NUMBERS + ERRORS:
            setattr(self, name, state[name])
        for name in WEIGHTS:
            setattr(self, name, part(name, state))
        self.kept_step = int(state["kept_step"]) if "kept_step" in state else None

    def are_stale(self, epoch: int) -> bool:
        """Whether PATIENCE epochs passed without a better validation error."""
        return epoch - self.best_epoch >= PATIENCE

    def restore_best(self) -> None:
        """Give the network the best weights."""
        self.network.load_state_dict(self.best)

    def join(self, others: Snapshots) -> None:
        """Add the errors of another training on other parts of the same samples.

        Only the weights of the start and of the end can be chosen then.
        """
        self.start_errors = torch.cat([self.start_errors, others.start_errors])
        self.last_errors = torch.cat([thin(self.last_errors), thin(others.last_errors)])
        self.best_errors, self.best, self.best_step = self.last_errors, self.good, self.last_step

    @property
    def is_promising(self) -> bool:
        """Whether the last weights are better than those of the start in the mean, be it by chance."""
        return bool(gains(thin(self.last_errors), self.start_errors).mean() > 0)

    def choose(self, prefer_last: bool = True) -> None:
        """Give the network the weights of the lowest validation error, as far as the errors differ significantly.

        The last weights stay unless the best ones of before are better, or `prefer_last` is False; those of the start
        come back unless the weights chosen so far are better than they: each time by `is_lower`.
        """
        if not len(self.last_errors):
            return
        self.network.load_state_dict(self.good)
        self.kept_step, errors = self.last_step, self.last_errors
        if not prefer_last or is_lower(self.best_errors, errors):
            self.restore_best()
            self.kept_step, errors = self.best_step, self.best_errors
        if not is_lower(thin(errors), self.start_errors):
            self.network.load_state_dict(self.start)
            self.kept_step = 0


def is_lower(errors: Tensor, others: Tensor) -> bool:
    """Whether errors (n,) are lower in the mean than those of the same samples, by more than two standard errors.

    Examples
    --------
    >>> others = torch.tensor([1.0, 2.0, 3.0, 4.0])
    >>> is_lower(others - 0.1, others), is_lower(others + torch.tensor([0.5, -1.0, 0.6, -0.5]), others)
    (True, False)
    """
    count = len(errors)
    if count < 2:
        return False
    gain = gains(errors, others)
    sure = SURE * (count + 1) / (count - 1)  # more where few samples say little of the standard error itself
    return bool(gain.mean() > sure * gain.std() / math.sqrt(count))


def gains(errors: Tensor, others: Tensor) -> Tensor:
    """Return by how much errors (n,) are lower than those of the same samples.

    Errors are capped at 30 times the median of the others, so that one sample far from all others does not decide.

    Examples
    --------
    >>> gains(torch.tensor([1.0, 2.0, 900.0]), torch.tensor([2.0, 2.0, 2.0]))
    tensor([  1.,   0., -58.])
    """
    # the mean is the cap where more than half of them are about 0
    most = torch.maximum(ERROR_CAP * others.median(), others.mean())
    return others.clamp_max(most) - errors.clamp_max(most)


def thin(rows: Tensor) -> Tensor:
    """Return at most START_ROWS of the rows of a validation share, at equal distances."""
    return rows[:: -(-len(rows) // START_ROWS)]

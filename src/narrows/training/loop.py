"""One step, one loop; a generator of Progress."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from narrows.data.stream import Stream
from narrows.errors import TrainingError
from narrows.model.network import BLOCK_ROWS, Network
from narrows.training.optim import Optimizer, Schedule, Steps

READ_EVERY = 50  # steps between two readings of the loss: each one makes the device wait
WARM_STEPS = 5  # the first ones are slow: caches fill, kernels are chosen
MEASURED_STEPS = 20  # after these, the speed since WARM_STEPS decides whether the budget fits into max_seconds
ROWS = 40  # of the history at most: of more epochs, some are measured
START_ROWS = 1024  # of the validation share, on which the start is measured
SURE = 2.0  # standard errors that weights must be better by, to take the place of the last ones or of the start
WILD = 30.0  # times the median error, beyond which an error counts as that when weights are chosen
PATIENCE = 10  # epochs without a better validation error, after which a constant rate stops


@dataclass
class Budget:
    """How long to train.

    Parameters
    ----------
    steps : steps in all; the rate follows the share of them that is done.
    max_seconds : a cap; `steps` is cut after the first 20, where the measured speed says that it would not fit, and is
        then set anew every 50 steps of the first epoch and after every epoch, as the first steps say little of a long
        run.
    spent : seconds of it that went by before the first step, on the start of the weights.

    Attributes
    ----------
    asked : the steps before that cut.
    """

    steps: int
    max_seconds: float = math.inf
    spent: float = 0.0
    asked: int = field(init=False)

    def __post_init__(self) -> None:
        self.requested = self.steps

    @property
    def was_cut(self) -> bool:
        """Whether `max_seconds` took steps away."""
        return self.steps < self.requested

    def cut(self, done: int, seconds: float, seconds_per_step: float) -> None:
        """Set `steps` to what fits into the rest of `max_seconds`, after `done` steps in `seconds`; `asked` at most."""
        left = (self.max_seconds - self.spent - seconds) / max(seconds_per_step, 1e-9)
        self.steps = max(done, min(self.requested, done + int(min(left, self.requested))))


@dataclass(frozen=True)
class Progress:
    """Where training stands. Between two of these the network is usable.

    Attributes
    ----------
    step, steps : steps done, of how many.
    epoch : the epoch that this step belongs to, from 1.
    seconds : wall clock since training began.
    samples : samples seen since training began.
    train_mse : mean squared error per value in model's units, over the epoch's samples so far, while weights move.
    val_mse : the same over the validation share after an epoch; None before its end or without such a share.
    epoch_ends : whether this is the last step of an epoch that is measured, a row of the history: every epoch, or of
        more than 40 some at equal distances, and the last one.
    epoch_seconds : wall clock since the row before, or since training began; what was measured included.
    """

    step: int
    steps: int
    epoch: int
    seconds: float
    samples: int
    train_mse: float
    val_mse: float | None
    epoch_ends: bool
    epoch_seconds: float


@dataclass
class State:
    """All that a run carries from step to step, beside the network's weights.

    `order` draws the batches (on the CPU), `chance` draws damage and random codes (on the device).
    """

    optimizer: Steps
    order: Generator
    chance: Generator
    step: int = 0
    epoch: int = 0
    samples: int = 0


def train(
    network: Network,
    stream: Stream,
    budget: Budget,
    *,
    optimizer: Optimizer,
    schedule: Schedule,
    validation: Mapping[str, Tensor] | None = None,
    validates_damaged: bool = True,
    snapshots: Snapshots | None = None,
    seed: int = 0,
    bfloat16: bool = False,
) -> Iterator[Progress]:
    """Train `network` on `stream` until the budget is spent, yielding where it stands.

    Parameters
    ----------
    network : on the device of the stream; its weights change in place.
    validation : a batch of samples as the stream's, `x` (n, C, *grid) and maybe `target`; measured after every epoch
        without random codes.
    validates_damaged : whether they are damaged for that, always by the same seed: so where undoing the damage is what
        is to be learned, and not where it only keeps the network from learning samples by heart.
    snapshots : of `network`; where they are given, the network ends with the weights that they choose, also where
        training stops early.
    seed : of the batches' order, the damage and random codes; torch's global random state is left alone.
    bfloat16 : multiply matrices in numbers of 16 bits in the steps, see `has_fast_bfloat16`; the weights, the loss and
        all that is measured keep 32.

    Raises
    ------
    TrainingError : when the loss is no longer finite; the network then holds the last good weights.

    Examples
    --------
    >>> from narrows.training.optim import Adam, OneCycle
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)",
    ...     corruption="none", loss="mse", scaling="standard")
    >>> stream = Stream(torch.eye(4), batch_size=2)
    >>> rows = list(train(network, stream, Budget(6), optimizer=Adam(), schedule=OneCycle()))
    >>> [row.epoch for row in rows if row.epoch_ends]
    [1, 2, 3]
    """
    products = torch.autocast(network.device.type, torch.bfloat16, enabled=bfloat16)
    state = State(
        optimizer.build(network.parameters()),
        order=Generator().manual_seed(seed),
        chance=Generator(network.device).manual_seed(seed),
    )
    shadow = _validation_share(stream, validation)
    kept = Snapshots(network) if snapshots is None else snapshots
    share = validation or {}
    chooses = snapshots is not None and bool(share)
    stops_early = not schedule.ends and validation is not None
    began = warm = epoch_began = time.perf_counter()
    damage_seed = seed if validates_damaged else None
    if chooses:
        kept.keep_start(validate(network, seed=damage_seed, **_thinned(share)))
    try:
        while state.step < budget.steps and not (stops_early and kept.are_stale(state.epoch)):
            state.epoch += 1
            squares, seen = torch.zeros((), dtype=torch.float64, device=network.device), 0
            network.train()
            for batch in stream.batches(state.order):
                rate = optimizer.rate * schedule.factor(state.step / budget.steps)
                squares += _step(network, batch, state, rate, products)
                seen += len(batch["x"])
                if state.step == WARM_STEPS:
                    warm = _now(squares)
                if state.step == MEASURED_STEPS and budget.max_seconds < math.inf:
                    now = _now(squares)
                    budget.cut(state.step, now - began, (1 + shadow) * (now - warm) / (state.step - WARM_STEPS))
                is_last = state.step >= budget.steps
                epoch_ends = is_last or (
                    seen == len(stream) and state.epoch % _row_every(budget, stream, schedule) == 0
                )
                if epoch_ends or state.step % READ_EVERY == 0:
                    train_mse = squares.item() / seen
                    kept.keep_good(state.step, train_mse)
                    val_mse = None
                    if epoch_ends and validation is not None:
                        errors = validate(network, seed=damage_seed, **share)
                        kept.keep_best(state, errors)
                        val_mse = errors.mean().item()
                    now = time.perf_counter()
                    if budget.was_cut and state.step < budget.steps and (epoch_ends or state.epoch == 1):
                        ahead = 0 if epoch_ends else shadow  # what the validation costs is then in the clock
                        budget.cut(state.step, now - began, (1 + ahead) * (now - warm) / (state.step - WARM_STEPS))
                    yield Progress(
                        step=state.step,
                        steps=budget.steps,
                        epoch=state.epoch,
                        seconds=now - began,
                        samples=state.samples,
                        train_mse=train_mse,
                        val_mse=val_mse,
                        epoch_ends=epoch_ends,
                        epoch_seconds=now - epoch_began,
                    )
                    epoch_began = now if epoch_ends else epoch_began
                    network.train()  # whoever used it may have left it otherwise
                if state.step >= budget.steps:
                    break
    except TrainingError:
        kept.last_step = state.step  # what is kept is chosen from what was measured before
        raise
    finally:
        if chooses and state.step:
            if state.step > kept.last_step:  # it stopped early
                kept.keep_good(state.step)
                kept.keep_best(state, validate(network, seed=damage_seed, **share))
            kept.choose(prefer_last=not stops_early)
    if stops_early and not chooses:
        kept.restore_best()


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
        """Remember the errors (n,) of the start on a part of the validation share, see `_thinned`."""
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

    def keep_best(self, state: State, errors: Tensor) -> None:
        """Remember the weights as the best where the mean of `errors` (n,) is the lowest; raise if it is not finite."""
        val_mse = errors.mean().item()
        if not math.isfinite(val_mse):
            raise TrainingError(
                f"the error of the validation share is not finite at step {state.step}, so training stops; look there "
                f"for values far from all others, or scale the data (scaling='auto')"
            )
        self.last_errors, self.last_step = errors, state.step
        if val_mse < self.best_mse:
            self.best_mse, self.best, self.best_epoch = val_mse, self.good, state.epoch
            self.best_errors, self.best_step = errors, state.step

    def are_stale(self, epoch: int) -> bool:
        """Whether PATIENCE epochs passed without a better validation error."""
        return epoch - self.best_epoch >= PATIENCE

    def restore_best(self) -> None:
        """Give the network the best weights."""
        self.network.load_state_dict(self.best)

    def join(self, others: Snapshots) -> None:
        """Add the errors of another training on other parts of the same samples, and forget the epochs between."""
        self.start_errors = torch.cat([self.start_errors, others.start_errors])
        self.last_errors = torch.cat([thin(self.last_errors), thin(others.last_errors)])
        self.best_errors, self.best, self.best_step = self.last_errors, self.good, self.last_step

    def choose(self, prefer_last: bool = True) -> None:
        """Give the network the weights of the least validation error, as far as the share can tell them apart.

        The last weights stay unless earlier ones are better (`prefer_last`), and the start comes back unless what is
        left is better than it: each time as `is_lower` says.
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

    A sample with a wild value, which neither explains, does not decide.

    Examples
    --------
    >>> others = torch.tensor([1.0, 2.0, 3.0, 4.0])
    >>> is_lower(others - 0.1, others), is_lower(others + torch.tensor([0.5, -1.0, 0.6, -0.5]), others)
    (True, False)
    """
    count = len(errors)
    if count < 2:
        return False
    most = torch.maximum(WILD * others.median(), others.mean())  # the mean, where half of them are about 0
    gain = others.clamp_max(most) - errors.clamp_max(most)
    sure = SURE * (count + 1) / (count - 1)  # of few samples the standard error itself is not known well
    return bool(gain.mean() > sure * gain.std() / math.sqrt(count))


def thin(rows: Tensor) -> Tensor:
    """Return at most START_ROWS of the rows of a validation share, at equal distances."""
    return rows[:: -(-len(rows) // START_ROWS)]


def _thinned(validation: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the rows of a validation share on which the start is measured, before any step is taken."""
    return {key: thin(rows) for key, rows in validation.items()}


def _row_every(budget: Budget, stream: Stream, schedule: Schedule) -> int:
    """Return after how many epochs one is measured: each one where the schedule does not say when it ends."""
    return -(-budget.steps // (ROWS * stream.steps_per_epoch)) if schedule.ends else 1


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies matrices of bfloat16 in hardware: two to three times as fast as of float32.

    Examples
    --------
    >>> isinstance(has_fast_bfloat16(torch.device("cpu")), bool)
    True
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu.get_capabilities().get("avx512_bf16", False)


@torch.no_grad()
def validate(network: Network, x: Tensor, seed: int | None, target: Tensor | None = None) -> Tensor:
    """Return the MSE (n,) per value of samples `x` (n, C, *grid), float64.

    They are damaged by `seed`, or not at all, and codes that draw chance give their mean.
    """
    chance = None if seed is None else Generator(network.device).manual_seed(seed)
    network.eval()
    errors = []
    for rows, wanted in zip(
        *(values.split(16 * BLOCK_ROWS) for values in (x, x if target is None else target)), strict=True
    ):
        clean, damaged, _ = network.damage(rows, chance)
        clean = clean if target is None else network.scaling(wanted)
        errors.append((network.restore(damaged) - clean).square().flatten(1).mean(1))
    network.train()
    return torch.cat(errors).double().cpu()


def _step(network: Network, batch: dict[str, Tensor], state: State, rate: float, products: torch.autocast) -> Tensor:
    """Take one step and return the sum of the batch's MSE, still on the device."""
    with products:
        cost = network(**batch, generator=state.chance)
    network.zero_grad(set_to_none=True)
    cost.total.mean().backward()
    state.optimizer.step(rate)
    state.step += 1
    state.samples += len(batch["x"])
    return cost.mse.sum()


def _validation_share(stream: Stream, validation: Mapping[str, Tensor] | None) -> float:
    """Return what an epoch's validation costs, in seconds per second of its steps (a forward pass is a third)."""
    return 0 if validation is None else len(validation["x"]) / (3 * len(stream))


def _now(squares: Tensor) -> float:
    """Return the clock once the device has done its work."""
    squares.item()
    return time.perf_counter()

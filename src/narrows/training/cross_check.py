"""More trainings on other parts of few samples, where one validation share cannot say whether PCA is better."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from narrows.errors import TrainingError
from narrows.training.loop import Progress
from narrows.training.snapshots import Snapshots

MAX_SAMPLES = 500  # more take long to train on again
MAX_WEIGHTS = 500_000  # the same of a network
ENOUGH_ERRORS = 50  # samples of a validation share that say it
REPEATS, SEED_STEP = 3, 1_000_003  # trainings on other parts, and between their seeds
TRAININGS = REPEATS + 1  # beside the first: these, and one on all samples


class Training(NamedTuple):
    """One more training: its progress, and the snapshots of its network."""

    progress: Iterator[Progress]
    snapshots: Snapshots


def is_due(snapshots: Snapshots, samples: int) -> bool:
    """Return whether a training on `samples` that ended as `snapshots` say should be checked."""
    network, is_close = snapshots.network, snapshots.kept_step in (0, snapshots.last_step)
    weights = sum(p.numel() for p in network.parameters())
    is_small = len(snapshots.start_errors) < ENOUGH_ERRORS and samples <= MAX_SAMPLES and weights <= MAX_WEIGHTS
    return is_close and is_small and network.backbone.starts_as_pca


def cross_check(
    snapshots: Snapshots, first: Progress, seed: int, train_again: Callable[..., Training]
) -> Generator[Progress, None, dict[str, Tensor] | None]:
    """Train again on other parts, choose the weights of `snapshots` by all errors, and yield the progress in all.

    The errors of the start and of the end of each training join those of the first validation share. Where the weights
    that are then chosen are learned ones, a last training learns from all samples, and the generator returns its
    weights; else None. A training that fails ends the check, and what was chosen before stays.

    Parameters
    ----------
    snapshots : of the first training.
    first : the last progress of the first training.
    seed : of the first training.
    train_again : begins a training with `seed=` and maybe `validation=`, and returns it.
    """
    try:
        for i in range(1, REPEATS + 1):
            other = train_again(seed=(seed + i * SEED_STEP) % 2**63)
            yield from (_overall(progress, first, i) for progress in other.progress)
            snapshots.join(other.snapshots)
        snapshots.choose()
        if not snapshots.kept_step:
            return None
        last = train_again(seed=seed, validation=0)
        yield from (_overall(progress, first, TRAININGS) for progress in last.progress)
        return last.snapshots.network.state_dict()
    except TrainingError:
        return None


def _overall(progress: Progress, first: Progress, before: int) -> Progress:
    """Return the progress in all trainings, from that in one which comes after `before` others."""
    done, steps = before * progress.steps + progress.step, (1 + TRAININGS) * progress.steps
    seen, seconds = first.samples * before + progress.samples, first.seconds * before + progress.seconds
    return replace(progress, step=done, steps=steps, samples=seen, seconds=seconds, epoch_ends=False, val_mse=None)

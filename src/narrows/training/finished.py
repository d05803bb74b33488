"""A finished training: its model with a card of what was measured, and what people are told of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narrows import __version__
from narrows.batch import Batch
from narrows.card import MAX_TEXT, QUANTILES, Card, as_given
from narrows.data.crops import Crops
from narrows.data.layout import to_samples
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.model.inference import LARGE_SAMPLE
from narrows.model.network import Network, as_tensor
from narrows.model.settings import default_settings
from narrows.modelfile import Model
from narrows.training.pca_baseline import describe_kept, is_comparable, measure_pca, take_samples
from narrows.training.plan import Plan
from narrows.training.prepare import set_weights
from narrows.training.run import Run

VARIANCE_VALUES = 2**26  # of training samples that the columns' variances are measured on
MOST_REFERENCE = 200_000  # samples that plain methods on the page learn from
REFERENCE_VALUES = 2**26  # of large ones among these, 64 at least
SHOWN_VALUES = 2**24  # of large samples that are shown, 4 of them at least


@dataclass(frozen=True, eq=False)
class Finished:
    """The end of a training.

    Attributes
    ----------
    model : the network and its card.
    kept : a line on the weights that were kept instead of the last ones; "" if these were.
    warnings : lines that say where PCA is better, or the outputs hardly vary.
    held_out : the held-out samples; None where there are none, or where the network has learned from them in the end.
    held_out_index : their indices among all samples; none of validation data that a person gave.
    """

    model: Model
    kept: str
    warnings: tuple[str, ...]
    held_out: Batch | None
    held_out_index: tuple[int, ...]


@default_settings()
def finish(run: Run) -> Finished:
    """End a run, measure its network and return it with its card.

    A named data set with a test split is measured on it here, and only here. Where the model learns from the held-out
    samples in the end, its network is another one than the run's.
    """
    run.close()
    plan, network = run.plan, run.network.eval()
    some = take_samples(plan.split.source, network, plan.seed)
    metrics, quantiles = _measure(run)
    warnings = _compare_with_pca(run, metrics, some)
    most = max(2, VARIANCE_VALUES // network.values)
    card = Card(
        layout=plan.layout.kind if plan.samples.axes is None else plan.samples.axes.layout,
        dtype=plan.samples.x.dtype.name,
        columns=plan.samples.columns and tuple(map(_printable, plan.samples.columns)),
        reading=plan.samples.reading,
        origin=_printable(plan.samples.origin),
        recipe=_describe_recipe(run),
        metrics=metrics,
        error_quantiles=quantiles,
        variances=tuple(network.scaling.variances(some[:most].to(network.device)).tolist()),
        given=_describe_given(plan.asked),
        history=tuple(map(_as_row, run.history)),
        table=plan.samples.table,
    )
    kept, steps = _kept_step(run), 0 if run.last is None else run.last.step
    line = describe_kept(kept, steps, network, plan.held_out_name) if kept is not None and kept < steps else ""
    if (learned := _learn_from_all(run)) is not None:
        return Finished(Model(learned, card), line, warnings, None, ())
    return Finished(Model(network, card), line, warnings, plan.split.held_out, tuple(plan.split.held_out_index))


def find_examples(plan: Plan, finished: Finished) -> tuple[str, Samples, np.ndarray]:
    """Return samples to show a person, best those never trained on, and what plain methods may learn from.

    The first value names their part of the data: "test", "validation" or "training". The last one is an array in
    the user's layout, without the samples to show unless there are no others. Validation data that a person gave are
    shown before all others. Of a large validation share of large pictures, some are shown.
    """
    given, index = plan.samples, list(finished.held_out_index)
    x = _as_user_array(plan, given)
    if plan.validation_data is not None:
        return "validation", replace(plan.validation_data, x=_as_user_array(plan, plan.validation_data)), x
    if given.test is not None:
        test = _read_test(plan)
        return "test", replace(test, x=_as_user_array(plan, test)), x
    if not index:
        return "training", replace(given, x=x), x
    others, most, values = np.delete(np.arange(len(x)), index), MOST_REFERENCE, math.prod(plan.split.source.shape)
    if values > LARGE_SAMPLE:  # a page on as many would take minutes
        index, most = index[: max(4, SHOWN_VALUES // values)], max(64, REFERENCE_VALUES // values)
    labels = None if given.labels is None else given.labels[index]
    names = None if given.names is None else tuple(given.names[i] for i in index)
    some = others[:: -(-len(others) // most)]  # a copy of very many samples would take as much memory again
    return "validation", replace(given, x=x[index], labels=labels, names=names), x[some]


def _measure(run: Run) -> tuple[dict[str, float], tuple[float, ...]]:
    """Return the metrics of the network, and the quantiles of its errors on the held-out samples."""
    plan, network = run.plan, run.network
    metrics = {} if run.last is None else {"train_mse": run.last.train_mse}
    quantiles: tuple[float, ...] = ()
    if plan.split.held_out is not None:
        errors = _errors(network, plan.split.held_out)
        metrics["validation_mse"] = errors.mean().item()
        quantiles = tuple(errors.quantile(torch.tensor(QUANTILES, dtype=torch.float64)).tolist())
    if plan.samples.test is not None:
        test, _ = to_samples(_as_user_array(plan, _read_test(plan)), network.shape)
        metrics["test_mse"] = _errors(network, Batch(as_tensor(test))).mean().item()
    return metrics, quantiles


def _compare_with_pca(run: Run, metrics: dict[str, float], some: Tensor) -> tuple[str, ...]:
    """Add PCA's error on the held-out samples to `metrics`, and return lines that say where PCA is better.

    `some` are training samples, to which PCA is fitted.
    """
    plan, network = run.plan, run.network
    held_out = plan.split.held_out
    if held_out is None or plan.split.target is not None or not is_comparable(network):
        return ()
    pca = measure_pca(network, some, held_out.x)
    metrics["pca_mse"] = pca.mse
    return () if plan.undoes_damage else tuple(pca.complaints(metrics["validation_mse"], plan.held_out_name))


def _learn_from_all(run: Run) -> Network | None:
    """Return a network that learned from the held-out samples too, where PCA is kept or by the cross-check; or None.

    Nothing learns from validation data that a person gave.
    """
    if run.plan.validation_data is not None:
        return None
    is_pca = _kept_step(run) == 0 and run.network.backbone.starts_as_pca
    if not is_pca and run.retrained is None:
        return None
    network = copy.deepcopy(run.network)
    if is_pca or run.retrained is None:
        set_weights(network, *run.plan.whole, run.plan.seed, run.plan.max_seconds)
    else:
        network.load_state_dict(run.retrained)
    return network.eval()


def _kept_step(run: Run) -> int | None:
    """Return the step whose weights were chosen, None where none were."""
    return None if run.snapshots is None else run.snapshots.kept_step


def _read_test(plan: Plan) -> Samples:
    """Return the test split of a named set, cut into crops where the training data are."""
    source = plan.split.source
    return read(plan.samples.test, patch_size=source.shape[-1] if isinstance(source, Crops) else None)


def _errors(network: Network, batch: Batch) -> Tensor:
    """Return the MSE (N,) of samples in user's units, undamaged, in model's units, float64."""
    both = batch.x if batch.target is None else torch.cat([batch.x, batch.target], 1)  # blocks are cut out of one
    pair = 1 if batch.target is None else 2
    return network.in_blocks(lambda rows: network.errors(*rows.chunk(pair, 1)), both)


def _as_user_array(plan: Plan, samples: Samples) -> np.ndarray:
    """Return samples as an array in the user's layout: the middle of every picture that is cut into crops."""
    return samples.x if isinstance(samples.x, np.ndarray) else plan.layout.back(samples.x.centres().numpy())


def _describe_recipe(run: Run) -> dict[str, Any]:
    """Return how it was trained, by the keys of a card's recipe."""
    plan, last, given = run.plan, run.last, run.plan.validation_data
    return {
        "preset": plan.preset,
        "as_published": plan.as_published,
        "self_supervised": plan.is_self_supervised,
        "patch_size": plan.split.source.shape[-1] if isinstance(plan.split.source, Crops) else None,
        "paired": plan.split.target is not None,
        "optimizer": repr(plan.optimizer),
        "schedule": repr(plan.schedule),
        "batch_size": plan.batch_size,
        "bfloat16": plan.bfloat16,
        "steps": 0 if last is None else last.step,
        "steps_asked": run.budget.requested,
        "was_cut": run.budget.was_cut,
        "kept_step": _kept_step(run),
        "validated_damaged": plan.undoes_damage,
        "epochs": 0 if last is None else last.epoch,
        "seconds": 0.0 if last is None else last.seconds,
        "train_samples": len(plan.split.source),
        "validation_samples": len(plan.split.held_out_index if given is None else given.x),
        "validation_data": None if given is None else _printable(given.origin or "given"),
        "seed": plan.seed,
        "device": plan.device.type,
        "narrows": __version__,
    }


def _describe_given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that a plan was given, by the names that `Autoencoder` has for them."""
    options = {name: value for name, value in asked.items() if name not in ("checks", "shape", "seed")}
    if asked["shape"] is not None:
        channels, *grid = asked["shape"]
        options["shape"] = grid if channels == 1 else [*grid, channels]
    return as_given({**options, "random_state": asked["seed"]})


def _as_row(row: Mapping[str, Any]) -> tuple[float | None, ...]:
    """Return an epoch of the history; what is not finite is None."""
    values = (row[key] for key in ("epoch", "train_mse", "val_mse", "seconds"))
    return tuple(v if v is not None and np.isfinite(v) else None for v in values)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_TEXT]

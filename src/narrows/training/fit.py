"""One training, from samples and texts to a trained model; command line and estimator only call it."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from narrows import __version__
from narrows.data.crops import Crops
from narrows.data.layout import to_samples
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.data.stream import Stream
from narrows.errors import did_you_mean
from narrows.model.bottleneck import PositionedBottleneck
from narrows.model.network import MENUS, as_tensor
from narrows.model.settings import default_settings
from narrows.model.summary import column_variances, describe_code
from narrows.modelfile import QUANTILES, Card, Model
from narrows.recipe import Recipe
from narrows.spec import DEPRECATED, MAX_LENGTH, build, check_whole, take_renamed
from narrows.training.budget import MIN_SECONDS, choose_budget
from narrows.training.choose import (
    SCHEDULE,
    check_learnable,
    choose_batch_size,
    choose_optimizer,
    convolves,
    find_device,
)
from narrows.training.cross_check import TRAININGS, Training, cross_check, is_due
from narrows.training.loop import Progress, has_fast_bfloat16, train
from narrows.training.optim import OPTIMIZERS, SCHEDULES
from narrows.training.pca_baseline import describe_kept, is_comparable, measure_pca, take_samples
from narrows.training.prepare import build_network, find_target_positions, set_weights
from narrows.training.resolve import find_recipe, resolve
from narrows.training.self_distillation import train_twice
from narrows.training.snapshots import Snapshots
from narrows.training.split import arrange, count_held_out, split

MAX_BATCH = 2**20
BFLOAT16_WEIGHTS = 100_000  # fewer weights are not multiplied faster in 16 bits
BFLOAT16_SIDE = 16  # of smaller pictures a strided convolution in 16 bits makes infinities on CPUs (PyTorch 2.13)


class Fit:
    """One training: the constructor resolves what is left open, iterating trains, `finish` returns the model.

    Parameters
    ----------
    samples : what to learn.
    preset : a name in PRESETS, or None.
    parts : texts for `backbone`, `bottleneck`, `corruption`, `loss`, `scaling`; None or "auto" is resolved. What is
        given wins over the preset, the preset over "auto".
    shape : the model's sample shape (C, *grid) where the data do not show it (pictures in flat rows).
    epochs : passes over the training samples; None takes the preset's, or a rule.
    max_steps : a cap on the steps.
    optimizer, schedule : as texts, `"adamw(1e-3)"`, `"constant"`; None takes the preset's, or a rule.
    batch_size : samples of a step; None takes the preset's, or a rule.
    bfloat16 : whether matrices are multiplied in numbers of 16 bits; None where that is faster.
    max_seconds : a cap on training, setting the weights included; None is 300, or no cap where `as_published`.
    validation : share of the samples kept out of training, at most 0.9; None is a tenth.
    patch_size : pictures larger than this are trained on in patches of this side, cut at random; None takes the
        preset's. Its former name, `crop`, warns.
    self_supervised : learn to restore from noisy pictures alone, by the preset "denoise" and in two parts, see
        `train_twice`; with "blind_spots" given as corruption, the first part is all.
    as_published : train to the letter as the preset's source did: its batch, rate, order and initialisation, on all
        samples.
    seed : of everything random; torch's global random state is left alone.
    device : "auto", "cpu", "cuda" or "cuda:N".
    checks : whether few samples are trained on again, see `cross_check`.

    Attributes
    ----------
    network : the network, in training.
    texts : the resolved text of every part.
    is_self_supervised : whether it learns from its own restorations after blind spots, see `train_twice`.
    notes : lines that say what was decided.
    kept : once it is finished, a line on the weights that were kept instead of the last ones; "" if these were.
    warnings : once it is finished, lines that say where PCA is better, or the outputs hardly vary.
    history : a dict per epoch that was measured, 40 at most: epoch, train_mse, val_mse, seconds since the one before.

    Raises
    ------
    DataError : for data that nothing can be learned from.
    SpecError : for a part, preset or option that is not one.

    Examples
    --------
    >>> import numpy as np
    >>> fit = Fit(read(np.random.default_rng(0).normal(size=(64, 4))), bottleneck="linear(2)", epochs=3)
    >>> model = fit.run()
    >>> len(fit.history), model.card.recipe["steps"]
    (3, 24)
    """

    def __init__(
        self,
        samples: Samples,
        *,
        preset: str | None = None,
        shape: tuple[int, ...] | None = None,
        epochs: int | None = None,
        max_steps: int | None = None,
        max_seconds: float | None = None,
        optimizer: str | None = None,
        schedule: str | None = None,
        batch_size: int | None = None,
        bfloat16: bool | None = None,
        validation: float | None = None,
        patch_size: int | None = None,
        self_supervised: bool = False,
        as_published: bool = False,
        seed: int = 0,
        device: str = "auto",
        checks: bool = True,
        crop: Any = DEPRECATED,
        **parts: str | None,
    ) -> None:
        patch_size = take_renamed("crop", crop, "patch_size", patch_size)
        self.options: dict[str, Any] = {"preset": preset, "shape": shape, "epochs": epochs, "max_seconds": max_seconds}
        self.options |= {"max_steps": max_steps, "optimizer": optimizer, "schedule": schedule}
        self.options |= {"batch_size": batch_size, "bfloat16": bfloat16}
        self.options |= {"validation": validation, "patch_size": patch_size, "self_supervised": self_supervised}
        self.options |= {"as_published": as_published, "device": device, **parts}
        self.checks = checks
        self.preset = "denoise" if self_supervised and preset is None else preset
        self.as_published = as_published
        self.seed = check_whole("seed", seed, 0, 2**63 - 1)
        self.device = find_device(device)
        self.notes: list[str] = []
        self.kept = ""
        self.retrained: dict[str, Tensor] | None = None
        self.finished: Model | None = None
        self.warnings: list[str] = []
        self.history: list[dict[str, float | None]] = []
        self.last: Progress | None = None
        self.training: Any = None  # the loop's generator, once it runs
        recipe = find_recipe(self.preset, as_published)
        given = {"epochs": epochs, "max_steps": max_steps, "batch_size": batch_size, "bfloat16": bfloat16}
        recipe = recipe.given(**given, optimizer=optimizer, schedule=schedule, patch_size=patch_size)
        with default_settings():
            recipe = self._arrange(samples, recipe, shape, validation)
            self._resolve(recipe, parts, self_supervised)
            self._prepare(recipe, max_seconds)

    def _arrange(
        self,
        samples: Samples,
        recipe: Recipe,
        shape: tuple[int, ...] | None,
        validation: float | None,
    ) -> Recipe:
        """Keep the samples, split; return the recipe with what a preset says of pictures, where they are some."""
        self.samples = samples if recipe.patch_size is None else read(samples, patch_size=recipe.patch_size)
        source, self.layout = arrange(self.samples.x, shape)
        target = None if self.samples.target is None else arrange(self.samples.target, shape)[0]
        check_learnable(source)
        self.whole = source, target
        count = 0 if self.as_published and validation is None else count_held_out(len(source), validation)
        parts = split(source, target, count, self.seed, self.device)
        self.source, self.target = parts.source, parts.target
        self.held_out, self.held_out_index = parts.held_out, parts.held_out_index
        return recipe.for_pictures() if len(source.shape) == 3 else recipe

    def _resolve(self, recipe: Recipe, given: dict[str, str | None], self_supervised: bool) -> None:
        """Keep the text of every part."""
        if unknown := set(given) - set(MENUS):
            name = unknown.pop()
            raise TypeError(
                f"training has no option {name!r}; {did_you_mean(name, [*MENUS, *inspect.signature(Fit).parameters])}"
            )
        resolved = resolve(self.source, self.target, recipe, given, self_supervised)
        self.texts = resolved.texts
        self.notes += resolved.notes
        self.is_self_supervised, self.undoes_damage = resolved.is_self_supervised, resolved.undoes_damage

    def _prepare(self, recipe: Recipe, max_seconds: float | None) -> None:
        """Make all that the loop takes: the network with its weights set, batches, optimizer, schedule and budget."""
        began = time.perf_counter()
        self.network = build_network(self.source, self.texts, self.seed, self.device)
        if not self.as_published:
            set_weights(self.network, self.source, self.target, self.seed)
        self.notes.append(f"code: {describe_code(self.network)}")
        positions = find_target_positions(self.network, self.source, self.target, self.seed)
        self.texts = self.network.texts  # where the bottleneck's weight was set
        start_seconds = time.perf_counter() - began
        self.schedule = build(recipe.schedule or SCHEDULE, SCHEDULES, "schedule")
        pixels = math.prod(self.network.shape[1:]) if self.network.backbone.adds_input else 1
        visits = len(self.source.visits)
        batch_size = choose_batch_size(visits, recipe.epochs, convolves(self.network), pixels)
        if recipe.batch_size is not None:
            batch_size = check_whole("batch_size", recipe.batch_size, 1, MAX_BATCH)
        self.stream = Stream(self.source, batch_size, not self.as_published, self.target, self.device, positions)
        rule = choose_optimizer(self.network, self.stream.batch_size)
        self.optimizer = build(recipe.optimizer or rule, OPTIMIZERS, "optimizer")
        self.budget = choose_budget(recipe, self.stream, max_seconds, not self.as_published, start_seconds)
        self.snapshots = Snapshots(self.network)
        is_large = sum(p.numel() for p in self.network.parameters()) >= BFLOAT16_WEIGHTS
        is_thin = len(self.source.shape) == 3 and min(self.source.shape[1:]) < BFLOAT16_SIDE
        is_faster = is_large and not (is_thin or self.as_published) and has_fast_bfloat16(self.device)
        self.bfloat16 = is_faster if recipe.bfloat16 is None else recipe.bfloat16

    def __iter__(self) -> Iterator[Progress]:
        """Train, yielding the progress; after each the network is usable, and iterating may stop."""
        steps = self._train()
        try:
            while True:
                with default_settings():  # not while whoever iterates is at work
                    progress = next(steps, None)
                if progress is None:
                    return
                yield progress
        finally:
            with default_settings():
                steps.close()

    def _train(self) -> Generator[Progress, None, None]:
        has_positions = isinstance(self.network.bottleneck, PositionedBottleneck)  # of these the MSE tells too little
        chooses = not (self.is_self_supervised or self.as_published or has_positions)
        options: dict[str, Any] = {"validates_damaged": self.undoes_damage}
        options |= {"snapshots": self.snapshots} if chooses else {}
        self.training = (train_twice if self.is_self_supervised else train)(
            self.network,
            self.stream,
            self.budget,
            optimizer=self.optimizer,
            schedule=self.schedule,
            validation=self.held_out,
            seed=self.seed,
            bfloat16=self.bfloat16,
            **options,
        )
        for progress in self.training:
            self._record(progress)
            yield progress
        if self.checks and self.finished is None:
            yield from self._cross_check()

    def _record(self, progress: Progress) -> None:
        """Keep the progress, and a row of the history where an epoch ends."""
        self.last = progress
        if progress.epoch_ends:
            row = {"epoch": progress.epoch, "train_mse": progress.train_mse, "val_mse": progress.val_mse}
            self.history.append(row | {"seconds": progress.epoch_seconds})

    def _cross_check(self) -> Generator[Progress, None, None]:
        """Train again on other parts where that is due and there is time for it, see `cross_check`."""
        if self.last is None or not is_due(self.snapshots, len(self.whole[0])):
            return
        left = self.budget.max_seconds - self.budget.spent - self.last.seconds
        if left < TRAININGS * max(self.last.seconds, MIN_SECONDS):
            return
        cap = None if left == math.inf else left / TRAININGS

        def train_again(**changes: Any) -> Training:
            fit = Fit(self.samples, **self.options | {"max_seconds": cap, "checks": False} | changes)
            return Training(iter(fit), fit.snapshots)

        self.retrained = yield from cross_check(self.snapshots, self.last, self.seed, train_again)

    def run(self) -> Model:
        """Train to the end and return the model."""
        for _ in self:
            pass
        return self.finish()

    def finish(self) -> Model:
        """Measure the network as it is now and return it with its card.

        A named data set with a test split is measured on it here, and only here.
        """
        if self.finished is None:
            with default_settings():
                self.finished = self._finish()
        return self.finished

    def _finish(self) -> Model:
        if self.training is not None:
            self.training.close()  # then the weights to keep are chosen
        self.network.eval()
        some = take_samples(self.source, self.network.code_size, self.seed)
        metrics, quantiles = self._measure(some)
        card = Card(
            layout=self.layout.kind,
            dtype=self.samples.x.dtype.name,
            columns=self.samples.columns and tuple(map(_printable, self.samples.columns)),
            reading=self.samples.reading,
            origin=_printable(self.samples.origin),
            recipe=self._recipe_done(),
            metrics=metrics,
            error_quantiles=quantiles,
            variances=column_variances(some),
        )
        self._learn_from_all()
        return Model(self.network, card)

    def _measure(self, some: Tensor) -> tuple[dict[str, float], tuple[float, ...]]:
        """Return the metrics of the network, and the quantiles of its errors on the held-out samples.

        `some` are training samples, to which PCA is fitted.
        """
        metrics = {} if self.last is None else {"train_mse": self.last.train_mse}
        quantiles: tuple[float, ...] = ()
        if self.held_out is not None:
            errors = self._errors(**self.held_out)
            metrics["validation_mse"] = errors.mean().item()
            quantiles = tuple(errors.quantile(torch.tensor(QUANTILES, dtype=torch.float64)).tolist())
            self._compare_with_pca(metrics, some)
        if self.samples.test is not None:
            test, _ = to_samples(self._as_user_array(self._test()), self.network.shape)
            metrics["test_mse"] = self._errors(as_tensor(test)).mean().item()
        return metrics, quantiles

    def _compare_with_pca(self, metrics: dict[str, float], some: Tensor) -> None:
        """Add PCA's error on the held-out samples to `metrics`, and say what was kept and where PCA is better."""
        kept, steps = self.snapshots.kept_step, 0 if self.last is None else self.last.step
        if kept is not None and kept < steps:
            self.kept = describe_kept(kept, steps, self.network)
        if self.held_out is not None and self.target is None and is_comparable(self.network):
            pca = measure_pca(self.network, some, self.held_out["x"])
            metrics["pca_mse"] = pca.mse
            self.warnings = [] if self.undoes_damage else pca.complaints(metrics["validation_mse"])

    def _learn_from_all(self) -> None:
        """Learn from the held-out samples too, once they were measured: where PCA is kept, or by the cross-check."""
        if self.snapshots.kept_step == 0 and self.network.backbone.starts_as_pca:
            set_weights(self.network, *self.whole, self.seed)
        elif self.retrained is not None:
            self.network.load_state_dict(self.retrained)
        else:
            return
        self.held_out, self.held_out_index = None, []

    def examples(self) -> tuple[str, Samples, np.ndarray]:
        """Return samples to show a person, best those never trained on, and what plain methods may learn from.

        The first value names their part of the data: "test", "validation" or "training". The last one is an array in
        the user's layout, without the samples to show unless there are no others.
        """
        given, index = self.samples, self.held_out_index
        x = self._as_user_array(given)
        if given.test is not None:
            test = self._test()
            return "test", replace(test, x=self._as_user_array(test)), x
        if not index:
            return "training", replace(given, x=x), x
        labels = None if given.labels is None else given.labels[index]
        names = None if given.names is None else tuple(given.names[i] for i in index)
        return "validation", replace(given, x=x[index], labels=labels, names=names), np.delete(x, index, axis=0)

    def _test(self) -> Samples:
        """Return the test split of a named set, cut into crops where the training data are."""
        return read(self.samples.test, patch_size=self.source.shape[-1] if isinstance(self.source, Crops) else None)

    def _errors(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Return the MSE (N,) of samples in user's units, undamaged, in model's units, float64."""
        both = x if target is None else torch.cat([x, target], 1)  # blocks are cut out of one tensor
        pair = 1 if target is None else 2
        return self.network.in_blocks(
            lambda rows: self.network.squared_error(*rows.chunk(pair, 1)).flatten(1).mean(1), both
        )

    def _as_user_array(self, samples: Samples) -> np.ndarray:
        """Return samples as an array in the user's layout: the middle of every picture that is cut into crops."""
        return samples.x if isinstance(samples.x, np.ndarray) else self.layout.back(samples.x.centres().numpy())

    def _recipe_done(self) -> dict[str, Any]:
        """Return how it was trained, by the keys of a card's recipe."""
        return {
            "preset": self.preset,
            "as_published": self.as_published,
            "self_supervised": self.is_self_supervised,
            "optimizer": repr(self.optimizer),
            "schedule": repr(self.schedule),
            "batch_size": self.stream.batch_size,
            "bfloat16": self.bfloat16,
            "steps": 0 if self.last is None else self.last.step,
            "steps_asked": self.budget.requested,
            "kept_step": self.snapshots.kept_step,
            "validated_damaged": self.undoes_damage,
            "epochs": 0 if self.last is None else self.last.epoch,
            "seconds": 0.0 if self.last is None else self.last.seconds,
            "train_samples": len(self.source),
            "validation_samples": len(self.held_out_index),
            "seed": self.seed,
            "device": self.device.type,
            "narrows": __version__,
        }


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:MAX_LENGTH]

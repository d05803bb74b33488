"""Samples and texts -> a trained model: the one place; the shells only call it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from narrows import __version__
from narrows.data.crops import Crops
from narrows.data.layout import Layout, to_samples
from narrows.data.read import Samples, read
from narrows.data.stream import Rows, Source, Stream, take
from narrows.errors import SpecError, TrainingError
from narrows.model.backbone import choose_backbone
from narrows.model.bottleneck import PositionedBottleneck
from narrows.model.network import MENUS, Network, as_tensor, build_part
from narrows.model.scaling import choose_scaling
from narrows.model.summary import column_variances, describe_code
from narrows.modelfile import QUANTILES, Card, Model
from narrows.presets import find_preset
from narrows.spec import build, check_number, check_whole
from narrows.training.choose import (
    CROPS_TAKE,
    MAX_SECONDS,
    MOST_EPOCHS,
    check_learnable,
    choose_batch_size,
    choose_blind_loss,
    choose_code_size,
    choose_corruption,
    choose_optimizer,
    choose_steps,
    convolves,
    find_device,
    find_noise,
)
from narrows.training.loop import Budget, Progress, Snapshots, has_fast_bfloat16, train
from narrows.training.optim import OPTIMIZERS, SCHEDULES
from narrows.training.pca_baseline import choose_samples, describe_kept, is_comparable, measure_pca
from narrows.training.self_distillation import train_twice
from narrows.training.tsne import find_positions

SCHEDULE = "one_cycle(warmup=0.15)"
VALIDATION = 0.1  # the default share of the samples that is kept out of training
START_VALUES = 2**21  # values of the samples that the start of the weights is set by, 256 to 1024 of them
FEW_SAMPLES = 500  # that are soon trained on again
FEW_ERRORS = 50  # samples of a validation share that cannot tell PCA from what was learned
CHECKS, SEEDS_APART = 3, 1_000_003  # trainings on other parts of so few samples, and between their seeds
CHECKED_WEIGHTS = 500_000  # of a network that is soon trained again
BFLOAT16_WEIGHTS = 100_000  # fewer weights are not multiplied faster in 16 bits
BFLOAT16_SIDE = 16  # of smaller pictures a strided convolution in 16 bits makes infinities on CPUs (PyTorch 2.13)
BLIND_SPOTS = "blind_spots"
POSITIONS_WEIGHT = 0.5  # of the cost of codes away from their places, in variances of a sample
NOISY = 0.04  # of the range: noise above this is no fine texture


class Fit:
    """One training: resolves what is left open, then trains as it is iterated.

    Parameters
    ----------
    samples : what to learn.
    preset : a name in PRESETS, or None.
    parts : texts for `backbone`, `bottleneck`, `corruption`, `loss`, `scaling`; None or "auto" is resolved. What is
        given wins over the preset, the preset over `auto`.
    shape : the model's sample shape (C, *grid) where the data do not show it (pictures in flat rows).
    epochs : passes over the training samples; None takes the preset's, or a rule.
    max_seconds : a cap on training, the start of the weights included; None is 300, or none under `as_published`.
    validation : share of the samples kept out of training, at most 0.9; None is a tenth.
    crop : pictures larger than this are cut into crops of this side, each time elsewhere; None takes the preset's.
    self_supervised : learn to restore from noisy pictures alone, by the preset "denoise" and in two parts, see
        `train_twice`; with "blind_spots" given as corruption, the first part is all.
    as_published : train to the letter as the preset's source did: its batch, rate, order and initialisation, on all
        samples.
    seed : of everything random; torch's global random state is left alone.
    device : "auto", "cpu", "cuda" or "cuda:N".
    checks : whether few samples are trained on again in other parts, to tell PCA from what is learned.

    Attributes
    ----------
    network : the network, in training.
    texts : the resolved text of every part.
    relearns : whether it learns from its own restorations after its blind spots, see `train_twice`.
    notes : lines that say what was decided.
    kept : once it is finished, a line on the weights that were kept in place of the last ones; "" where these were.
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
        max_seconds: float | None = None,
        validation: float | None = None,
        crop: int | None = None,
        self_supervised: bool = False,
        as_published: bool = False,
        seed: int = 0,
        device: str = "auto",
        checks: bool = True,
        **parts: str | None,
    ) -> None:
        self.options: dict[str, Any] = {"preset": preset, "shape": shape, "epochs": epochs, "max_seconds": max_seconds}
        self.options |= {"validation": validation, "crop": crop, "self_supervised": self_supervised}
        self.options |= {"as_published": as_published, "device": device, **parts}
        self.checks = checks
        self.preset = "denoise" if self_supervised and preset is None else preset
        self.as_published = as_published
        self.seed = check_whole("seed", seed, 0, 2**63 - 1)
        self.device = find_device(device)
        self.notes: list[str] = []
        self.held_out: dict[str, Tensor] | None = None
        self.held_out_index: list[int] = []
        self.kept = ""
        self.retrained: dict[str, Tensor] | None = None
        self.finished: Model | None = None
        self.warnings: list[str] = []
        self.history: list[dict[str, float | None]] = []
        self.last: Progress | None = None
        self.training: Any = None  # the loop's generator, once it runs
        self.relearns = False
        recipe = self._find_recipe()
        side = recipe.get("crop") if crop is None else crop
        self.samples = samples if side is None else read(samples, crop=side)
        source, self.layout = arrange(self.samples.x, shape)
        target = None if self.samples.target is None else arrange(self.samples.target, shape)[0]
        check_learnable(source)
        if len(source.shape) == 3:
            recipe = recipe | recipe.get("pictures", {})
        self._split(source, target, validation)
        self.texts = self._resolve(recipe, parts, self_supervised)
        is_asked = (self.relearns or _is_given("corruption", recipe, parts)) and self.texts["corruption"] != "none()"
        self.undoes_damage = target is None and is_asked
        began = time.perf_counter()
        self.network = self._build()
        positions = self._find_positions()
        start_seconds = time.perf_counter() - began
        self.schedule = build(recipe["schedule"], SCHEDULES, "schedule")
        epochs = recipe.get("epochs") if epochs is None else check_whole("epochs", epochs, 1, 10**6)
        visits = len(self.source.visits)
        batch_size = recipe.get("batch_size") or choose_batch_size(visits, epochs, *_convolves(self.network))
        self.stream = Stream(self.source, batch_size, not as_published, self.target, self.device, positions)
        optimizer = recipe.get("optimizer") or choose_optimizer(self.network, self.stream.batch_size)
        self.optimizer = build(optimizer, OPTIMIZERS, "optimizer")
        self.budget = self._budget(recipe, epochs, max_seconds, start_seconds)
        self.snapshots = Snapshots(self.network)
        is_large = sum(p.numel() for p in self.network.parameters()) >= BFLOAT16_WEIGHTS
        is_thin = len(source.shape) == 3 and min(source.shape[1:]) < BFLOAT16_SIDE
        self.bfloat16 = is_large and not (is_thin or as_published) and has_fast_bfloat16(self.device)

    def __iter__(self) -> Iterator[Progress]:
        """Train, yielding where it stands; the network is usable after each, and when one stops early."""
        has_places = isinstance(
            self.network.bottleneck, PositionedBottleneck
        )  # whose worth the MSE alone does not tell
        chooses = not (self.relearns or self.as_published or has_places)
        options: dict[str, Any] = {"validates_damaged": self.undoes_damage}
        options |= {"snapshots": self.snapshots} if chooses else {}
        self.training = (train_twice if self.relearns else train)(
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
            self.last = progress
            if progress.epoch_ends:
                self.history.append(
                    {
                        "epoch": progress.epoch,
                        "train_mse": progress.train_mse,
                        "val_mse": progress.val_mse,
                        "seconds": progress.epoch_seconds,
                    }
                )
            yield progress
        if self.checks and self.finished is None:
            yield from self._cross_check()

    def _cross_check(self) -> Iterator[Progress]:
        """Train anew on other parts of few samples, where one validation share cannot tell PCA from what was learned.

        Their errors, of the start and of the end, join those of the first share, and the weights are chosen again.
        Where these are what was learned, a last training learns from all samples.
        """
        snapshots, last = self.snapshots, self.last
        weights = sum(p.numel() for p in self.network.parameters())
        few = snapshots.kept_step in (0, snapshots.last_step) and len(snapshots.start_errors) < FEW_ERRORS
        few = few and len(self.whole[0]) <= FEW_SAMPLES
        if last is None or not (few and self.network.backbone.starts_as_pca and weights <= CHECKED_WEIGHTS):
            return
        left = self.budget.max_seconds - self.budget.spent - last.seconds
        if left < (1 + CHECKS) * last.seconds:
            return
        options = self.options | {"max_seconds": None if left == math.inf else left / (1 + CHECKS), "checks": False}
        try:
            for i in range(1, CHECKS + 1):
                other = Fit(self.samples, **options | {"seed": (self.seed + i * SEEDS_APART) % 2**63})
                yield from (_later(progress, last, i) for progress in other)
                snapshots.join(other.snapshots)
            snapshots.choose()
            if snapshots.kept_step:
                whole = Fit(self.samples, **options | {"seed": self.seed, "validation": 0})
                yield from (_later(progress, last, CHECKS + 1) for progress in whole)
                self.retrained = whole.network.state_dict()
        except TrainingError:
            return  # what was chosen before stays

    def run(self) -> Model:
        """Train to the end and return the model."""
        for _ in self:
            pass
        return self.finish()

    def finish(self) -> Model:
        """Measure the network as it is now and return it with its card.

        A named set with a test split is measured on it, once, here.
        """
        if self.finished is not None:
            return self.finished
        if self.training is not None:
            self.training.close()  # the weights to keep are chosen then
        self.network.eval()
        some = choose_samples(self.source, self.network.code_size, self.seed)
        metrics = {} if self.last is None else {"train_mse": self.last.train_mse}
        quantiles: tuple[float, ...] = ()
        if self.held_out is not None:
            errors = self._errors(**self.held_out)
            metrics["validation_mse"] = errors.mean().item()
            levels = torch.tensor(QUANTILES, dtype=torch.float64)
            quantiles = tuple(errors.quantile(levels).tolist())
            self._look_beside(metrics, some)
        if self.samples.test is not None:
            test, _ = to_samples(self._shown(self._test()), self.network.shape)
            metrics["test_mse"] = self._errors(as_tensor(test)).mean().item()
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
        self.finished = Model(self.network, card)
        return self.finished

    def _learn_from_all(self) -> None:
        """Learn from what was kept out too, once the metrics are taken from it, where that is known not to harm.

        PCA, where it is kept, is fitted to all samples; what was trained anew on all of few takes the network's place.
        """
        if self.snapshots.kept_step == 0 and self.network.backbone.starts_as_pca:
            self._start(self.network, *self.whole)
        elif self.retrained is not None:
            self.network.load_state_dict(self.retrained)
        else:
            return
        self.held_out, self.held_out_index = None, []

    def _look_beside(self, metrics: dict[str, float], some: Tensor) -> None:
        """Add PCA's error on the held-out samples to `metrics`, and say what was kept and where PCA is better.

        `some` are training samples, which PCA learns from.
        """
        kept, steps = self.snapshots.kept_step, 0 if self.last is None else self.last.step
        if kept is not None and kept < steps:
            self.kept = describe_kept(kept, steps, self.network)
        if self.held_out is not None and self.target is None and is_comparable(self.network):
            beside = measure_pca(self.network, some, self.held_out["x"])
            metrics["pca_mse"] = beside.mse
            self.warnings = [] if self.undoes_damage else beside.complaints(metrics["validation_mse"])

    def examples(self) -> tuple[str, Samples, np.ndarray]:
        """Return samples to show a person, best those never trained on, and what plain methods may learn from.

        The first value names their part of the data: "test", "validation" or "training". The last one is an array in
        the user's layout, without the samples to show unless there are no others.
        """
        given, index = self.samples, self.held_out_index
        x = self._shown(given)
        if given.test is not None:
            test = self._test()
            return "test", replace(test, x=self._shown(test)), x
        if not index:
            return "training", replace(given, x=x), x
        labels = None if given.labels is None else given.labels[index]
        names = None if given.names is None else tuple(given.names[i] for i in index)
        return "validation", replace(given, x=x[index], labels=labels, names=names), np.delete(x, index, axis=0)

    def _test(self) -> Samples:
        """Return the test split of a named set, cut into crops where the training data are."""
        return read(self.samples.test, crop=self.source.shape[-1] if isinstance(self.source, Crops) else None)

    def _find_recipe(self) -> dict[str, Any]:
        recipe = {"schedule": SCHEDULE} | ({} if self.preset is None else find_preset(self.preset))
        if not self.as_published:
            return recipe
        if "published" not in recipe:
            raise SpecError("as_published repeats a preset's source; name one that has it, such as 'tutorial-linear'")
        return recipe | recipe["published"]

    def _split(self, source: Source, target: Source | None, validation: float | None) -> None:
        """Keep a share of the samples out of training, at least one where any is asked for and not the only one."""
        share = VALIDATION if validation is None else check_number("validation", validation, 0, 0.9)
        count = 0 if self.as_published and validation is None else math.ceil(share * len(source))
        count = min(count, len(source) - 1)  # a single picture has many crops, all of them for training
        self.source, self.target = self.whole = source, target
        if count:
            chance = Generator().manual_seed(self.seed)
            order = torch.randperm(len(source), generator=chance)
            self.held_out_index, kept = (part.sort().values.tolist() for part in (order[:count], order[count:]))
            self.source, self.target = _part(source, kept), _part(target, kept)
            held_out, wanted = _part(source, self.held_out_index), _part(target, self.held_out_index)
            batch = take(held_out, wanted, held_out.visits, chance)
            self.held_out = {key: x.to(self.device) for key, x in batch.items()}

    def _resolve(self, recipe: dict[str, Any], given: dict[str, str | None], blind: bool) -> dict[str, str]:
        """Return the text of every part: the given one, else the preset's, else what `auto` means here."""
        if unknown := set(given) - set(MENUS):
            raise TypeError(f"Fit has no argument {unknown.pop()!r}")
        shape = self.source.shape
        automatic = {
            "backbone": choose_backbone(shape, recipe.get("code", True)),
            "bottleneck": f"linear({choose_code_size(math.prod(shape))})",
            "corruption": "auto",
            "loss": "mse",
            "scaling": "auto",
        }
        texts = {kind: given.get(kind) or recipe.get(kind) or "auto" for kind in MENUS}
        fixed = {kind: text for kind, text in given.items() if text and text != "auto"}
        texts |= {kind: text for kind, text in automatic.items() if texts[kind] == "auto"}
        if texts["scaling"] == "auto":
            adds_input = build_part("backbone", texts["backbone"]).adds_input
            texts["scaling"], reason = choose_scaling(_ends(self.source), "linear" if adds_input else "sigmoid")
            self.notes.append(f"scaling: {texts['scaling']} ({reason})")
        if texts["corruption"] == "auto":
            scaling = build_part("scaling", texts["scaling"])
            texts["corruption"] = choose_corruption(scaling) if self.target is None else "none"
        if blind or (recipe.get("estimates_noise") and "corruption" not in fixed):
            texts |= self._damage(blind) | fixed
            self.relearns = texts["corruption"] == BLIND_SPOTS and "corruption" not in fixed
            if self.relearns:
                self.notes.append(
                    "self-supervised: by blind spots first, then from its own restorations, made noisy anew"
                )
        return {kind: repr(build_part(kind, text)) for kind, text in texts.items()}

    def _damage(self, blind: bool) -> dict[str, str]:
        """Return the corruption and the loss that the data ask for: blind spots where they count as noisy."""
        is_table, is_paired = len(self.source.shape) != 3, self.target is not None
        if blind and (is_table or is_paired):
            what = "are a table" if is_table else "have a target"
            raise SpecError(f"self_supervised learns from noisy pictures alone, however the data {what}; leave it out")
        if is_table or is_paired:
            return {"corruption": "none"} if is_paired else {}
        if not blind:
            level = find_noise(self.source)
            if level < NOISY:
                self.notes.append(f"the data's own noise: about {level:.3f} of the range, so they count as clean")
                return {}
            self.notes.append(
                f"the data's own noise: about {level:.3f} of the range, so they count as noisy; name a corruption if "
                f"they are clean"
            )
        return {"corruption": BLIND_SPOTS, "loss": choose_blind_loss(self.source)}

    def _build(self) -> Network:
        """Return the network with seeded weights, its scaling fitted, its layers started by the data."""
        cuda = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            torch.manual_seed(self.seed)
            network = Network.from_texts(self.source.shape, **self.texts)
        network.scaling.fit(self.source.chunks())
        network.to(self.device)
        if not self.as_published:
            self._start(network, self.source, self.target)
        self.notes.append(f"code: {describe_code(network)}")
        return network

    def _start(self, network: Network, source: Source, target: Source | None) -> None:
        """Set the weights by samples: a part of them where there are many."""
        count = max(256, START_VALUES // network.values)
        if not network.backbone.starts_as_pca:
            count = min(1024, count)
        chance = Generator().manual_seed(self.seed)
        index = torch.randperm(len(source.visits), generator=chance)[:count]
        batch = take(source, target, source.visits[index], chance)
        network.start(**{key: x.to(self.device) for key, x in batch.items()})

    def _find_positions(self) -> Tensor | None:
        """Return where each training sample's code should lie, (N, k), where the bottleneck asks for it."""
        part = self.network.bottleneck
        if not isinstance(part, PositionedBottleneck):
            return None
        if self.target is not None or not isinstance(self.source, Rows):
            what = "are cut into crops" if self.target is None else "have a target"
            raise SpecError(
                f"{part!r} places whole samples by their neighbours, however the data {what}; take "
                f"bottleneck='linear(2)'"
            )
        with torch.no_grad():
            rows = torch.cat([self.network.scaling(chunk.to(self.device)).flatten(1) for chunk in self.source.chunks()])
        if part.weight is None:
            part.weight = float(f"{POSITIONS_WEIGHT * rows.var(0).sum().item():.3g}")
            self.texts["bottleneck"] = repr(part)
        return find_positions(rows, part.features_out, part.neighbours, self.seed)

    def _budget(
        self, recipe: dict[str, Any], epochs: int | None, max_seconds: float | None, start_seconds: float
    ) -> Budget:
        """Return how long to train: as it is given, else as the preset says, else by a rule."""
        visits, epoch = len(self.source.visits), self.stream.steps_per_epoch
        more = CROPS_TAKE if visits > len(self.source) else 1
        steps = round(recipe.get("share_of_steps", 1) * choose_steps(visits))
        if "values" in recipe:
            values = self.stream.batch_size * math.prod(self.source.shape)
            steps = min(round(more * recipe["values"] / values), max(steps, MOST_EPOCHS * epoch))
        steps = steps if epochs is None else epochs * epoch
        if max_seconds is not None:
            return Budget(steps, check_number("max_seconds", max_seconds, 0.1), start_seconds)
        cap = more * recipe["max_seconds"] if "max_seconds" in recipe else MAX_SECONDS
        return Budget(steps, math.inf if self.as_published else cap, start_seconds)

    def _errors(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Return the MSE (N,) of samples in user's units, undamaged, in model's units, float64."""
        both = x if target is None else torch.cat([x, target], 1)  # blocks are cut out of one tensor
        pair = 1 if target is None else 2
        return self.network.in_blocks(
            lambda rows: self.network.squared_error(*rows.chunk(pair, 1)).flatten(1).mean(1), both
        )

    def _shown(self, source: Samples) -> np.ndarray:
        """Return samples as an array in the user's layout: the middle of every picture that is cut into crops."""
        return source.x if isinstance(source.x, np.ndarray) else self.layout.back(source.x.centres().numpy())

    def _recipe_done(self) -> dict[str, Any]:
        return {
            "preset": self.preset,
            "as_published": self.as_published,
            "self_supervised": self.relearns,
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


def arrange(x: Any, shape: tuple[int, ...] | None = None) -> tuple[Source, Layout]:
    """Return a user's array, or crops of pictures, as a Source, and the layout that turns results back.

    Examples
    --------
    >>> arrange(np.zeros((5, 8, 8)))[0].shape
    (1, 8, 8)
    """
    if isinstance(x, Crops):
        return x, Layout("grey" if x.is_grey else "channels_last")
    samples, layout = to_samples(x, shape)
    return Rows(as_tensor(samples)), layout


def _later(progress: Progress, first: Progress, before: int) -> Progress:
    """Return where all trainings stand, in one that `before` others came before, for whoever shows it."""
    done, steps = before * progress.steps + progress.step, (2 + CHECKS) * progress.steps
    seen, seconds = first.samples * before + progress.samples, first.seconds * before + progress.seconds
    return replace(progress, step=done, steps=steps, samples=seen, seconds=seconds, epoch_ends=False, val_mse=None)


def _is_given(kind: str, recipe: dict[str, Any], parts: dict[str, str | None]) -> bool:
    """Return whether a person or a preset says what the part of `kind` is."""
    return (parts.get(kind) or recipe.get(kind) or "auto") != "auto"


def _part(source: Any, index: list[int]) -> Any:
    return None if source is None else source.part(index)


def _ends(source: Source) -> Tensor:
    """Return values of a source that have its type, its dimensions and its range."""
    if isinstance(source, Rows):
        return source.x
    chunks = list(source.chunks())
    if not chunks[0].is_floating_point():
        return chunks[0]
    return torch.stack([end for chunk in chunks for end in (chunk.min(), chunk.max())]).view(-1, 1, 1, 1)


def _convolves(network: Network) -> tuple[bool, int]:
    """Return whether there are convolutions, and the places of a sample where a correction is learned, else 1."""
    places = math.prod(network.shape[1:]) if network.backbone.adds_input else 1
    return convolves(network), places


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:1000]

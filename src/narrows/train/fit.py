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
from narrows.data.formats import Samples, read
from narrows.data.layout import to_samples
from narrows.data.stream import Stream
from narrows.errors import DataError, SpecError
from narrows.model.backbone import choose_backbone
from narrows.model.network import MENUS, Network, as_tensor, build_part
from narrows.model.scaling import choose_scaling
from narrows.model.summary import describe_code
from narrows.modelfile import QUANTILES, Card, Model
from narrows.presets import find_preset
from narrows.spec import build, check_number, check_whole
from narrows.train.loop import Budget, Progress, has_fast_bfloat16, train
from narrows.train.optim import OPTIMIZERS, SCHEDULES

MAX_SECONDS = 300.0  # the default cap on training
VALIDATION = 0.1  # the default share of the samples that is kept out of training
RECIPE = {"optimizer": "muon(0.05)", "schedule": "one_cycle(warmup=0.15)"}
START_VALUES = 2**21  # values of the samples that the start of the weights is set by, 256 to 1024 of them
BFLOAT16_WEIGHTS = 100_000  # fewer weights are not multiplied faster in 16 bits
CHUNK = 4096  # samples at a time, where all would make a large copy


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
    as_published : train to the letter as the preset's source did: its batch, rate, order and initialisation, on all
        samples.
    seed : of everything random; torch's global random state is left alone.
    device : "auto", "cpu", "cuda" or "cuda:N".

    Attributes
    ----------
    network : the network, in training.
    texts : the resolved text of every part.
    notes : lines that say what was decided.
    history : a dict per epoch: epoch, train_mse, val_mse, seconds.

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
        as_published: bool = False,
        seed: int = 0,
        device: str = "auto",
        **parts: str | None,
    ) -> None:
        self.samples = samples
        self.preset = preset
        self.as_published = as_published
        self.seed = check_whole("seed", seed, 0, 2**63 - 1)
        self.device = find_device(device)
        self.notes: list[str] = []
        self.history: list[dict[str, float | None]] = []
        self.last: Progress | None = None
        recipe = self._find_recipe()
        x, self.layout = to_samples(samples.x, shape)
        self.dtype = x.dtype.name
        self.x = as_tensor(x)
        check_learnable(self.x)
        self._split(validation)
        self.texts = self._resolve(recipe, parts)
        began = time.perf_counter()
        self.network = self._build()
        start_seconds = time.perf_counter() - began
        self.optimizer = build(recipe["optimizer"], OPTIMIZERS, "optimizer")
        self.schedule = build(recipe["schedule"], SCHEDULES, "schedule")
        batch_size = recipe.get("batch_size") or choose_batch_size(len(self.x), _convolves(self.network))
        self.stream = Stream(self.x.to(self.device), batch_size, shuffle=not as_published)
        epochs = recipe.get("epochs") if epochs is None else check_whole("epochs", epochs, 1, 10**6)
        self.budget = self._budget(epochs, max_seconds, start_seconds)
        is_large = sum(p.numel() for p in self.network.parameters()) >= BFLOAT16_WEIGHTS
        self.bfloat16 = is_large and not as_published and has_fast_bfloat16(self.device)

    def __iter__(self) -> Iterator[Progress]:
        """Train, yielding where it stands; the network is usable after each, and when one stops early."""
        for progress in train(
            self.network,
            self.stream,
            self.budget,
            optimizer=self.optimizer,
            schedule=self.schedule,
            validation=self.held_out,
            seed=self.seed,
            bfloat16=self.bfloat16,
        ):
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

    def run(self) -> Model:
        """Train to the end and return the model."""
        for _ in self:
            pass
        return self.finish()

    def finish(self) -> Model:
        """Measure the network as it is now and return it with its card.

        A named set with a test split is measured on it, once, here.
        """
        self.network.eval()
        figures = {} if self.last is None else {"train_mse": self.last.train_mse}
        quantiles: tuple[float, ...] = ()
        if self.held_out is not None:
            errors = self._errors(self.held_out)
            figures["validation_mse"] = errors.mean().item()
            levels = torch.tensor(QUANTILES, dtype=torch.float64)
            quantiles = tuple(errors.quantile(levels).tolist())
        if self.samples.test is not None:
            test, _ = to_samples(read(self.samples.test).x, self.network.shape)
            figures["test_mse"] = self._errors(as_tensor(test)).mean().item()
        card = Card(
            layout=self.layout.kind,
            dtype=self.dtype,
            columns=self.samples.columns and tuple(map(_printable, self.samples.columns)),
            reading=self.samples.reading,
            origin=_printable(self.samples.origin),
            recipe=self._recipe_done(),
            figures=figures,
            error_quantiles=quantiles,
        )
        return Model(self.network, card)

    def examples(self) -> tuple[str, Samples, np.ndarray]:
        """Return samples to show a person, best those never trained on, and what plain methods may learn from.

        The first value names their part of the data: "test", "validation" or "training". The last one is an array in
        the user's layout, without the samples to show unless there are no others.
        """
        given = self.samples
        if given.test is not None:
            return "test", read(given.test), given.x
        if self.held_out_index is None:
            return "training", given, given.x
        index = self.held_out_index.numpy()
        labels = None if given.labels is None else given.labels[index]
        names = None if given.names is None else tuple(given.names[i] for i in index)
        shown = replace(given, x=given.x[index], labels=labels, names=names)
        return "validation", shown, np.delete(given.x, index, axis=0)

    def _find_recipe(self) -> dict[str, Any]:
        recipe = RECIPE | ({} if self.preset is None else find_preset(self.preset))
        if not self.as_published:
            return recipe
        if "published" not in recipe:
            raise SpecError("as_published repeats a preset's source; name one that has it, such as 'tutorial-linear'")
        return recipe | recipe["published"]

    def _split(self, validation: float | None) -> None:
        """Keep a share of the samples out of training, at least one where any is asked for."""
        share = VALIDATION if validation is None else check_number("validation", validation, 0, 0.9)
        count = 0 if self.as_published and validation is None else math.ceil(share * len(self.x))
        self.held_out: Tensor | None = None
        self.held_out_index: Tensor | None = None
        if count:
            order = torch.randperm(len(self.x), generator=Generator().manual_seed(self.seed))
            self.held_out_index = order[:count].sort().values
            self.held_out = self.x[self.held_out_index].to(self.device)
            self.x = self.x[order[count:].sort().values]

    def _resolve(self, recipe: dict[str, Any], given: dict[str, str | None]) -> dict[str, str]:
        """Return the text of every part: the given one, else the preset's, else what `auto` means here."""
        if unknown := set(given) - set(MENUS):
            raise TypeError(f"Fit has no argument {unknown.pop()!r}")
        texts = {kind: given.get(kind) or recipe.get(kind) or "auto" for kind in MENUS}
        shape = tuple(self.x.shape[1:])
        width = math.prod(shape)
        automatic = {
            "backbone": choose_backbone(shape),
            "bottleneck": f"linear({min(32, max(1, width // 4))})",
            "corruption": "gaussian(0.0, 0.1)",
            "loss": "mse",
        }
        texts |= {kind: text for kind, text in automatic.items() if texts[kind] == "auto"}
        if texts["scaling"] == "auto":
            adds_input = build_part("backbone", texts["backbone"]).adds_input
            texts["scaling"], reason = choose_scaling(self.x, "linear" if adds_input else "sigmoid")
            self.notes.append(f"scaling: {texts['scaling']} ({reason})")
        return {kind: repr(build_part(kind, text)) for kind, text in texts.items()}

    def _build(self) -> Network:
        """Return the network with seeded weights, its scaling fitted, its layers started by the data."""
        cuda = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            torch.manual_seed(self.seed)
            network = Network.from_texts(tuple(self.x.shape[1:]), **self.texts)
        network.scaling.fit(self.x.split(CHUNK))
        network.place(self.device)
        if not self.as_published:
            count = min(1024, max(256, START_VALUES // network.values))
            index = torch.randperm(len(self.x), generator=Generator().manual_seed(self.seed))[:count]
            network.start(self.x[index].to(self.device))
        self.notes.append(f"code: {describe_code(network)}")
        return network

    def _budget(self, epochs: int | None, max_seconds: float | None, start_seconds: float) -> Budget:
        steps = choose_steps(len(self.x)) if epochs is None else epochs * self.stream.steps_per_epoch
        if max_seconds is None:
            return Budget(steps, math.inf if self.as_published else MAX_SECONDS, start_seconds)
        return Budget(steps, check_number("max_seconds", max_seconds, 0.1), start_seconds)

    def _errors(self, x: Tensor) -> Tensor:
        """Return the MSE (N,) of samples in user's units, undamaged, in model's units, float64."""
        return self.network.in_blocks(lambda rows: self.network.squared_error(rows).flatten(1).mean(1), x)

    def _recipe_done(self) -> dict[str, Any]:
        return {
            "preset": self.preset,
            "as_published": self.as_published,
            "optimizer": repr(self.optimizer),
            "schedule": repr(self.schedule),
            "batch_size": self.stream.batch_size,
            "bfloat16": self.bfloat16,
            "steps": 0 if self.last is None else self.last.step,
            "steps_asked": self.budget.asked,
            "epochs": len(self.history),
            "seconds": 0.0 if self.last is None else self.last.seconds,
            "train_samples": len(self.x),
            "validation_samples": 0 if self.held_out is None else len(self.held_out),
            "seed": self.seed,
            "device": self.device.type,
            "narrows": __version__,
        }


def choose_steps(samples: int) -> int:
    """Return the default budget: more samples take more steps, ever less than in proportion.

    Examples
    --------
    >>> choose_steps(54_000), choose_steps(160)
    (2439, 569)
    """
    return round(160 * samples**0.25)


def choose_batch_size(samples: int, convolves: bool) -> int:
    """Return the default batch: a power of two, 64 of them or more in an epoch where that leaves 8 samples.

    At most 512, or 64 where a convolution's weights see many places of every picture.

    Examples
    --------
    >>> choose_batch_size(60_000, False), choose_batch_size(60_000, True), choose_batch_size(3, False)
    (512, 64, 8)
    """
    return min(64 if convolves else 512, max(8, 2 ** int(math.log2(max(samples / 64, 1)))))


def find_device(name: str) -> torch.device:
    """Return the torch device for "auto", "cpu", "cuda" or "cuda:N"; raise a SpecError where there is none.

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device(name)
    kind, _, number = str(name).partition(":")
    if kind != "cuda" or not (number.isdecimal() or name == "cuda"):
        raise SpecError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', however: device={name!r}")
    if int(number or 0) >= torch.cuda.device_count():
        raise SpecError(f"there is no device {name!r} here; take device='cpu'")
    return torch.device(name)


def check_learnable(x: Tensor) -> None:
    """Raise a DataError for fewer than two samples, or where all values are equal."""
    if len(x) < 2:
        raise DataError("training needs at least 2 samples, however there is only 1 sample; give more data")
    first = x.flatten()[0]
    if all(bool((rows == first).all()) for rows in x.split(CHUNK)):
        raise DataError(
            f"all values of the data are equal ({first.item():g}), so there is nothing to learn; check the data"
        )


def _convolves(network: Network) -> bool:
    return any(p.ndim > 2 for p in network.parameters())


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:1000]

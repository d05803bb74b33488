"""A training with everything resolved that a person, a preset and the data leave open."""

from __future__ import annotations

import inspect
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from narrows.data.crops import Crops
from narrows.data.groups import number_groups
from narrows.data.layout import Layout
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.data.source import Rows, Source
from narrows.errors import did_you_mean
from narrows.model.network import Network
from narrows.model.settings import default_settings
from narrows.model.summary import describe_code
from narrows.recipe import PARTS, Recipe
from narrows.spec import DEPRECATED, build, check_flag, check_whole, take_renamed
from narrows.training.choose import (
    check_gaps,
    check_learnable,
    choose_batch_size,
    choose_budget,
    choose_optimizer,
    choose_part_size,
    choose_schedule,
    convolves,
    describe_device,
    find_device,
    has_patches,
)
from narrows.training.optim import OPTIMIZERS, SCHEDULES, Optimizer, Schedule
from narrows.training.phase import has_fast_bfloat16
from narrows.training.prepare import build_network, check_positions
from narrows.training.resolve import choose_preset, find_recipe, resolve
from narrows.training.split import Split, arrange, count_held_out, describe_groups, split
from narrows.training.step_memory import StepMemory, free_memory
from narrows.training.validation_data import arrange_like, hold_out, refuse_beside

PAIRED = "pairs of pictures: the preset denoise, which keeps their size; a backbone, bottleneck or preset replaces it"
MAX_BATCH = 2**20
BFLOAT16_WEIGHTS = 100_000  # fewer weights are not multiplied faster in 16 bits
BFLOAT16_SIDE = 16  # of smaller pictures a strided convolution in 16 bits makes infinities on CPUs (PyTorch 2.13)

SHARED = (  # by plans that train alike
    *("texts", "optimizer", "schedule", "batch_size", "steps", "seed"),
    *("as_published", "is_self_supervised", "undoes_damage", "checks"),
)


@dataclass(frozen=True, eq=False)
class Plan:
    """A training before its first step; nothing in it changes.

    Attributes
    ----------
    samples : what to learn; pictures in patches where they are learned so.
    layout : turns results back into arrays as the samples came.
    whole : all samples, and what they should become or None.
    split : the samples to train on, and those that are held out.
    validation_data : the samples that a person gave to be held out, arranged like `samples`; None where a share is.
    texts : the resolved text of every part of the network.
    optimizer, schedule, batch_size : of the steps.
    part_size : samples of a batch that are learned from at once; fewer than all where these take much memory.
    steps, max_seconds : the budget.
    bfloat16 : whether matrices are multiplied in numbers of 16 bits.
    preset : the name of the preset, None for none.
    as_published : whether it trains to the letter as the preset's source did.
    is_self_supervised : whether it learns from its own restorations after blind spots, see `SelfDistillation`.
    undoes_damage : whether the network shall learn to undo the corruption, which otherwise only prevents overfitting.
    checks : whether few samples are trained on again, see `CrossCheck`.
    seed, device : of everything random; where the network is.
    notes : lines that say what was decided.
    asked : the options that `make_plan` was given.
    """

    samples: Samples
    layout: Layout
    whole: tuple[Source, Source | None]
    split: Split
    validation_data: Samples | None
    texts: Mapping[str, str]
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    part_size: int
    steps: int
    max_seconds: float
    bfloat16: bool
    preset: str | None
    as_published: bool
    is_self_supervised: bool
    undoes_damage: bool
    checks: bool
    seed: int
    device: torch.device
    notes: tuple[str, ...]
    asked: Mapping[str, Any]

    @property
    def steps_per_epoch(self) -> int:
        """Steps that take every sample once."""
        return -(-len(self.split.source.visits) // self.batch_size)

    @property
    def held_out_name(self) -> str:
        """What the held-out samples are called."""
        return "validation share" if self.validation_data is None else "validation data"

    @cached_property
    def fingerprint(self) -> int:
        """A number that plans share which train alike.

        They have the same parts, steps and seed, as many samples, and the same ones held out.
        """
        about = {name: getattr(self, name) for name in SHARED}
        about |= {"shape": self.split.source.shape, "samples": (len(self.whole[0]), len(self.split.source.visits))}
        held_out = self.split.held_out or ()
        about["held_out"] = [zlib.crc32(part.cpu().numpy().tobytes()) for part in held_out if part is not None]
        return zlib.crc32(repr(about).encode())

    def again(self, **changes: Any) -> Plan:
        """Return the plan of a training on the same samples with some options changed, without checks of its own."""
        return make_plan(self.samples, **{**self.asked, "checks": False, **changes})


@default_settings()
def make_plan(
    samples: Samples,
    preset: str | Recipe | None = None,
    *,
    shape: tuple[int, ...] | None = None,
    validation: float | None = None,
    validation_data: Samples | None = None,
    self_supervised: bool = False,
    as_published: bool = False,
    seed: int = 0,
    device: str = "auto",
    checks: bool = True,
    crop: Any = DEPRECATED,
    **options: Any,
) -> Plan:
    """Resolve what is left open of a training.

    Parameters
    ----------
    samples : what to learn; samples of one group of `samples.groups` are held out together.
    preset : a name in PRESETS, a recipe of one's own, or None.
    shape : the model's sample shape (C, *grid) where the data do not show it (pictures in flat rows).
    validation : share of the samples kept out of training, at most 0.9; None is a tenth.
    validation_data : samples that are held out in place of a share: they choose the weights and are measured, and are
        never learned from.
    self_supervised : learn to restore from noisy pictures alone, by the preset "denoise" and in two parts, see
        `SelfDistillation`; with "blind_spots" given as corruption, the first part is all.
    as_published : train to the letter as the preset's source did: its batch, rate, order and initialisation, on all
        samples.
    seed : of everything random; torch's global random state is left alone.
    device : "auto", "cpu", "cuda" or "cuda:N".
    checks : whether few samples are trained on again, see `CrossCheck`.
    crop : the former name of `patch_size`, which warns.
    options : fields of `Recipe`, such as `bottleneck="linear(8)"` or `epochs=3`, which win over the preset's; None and
        "auto" take the preset's, or a rule. `max_seconds` is a cap on training, setting the weights included: 300 by
        default, or none where `as_published`. Pictures larger than `patch_size` are trained on in patches of this side,
        cut at random.

    Raises
    ------
    DataError : for data that nothing can be learned from, and where not one sample fits into the memory.
    SpecError : for a part, preset or option that is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> plan = make_plan(read(np.random.default_rng(0).normal(size=(64, 4))), bottleneck="linear(2)", epochs=3)
    >>> plan.steps, plan.batch_size, plan.optimizer
    (24, 8, muon(0.000781, momentum=0.9))
    """
    seed = check_whole("seed", seed, 0, 2**63 - 1)
    options["patch_size"] = take_renamed("crop", crop, "patch_size", options.get("patch_size"))
    asked = {"preset": preset, "shape": shape, "validation": validation, "validation_data": validation_data}
    asked |= {"self_supervised": self_supervised, "as_published": as_published, "checks": checks}
    asked |= {"seed": seed, "device": device, **options}
    check_flag("self_supervised", self_supervised)
    if validation_data is not None:
        refuse_beside(validation, None if samples.groups is None else "groups")
    where = find_device(device)
    _check_names(options)
    is_paired = samples.target is not None and not (isinstance(samples.x, np.ndarray) and samples.x.ndim < 3)
    name = choose_preset(preset, self_supervised, is_paired and not as_published, options)
    chosen = [PAIRED] if is_paired and preset is None and name is not None else []
    given = {kind: options.pop(kind, None) for kind in PARTS}
    max_seconds = options.pop("max_seconds", None)
    recipe = find_recipe(name, as_published).given(**options)
    if recipe.epochs is not None:
        check_whole("epochs", recipe.epochs, 1)
    arranged = _arrange(samples, recipe.patch_size, shape)
    samples, (source, target) = arranged.samples, arranged.whole
    check_learnable(source)
    parts, held_out, split_notes = _hold_out(arranged, recipe.patch_size, asked, where)
    recipe = recipe.for_pictures() if len(source.shape) == 3 else recipe
    kinds = None if samples.table is None else samples.table.runs
    resolved = resolve(parts.source, parts.target, recipe, given, self_supervised, kinds)
    memory = StepMemory(parts.source.shape, resolved.texts, free_memory(where), _smaller_by(parts.source))
    memory.check()
    network = build_network(parts.source.shape, resolved.texts, seed, torch.device("cpu"))
    check_positions(network, parts.source, parts.target)
    check_gaps(network, source, target)
    if held_out is not None and parts.held_out is not None:
        check_gaps(network, *(Rows(rows) for rows in parts.held_out if rows is not None), name="the validation data")
    batch_size = _find_batch_size(recipe, parts.source, network)
    at_once = choose_part_size(batch_size, network.values, where)
    steps, seconds = choose_budget(recipe, parts.source, network, batch_size, max_seconds, has_cap=not as_published)
    optimizer = recipe.optimizer or choose_optimizer(network, batch_size)
    is_faster = not as_published and _is_faster_in_bfloat16(network, parts.source, where)
    return Plan(
        samples=samples,
        layout=arranged.layout,
        whole=arranged.whole,
        split=parts,
        validation_data=held_out,
        texts=resolved.texts,
        optimizer=build(optimizer, OPTIMIZERS, "optimizer"),
        schedule=build(recipe.schedule or choose_schedule(network), SCHEDULES, "schedule"),
        batch_size=batch_size,
        part_size=memory.part_size(at_once),
        steps=steps,
        max_seconds=seconds,
        bfloat16=is_faster if recipe.bfloat16 is None else recipe.bfloat16,
        preset=name if isinstance(name, str) else None,
        as_published=as_published,
        is_self_supervised=resolved.is_self_supervised,
        undoes_damage=resolved.undoes_damage,
        checks=checks and held_out is None,  # other parts held out would be none that the person gave
        seed=seed,
        device=where,
        notes=(
            *describe_device(device, where),
            *chosen,
            *arranged.notes,
            *split_notes,
            *resolved.notes,
            f"code: {describe_code(network)}",
            *memory.describe_parts(at_once),
        ),
        asked=asked,
    )


class _Arranged(NamedTuple):
    """Samples as sources, and what is known of their arrangement."""

    samples: Samples
    layout: Layout
    whole: tuple[Source, Source | None]
    notes: tuple[str, ...]


def _arrange(samples: Samples, patch_size: int | None, shape: tuple[int, ...] | None) -> _Arranged:
    """Return the samples, in patches where these are asked for, and what they should become, as sources."""
    samples = samples if patch_size is None else read(samples, patch_size=patch_size)
    if shape is None and samples.axes is not None and isinstance(samples.x, np.ndarray):
        shape = samples.axes.sample_shape(samples.x)
    source, layout = arrange(samples.x, shape)
    target = None if samples.target is None else arrange(samples.target, shape)[0]
    notes = (source.describe(),) if isinstance(source, Crops) else ()
    return _Arranged(samples, layout, (source, target), notes)


def _hold_out(
    arranged: _Arranged, patch_size: int | None, asked: Mapping[str, Any], device: torch.device
) -> tuple[Split, Samples | None, tuple[str, ...]]:
    """Return the samples split, the validation data where a person gave some, and lines on what is held out."""
    samples, (source, target) = arranged.samples, arranged.whole
    if asked["validation_data"] is not None:
        read_alike = read(asked["validation_data"], patch_size=patch_size)
        given = arrange_like(read_alike, samples, source, arranged.layout)
        count, name = len(given.x), f" of {given.origin}" if given.origin else ""
        line = f"validation data: {count:,} sample{'s' if count > 1 else ''}{name}; nothing is learned from them"
        return Split(source, target, hold_out(given, source.shape, asked["seed"], device), []), given, (line,)
    is_whole = asked["as_published"] and asked["validation"] is None
    count = 0 if is_whole else count_held_out(len(source), asked["validation"])
    groups = None
    if samples.groups is not None:
        groups = number_groups(samples.groups, len(source), 1 if samples.axes is None else samples.axes.slices)
    parts = split(source, target, count, asked["seed"], device, groups)
    return parts, None, () if groups is None else (describe_groups(groups, parts.held_out_index, count),)


def _check_names(options: Mapping[str, Any]) -> None:
    """Raise a TypeError for an option that is none."""
    known = [f.name for f in fields(Recipe)]
    for name in options:
        if name not in known:
            others = [*known, *list(inspect.signature(make_plan).parameters)[1:-1]]
            raise TypeError(f"training has no option {name!r}; {did_you_mean(name, others)}")


def _find_batch_size(recipe: Recipe, source: Source, network: Network) -> int:
    """Return the given batch size, or the one of the rule, at most the samples of an epoch."""
    visits = len(source.visits)
    if recipe.batch_size is not None:
        return min(visits, check_whole("batch_size", recipe.batch_size, 1, MAX_BATCH))
    pixels = math.prod(network.shape[1:]) if network.backbone.adds_input else 1
    size = choose_batch_size(
        visits, recipe.epochs, convolves(network), pixels, of_patches=has_patches(network), values=network.values
    )
    return min(visits, size)


def _is_faster_in_bfloat16(network: Network, source: Source, device: torch.device) -> bool:
    is_large = sum(p.numel() for p in network.parameters()) >= BFLOAT16_WEIGHTS
    is_thin = len(source.shape) == 3 and min(source.shape[1:]) < BFLOAT16_SIDE
    return is_large and not is_thin and has_fast_bfloat16(device)


def _smaller_by(source: Source) -> str:
    """Return the option that makes what is learned of a picture smaller."""
    return "patch_size" if isinstance(source, Crops) else "size"

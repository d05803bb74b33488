"""The text of every part of the network: what a person gives, else what the preset says, else a rule for the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from narrows.data.source import Source
from narrows.errors import SpecError
from narrows.model.backbone import choose_backbone
from narrows.model.network import MENUS, build_part
from narrows.model.scalings import choose_scaling
from narrows.model.strength import check_strength
from narrows.presets import find_preset
from narrows.recipe import Recipe
from narrows.spec import shown
from narrows.tasks.depths import FULL
from narrows.training.choose import choose_blind_loss, choose_code_size, choose_corruption, find_noise
from narrows.training.stretch import describe_stretch

BLIND_SPOTS = "blind_spots"
NOISY = 0.04  # share of the range: noise of a larger standard deviation is no fine texture


@dataclass(frozen=True)
class Resolved:
    """The resolved parts.

    Attributes
    ----------
    texts : of every part.
    notes : lines that say what was decided.
    is_self_supervised : whether blind spots are followed by training on the network's own restorations.
    undoes_damage : whether the network shall learn to undo the corruption, which otherwise only prevents overfitting.
    """

    texts: dict[str, str]
    notes: tuple[str, ...]
    is_self_supervised: bool
    undoes_damage: bool


def find_recipe(preset: str | Recipe | None, as_published: bool) -> Recipe:
    """Return the recipe of `preset`, or the usual one for None; where `as_published`, as the preset's source trained.

    A recipe in place of a name is that recipe.

    Raises SpecError for a name that is not a preset, and for one without a source where `as_published`.

    Examples
    --------
    >>> find_recipe("tutorial-linear", as_published=True).optimizer
    'adam(0.001)'
    """
    if not (preset is None or isinstance(preset, str | Recipe)):
        raise SpecError(f"preset must be the name of a preset or a Recipe, however: preset={preset!r}")
    recipe = find_preset(preset) if isinstance(preset, str) else preset or Recipe()
    if not as_published:
        return recipe
    source = recipe.published
    if source is None:
        raise SpecError("as_published repeats a preset's source; name one that has it, such as 'tutorial-linear'")
    return recipe.given(
        epochs=source.epochs, batch_size=source.batch_size, optimizer=source.optimizer, schedule=source.schedule
    )


def choose_preset(
    preset: str | Recipe | None, self_supervised: bool, is_paired: bool, options: Mapping[str, object]
) -> str | Recipe | None:
    """Return the preset, or "denoise" where nobody named one and the data are made for it.

    Parameters
    ----------
    self_supervised : whether to learn from noisy pictures alone.
    is_paired : whether the data are pictures with a target.
    options : what a person gave; a backbone or a bottleneck is a choice of one's own.

    Examples
    --------
    >>> choose_preset(None, False, True, {}), choose_preset(None, False, True, {"bottleneck": "linear(8)"})
    ('denoise', None)
    """
    if preset is not None:
        return preset
    is_own = any(options.get(kind) not in (None, "auto") for kind in ("backbone", "bottleneck"))
    return "denoise" if self_supervised or (is_paired and not is_own) else None


def resolve(
    source: Source,
    target: Source | None,
    recipe: Recipe,
    given: Mapping[str, str | None],
    self_supervised: bool,
    kinds: str | None = None,
) -> Resolved:
    """Return the text of every part: the given one, else the preset's, else what `auto` means for the data.

    Parameters
    ----------
    source, target : the samples to train on, and what they should become; None for themselves.
    recipe : of `find_recipe`.
    given : texts by part; None and "auto" are resolved.
    self_supervised : whether to learn from noisy pictures alone.
    kinds : of a table's columns, as the scaling `columns` takes them; None where all are numbers.

    Raises
    ------
    SpecError : for a text that is not one, and for data that `self_supervised` cannot learn from.
    """
    for kind, text in given.items():
        if text is not None and not isinstance(text, str):
            build_part(kind, text)  # says how it is written
    texts = {kind: given.get(kind) or recipe.texts[kind] or "auto" for kind in MENUS}
    was_named = texts["corruption"] != "auto"
    fixed = {kind: text for kind, text in given.items() if text and text != "auto"}
    texts, notes = _fill_in(texts, source, target is not None, recipe.needs_code, kinds)
    is_self_supervised = False
    if self_supervised or (recipe.estimates_noise and "corruption" not in fixed):
        noisy, more = _resolve_noise(source, target is not None, self_supervised)
        texts |= noisy | fixed
        notes += more
        is_self_supervised = texts["corruption"] == BLIND_SPOTS and "corruption" not in fixed
        if is_self_supervised:
            notes.append("self-supervised: by blind spots first, then from its own restorations, made noisy anew")
    parts = {kind: build_part(kind, text) for kind, text in texts.items()}
    check_strength(parts["corruption"], parts["scaling"], FULL.get(_type_of(source), 255.0))
    texts = {kind: repr(part) for kind, part in parts.items()}
    undoes = target is None and (is_self_supervised or was_named) and texts["corruption"] != "none()"
    return Resolved(texts, tuple(notes), is_self_supervised, undoes)


def _fill_in(
    texts: dict[str, str], source: Source, is_paired: bool, needs_code: bool, kinds: str | None
) -> tuple[dict[str, str], list[str]]:
    """Return the texts with every "auto" replaced, and lines that say what was decided."""
    notes = []
    automatic = {
        "backbone": choose_backbone(source.shape, needs_code, len(source.visits)),
        "bottleneck": f"linear({choose_code_size(math.prod(source.shape))})",
        "loss": "mse",
    }
    texts = texts | {kind: text for kind, text in automatic.items() if texts[kind] == "auto"}
    if texts["scaling"] == "auto":
        adds_input = build_part("backbone", texts["backbone"]).adds_input
        texts["scaling"], reason = choose_scaling(_extremes(source), "linear" if adds_input else "sigmoid", kinds)
        notes.append(f"scaling: {shown(texts['scaling'])} ({reason})")
        if len(source.shape) == 3 and (stretch := describe_stretch(source)):
            notes.append(f"note: {stretch}")
    if texts["corruption"] == "auto":
        scaling = build_part("scaling", texts["scaling"])
        texts["corruption"] = "none" if is_paired else choose_corruption(scaling)
    return texts, notes


def _resolve_noise(source: Source, is_paired: bool, self_supervised: bool) -> tuple[dict[str, str], list[str]]:
    """Return the corruption and the loss for data that may be noisy, blind spots where they are, and notes."""
    is_table = len(source.shape) != 3
    if self_supervised and (is_table or is_paired):
        what = "are a table" if is_table else "have a target"
        raise SpecError(f"self_supervised learns from noisy pictures alone, however the data {what}; leave it out")
    if is_table or is_paired:
        return ({"corruption": "none"} if is_paired else {}), []
    notes = []
    if not self_supervised:
        level = find_noise(source)
        about = f"the data's own noise: about {level:.3f} of the range, so they count as"
        if level < NOISY:
            return {}, [f"{about} clean"]
        notes = [f"{about} noisy; name a corruption if they are clean"]
    return {"corruption": BLIND_SPOTS, "loss": choose_blind_loss(source)}, notes


def _type_of(source: Source) -> str:
    """Return the name of the type of a source's values."""
    return str(next(iter(source.chunks(1))).dtype).removeprefix("torch.")


def _extremes(source: Source) -> Tensor:
    """Return values of a source that have its type, its dimensions and its range."""
    first = next(iter(source.chunks()))
    if not first.is_floating_point():
        return first
    ends = torch.tensor(
        [end.item() for chunk in source.chunks() for end in (chunk.min(), chunk.max())], dtype=first.dtype
    )
    return ends.view(-1, *[1] * len(source.shape))

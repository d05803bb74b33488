"""What a person or a preset asks of a training; what is left None is chosen from the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

PARTS = ("backbone", "bottleneck", "corruption", "loss", "scaling")


@dataclass(frozen=True)
class Published:
    """How a preset's source trained, and the losses that it printed.

    Attributes
    ----------
    epochs, batch_size, optimizer, schedule : its options.
    printed : losses by epoch, in the source's own units.
    """

    epochs: int
    batch_size: int
    optimizer: str
    schedule: str
    printed: Mapping[int, float]


@dataclass(frozen=True)
class Recipe:
    """The options of a training. What a person gives takes precedence over a preset, and a preset over the rules.

    Attributes
    ----------
    backbone, bottleneck, corruption, loss, scaling : parts of the network as texts.
    optimizer, schedule : the same, `"adamw(1e-3)"`, `"constant"`.
    batch_size : samples of a step.
    epochs : passes over the training samples.
    max_steps : a cap on the steps.
    max_seconds : a cap on the time; a preset's is longer for patches of larger pictures.
    values : in place of epochs: how many values training sees; a preset's are more for patches of larger pictures.
    share_of_steps : in place of epochs: which share of the usual number of steps.
    bfloat16 : whether matrices are multiplied in numbers of 16 bits; None where it is faster.
    patch_size : side of the patches that larger pictures are cut into, pixels.
    needs_code : False where the model needs no code.
    estimates_noise : whether training on noisy data uses the corruption `blind_spots`.
    pictures : what differs where the samples are pictures.
    published : what `as_published` takes in place of the options.

    Examples
    --------
    >>> Recipe(epochs=3, optimizer="adam").given(epochs=5, batch_size=None).epochs
    5
    """

    backbone: str | None = None
    bottleneck: str | None = None
    corruption: str | None = None
    loss: str | None = None
    scaling: str | None = None
    optimizer: str | None = None
    schedule: str | None = None
    batch_size: int | None = None
    epochs: int | None = None
    max_steps: int | None = None
    max_seconds: float | None = None
    values: float | None = None
    share_of_steps: float = 1.0
    bfloat16: bool | None = None
    patch_size: int | None = None
    needs_code: bool = True
    estimates_noise: bool = False
    pictures: Mapping[str, Any] = field(default_factory=dict)
    published: Published | None = None

    @property
    def texts(self) -> dict[str, str | None]:
        """The parts of the network by their names; None where the recipe says nothing."""
        return {kind: getattr(self, kind) for kind in PARTS}

    def given(self, **options: Any) -> Recipe:
        """Return the recipe with options that are not None in place of its own; an unknown one is a TypeError."""
        return replace(self, **{name: value for name, value in options.items() if value is not None})

    def for_pictures(self) -> Recipe:
        """Return what it is where the samples are pictures."""
        return replace(self, **self.pictures)

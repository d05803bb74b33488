"""The pictures of a comparison: clean, and damaged for every method to restore."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Generator, Tensor

from narrows.data.layout import to_samples
from narrows.errors import DataError
from narrows.metrics.data_range import find_range
from narrows.metrics.denoisers import Noise
from narrows.metrics.reconstruction import pick
from narrows.model.network import as_tensor, build_part, damage
from narrows.model.settings import default_settings
from narrows.model.strength import check_strength
from narrows.modelfile import Model
from narrows.tasks.depths import find_depth
from narrows.tasks.units import as_samples

SHOWN = 10  # pictures in a row of a page


@dataclass(frozen=True, eq=False)
class Trial:
    """Clean pictures, and the same ones damaged, in model's units.

    Attributes
    ----------
    clean, damaged : (N, C, H, W), float32.
    limits : the range of the data, None where they have none.
    clipped : whether the damaged pictures were clamped to it.
    noise : what a filter is told of the damage.
    """

    clean: np.ndarray
    damaged: np.ndarray
    limits: tuple[float, float] | None
    clipped: bool
    noise: Noise

    @property
    def drawn(self) -> np.ndarray:
        """The indices of ten pictures to be shown, drawn at random with a fixed seed."""
        return pick(len(self.clean), SHOWN)

    @property
    def clip_rule(self) -> str:
        """A sentence on what is clipped."""
        if self.limits is None:
            return "Nothing is clipped, since the data have no range."
        if self.clipped:
            return "The damaged pictures are clipped to the data's range, and so is what every method makes."
        return "The damaged pictures are not clipped to the data's range; what the filters and the models make is."

    def cropped(self, most: int) -> Trial:
        """Return a trial of the middles of the pictures, of at most `most` pixels a side."""
        _, _, height, width = self.clean.shape
        top, left = (max(0, (side - most) // 2) for side in (height, width))
        clean, damaged = (
            pictures[..., top : top + most, left : left + most] for pictures in (self.clean, self.damaged)
        )
        return replace(self, clean=clean, damaged=damaged)

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value that the data can have; without limits, those of the clean pictures."""
        return self.limits or (float(self.clean.min()), float(self.clean.max()))

    @property
    def data_range(self) -> float:
        """The difference of the `ends`."""
        return self.ends[1] - self.ends[0]

    def clamp(self, pictures: np.ndarray) -> np.ndarray:
        """Return `pictures` clamped to the range of the data."""
        return pictures if self.limits is None else np.clip(pictures, *self.limits)


@default_settings()
def make_trial(model: Model, x: np.ndarray, corruption: str, seed: int = 0) -> Trial:
    """Return the pictures `x`, clean and damaged with a fixed seed.

    Integers are clamped to their range after the damage, as in training, though not rounded; fractions are not
    clamped, unless the corruption says `clip=True`.

    Parameters
    ----------
    x : in the user's layout and units.
    corruption : a part as text, in model's units.

    Raises SpecError for a text that is no corruption, or is far too strong; DataError for data that are no pictures.
    """
    part, network = build_part("corruption", corruption), model.network
    scaling, limits = network.scaling, network.scaling.limits
    check_strength(part, scaling, find_range(model, x))
    part.build(scaling)
    samples = _find_samples(model, x).to(network.device)
    if samples.ndim != 4:
        raise DataError("PSNR and SSIM are measures of pictures, however this model's data are rows of a table")
    generator = Generator(network.device).manual_seed(seed)
    clean, damaged, _ = damage(samples, scaling, part, generator)
    clipped = part.clip or np.asarray(x).dtype.kind != "f"
    if clipped and limits is not None:
        damaged = damaged.clamp(*limits)
    noise = Noise(float((damaged - clean).square().mean().sqrt()), part.replacements)
    return Trial(clean.cpu().numpy(), damaged.cpu().numpy(), limits, clipped and limits is not None, noise)


def _find_samples(model: Model, x: np.ndarray) -> Tensor:
    """Return pictures (N, C, H, W) in the units of the training data."""
    try:
        return as_samples(model, x)[0]
    except DataError:
        if len(model.network.shape) != 3 or x.ndim not in (3, 4):
            raise
        samples = as_tensor(
            to_samples(x)[0]
        )  # of another size or number of channels; `denoise` refuses those that the model does not take
        return find_depth(model, x).inside(samples)

"""What a page shows of a model on data, computed once for all its sections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from narrows.card import QUANTILES
from narrows.metrics.data_range import find_limits
from narrows.metrics.measured import Measured, PcaMeasured, measure
from narrows.metrics.pca_reference import Components, fit_pca
from narrows.metrics.reconstruction import (
    Reconstructed,
    in_users_units,
    pick,
    reconstruct_tensor,
    take,
)
from narrows.metrics.trial import SHOWN
from narrows.model.corruption import Gaussian
from narrows.model.network import as_tensor, damage
from narrows.modelfile import Model
from narrows.spec import shown
from narrows.tasks.depths import cast
from narrows.tasks.units import as_samples

TRIED = 1000  # samples that are damaged or inverted, where their mean or median error is shown
Studies = Mapping[str, "Study"]  # by what the rows of their reconstructions are called
PARTS = ("test", "validation", "training")  # of the training data


@dataclass(frozen=True, eq=False)
class Study:
    """A model measured on data, with PCA beside it.

    Attributes
    ----------
    model : the model.
    words : what the data are called: "test samples".
    index : indices of the samples of the data that were measured.
    samples : those samples, (N, C, *grid) in user's units.
    measured : the errors on them.
    drawn : ten of those samples, drawn at random with a fixed seed, and their reconstructions.
    limits : the smallest and the largest value that the data can have, in user's units.
    """

    model: Model
    words: str
    index: np.ndarray
    samples: Tensor
    measured: Measured
    drawn: Reconstructed
    limits: tuple[float, float]

    @property
    def pca(self) -> PcaMeasured | None:
        """PCA on the measured samples, None without a reference or a code."""
        return self.measured.pca

    @property
    def counted(self) -> str:
        """The measured samples in words: "60 test samples"."""
        return self._count(len(self.index))

    @property
    def count_drawn(self) -> str:
        """How many samples were drawn of which: "10 test samples, drawn at random with a fixed seed"."""
        count = len(self.drawn.x)
        how = "drawn at random with a fixed seed" if count < len(self.index) else "all there are"
        return f"{self._count(count)}, {how}"

    @property
    def is_table(self) -> bool:
        """Whether a sample is a row of a table rather than a picture."""
        return len(self.model.network.shape) == 1

    @property
    def clips(self) -> bool:
        """Whether damaged data are clipped to their range, as integers are."""
        return self.model.network.scaling.limits is not None and np.dtype(self.model.card.dtype).kind != "f"

    @property
    def units(self) -> str:
        """The scaling that noise and errors are measured in, as text."""
        return shown(self.model.network.texts["scaling"])

    @property
    def noise_units(self) -> str:
        """What noise of strength 1 is, in words."""
        return self.model.network.scaling.unit_name

    @property
    def data_range(self) -> float:
        """The difference of the `limits`."""
        return self.limits[1] - self.limits[0]

    @property
    def usual(self) -> float:
        """The median error of held-out training data; of the measured samples where none was kept."""
        quantiles = self.model.card.error_quantiles
        return quantiles[QUANTILES.index(0.5)] if quantiles else float(np.median(self.measured.errors))

    @property
    def pca_kept(self) -> int:
        """How many components PCA keeps: as many as the code has numbers, or all there are; 0 without PCA."""
        return min(self.model.network.code_size, len(self.pca.components.axes)) if self.pca else 0

    def pca_drawn(self) -> np.ndarray:
        """Return PCA's reconstructions (n, D) of the drawn samples, in model's units; `pca` must not be None."""
        assert self.pca is not None
        return self.pca.components.reconstruct(self.drawn.x, self.pca_kept).restored

    def at(self, positions: np.ndarray) -> Reconstructed:
        """Return some of the measured samples and their reconstructions, flat and in model's units."""
        return reconstruct_tensor(self.model.network, self.samples[torch.from_numpy(positions)])

    def some(self) -> Reconstructed:
        """Return at most 1,000 of the measured samples and their reconstructions, flat and in model's units."""
        return self.at(pick(len(self.index), TRIED))

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return flat values (n, D) in model's units as samples (n, C, *grid) in the user's, float64."""
        return in_users_units(self.model.network, values)

    def reconstruct(self, samples: np.ndarray) -> Reconstructed:
        """Return samples (n, C, *grid) in user's units, cast by `typed`, and their reconstructions in model's units."""
        return reconstruct_tensor(self.model.network, self._tensor(samples))

    def typed(self, samples: np.ndarray) -> np.ndarray:
        """Return samples in user's units in the training data's type; bytes are rounded and clamped."""
        return cast(samples, np.dtype(self.model.card.dtype))

    def damage(self, samples: np.ndarray, std: float) -> np.ndarray:
        """Return samples (n, C, *grid) in user's units with Gaussian noise of a fixed seed, `std` in model's units."""
        network = self.model.network
        generator = Generator(network.device).manual_seed(0)
        x = self._tensor(samples).to(network.device)
        _, damaged, _ = damage(x, network.scaling, Gaussian(std, clip=self.clips), generator)
        return self.typed(network.scaling.back(damaged).cpu().numpy())

    def times(self, samples: np.ndarray) -> str:
        """Return the median error of samples (n, C, *grid) in user's units over the usual error: "14 times"."""
        return f"{self.ratio(float(np.median(self.reconstruct(samples).errors)))} times"

    def ratio(self, error: float) -> str:
        """Return an error over the usual one, with two significant digits."""
        times = error / max(self.usual, 1e-300)
        return f"{times:.2g}" if times < 10 else f"{times:,.0f}" if times < 1e6 else f"{times:.0e}"

    def name(self, position: int, names: Sequence[str] | None) -> str:
        """Return the name of a measured sample, in `names` of all samples if given, else its number in the data."""
        index = int(self.index[position])
        return names[index] if names is not None else f"number {index}"

    def _count(self, count: int) -> str:
        return f"{count:,} {self.words if count != 1 else self.words.replace('samples', 'sample', 1)}"

    def _tensor(self, samples: np.ndarray) -> Tensor:
        return as_tensor(self.typed(samples))


def study(
    model: Model, x: np.ndarray, x_name: str, reference: np.ndarray | None, components: Components | None = None
) -> Study:
    """Measure `model` on at most 10,000 samples of `x`.

    Parameters
    ----------
    x : in the user's layout and units.
    x_name : "test", "validation" or "training" for a part of the training data, else the data's name.
    reference : the training data, which PCA is fitted on; None leaves PCA out.
    components : PCA that was fitted on the reference before, for a model of the same scaling.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    taken = take(x)
    samples, _ = as_samples(model, taken)
    network, whole = model.network, taken is x
    drawn = reconstruct_tensor(network, samples[torch.from_numpy(pick(len(samples), SHOWN))])
    index = np.arange(len(samples)) if whole else pick(len(x))
    if not network.has_code:
        components = None
    elif components is None and reference is not None:
        components = fit_pca(model, reference)
    words = f"{x_name} samples" if x_name in PARTS else f"samples of {x_name}"
    return Study(model, words, index, samples, measure(model, samples, components), drawn, find_limits(model, samples))


def first_of(studies: Studies) -> Study:
    """Return the study that comes first: what all of several studies share is read off it."""
    return next(iter(studies.values()))

"""What a page shows of a model on data, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from narrows.metrics.evaluate import (
    Components,
    Measured,
    PcaBaseline,
    Reconstructed,
    fit_pca,
    measure,
    pass_tensor,
    pick,
    take,
    through,
)
from narrows.model.corruption import Gaussian
from narrows.model.network import as_tensor, damage
from narrows.modelfile import QUANTILES, Model
from narrows.tasks.units import as_samples, cast

SHOWN = 10  # samples in a row of pictures
TRIED = 1000  # samples that damage is tried on, where a median or mean is shown
PARTS = ("test", "validation", "training")  # of the data that the model was trained on


@dataclass(frozen=True, eq=False)
class Study:
    """A model on data, with the plain method beside it.

    Attributes
    ----------
    model : what is shown.
    words : what the data are called: "test samples".
    index : which samples of the data were measured.
    samples : those samples, (N, C, *grid) in user's units.
    measured : what was measured on them.
    first : the first ten samples of the data before and after the model.
    limits : the darkest and the brightest that the data can be, in user's units.
    """

    model: Model
    words: str
    index: np.ndarray
    samples: Tensor
    measured: Measured
    first: Reconstructed
    limits: tuple[float, float]

    @property
    def pca(self) -> PcaBaseline | None:
        """PCA on the measured samples, None without a reference or a code."""
        return self.measured.pca

    @property
    def counted(self) -> str:
        """The measured samples in words: "60 test samples"."""
        count = len(self.index)
        return f"{count:,} {self.words if count != 1 else self.words.replace('samples', 'sample', 1)}"

    @property
    def is_table(self) -> bool:
        """Whether a sample is a row of a table rather than a picture."""
        return len(self.model.network.shape) == 1

    @property
    def clips(self) -> bool:
        """Whether damaged data are clipped to their range, as whole numbers are."""
        return self.model.network.scaling.limits is not None and np.dtype(self.model.card.dtype).kind != "f"

    @property
    def units(self) -> str:
        """The scaling that noise and errors are measured in, as text."""
        return self.model.network.texts["scaling"]

    @property
    def noise_units(self) -> str:
        """What noise of strength 1 is, in words."""
        return "shares of the range" if self.model.network.scaling.limits else "standard deviations of the data"

    @property
    def data_range(self) -> float:
        """The distance from the darkest to the brightest, in user's units."""
        return self.limits[1] - self.limits[0]

    @property
    def usual(self) -> float:
        """The median error of held-out training data; of the measured samples where none was kept."""
        quantiles = self.model.card.error_quantiles
        return quantiles[QUANTILES.index(0.5)] if quantiles else float(np.median(self.measured.errors))

    @property
    def pca_kept(self) -> int:
        """Components that PCA keeps: as many as the code has numbers, or all there are; 0 without PCA."""
        return min(self.model.network.code_size, len(self.pca.components.axes)) if self.pca else 0

    def pca_first(self) -> np.ndarray:
        """Return the first samples (n, D) through PCA, in model's units; `pca` must not be None."""
        assert self.pca is not None
        return self.pca.components.through(self.first.x, self.pca_kept).restored

    def at(self, places: np.ndarray) -> Reconstructed:
        """Return the measured samples at some places before and after the model, flat and in model's units."""
        return pass_tensor(self.model.network, self.samples[torch.from_numpy(places)])

    def some(self) -> Reconstructed:
        """Return as many of the measured samples before and after the model as damage is tried on."""
        return self.at(pick(len(self.index), TRIED))

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return flat values (n, D) in model's units as samples (n, C, *grid) in the user's, float64."""
        return back(self.model, values)

    def through(self, samples: np.ndarray) -> Reconstructed:
        """Return samples (n, C, *grid) in user's units, of the training data's type, before and after the model."""
        return pass_tensor(self.model.network, self._tensor(samples))

    def typed(self, samples: np.ndarray) -> np.ndarray:
        """Return samples in user's units as data of the training data's type: bytes are rounded and clamped."""
        return cast(samples, np.dtype(self.model.card.dtype))

    def damage(self, samples: np.ndarray, std: float) -> np.ndarray:
        """Return samples (n, C, *grid) in user's units with Gaussian noise of a fixed seed; `std` in model's units."""
        network = self.model.network
        generator = Generator(network.device).manual_seed(0)
        x = self._tensor(samples).to(network.device)
        _, damaged, _ = damage(x, network.scaling, Gaussian(std, clip=self.clips), generator)
        return self.typed(network.scaling.back(damaged).cpu().numpy())

    def times(self, samples: np.ndarray) -> str:
        """Return how many times the usual error samples (n, C, *grid) in user's units have: "14 times"."""
        return f"{self.ratio(float(np.median(self.through(samples).errors)))} times"

    def ratio(self, error: float) -> str:
        """Return an error over the usual one, with two digits that count."""
        times = error / max(self.usual, 1e-300)
        return f"{times:.2g}" if times < 10 else f"{times:,.0f}" if times < 1e6 else f"{times:.0e}"

    def name(self, place: int, names: Sequence[str] | None) -> str:
        """Return the name of the measured sample at `place`: a file's, else its number in the data."""
        index = int(self.index[place])
        return names[index] if names is not None else f"number {index}"

    def missed(self, squares: np.ndarray) -> str:
        """Return the columns that the squared errors (D,) of a row come from, the largest first, up to three."""
        names = self.model.column_names
        shares = 100 * squares / (squares.sum() or 1.0)
        return ", ".join(f"{names[i]} ({shares[i]:.0f} %)" for i in np.argsort(-squares, kind="stable")[:3])

    def _tensor(self, samples: np.ndarray) -> Tensor:
        return as_tensor(self.typed(samples))


def study(
    model: Model, x: np.ndarray, x_name: str, reference: np.ndarray | None, components: Components | None = None
) -> Study:
    """Return what a page shows of `model` on `x`, measured on at most 10,000 samples of it.

    Parameters
    ----------
    x : in the user's layout and units.
    x_name : "test", "validation" or "training" for a part of the training data, else the data's name.
    reference : the training data, which PCA learns from; None leaves PCA out.
    components : a PCA of the reference that was fitted before, for a model of the same scaling.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    taken = take(x)
    samples, _ = as_samples(model, taken)
    network, whole = model.network, taken is x
    first = pass_tensor(network, samples[:SHOWN]) if whole else through(model, x[:SHOWN])
    index = np.arange(len(samples)) if whole else pick(len(x))
    if not network.has_code:
        components = None
    elif components is None and reference is not None:
        components = fit_pca(model, reference)
    words = f"{x_name} samples" if x_name in PARTS else f"samples of {x_name}"
    return Study(model, words, index, samples, measure(model, samples, components), first, find_limits(model, samples))


def back(model: Model, values: np.ndarray) -> np.ndarray:
    """Return flat values (n, D) in model's units as samples (n, C, *grid) in the user's, float64."""
    scaling = model.network.scaling
    shaped = torch.from_numpy(values).view(-1, *scaling.model_shape(model.network.shape))
    return scaling.back(shaped.to(model.network.device)).cpu().numpy()


def median_filter(x: np.ndarray) -> np.ndarray:
    """Return pictures (n, C, H, W) through a 3x3 median filter, their edges repeated.

    Examples
    --------
    >>> speck = np.zeros((1, 1, 5, 5))
    >>> speck[..., 2, 2] = 1.0
    >>> median_filter(speck).max()
    np.float64(0.0)
    """
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3)), axis=(-2, -1))


def find_limits(model: Model, samples: Tensor) -> tuple[float, float]:
    """Return the range of the data in user's units; where they have none, the ends of the measured `samples`."""
    scaling = model.network.scaling
    if scaling.limits is not None:
        low, high = (float(scaling.offset.max() + end * scaling.scale.max()) for end in scaling.limits)
        return low, high
    values = samples.numpy()  # torch knows no smallest number of 16 bits
    return float(values.min()), float(values.max())

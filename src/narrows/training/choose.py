"""What is left open is chosen: the budget, the batch, the device; data that cannot be learned from are refused."""

from __future__ import annotations

import math
from itertools import islice

import torch

from narrows.data.stream import Source
from narrows.errors import DataError, SpecError
from narrows.model.network import Network
from narrows.model.scaling import Robust, Scaling, Unit
from narrows.training.noise_level import estimate_noise

MAX_SECONDS = 300.0  # the default cap on training
CROPS_TAKE = 10  # times as many values and seconds as small pictures, for photographs have more to learn
RATE = 0.05  # of Muon, in batches that are large enough to say where to go
LARGE_BATCH, LARGE_PICTURES = 512, 64
BATCH_PLACES = 2**15  # pixels of a batch that are enough where each asks for a correction
MOST_EPOCHS = 100  # of a budget in values: few samples are not passed more often
NOISE_PICTURES = 64  # that the level of the noise is told from
CLIPPED = 0.02  # share of the values at the ends of the range, above which noise was cut off there


def choose_steps(samples: int) -> int:
    """Return the default budget: more samples take more steps, ever less than in proportion.

    Fewer than some 800, which more steps would learn by heart, take fewer still.

    Examples
    --------
    >>> choose_steps(54_000), choose_steps(160)
    (2439, 379)
    """
    return round(min(160 * samples**0.25, 30 * samples**0.5))


def choose_optimizer(network: Network, batch_size: int) -> str:
    """Return the default optimizer: Muon, whose steps are of one length however large the gradient is.

    So the noise of small batches has to be kept small by the rate; of pictures fewer are enough for convolutions, whose
    weights see many places of each. Where a correction is learned, larger steps than these blow up.

    Examples
    --------
    >>> texts = {"bottleneck": "linear(2)", "corruption": "none", "loss": "mse", "scaling": "standard"}
    >>> dense, unet = (Network.from_texts((1, 8, 8), backbone=name, **texts) for name in ("dense", "unet"))
    >>> choose_optimizer(dense, 512), choose_optimizer(dense, 256), choose_optimizer(unet, 64)
    ('muon(0.05)', 'muon(0.025)', 'muon(0.02)')
    """
    if network.backbone.adds_input:
        return "muon(0.02)"
    large = LARGE_PICTURES if convolves(network) else LARGE_BATCH
    return f"muon({RATE * min(1, batch_size / large):.3g})"


def convolves(network: Network) -> bool:
    """Return whether there are convolutions."""
    return any(p.ndim > 2 for p in network.parameters())


def choose_batch_size(samples: int, epochs: int | None, has_convolutions: bool, places: int = 1) -> int:
    """Return the default batch: a power of two, for 64 steps or more where that leaves 8 samples.

    The steps are those of `epochs`, where a person asks for so many. Else they are those of one epoch, but of small
    samples without convolutions those of a hundred: in small batches Muon's steps, which are of one length, follow
    their noise. At most 512, or 64 where a convolution's weights see many places of every picture. Where every place
    asks for a correction of its own, `places` are those of one picture, and fewer large ones are enough, down to 8
    whatever the epochs: so there are more steps in the same time (benchmarks/log.md).

    Examples
    --------
    >>> [choose_batch_size(count, None, False) for count in (3, 100, 1_000, 60_000)]
    [8, 128, 256, 512]
    >>> choose_batch_size(60_000, None, True), choose_batch_size(60_000, None, True, places=64 * 64)
    (64, 8)
    """
    most = min(64, 2 ** math.ceil(math.log2(BATCH_PLACES / places))) if has_convolutions else 512
    least = 8
    if places > 1:
        epochs = 1
    elif not epochs:
        least = min(most, 32 if has_convolutions else 256, _power_of_two(samples * MOST_EPOCHS / 64))
    return max(8, least, min(most, _power_of_two(samples * (epochs or 1) / 64)))


def _power_of_two(number: float) -> int:
    """Return the largest power of two that is no more than `number`, at least 1."""
    return 2 ** int(math.log2(max(number, 1)))


def choose_code_size(values: int) -> int:
    """Return the default size of a code: a quarter of a sample's values, at most 32, and 2 of three values or more.

    Examples
    --------
    >>> [choose_code_size(values) for values in (1, 2, 3, 30, 784)]
    [1, 1, 2, 7, 32]
    """
    return min(32, max(2 if values > 2 else 1, values // 4))


def choose_corruption(scaling: Scaling) -> str:
    """Return the default damage: noise, which keeps samples that are to become themselves from being learned by heart.

    Light noise of pictures, whose pixels tell much of each other; columns of a table, which tell little, need more
    (benchmarks/log.md).

    Examples
    --------
    >>> choose_corruption(Unit()), choose_corruption(Robust())
    ('gaussian(0.0, 0.1)', 'gaussian(0.0, 0.8)')
    """
    return "gaussian(0.0, 0.8)" if isinstance(scaling, Robust) else "gaussian(0.0, 0.1)"


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


def choose_blind_loss(source: Source) -> str:
    """Return the loss for learning from noisy samples alone.

    The squared error learns the mean of the noisy values. Where many lie at the ends of their range, noise was cut off
    there, so that mean is not the clean value; the median, which the absolute error learns, still is.

    Examples
    --------
    >>> from narrows.data.stream import Rows
    >>> noise = torch.randn(100, 1, 8, 8)
    >>> choose_blind_loss(Rows(noise)), choose_blind_loss(Rows(noise.clamp(0, 1)))
    ('mse', 'mae')
    """
    chunks = [chunk.numpy() for chunk in source.chunks()]
    low, high = min(chunk.min() for chunk in chunks), max(chunk.max() for chunk in chunks)
    ends = sum(int(((chunk == low) | (chunk == high)).sum()) for chunk in chunks)
    return "mae" if ends >= CLIPPED * sum(chunk.size for chunk in chunks) else "mse"


def find_noise(source: Source) -> float:
    """Return the standard deviation of the noise in pictures as a share of their range, as `Unit` knows it."""
    scaling = Unit()
    scaling.build(source.shape)
    scaling.fit(source.chunks())
    pictures = (picture.numpy() for chunk in source.chunks(1) for picture in chunk)
    return estimate_noise(islice(pictures, NOISE_PICTURES)) / scaling.scale.item()


def check_learnable(source: Source) -> None:
    """Raise a DataError for fewer than two samples, or where all values are equal."""
    if len(source.visits) < 2:
        raise DataError("training needs at least 2 samples, however there is only 1 sample; give more data")
    first = next(iter(source.chunks(1))).flatten()[0]
    if all(bool((rows == first).all()) for rows in source.chunks()):
        raise DataError(
            f"all values of the data are equal ({first.item():g}), so there is nothing to learn; check the data"
        )

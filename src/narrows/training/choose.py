"""Rules for what a person leaves open, the budget, the batch, the device; and checks that data can be learned from."""

from __future__ import annotations

import math
from itertools import islice

import torch
from torch import Tensor

from narrows.data.source import Chunks, Source
from narrows.errors import DataError, SpecError
from narrows.model.backbone import Patches
from narrows.model.inference import rows_at_once
from narrows.model.network import Network
from narrows.model.scaling import Scaling, Unit
from narrows.model.scalings import has_gaps
from narrows.recipe import Recipe
from narrows.spec import check_number, check_whole
from narrows.training.noise_level import estimate_noise
from narrows.training.optim import Linear, Muon, OneCycle

MAX_SECONDS = 300.0  # the default cap on training
MIN_SECONDS = 0.1  # that a cap may be
MORE_FOR_CROPS = 10  # times as many values and seconds as for small pictures, since photographs have more to learn
CORRECTION_RATE = 0.02  # of Muon where a correction of the input is learned; at larger rates training diverges
MIN_BATCH, LARGE_BATCH, LARGE_PICTURES = 8, 512, 64  # samples; the last is of pictures for convolutions
BATCH_VALUES = 2**25  # of a batch of pictures for convolutions: a step on more takes seconds
BATCH_PIXELS = 2**15  # of a batch that are enough where a correction of each pixel is learned
MAX_VISITS = 100  # of a sample, where the budget is in values
MIN_STEPS = 64  # of an epoch, where batches need not be smaller than MIN_BATCH for it
LARGE_FOR_STEPS = 2**20  # values of a sample, above which it is learned from alone or nearly so
NOISE_PICTURES = 64  # from which the level of the noise is estimated
CLIPPED = 0.02  # share of the values at the ends of the range, above which noise was cut off there


def choose_steps(samples: int, of_patches: bool = False) -> int:
    """Return the default budget: more samples take more steps, but less than in proportion.

    Fewer samples than about 800 take fewer steps still, since more would overfit them. The backbone `patches` learns as
    much in fewer steps (benchmarks/log.md).

    Examples
    --------
    >>> choose_steps(54_000), choose_steps(54_000, of_patches=True), choose_steps(160)
    (2439, 664, 379)
    """
    most = 170 * samples**0.125 if of_patches else 160 * samples**0.25
    return round(min(most, 30 * samples**0.5))


def choose_budget(
    recipe: Recipe, source: Source, network: Network, batch_size: int, max_seconds: float | None, has_cap: bool
) -> tuple[int, float]:
    """Return the steps of a training and its cap on seconds: as given, else as a preset says, else by a rule.

    Parameters
    ----------
    recipe : with the options that a person gave.
    source, network : the samples to train on; what is trained.
    max_seconds : the cap that a person gave.
    has_cap : whether there is a cap where nobody gave one.

    Raises SpecError for epochs, steps or seconds out of range.
    """
    visits = len(source.visits)
    epoch = -(-visits // batch_size)
    more = MORE_FOR_CROPS if visits > len(source) else 1
    steps = round(recipe.share_of_steps * choose_steps(visits, has_patches(network)))
    if recipe.values is not None:
        values = batch_size * math.prod(source.shape)
        steps = min(round(more * recipe.values / values), max(steps, MAX_VISITS * epoch))
    if recipe.epochs is not None:
        steps = check_whole("epochs", recipe.epochs, 1, 10**6) * epoch
    if recipe.max_steps is not None:
        steps = min(steps, check_whole("max_steps", recipe.max_steps, 1, 10**9))
    if max_seconds is not None:
        return steps, check_number("max_seconds", max_seconds, MIN_SECONDS)
    cap = MAX_SECONDS if recipe.max_seconds is None else more * recipe.max_seconds
    return steps, cap if has_cap else math.inf


def choose_optimizer(network: Network, batch_size: int) -> str:
    """Return the default optimizer: Muon, whose steps are of one length however large the gradient is.

    So for small batches, whose gradients are noisy, the rate is lower. Convolutions need fewer pictures in a batch,
    since their weights see many pixels of each. Where a correction of the input is learned, the rate is lower too.

    Examples
    --------
    >>> texts = {"bottleneck": "linear(2)", "corruption": "none", "loss": "mse", "scaling": "standard"}
    >>> dense, unet = (Network.from_texts((1, 8, 8), backbone=name, **texts) for name in ("dense", "unet"))
    >>> choose_optimizer(dense, 512), choose_optimizer(dense, 256), choose_optimizer(unet, 64)
    ('muon(0.05)', 'muon(0.025)', 'muon(0.02)')
    """
    if network.backbone.adds_input:
        return f"muon({CORRECTION_RATE})"
    large = LARGE_PICTURES if convolves(network) else LARGE_BATCH
    return f"muon({Muon().rate * min(1, batch_size / large):.3g})"


def choose_schedule(network: Network) -> str:
    """Return the default schedule: the rate rises and falls, in straight lines for `patches` (benchmarks/log.md)."""
    return repr(Linear() if has_patches(network) else OneCycle())


def convolves(network: Network) -> bool:
    """Return whether there are convolutions."""
    return any(p.ndim > 2 for p in network.parameters())


def has_patches(network: Network) -> bool:
    """Return whether the backbone is `patches`."""
    return isinstance(network.backbone, Patches)


def choose_batch_size(
    samples: int,
    epochs: int | None,
    has_convolutions: bool,
    pixels: int = 1,
    of_patches: bool = False,
    values: int = 1,
) -> int:
    """Return the default batch size: a power of two that makes 64 steps or more, and is at least 8.

    These are the steps of the given `epochs`. Without them they are those of one epoch; but a few samples, of up to 100
    epochs, come in batches of up to 256, or 32 for convolutions, since Muon's steps, which are of one length, follow
    the noise of small batches. At most 512, or 64 for convolutions, whose weights see many pixels of every picture.
    Where a correction of every pixel is learned, `pixels` are those of one picture, and fewer large pictures are
    enough, down to 8 whatever the epochs: so there are more steps in the same time (benchmarks/log.md). For the
    backbone `patches` twice as many pictures take less than twice the time of a step. Of large pictures, of so many
    `values` each, there are fewer, since a step on as many would take seconds.

    Examples
    --------
    >>> [choose_batch_size(count, None, False) for count in (3, 100, 1_000, 60_000)]
    [8, 128, 256, 512]
    >>> choose_batch_size(60_000, None, True), choose_batch_size(60_000, None, True, pixels=64 * 64)
    (64, 8)
    >>> choose_batch_size(60_000, None, True, of_patches=True)
    128
    >>> choose_batch_size(60_000, None, True, of_patches=True, values=1000 * 1000 * 3)
    8
    """
    twice = 2 if of_patches else 1
    most = min(LARGE_PICTURES, 2 ** math.ceil(math.log2(BATCH_PIXELS / pixels))) if has_convolutions else LARGE_BATCH
    least, most = MIN_BATCH, twice * most
    if pixels > 1:
        epochs = 1
    elif not epochs:
        least = min(most, twice * 32 if has_convolutions else 256, _power_of_two(samples * MAX_VISITS / MIN_STEPS))
    if has_convolutions:
        most = min(most, _power_of_two(BATCH_VALUES / values))
        least = min(most, least)
    return max(MIN_BATCH, least, min(most, _power_of_two(samples * (epochs or 1) / MIN_STEPS)))


def choose_part_size(batch_size: int, values: int, device: torch.device) -> int:
    """Return how many samples of so many `values` a step learns from at once, if the memory is large: mostly all.

    Of very large samples on a CPU it is one or two, which takes half the time: the memory of up to 32 MiB is used again
    by the next layer, while more is fetched from the system each time.

    Examples
    --------
    >>> [choose_part_size(8, 3 * side * side, torch.device("cpu")) for side in (256, 1000)]
    [8, 1]
    """
    is_large = values > LARGE_FOR_STEPS and device.type == "cpu"
    return rows_at_once(values, batch_size) if is_large else batch_size


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
    """Return the default corruption: noise, which prevents overfitting where samples shall become themselves.

    It is light for pictures, whose pixels say much of each other, and stronger for a table, whose columns say little of
    each other (benchmarks/log.md).

    Examples
    --------
    >>> from narrows.model.scaling import Robust
    >>> choose_corruption(Unit()), choose_corruption(Robust())
    ('gaussian(0.0, 0.1)', 'gaussian(0.0, 0.8)')
    """
    return scaling.usual_corruption


def find_device(name: str) -> torch.device:
    """Return the torch device for "auto", "cpu", "cuda" or "cuda:N"; raise a SpecError where there is none that works.

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and not find_trouble("cuda") else "cpu")
    if name == "cpu":
        return torch.device(name)
    kind, _, number = str(name).partition(":")
    if kind != "cuda" or not (number.isdecimal() or name == "cuda"):
        raise SpecError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', however: device={name!r}")
    if int(number or 0) >= torch.cuda.device_count():
        raise SpecError(f"there is no device {name!r} here; take device='cpu'")
    if trouble := find_trouble(name):
        raise SpecError(f"the device {name!r} does not work here ({trouble}); take device='cpu'")
    return torch.device(name)


def describe_device(name: str, device: torch.device) -> tuple[str, ...]:
    """Return a line where "auto" has taken the CPU though there should be a GPU, else nothing.

    Examples
    --------
    >>> describe_device("cpu", torch.device("cpu"))
    ()
    """
    if name != "auto" or device.type != "cpu" or not torch.cuda.is_available():
        return ()
    return (f"device: the CPU, since the GPU does not work here ({find_trouble('cuda')})",)


def find_trouble(name: str) -> str:
    """Return why nothing can be computed on a device, in one line; "" where it works.

    Examples
    --------
    >>> find_trouble("cpu")
    ''
    """
    try:
        torch.ones(1, device=name).add_(1).item()
    except (RuntimeError, AssertionError) as error:  # the latter where torch was built without CUDA
        return str(error).partition("\n")[0].rstrip(".")
    return ""


def choose_blind_loss(source: Source) -> str:
    """Return the loss for learning from noisy samples alone.

    The squared error learns the mean of the noisy values. Where many lie at the ends of their range, noise was cut off
    there, and the mean differs from the clean value; the median, which the absolute error learns, does not.

    Examples
    --------
    >>> from narrows.data.source import Rows
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
    scaling.fit(Chunks(source.chunks))
    pictures = (picture.numpy() for chunk in source.chunks(1) for picture in chunk)
    return estimate_noise(islice(pictures, NOISE_PICTURES)) / scaling.user_range.span


def check_learnable(source: Source) -> None:
    """Raise a DataError for fewer than two samples, or where all values that are no gaps are equal."""
    if len(source.visits) < 2:
        way = ", or patch_size=64 to take many patches of one picture" if len(source.shape) == 3 else ""
        raise DataError(f"training needs at least 2 samples, however there is only 1 sample; give more data{way}")
    first = next((values[0] for values in map(_observed, source.chunks()) if len(values)), None)
    if first is None:
        raise DataError("the data hold gaps alone, so there is nothing to learn; check them")
    if all(bool((_observed(rows) == first).all()) for rows in source.chunks()):
        raise DataError(
            f"all values of the data are equal ({first.item():g}), so there is nothing to learn; check the data"
        )


def check_gaps(network: Network, *sources: Source | None, name: str = "the data") -> None:
    """Raise a DataError where the data, called `name`, have gaps, and the scaling does not tell the network of them."""
    if network.scaling.tells_observed:
        return
    given = [source for source in sources if source is not None]
    fractions = [source for source in given if next(iter(source.chunks(1))).is_floating_point()]
    if any(has_gaps(rows) for source in fractions for rows in source.chunks()):
        raise DataError(
            f"{name} hold NaN, gaps that the scaling {network.scaling!r} does not take; take scaling='columns' for a "
            f"table, or fill them"
        )


def _observed(rows: Tensor) -> Tensor:
    """Return the values of samples that are no gaps."""
    return rows[~rows.isnan()] if rows.is_floating_point() else rows.flatten()

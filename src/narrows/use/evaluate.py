"""Every table that a model and data allow, with the plain method beside it.

The plain methods of a reconstruction are PCA that keeps as many numbers, and doing nothing: answering the mean.
Everything is measured in model's units, per value, and PCA's output is clamped where the model's is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from narrows.model.network import Network
from narrows.modelfile import Model
from narrows.use.anomaly import times_usual
from narrows.use.units import enter

MAX_ROWS = 10_000  # samples that are measured, or that PCA learns from
MAX_REFERENCE_VALUES = 2**25  # of all samples that PCA learns from together: 128 MB
WORK_ROWS = 2000  # samples on which components are counted; model and PCA on the same ones
DENSE_WIDTH = 1500  # values of a sample up to which all components cost less than a second
MAX_COLUMNS = 30  # of a table that are listed, the worst first

Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """Figures in rows: the first column is to the left, the others to the right.

    Attributes
    ----------
    title : what is shown.
    columns : the heads.
    rows : a cell per column each; fractions are floats, counts ints, the rest texts.
    note : a line below, on how it was measured.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Passed:
    """Samples before and after a model, flat and in model's units.

    Attributes
    ----------
    x, restored : (N, D), float32.
    """

    x: np.ndarray
    restored: np.ndarray

    @cached_property
    def squares(self) -> np.ndarray:
        """The squared error of every value, float32 (N, D)."""
        return np.square(self.restored - self.x)

    @cached_property
    def errors(self) -> np.ndarray:
        """The MSE of every sample, float64 (N,)."""
        return self.squares.mean(1, dtype=np.float64)

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.errors.mean())


@dataclass(frozen=True, eq=False)
class Components:
    """A fitted PCA, in model's units.

    Attributes
    ----------
    mean : (D,), what doing nothing answers.
    axes : (K, D), the components, the largest variance first; all there are, or as many as were looked for.
    rows : samples that it was fitted on.
    limits : the range that its output is clamped to, None where the data have none.
    """

    mean: np.ndarray
    axes: np.ndarray
    rows: int
    limits: tuple[float, float] | None = None

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return the scores (N, K) of samples `x` (N, D)."""
        return (x - self.mean) @ self.axes.T

    def restore(self, scores: np.ndarray, count: int) -> np.ndarray:
        """Return samples (N, D) from the first `count` of their scores (N, K)."""
        restored = scores[:, :count] @ self.axes[:count] + self.mean
        return restored if self.limits is None else np.clip(restored, *self.limits, out=restored)

    def through(self, x: np.ndarray, count: int) -> Passed:
        """Return samples `x` (N, D) before and after `count` components; `count` may exceed those there are."""
        return Passed(x, self.restore(self.scores(x), count))


@dataclass(frozen=True, eq=False)
class Beside:
    """PCA beside a model, on the same samples.

    Attributes
    ----------
    components : the fitted PCA.
    passed : the samples before and after as many components as the code has numbers.
    needed : components that reach the model's MSE, None where all that were looked for do not.
    """

    components: Components
    passed: Passed
    needed: int | None


def through(model: Model, x: np.ndarray) -> Passed:
    """Return samples before and after the model.

    Parameters
    ----------
    x : in the user's layout and units, any arrangement that the model's shape explains.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, _ = enter(model, x)
    return pass_tensor(model.network, samples)


def pass_tensor(network: Network, samples: Tensor) -> Passed:
    """Return `samples` (N, C, *grid), in user's units, before and after the network."""

    def both(rows: Tensor) -> Tensor:
        scaled = network.scaling(rows)
        return torch.stack((scaled, network.restore(scaled)), 1)

    pairs = network.in_blocks(both, samples).flatten(2).numpy()
    return Passed(pairs[:, 0], pairs[:, 1])


def pick(count: int, most: int = MAX_ROWS) -> np.ndarray:
    """Return the index of at most `most` of `count` samples: all of them, else a fixed random choice in order.

    Examples
    --------
    >>> pick(3), len(pick(100, most=10))
    (array([0, 1, 2]), 10)
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def take(x: np.ndarray) -> np.ndarray:
    """Return the samples of `x` that are measured: `x` itself, else the `pick` of its 10,000."""
    return x if len(x) <= MAX_ROWS else x[pick(len(x))]


def fit_pca(model: Model, reference: np.ndarray) -> Components:
    """Fit PCA on `reference` in the units of `model`, on at most 10,000 of its samples.

    Samples of up to 1,500 values get all their components; wider ones four times the model's code, by a randomised
    method (Halko, Martinsson and Tropp, "Finding Structure with Randomness", 2011), and fewer rows.

    Parameters
    ----------
    reference : the training data, in the user's layout and units.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    from sklearn.decomposition import PCA

    network = model.network
    if reference.ndim > 1:
        reference = reference[pick(len(reference), min(MAX_ROWS, max(2, MAX_REFERENCE_VALUES // network.values)))]
    samples, _ = enter(model, reference)
    x = network.scaling(samples.to(network.device)).flatten(1).cpu().numpy()
    limits = network.scaling.limits
    most = min(len(x) - 1, x.shape[1])  # n samples differ from their mean in n - 1 directions
    if most < 1:
        return Components(x.mean(0), np.empty((0, x.shape[1]), x.dtype), len(x), limits)
    wanted = min(most, max(4 * network.code_size, 64))
    if x.shape[1] <= DENSE_WIDTH:
        pca = PCA(most, svd_solver="covariance_eigh")
    elif 2 * wanted > most:
        pca = PCA(most, svd_solver="full")
    else:
        pca = PCA(wanted, svd_solver="randomized", iterated_power=3, random_state=0)
    pca.fit(x)
    return Components(pca.mean_, pca.components_, len(x), limits)


def compare(model: Model, passed: Passed, components: Components) -> Beside:
    """Return PCA beside the model on the samples that `passed`; components are counted on at most 2,000 of them."""
    index = pick(len(passed.x), WORK_ROWS)
    needed = components_needed(components, passed.x[index], float(passed.errors[index].mean()))
    return Beside(components, components.through(passed.x, model.network.code_size), needed)


def pca_curve(components: Components, x: np.ndarray) -> np.ndarray:
    """Return the MSE per value of `x` (N, D) after 0, 1, ... K components, float64 (K + 1,), not clamped.

    Examples
    --------
    >>> pca_curve(Components(np.zeros(2), np.eye(2), 9), np.array([[3.0, 1.0]]))
    array([5. , 0.5, 0. ])
    """
    total = np.square(x - components.mean).mean(dtype=np.float64)
    kept = np.square(components.scores(x)).mean(0, dtype=np.float64) / x.shape[1]
    return np.maximum(total - np.concatenate([[0.0], np.cumsum(kept)]), 0.0)


def components_needed(components: Components, x: np.ndarray, mse: float) -> int | None:
    """Return how many components reach `mse` on `x` (N, D), clamped as the model is; None where all do not.

    Examples
    --------
    >>> pca = Components(np.zeros(2), np.eye(2), 9)
    >>> x = np.array([[3.0, 1.0]])
    >>> [components_needed(pca, x, mse) for mse in (9.0, 1.0, 0.0)]
    [0, 1, 2]
    """
    scores = components.scores(x)

    def reaches(count: int) -> bool:
        return Passed(x, components.restore(scores, count)).mse <= mse

    free = np.flatnonzero(pca_curve(components, x) <= mse)
    high = int(free[0]) if len(free) else len(components.axes)  # to clamp only helps, so no more than this
    if not reaches(high):
        return None
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def describe_work(code_size: int, needed: int | None, looked_for: int) -> str:
    """Return in a sentence how many PCA components do what the code does.

    Examples
    --------
    >>> describe_work(128, 170, 784)
    'Its 128 numbers do the work of 170 PCA components.'
    >>> describe_work(196, 60, 784)
    'Its 196 numbers do the work of 60 PCA components: at this size PCA is the better one.'
    """
    numbers = f"Its {code_size:,} number{'s do' if code_size > 1 else ' does'} the work of "
    if needed is None:
        return f"{numbers}more than the {looked_for:,} PCA components that the reference allows."
    plural = "" if needed == 1 else "s"
    verdict = ": at this size PCA is the better one" if needed < code_size else ""
    return f"{numbers}{needed:,} PCA component{plural}{verdict}."


def psnr(restored: np.ndarray, clean: np.ndarray, data_range: float) -> float:
    """Return the peak signal-to-noise ratio in dB, 10 log10(data_range² / MSE); infinite where both are equal.

    Parameters
    ----------
    restored, clean : of one shape, in the same units.
    data_range : the distance from the darkest to the brightest that the data can be.

    Examples
    --------
    >>> round(psnr(np.array([0, 255]), np.array([0, 245]), 255), 2)
    31.14
    """
    mse = np.square(np.asarray(restored, np.float64) - np.asarray(clean, np.float64)).mean()
    return math.inf if mse == 0 else float(10 * math.log10(data_range**2 / mse))


def evaluate(model: Model, x: np.ndarray, reference: np.ndarray, reference_name: str) -> list[Table]:
    """Return every table that the model and the data allow.

    Parameters
    ----------
    x : what to measure on, in the user's layout; at most 10,000 samples of it are.
    reference : what the plain methods learn from, best the training data.
    reference_name : what to call that in the notes.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    passed = through(model, take(x))
    beside = compare(model, passed, fit_pca(model, reference))
    tables = [reconstruction_table(model, passed, beside, reference_name), error_table(model, passed.errors)]
    if len(model.network.shape) == 1:
        tables.append(column_table(model, passed, beside))
    return tables


def reconstruction_table(model: Model, passed: Passed, beside: Beside, reference_name: str) -> Table:
    """Return the model's MSE beside that of PCA at the same code size and of doing nothing."""
    network, components = model.network, beside.components
    nothing = float(np.square(passed.x - components.mean).mean(dtype=np.float64))
    rows: list[tuple[Cell, ...]] = [_row("this model", network.code_size, passed.mse, nothing)]
    note = [f"PCA and the mean are fitted on {components.rows:,} samples of {reference_name}."]
    if network.has_code:  # with connections round the bottleneck, the code's size says nothing
        kept = min(network.code_size, len(components.axes))
        rows.append(_row("PCA", kept, beside.passed.mse, nothing))
        note.insert(0, describe_work(network.code_size, beside.needed, len(components.axes)))
    if components.limits:
        note.append("PCA's output is clamped to the range, as the model's is.")
    note.append(f"MSE per value, in units of {network.texts['scaling']}.")
    rows.append(_row("doing nothing: the mean", 0, nothing, nothing))
    columns = ("method", "numbers kept", "MSE", "variance explained")
    count = f"{len(passed.x):,} sample{'s' if len(passed.x) != 1 else ''}"
    return Table(f"Reconstruction of {count}", columns, tuple(rows), " ".join(note))


def _row(method: str, kept: int, mse: float, nothing: float) -> tuple[Cell, ...]:
    return method, kept, mse, share(mse, nothing)


def share(mse: float, nothing: float) -> str:
    """Return in per cent how much of the error of doing nothing is gone.

    Examples
    --------
    >>> share(0.02, 0.1)
    '80.0 %'
    """
    return "-" if nothing <= 0 else f"{100 * (1 - mse / nothing):.1f} %"


def error_table(model: Model, sample_errors: np.ndarray) -> Table:
    """Return how the samples' errors (N,) are spread, and how that compares with the held-out training data."""
    levels = {"least": 0.0, "median": 0.5, "95 of 100 are below": 0.95, "largest": 1.0}
    rows = tuple((name, float(np.quantile(sample_errors, level))) for name, level in levels.items())
    times = times_usual(model, sample_errors)
    note = "" if times is None else f"The median is {times:.3g} times the usual one, that of held-out training data."
    return Table("Error of single samples", ("sample", "MSE"), rows, note)


def column_table(model: Model, passed: Passed, beside: Beside | None = None) -> Table:
    """Return the error of every column of a table against the column's own spread, the worst first."""
    names, order = column_names(model), worst_columns(model, passed)
    mses = [_per_column(model, p) for p in ([passed, beside.passed] if beside else [passed])]
    scale = np.broadcast_to(model.network.scaling.scale.cpu().numpy(), mses[0].shape)
    spread = passed.x.std(0, dtype=np.float64)
    rows = tuple(
        (
            names[i],
            float(np.sqrt(mses[0][i]) * scale[i]),
            float(spread[i] * scale[i]),
            *(share(float(mse[i]), float(spread[i] ** 2)) for mse in mses),
        )
        for i in order[:MAX_COLUMNS]
    )
    columns = ("column", "error", "spread", "explained by this model", "by PCA")[: 3 + len(mses)]
    note = "Error: root of the mean squared error. Spread: the column's standard deviation. Both in its own units."
    if len(order) > MAX_COLUMNS:
        note += f" The worst {MAX_COLUMNS} of {len(order):,} columns."
    return Table("Columns, the worst first", columns, rows, note)


def worst_columns(model: Model, passed: Passed) -> np.ndarray:
    """Return the index of a table's columns, by their error against their own spread, the largest first."""
    spread = passed.x.var(0, dtype=np.float64)
    return np.argsort(-_per_column(model, passed) / np.maximum(spread, 1e-12), kind="stable")


def column_names(model: Model) -> tuple[str, ...]:
    """Return the names of a table's columns; x0, x1, ... where they have none."""
    return model.card.columns or tuple(f"x{i}" for i in range(model.network.shape[0]))


def _per_column(model: Model, passed: Passed) -> np.ndarray:
    """Return the MSE of each of the user's columns, float64 (D,), in model's units."""
    squares = torch.from_numpy(passed.squares)
    return model.network.scaling.fold(squares).double().mean(0).numpy()

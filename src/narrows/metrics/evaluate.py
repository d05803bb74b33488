"""Every table that a model and data allow, with the plain method beside it.

The plain methods of a reconstruction are PCA that keeps as many numbers, and doing nothing: answering the mean.
Everything is measured in model's units, per value, and PCA's output is clamped where the model's is. Samples are
turned into float32 a chunk at a time, since all of them would take four times the memory of bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from narrows.metrics.map_quality import NEIGHBOURS, measure_map
from narrows.model.network import Network
from narrows.model.summary import describe_code
from narrows.modelfile import Model
from narrows.tasks.encode import decode_map, encode_map, has_map
from narrows.tasks.score import times_usual
from narrows.tasks.units import as_samples, in_chunks

MAX_ROWS = 10_000  # samples that are measured, or that PCA learns from
MAX_REFERENCE_VALUES = 2**25  # of all samples that PCA learns from together
SAME = 1 + 1e-5  # times an MSE: what float32 cannot tell from it
WORK_ROWS = 2000  # samples on which components are counted; model and PCA on the same ones
MAX_WORK_VALUES = 2**22  # of all these together: 16 MB
DENSE_WIDTH = 1500  # values of a sample up to which all components cost less than a second
SPARE_AXES, POWER_STEPS = 10, 3  # of the randomised method, beyond the components that are wanted
MAX_KNOWN = 70_000  # training samples among which neighbours on a map are looked for
MAP_ROWS = 5000  # samples whose neighbours are looked for in the data and on the map
MAX_MAP_VALUES = 2**23  # of all these together
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
class Reconstructed:
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

    def scores(self, x: np.ndarray, count: int | None = None) -> np.ndarray:
        """Return the first `count` scores of samples `x` (N, D), all by default."""
        return (x - self.mean) @ self.axes[:count].T

    def restore(self, scores: np.ndarray) -> np.ndarray:
        """Return samples (N, D) from their first scores (N, k)."""
        restored = scores @ self.axes[: scores.shape[1]] + self.mean
        return restored if self.limits is None else np.clip(restored, *self.limits, out=restored)

    def through(self, x: np.ndarray, count: int) -> Reconstructed:
        """Return samples `x` (N, D) before and after `count` components; `count` may exceed those there are."""
        return Reconstructed(x, self.restore(self.scores(x, count)))


@dataclass(frozen=True, eq=False)
class PcaBaseline:
    """PCA beside a model, on the same samples.

    Attributes
    ----------
    components : the fitted PCA.
    value_errors : the MSE of every value through as many components as the code has numbers, float64 (D,).
    needed : components that reach the model's MSE, None where all that were looked for do not.
    """

    components: Components
    value_errors: np.ndarray
    needed: int | None

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.value_errors.mean())


@dataclass(frozen=True, eq=False)
class Measured:
    """What samples leave behind when they pass through a model, in model's units.

    Attributes
    ----------
    errors : the MSE of every sample, float64 (N,).
    value_errors : the MSE of every value over the samples, float64 (D,).
    mean, variance : of every value over the samples, float64 (D,).
    pca : PCA on the same samples, None without one.
    """

    errors: np.ndarray
    value_errors: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    pca: PcaBaseline | None = None

    @property
    def mse(self) -> float:
        """The MSE per value over all samples."""
        return float(self.errors.mean())

    def mse_of(self, answer: np.ndarray) -> float:
        """Return the MSE of giving the same `answer` (D,) to every sample."""
        return float((self.variance + np.square(self.mean - answer)).mean())


def through(model: Model, x: np.ndarray) -> Reconstructed:
    """Return samples before and after the model.

    Parameters
    ----------
    x : in the user's layout and units, any arrangement that the model's shape explains.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, _ = as_samples(model, x)
    return pass_tensor(model.network, samples)


def pass_tensor(network: Network, samples: Tensor) -> Reconstructed:
    """Return `samples` (N, C, *grid), in user's units, before and after the network."""

    def both(rows: Tensor) -> Tensor:
        scaled = network.scaling(rows)
        return torch.stack((scaled, network.restore(scaled)), 1)

    pairs = network.in_blocks(both, samples).flatten(2).numpy()
    return Reconstructed(pairs[:, 0], pairs[:, 1])


def scaled(network: Network, samples: Tensor) -> np.ndarray:
    """Return `samples` (N, C, *grid), in user's units, flat and in model's units, float32 (N, D)."""
    return network.scaling(samples.to(network.device)).flatten(1).cpu().numpy()


def measure(model: Model, samples: Tensor, components: Components | None = None) -> Measured:
    """Measure a model, and PCA that keeps as many numbers, on `samples` (N, C, *grid) in user's units."""
    network, count = model.network, len(samples)
    origin = scaled(network, samples[:1])  # moments are taken from here, so that a constant value has no variance
    errors = []
    squares, pca_squares, moved, moved_squares = np.zeros((4, network.values))
    for chunk in in_chunks(network, samples):
        passed = pass_tensor(network, chunk)
        errors.append(passed.errors)
        squares += passed.squares.sum(0, dtype=np.float64)
        from_origin = passed.x - origin
        moved += from_origin.sum(0, dtype=np.float64)
        moved_squares += np.square(from_origin, out=from_origin).sum(0, dtype=np.float64)
        if components:
            pca_squares += components.through(passed.x, network.code_size).squares.sum(0, dtype=np.float64)
    mean = moved / count
    variance = np.maximum(moved_squares / count - mean**2, 0.0)
    measured = Measured(np.concatenate(errors), squares / count, origin[0] + mean, variance)
    if components is None:
        return measured
    needed = _count_components(network, samples, measured.errors, components)
    return replace(measured, pca=PcaBaseline(components, pca_squares / count, needed))


def _count_components(network: Network, samples: Tensor, errors: np.ndarray, components: Components) -> int | None:
    """Return how many components do the model's work, on at most 2,000 of the samples, fewer of wide ones."""
    index = pick(len(samples), min(WORK_ROWS, max(2, MAX_WORK_VALUES // network.values)))
    chunks = [scaled(network, chunk) for chunk in in_chunks(network, samples[index])]
    return components_needed(components, chunks, float(errors[index].mean()))


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
    network = model.network
    if reference.ndim > 1:
        reference = reference[pick(len(reference), min(MAX_ROWS, max(2, MAX_REFERENCE_VALUES // network.values)))]
    samples, _ = as_samples(model, reference)
    count, width = len(samples), network.values
    chunks = in_chunks(network, samples)
    mean = sum(scaled(network, chunk).sum(0, dtype=np.float64) for chunk in chunks) / count
    mean = mean.astype(np.float32)

    def centred() -> Iterable[np.ndarray]:
        return (scaled(network, chunk) - mean for chunk in chunks)

    most = min(count - 1, width)  # n samples differ from their mean in n - 1 directions
    if most < 1:
        axes = np.empty((0, width), np.float32)
    elif width <= DENSE_WIDTH:
        axes = _main_axes(centred(), width)[:most]
    else:
        wanted = max(4 * network.code_size, 64)
        wanted = wanted if 2 * wanted <= most else most  # of few rows all are as cheap
        basis = _randomised_basis(centred, width, min(most, wanted + SPARE_AXES))
        axes = _main_axes((x @ basis for x in centred()), basis.shape[1])[:wanted] @ basis.T
    return Components(mean, axes, count, network.scaling.limits)


def _main_axes(chunks: Iterable[np.ndarray], width: int) -> np.ndarray:
    """Return the axes (width, width) of centred chunks (n, width), the largest variance first, float32."""
    covariance = np.zeros((width, width))
    for x in chunks:
        covariance += x.T @ x
    return np.linalg.eigh(covariance)[1][:, ::-1].T.astype(np.float32)


def _randomised_basis(centred: Callable[[], Iterable[np.ndarray]], width: int, size: int) -> np.ndarray:
    """Return directions (width, size) at right angles that hold nearly all the variance that as many can hold."""
    basis = np.random.default_rng(0).standard_normal((width, size), np.float32)
    for _ in range(POWER_STEPS):
        basis = np.linalg.qr(sum(x.T @ (x @ basis) for x in centred()))[0]
    return basis


def components_needed(components: Components, chunks: Sequence[np.ndarray], mse: float) -> int | None:
    """Return how many components reach `mse` on chunks (n, D), clamped as the model is; None where all do not.

    Examples
    --------
    >>> pca = Components(np.zeros(2), np.eye(2), 9)
    >>> x = np.array([[3.0, 1.0]])
    >>> [components_needed(pca, [x], mse) for mse in (9.0, 1.0, 0.0)]
    [0, 1, 2]
    """
    mse *= SAME  # where the model is PCA itself
    values = sum(x.size for x in chunks)
    scores = [components.scores(x) for x in chunks]

    def reaches(count: int) -> bool:
        restored = (components.restore(s[:, :count]) for s in scores)
        squares = (np.square(r - x).sum(dtype=np.float64) for r, x in zip(restored, chunks, strict=True))
        return sum(squares) / values <= mse

    free = np.flatnonzero(pca_curve(components, chunks, scores) <= mse)
    high = int(free[0]) if len(free) else len(components.axes)  # to clamp only helps, so no more than this
    if not reaches(high):
        return None
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def pca_curve(components: Components, chunks: Sequence[np.ndarray], scores: Sequence[np.ndarray]) -> np.ndarray:
    """Return the MSE per value of chunks (n, D) after 0, 1, ... K components, float64 (K + 1,), not clamped.

    Parameters
    ----------
    scores : of each chunk, (n, K).

    Examples
    --------
    >>> x = np.array([[3.0, 1.0]])
    >>> pca_curve(Components(np.zeros(2), np.eye(2), 9), [x], scores=[x])
    array([5. , 0.5, 0. ])
    """
    total = sum(np.square(x - components.mean).sum(dtype=np.float64) for x in chunks)
    kept = np.cumsum(sum(np.square(s).sum(0, dtype=np.float64) for s in scores))
    return np.maximum(total - np.concatenate([[0.0], kept]), 0.0) / sum(x.size for x in chunks)


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


def evaluate(
    model: Model,
    x: np.ndarray,
    reference: np.ndarray,
    reference_name: str,
    labels: np.ndarray | None = None,
    reference_labels: np.ndarray | None = None,
) -> list[Table]:
    """Return every table that the model and the data allow.

    Parameters
    ----------
    x : what to measure on, in the user's layout; at most 10,000 samples of it are.
    reference : what the plain methods learn from, best the training data.
    reference_name : what to call that in the notes.
    labels : of the samples of `x`, None where there are none.
    reference_labels : of the reference, None where it is not apart from `x`.

    Raises DataError for an array whose samples are not of the model's shape.
    """
    samples, _ = as_samples(model, take(x))
    components = fit_pca(model, reference)
    measured = measure(model, samples, components)
    tables = [reconstruction_table(model, measured, reference_name), error_table(model, measured.errors)]
    if len(model.network.shape) == 1:
        tables.append(column_table(model, measured))
    if has_map(model) and len(samples) > 1:
        known = None if reference_labels is None else (reference, reference_labels)
        own = None if labels is None else take(labels)
        tables.append(map_table(model, take(x), measured, own, known, reference_name))
    return tables


def reconstruction_table(model: Model, measured: Measured, reference_name: str) -> Table:
    """Return the model's MSE beside that of PCA at the same code size and of doing nothing.

    `measured` must hold a PCA. Of a model without a code that holds a sample nothing says how much is kept, so it
    stands beside doing nothing alone.
    """
    network, beside = model.network, measured.pca
    assert beside is not None
    components, nothing = beside.components, measured.mse_of(beside.components.mean)
    pca_kept = min(network.code_size, len(components.axes))
    found = [
        ("this model", network.code_size, measured.mse),
        ("PCA", pca_kept, beside.mse),
        ("doing nothing: the mean", 0, nothing),
    ]
    fitted = f"fitted on {components.rows:,} samples of {reference_name}."
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    if network.has_code:
        columns = ("method", "numbers kept", "MSE", "variance explained")
        rows = tuple((method, kept, mse, share(mse, nothing)) for method, kept, mse in found)
        work = describe_work(network.code_size, beside.needed, len(components.axes))
        clamped = "PCA's output is clamped to the range, as the model's is." if components.limits else ""
        note = [work, f"PCA and the mean are {fitted}", clamped]
    else:
        columns = ("method", "MSE", "variance explained")
        rows = tuple((method, mse, share(mse, nothing)) for method, _, mse in found if method != "PCA")
        note = [f"Code: {describe_code(network)}.", f"The mean is {fitted}"]
    note.append(f"MSE per value, in units of {network.texts['scaling']}.")
    count = f"{len(measured.errors):,} sample{'s' if len(measured.errors) != 1 else ''}"
    return Table(f"Reconstruction of {count}", columns, rows, " ".join(filter(None, note)))


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


def column_table(model: Model, measured: Measured) -> Table:
    """Return the error of every column of a table against the column's own spread, the worst first."""
    names, order, beside = model.column_names, worst_columns(model, measured), measured.pca
    mses = [_per_column(model, v) for v in ([measured.value_errors] + ([beside.value_errors] if beside else []))]
    scale = np.broadcast_to(model.network.scaling.scale.cpu().numpy(), mses[0].shape)
    spread = np.sqrt(measured.variance)
    rows = tuple(
        (
            names[i],
            float(np.sqrt(mses[0][i]) * scale[i]),
            float(spread[i] * scale[i]),
            *(share(float(mse[i]), float(measured.variance[i])) for mse in mses),
        )
        for i in order[:MAX_COLUMNS]
    )
    columns = ("column", "error", "spread", "explained by this model", "by PCA")[: 3 + len(mses)]
    note = "Error: root of the mean squared error. Spread: the column's standard deviation. Both in its own units"
    note += (
        "."
        if model.network.scaling.is_linear
        else ", in which the values far from all others count by their logarithm."
    )
    if len(order) > MAX_COLUMNS:
        note += f" The worst {MAX_COLUMNS} of {len(order):,} columns."
    return Table("Columns, the worst first", columns, rows, note)


def map_table(
    model: Model,
    x: np.ndarray,
    measured: Measured,
    labels: np.ndarray | None = None,
    known: tuple[np.ndarray, np.ndarray] | None = None,
    known_name: str = "",
) -> Table:
    """Return how good the model's map is, beside that of the two main components.

    Parameters
    ----------
    x, labels : the samples that were measured, in the user's layout, and their labels.
    measured : what was measured on them; it must hold a PCA.
    known : training samples and their labels, among which neighbours are looked for; the other samples by default.
    known_name : what to call those in the note.
    """
    network, beside = model.network, measured.pca
    assert beside is not None
    components, (samples, _) = beside.components, as_samples(model, x)
    if known is not None:
        chosen = pick(len(known[0]), MAX_KNOWN)
        known = known[0][chosen], known[1][chosen]
    index = pick(len(samples), max(2, min(MAP_ROWS, MAX_MAP_VALUES // network.values)))
    some = scaled(network, samples[index])

    def plain(values: np.ndarray) -> np.ndarray:
        chunks = in_chunks(network, as_samples(model, values)[0])
        return np.concatenate([components.scores(scaled(network, chunk), 2) for chunk in chunks])

    def decoded(points: np.ndarray) -> np.ndarray:
        return scaled(network, as_samples(model, decode_map(model, points))[0])

    methods: dict[str, tuple[Callable[[np.ndarray], np.ndarray], ...]] = {
        "this model": (lambda values: encode_map(model, values), decoded)
    }
    if len(components.axes) > 1:  # a reference of one or two samples has none, or one
        methods["PCA"] = plain, components.restore
    rows: list[tuple[Cell, ...]] = []
    for method, (put, restore) in methods.items():
        points, among = put(x), None if known is None else (put(known[0]), known[1])
        found = measure_map(some, points, labels, among, index)
        rows.append(
            (method, *(_as_shown(*figure) for figure in found.items()), _mse(network, samples, points, restore))
        )
    shown = tuple(found)
    return Table(
        "The map", ("method", *shown, "MSE"), tuple(rows), _map_note(model, shown, len(index), known, known_name)
    )


def _mse(network: Network, samples: Tensor, points: np.ndarray, restore: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the MSE per value of what `restore` makes of the samples' places, in model's units."""
    total, start = 0.0, 0
    for chunk in in_chunks(network, samples):
        restored = restore(points[start : start + len(chunk)])
        total += float(np.square(restored - scaled(network, chunk)).sum(dtype=np.float64))
        start += len(chunk)
    return total / (len(samples) * network.values)


def _as_shown(name: str, figure: float) -> str:
    return f"{100 * figure:.1f} %" if name.endswith("-NN") else f"{figure:.3f}"


def _map_note(
    model: Model, shown: Sequence[str], rows: int, known: tuple[np.ndarray, np.ndarray] | None, known_name: str
) -> str:
    """Return how the figures of a map were measured."""
    notes = []
    if "1-NN" in shown:
        among = "the other samples" if known is None else f"{len(known[0]):,} samples of {known_name}"
        notes.append(f"1-NN and 5-NN: samples whose label is that of most of the nearest on the map, among {among}.")
    if "trustworthiness" in shown:
        notes.append(
            f"Trustworthiness: whether the {NEIGHBOURS} nearest on the map are near in the data too; continuity: "
            f"whether the {NEIGHBOURS} nearest in the data are near on the map; both over {rows:,} samples."
        )
    if "V-measure" in shown:
        notes.append(
            "V-measure: how far k-means on the map, with as many clusters as labels, finds the labels; silhouette: how "
            "far its clusters lie apart."
        )
    notes.append(f"MSE: from the two numbers of the map alone, in units of {model.network.texts['scaling']}.")
    return " ".join(notes)


def worst_columns(model: Model, measured: Measured) -> np.ndarray:
    """Return the index of a table's columns, by their error against their own spread, the largest first."""
    errors = _per_column(model, measured.value_errors)
    return np.argsort(-errors / np.maximum(measured.variance, 1e-12), kind="stable")


def _per_column(model: Model, value_errors: np.ndarray) -> np.ndarray:
    """Return the MSE of each of the user's columns, float64 (D,), in model's units."""
    return model.network.scaling.fold(torch.from_numpy(value_errors)[np.newaxis])[0].numpy()

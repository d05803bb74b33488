"""The table that says how good a model's map is, beside the map of the first two principal components."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from narrows.metrics.map_quality import NEIGHBOURS, measure_map
from narrows.metrics.measured import Measured
from narrows.metrics.reconstruction import Reconstructed, pick, scale_samples, with_gaps
from narrows.metrics.table import Cell, Table
from narrows.model.chain import restore_map
from narrows.model.network import Network, as_tensor
from narrows.modelfile import Model
from narrows.spec import shown
from narrows.tasks.encode import decode_map, encode_map
from narrows.tasks.units import as_samples, in_chunks

MAX_KNOWN = 70_000  # training samples among which neighbours on a map are looked for
MAP_ROWS = 5000  # samples whose neighbours are looked for in the data and on the map
MAX_MAP_VALUES = 2**23  # of all these together
Coder = Callable[[np.ndarray], np.ndarray]  # samples -> positions on a map, or back


def map_table(
    model: Model,
    x: np.ndarray,
    measured: Measured,
    labels: np.ndarray | None = None,
    known: tuple[np.ndarray, np.ndarray] | None = None,
    known_name: str = "",
) -> Table:
    """Return how good the model's map is, beside the map of the first two principal components.

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
    some = scale_samples(network, samples[index])

    def encode_pca(values: np.ndarray) -> np.ndarray:
        chunks = in_chunks(network, as_samples(model, values)[0])
        return np.concatenate([components.encode(scale_samples(network, chunk), 2) for chunk in chunks])

    def decode(points: np.ndarray) -> np.ndarray:
        if network.scaling.has_categories:  # which come back as the likeliest value
            restored = network.in_blocks(lambda rows: restore_map(network, model.map_head, rows), as_tensor(points))
            return restored.flatten(1).numpy()
        return scale_samples(network, as_samples(model, decode_map(model, points))[0])

    methods: dict[str, tuple[Coder, Coder]] = {"this model": (lambda values: encode_map(model, values), decode)}
    if len(components.axes) > 1:  # a reference of one or two samples has none, or one
        methods["PCA"] = encode_pca, components.decode
    rows: list[tuple[Cell, ...]] = []
    for method, (encoder, decoder) in methods.items():
        points, among = encoder(x), None if known is None else (encoder(known[0]), known[1])
        found = measure_map(some, points, labels, among, index)
        cells = (_show_metric(name, value) for name, value in found.items())
        rows.append((method, *cells, _mse(network, samples, points, decoder)))
    names = tuple(found)
    note = _map_note(model, names, len(index), known, known_name)
    return Table("The map", ("method", *names, "MSE"), tuple(rows), note)


def _mse(network: Network, samples: Tensor, points: np.ndarray, decoder: Coder) -> float:
    """Return the MSE per value of what `decoder` makes of the samples' positions, in model's units."""
    total, start = 0.0, 0
    for chunk in in_chunks(network, samples):
        restored = decoder(points[start : start + len(chunk)])
        total += float(Reconstructed(with_gaps(network, chunk), restored, network.scaling).errors.sum())
        start += len(chunk)
    return total / len(samples)


def _show_metric(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name.endswith("-NN") else f"{value:.3f}"


def _map_note(
    model: Model, names: Sequence[str], rows: int, known: tuple[np.ndarray, np.ndarray] | None, known_name: str
) -> str:
    """Return sentences on how the metrics of a map, called by `names`, were measured."""
    notes = []
    if "1-NN" in names:
        among = "the other samples" if known is None else f"{len(known[0]):,} samples of {known_name}"
        notes.append(f"1-NN and 5-NN: samples whose label is that of most of the nearest on the map, among {among}.")
    if "trustworthiness" in names:
        notes.append(
            f"Trustworthiness: whether the {NEIGHBOURS} nearest on the map are near in the data too; continuity: "
            f"whether the {NEIGHBOURS} nearest in the data are near on the map; both over {rows:,} samples."
        )
    if "V-measure" in names:
        notes.append(
            "V-measure: how far k-means on the map, with as many clusters as labels, finds the labels; silhouette: how "
            "far its clusters lie apart."
        )
    notes.append(f"MSE: from the two numbers of the map alone, in units of {shown(model.network.texts['scaling'])}.")
    return " ".join(notes)

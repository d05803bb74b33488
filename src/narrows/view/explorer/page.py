"""The explorer: an interactive map as one HTML page, which needs no server and makes no requests.

The page's style, scripts and template are in `files/`; this module joins them, the map, the samples and the model.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from narrows.data.labels import group_labels
from narrows.files import whole
from narrows.metrics.data_range import find_limits
from narrows.metrics.reconstruction import Reconstructed, scale_samples, with_gaps
from narrows.model import chain
from narrows.modelfile import Model
from narrows.tasks.depths import FULL, cast
from narrows.tasks.encode import decode_map
from narrows.tasks.units import as_samples, in_chunks
from narrows.view.colours import MAX_GROUPS, colour, kind_colours
from narrows.view.explorer.columns import add_columns, as_json, encode
from narrows.view.explorer.export import Exported, export_decoder, export_encoder
from narrows.view.explorer.sprites import A_SHEET, ACROSS, Sprites, pack
from narrows.view.figure import GAP, GREY, NOT_LABELLED
from narrows.view.scale import STEPS

if TYPE_CHECKING:
    from narrows.tasks.mapping import Map

SCRIPTS = (
    "network",
    "blocks",
    "data",
    "nearest",
    "colours",
    "columns",
    "painter",
    "row",
    "panel",
    "find",
    "draw",
    "pointer",
    "explorer",
)
MAX_PAGE = 24_000_000  # characters of a page: mail takes 25 MB
MAX_MODEL = 9_000_000  # of them for the decoder, and as many for the encoder
MAX_COLUMNS = 12_000_000  # of them for a table's columns
MAX_MADE = 4_000_000  # of them for the reconstructions' pictures
MAX_COLOURS = 1000  # of labels; of more some have the same
LEAST_PICTURES = 2_000_000  # of them for the samples' pictures
MAX_MULTIPLICATIONS = 20_000_000  # to decode one sample: 40 ms in a browser that does half a billion a second
GRID = 40  # decoded positions across the map and up, where the page cannot run the model
CHUNK = 4096  # samples that are turned into bytes at once


def write_explorer(path: str | Path, model: Model, mapped: Map, overwrite: bool = False, by: str | None = None) -> None:
    """Write the page of `make_explorer` to `path`, whole or not at all.

    Raises DataError where the path exists or cannot be written, and where the map does not hold what `by` names.
    """
    page = make_explorer(model, mapped, by)
    with whole(path, overwrite) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def make_explorer(model: Model, mapped: Map, by: str | None = None) -> str:
    """Return an interactive map as one HTML text that holds the points, the samples, the model and all scripts.

    The page runs the decoder itself where it knows all its layers and they take few multiplications; else it holds what
    the model decodes on a grid of positions. With the encoder too it has a canvas to draw on. Its policy forbids any
    request.

    Parameters
    ----------
    model : with a map of two dimensions.
    mapped : samples on that map, `narrows.tasks.mapping.Map`.
    by : what the points are coloured by at first, as `narrows.view.colours.colour` takes it.

    Raises DataError where the map does not hold what `by` names.
    """
    order = sort_by_position(mapped.points)
    blocks = _point_blocks(mapped, order)
    about = _describe(model, mapped) | {"by": colour(mapped, by).by if by else ""}
    head = model.map_head
    networks = [model.network] if head is None else [model.network, head.network]
    decoder, encoder = export_decoder(networks[::-1]), export_encoder(networks)
    if decoder and decoder.multiplications <= MAX_MULTIPLICATIONS and _characters(decoder, 4) <= MAX_MODEL:
        about["decoder"] = decoder.layers
        blocks["decoder"] = _join(decoder, np.float32)
        if encoder and about["pictures"] and _characters(encoder, 2) <= MAX_MODEL:
            about["encoder"] = encoder.layers
            blocks["encoder"] = _join(encoder, np.float16)
    assert mapped.samples is not None, "made by make_map"
    samples = mapped.samples
    if head is not None:  # the model reconstructs from more numbers than the map's two
        about["numbers"] = model.network.code_size
        blocks["map-errors"] = encode(_map_errors(model, mapped)[order], np.float32)
    add = _add_pictures if about["pictures"] else _add_table
    add(about, blocks, model, mapped, samples, order)
    return _fill(f"Map of {mapped.origin or 'samples'}", about, blocks)


def sort_by_position(points: np.ndarray) -> np.ndarray:
    """Return the order of points (N, 2) along a Z-curve, so that neighbours share a sheet of pictures.

    Morton, "A Computer Oriented Geodetic Data Base", 1966; on ranks, so that outliers do not matter.

    Examples
    --------
    >>> sort_by_position(np.array([[0, 0], [9, 9], [0, 1], [9, 8]]))
    array([0, 2, 3, 1])
    """
    ranks = points.argsort(0, kind="stable").argsort(0).astype(np.uint64)
    code = np.zeros(len(points), np.uint64)
    for bit in range(int(ranks.max()).bit_length()):
        for axis in (0, 1):
            code |= ((ranks[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return code.argsort(kind="stable")


def _describe(model: Model, mapped: Map) -> dict[str, Any]:
    """Return what the page knows of the whole map: words, sizes and ranges."""
    from narrows import __version__

    labels = [] if mapped.labels is None else [str(label) for label in group_labels(mapped.labels)[0].tolist()]
    return {
        "version": __version__,
        "origin": mapped.origin,
        "count": len(mapped.points),
        "labels": labels,
        "colours": kind_colours(max(min(len(labels), MAX_COLOURS), MAX_GROUPS)),
        "kinds": MAX_GROUPS,
        "steps": STEPS,
        "grey": GREY,
        "unlabelled": NOT_LABELLED,
        "gap": GAP,
        "label": mapped.label_name,
        "rows": mapped.known is not None,
        "numbers": None,
        "columns": [],
        "shape": model.network.shape,
        "pictures": len(model.network.shape) == 3,
        "whole": model.card.dtype in FULL,
        "names": mapped.names is not None,
        "decoder": None,
        "encoder": None,
        "spots": None,
    }


def _point_blocks(mapped: Map, order: np.ndarray) -> dict[str, str]:
    """Return what is known of every point, in the page's order."""
    blocks = {"points": encode(mapped.points[order], np.float32), "errors": encode(mapped.errors[order], np.float32)}
    blocks["indices"] = encode(order, np.uint32)
    if mapped.labels is not None:
        kinds, own = group_labels(mapped.labels)
        blocks["labels"] = encode(np.where(own < 0, len(kinds), own)[order], np.uint32)  # last: not labelled
    if mapped.names is not None:
        blocks["names"] = as_json([mapped.names[i] for i in order])
    return blocks


def _map_errors(model: Model, mapped: Map) -> np.ndarray:
    """Return the MSE of every sample (N,) to what is decoded from its position, per value and in model's units."""
    network, head = model.network, model.map_head
    assert mapped.samples is not None, "made by make_map"
    positions, errors = torch.from_numpy(mapped.points), []
    for points, samples in zip(in_chunks(network, positions), in_chunks(network, mapped.samples), strict=True):
        if network.scaling.has_categories:  # which come back as the likeliest value
            restored = network.in_blocks(lambda z: chain.restore_map(network, head, z), points).flatten(1).numpy()
        else:
            decoded = network.in_blocks(lambda z: chain.decode_map(network, head, z), points)
            restored = scale_samples(network, decoded.to(samples.dtype))
        errors.append(Reconstructed(with_gaps(network, samples), restored, network.scaling).errors)
    return np.concatenate(errors)


def _reconstructed(model: Model, mapped: Map) -> np.ndarray:
    """Return the model's own reconstructions of the samples, (N, C, *grid), rounded as `narrows reconstruct` does."""
    network, dtype = model.network, np.dtype(model.card.dtype)
    assert mapped.codes is not None, "made by make_map"
    codes = torch.from_numpy(mapped.codes).view(-1, *network.code_shape)
    decoded = (network.in_blocks(network.decode, chunk) for chunk in in_chunks(network, codes))
    return np.concatenate([cast(chunk.numpy(), dtype) for chunk in decoded])


def _add_pictures(
    about: dict[str, Any], blocks: dict[str, str], model: Model, mapped: Map, samples: Tensor, order: np.ndarray
) -> None:
    """Add the samples as sheets of pictures, and the decoded positions where there is no decoder."""
    limits = find_limits(model, samples)
    about["limits"] = [limits[0], max(limits[1], limits[0] + 1e-12)]
    if about["decoder"] is None:
        about["spots"] = find_grid(mapped.points)
        decoded, _ = as_samples(model, decode_map(model, _grid_points(about["spots"])))
        _add_sheets(about, blocks, "spot", pack(_as_bytes(decoded, limits), LEAST_PICTURES))
    if about["numbers"]:
        made = _as_bytes(torch.from_numpy(_reconstructed(model, mapped)), limits, order)
        _add_sheets(about, blocks, "made", pack(made, MAX_MADE))
    used = sum(map(len, blocks.values()))
    pictures = _as_bytes(samples, limits, order)
    _add_sheets(about, blocks, "sheet", pack(pictures, max(MAX_PAGE - used, LEAST_PICTURES)))
    corners = pictures[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    about["ground"] = float(np.median(corners)) / 255


def _add_table(
    about: dict[str, Any], blocks: dict[str, str], model: Model, mapped: Map, samples: Tensor, order: np.ndarray
) -> None:
    """Add a table's columns, as many as fit, and the decoded positions where there is no decoder."""
    about["made"] = bool(about["numbers"]) or about["decoder"] is None
    made = _reconstructed(model, mapped) if about["made"] else None
    add_columns(about, blocks, mapped, made, order, MAX_COLUMNS)
    if about["decoder"] is None:
        about["spots"] = find_grid(mapped.points)
        decoded, _ = as_samples(model, decode_map(model, _grid_points(about["spots"])))
        blocks["spots"] = encode(decoded.double().numpy()[:, : about["learned"]], np.float64)


def _add_sheets(about: dict[str, Any], blocks: dict[str, str], name: str, sprites: Sprites) -> None:
    sides = {"height": sprites.height, "width": sprites.width, "across": ACROSS, "each": A_SHEET}
    about[name] = {**sides, "exact": sprites.exact}
    blocks |= {f"{name}-{i}": sheet for i, sheet in enumerate(sprites.sheets)}


def find_grid(points: np.ndarray) -> dict[str, Any]:
    """Return a grid over the points: where it begins, `left` and `bottom`, its `step` along x and y, and its `count`.

    Examples
    --------
    >>> find_grid(np.array([[0.0, 0.0], [78.0, 39.0]]))
    {'left': 0.0, 'bottom': 0.0, 'step': [2.0, 1.0], 'count': 40}
    """
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    step = np.maximum(high - low, 1e-9) / (GRID - 1)
    return {"left": low[0].item(), "bottom": low[1].item(), "step": step.tolist(), "count": GRID}


def _grid_points(grid: dict[str, Any]) -> np.ndarray:
    """Return the positions of a grid, row by row from the bottom, (count * count, 2)."""
    rows, columns = np.divmod(np.arange(grid["count"] ** 2), grid["count"])
    return np.stack([grid["left"] + columns * grid["step"][0], grid["bottom"] + rows * grid["step"][1]], 1)


def _as_bytes(samples: Tensor, limits: tuple[float, float], order: np.ndarray | None = None) -> np.ndarray:
    """Return samples (N, C, H, W) as grey (N, H, W) or RGB (N, H, W, 3) bytes; further channels are not shown."""
    shown = samples.numpy()[:, :3] if samples.shape[1] >= 3 else samples.numpy()[:, 0]
    order = np.arange(len(shown)) if order is None else order
    result = np.empty(shown.shape, np.uint8)
    span = max(limits[1] - limits[0], 1e-12)
    for start in range(0, len(order), CHUNK):
        chunk = shown[order[start : start + CHUNK]]
        exact = chunk.dtype == np.uint8 and limits == (0.0, 255.0)
        shares = chunk if exact else np.rint(np.clip((chunk - limits[0]) / span, 0, 1) * 255)
        result[start : start + CHUNK] = shares
    return np.moveaxis(result, 1, -1) if result.ndim == 4 else result


def _characters(exported: Exported, size: int) -> int:
    """Return how many base64 characters the weights take in numbers of `size` bytes."""
    return sum(w.size for w in exported.weights) * size * 4 // 3


def _join(exported: Exported, dtype: type) -> str:
    return encode(np.concatenate(exported.weights), dtype)


def _fill(title: str, about: dict[str, Any], blocks: dict[str, str]) -> str:
    """Return the page: first the data of the first view, then the scripts, then all other data."""
    here = files("narrows.view.explorer") / "files"
    style = (here / "page.css").read_text(encoding="utf-8")
    script = "\n".join(["'use strict';", *((here / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)])
    early = {"about": as_json(about)}
    early |= {key: blocks[key] for key in ("points", "errors", "indices", "labels") if key in blocks}
    pieces = {
        "title": escape(title),
        "policy": f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src blob: data:; "
        "base-uri 'none'; form-action 'none'",
        "style": style,
        "early": _as_elements(early),
        "script": script,
        "late": _as_elements({key: value for key, value in blocks.items() if key not in early}),
    }
    template = (here / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: pieces[match[1]], template)


def _as_elements(blocks: dict[str, str]) -> str:
    """Return blocks as elements that a browser neither shows nor runs."""
    return "\n".join(f'<script type="text/plain" id="{key}">{text}</script>' for key, text in blocks.items())


def _hash(text: str) -> str:
    """Return the hash by which a content security policy allows a script or a style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

"""A table's columns in the page: their values in few bytes, what they are, and how they colour the points."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np

from narrows.tables.column import UNSEEN
from narrows.tasks.map_columns import MapColumn
from narrows.tasks.mapping import Map
from narrows.view.colours import PALETTE, colour_column, kind_colours
from narrows.view.scale import find_edges, step_of

EXACT = 2**24  # up to here floats of 32 bits hold every whole number
LARGEST = float(np.finfo(np.float32).max)
MAX_KEPT = 4_000_000  # characters of the columns that are not learned


def add_columns(
    about: dict[str, Any], blocks: dict[str, str], mapped: Map, made: np.ndarray | None, order: np.ndarray, most: int
) -> None:
    """Add a table's columns, as many as fit: those that are learned, then those that are not.

    Parameters
    ----------
    about, blocks : of the page. `columns` says what they are, `learned` how many of them are, and `left` which of the
        others do not fit.
    made : what the model reconstructs, (N, C) in user's units; None where the page decodes it itself.
    order : of the samples in the page.
    most : characters that they may take.
    """
    room = min(most // 3, MAX_KEPT)
    kept, about["left"] = [], []
    for column in mapped.kept_columns:
        block = _blocks_of(column, order)
        size = sum(map(len, block.values()))
        if size > room:
            about["left"].append(column.name)
            continue
        room -= size
        most -= size
        kept.append((column, block))
    learned: list[tuple[MapColumn, dict[str, str]]] = []
    for j, column in enumerate(mapped.learned_columns):
        block = _blocks_of(column, order, None if made is None else made[:, j])
        most -= sum(map(len, block.values()))
        if learned and most < 0:
            break
        learned.append((column, block))
    about["learned"] = len(learned)
    about["columns"] = [_describe(column) for column, _ in (*learned, *kept)]
    for i, (_, block) in enumerate((*learned, *kept)):
        blocks |= {f"{key}-{i}": text for key, text in block.items()}


def _describe(column: MapColumn) -> dict[str, Any]:
    """Return what the page knows of a column beside its values."""
    is_category = column.kind == "category"
    known = np.ma.masked_invalid(column.values)
    with np.errstate(over="ignore"):
        mean, deviation = (0.0 if is_category else float(np.ma.filled(v, 0)) for v in (known.mean(), known.std()))
    about = {
        "name": column.name,
        "kind": column.kind,
        "clock": column.clock,
        "type": _type_of(column).name,
        "learned": column.is_learned,
        "mean": mean if np.isfinite(mean) else 0.0,
        "deviation": deviation if np.isfinite(deviation) else 0.0,
        "known": bool(known.count()),
    }
    if is_category:
        counts = np.bincount(column.values[column.values >= 0].astype(int), minlength=1)
        about |= {"texts": len(column.texts), "unknown": column.unknown, "mean": int(counts.argmax())}
    if column.kind and column.can_colour:
        about["groups"] = _groups(column)
    return about


def _groups(column: MapColumn) -> dict[str, Any]:
    """Return how a column colours points, as the picture of a map has it.

    `names` are those of the groups. Of categories there are the `colours` of the groups, and `own` is the group of each
    text, of one that is unknown and of a gap. Of numbers and times `edges` are where the steps begin, and `steps` their
    places on the scale.
    """
    column = replace(column, values=_stored(column))
    groups = colour_column(column).groups
    names = [group.name for group in groups]
    if column.kind != "category":
        edges = find_edges(column.values[~np.isnan(column.values)]).tolist()
        return {"names": names, "edges": edges, "steps": [step_of(i, len(edges)) for i in range(len(edges))]}
    own = np.full(len(column.texts) + 2, -1)
    for i, group in enumerate(groups):
        own[_codes(column, column.values[group.index])] = i
    hues = kind_colours(len(groups))
    colours = [hues[i] if group.colour in PALETTE else group.colour for i, group in enumerate(groups)]
    return {"names": names, "colours": colours, "own": own.tolist()}


def _blocks_of(column: MapColumn, order: np.ndarray, made: np.ndarray | None = None) -> dict[str, str]:
    """Return the blocks of a column by the beginnings of their names."""
    dtype = _type_of(column)
    is_category = column.kind == "category"
    turn = (lambda values: _codes(column, values)) if is_category else (lambda values: values)
    blocks = {"column": encode(turn(column.values)[order], dtype)}
    if is_category:
        blocks["texts"] = as_json(column.texts)
    if made is not None:
        blocks["made"] = encode(turn(made)[order], dtype)
    return blocks


def _codes(column: MapColumn, values: np.ndarray) -> np.ndarray:
    """Return categories as whole numbers: the position of the text, then one for unknown ones, and one for gaps."""
    count = len(column.texts)
    return np.where(np.isnan(values), count + 1, np.where(values == UNSEEN, count, values)).astype(np.int64)


def _type_of(column: MapColumn) -> np.dtype:
    """Return the smallest type that a page needs for a column."""
    if column.kind == "category":
        return np.min_scalar_type(len(column.texts) + 1)
    largest = float(np.ma.filled(np.abs(np.ma.masked_invalid(column.values)).max(), 0))
    is_wide = column.kind == "time" or largest > (EXACT if column.kind == "integer" else LARGEST)
    return np.dtype(np.float64 if is_wide else np.float32)


def _stored(column: MapColumn) -> np.ndarray:
    """Return the values as the page has them."""
    return column.values if column.kind == "category" else column.values.astype(_type_of(column)).astype(np.float64)


def encode(values: np.ndarray, dtype: Any) -> str:
    """Return numbers as base64, little endian.

    >>> encode(np.array([1, 2]), np.uint8)
    'AQI='
    """
    return base64.b64encode(np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


def as_json(value: Any) -> str:
    """Return JSON that cannot end the element of a page that it stands in.

    >>> as_json("</script>")
    '"\\\\u003c/script>"'
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")

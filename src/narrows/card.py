"""The card: what a model file says of the model's data, its training and its metrics, checked on reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from narrows.data.layout import Layout
from narrows.errors import ModelFileError, NarrowsError
from narrows.tables.columns import Columns

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)  # of the errors of held-out samples, see `Card`
NAMES_IN_FILES = {"metrics": "figures"}  # fields that have another name in files
# the keys of format 1; later ones may be missing
NEVER_MISSING = {"layout", "dtype", "columns", "reading", "origin", "recipe", "figures", "error_quantiles"}
NUMBERS = ("steps", "epochs", "seconds", "map_samples", "map_seconds")  # of a recipe
MAX_TEXT = 1000  # characters of a text
MAX_SIDE = 2**20  # of one axis of a sample
MAX_ITEMS = 10_000  # of a list or table
DTYPES = {"bool", "float16", "float32", "float64"} | {f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)}

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Card:
    """What a model file says of the model's data and training.

    Attributes
    ----------
    layout : how the axes of the training data were arranged, a `Layout` kind.
    dtype : the type of the training data, a NumPy name.
    columns : a table's column names, else None.
    reading : how pictures were read (size, None for their own, fit, colour, depth), {} for arrays.
    origin : a short name of the data.
    recipe : how it was trained: optimizer, schedule, batch size, steps, seed and the like.
    metrics : what was measured, such as `test_mse`; every MSE is per value, in model's units.
    error_quantiles : the MSE of held-out samples at the QUANTILES, in rising order; () when none was measured.
    variances : of the training data's columns, or of pictures' channels about each pixel's mean, in user's units; ()
        where the file has none.
    given : the options that a person gave, by their names in `Autoencoder`; None where the file does not say.
    history : a row per epoch that was measured: epoch, train_mse, val_mse and seconds.
    table : the kinds and categories of a table's columns, which lie in a tensor of the file; None where it has none.
    """

    layout: str
    dtype: str
    columns: tuple[str, ...] | None = None
    reading: dict[str, Any] = field(default_factory=dict)
    origin: str = ""
    recipe: dict[str, Scalar] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    error_quantiles: tuple[float, ...] = ()
    variances: tuple[float, ...] = ()
    given: dict[str, Any] | None = None
    history: tuple[tuple[float | None, ...], ...] = ()
    table: Columns | None = None


# by their names in the header of a file
FIELDS = {NAMES_IN_FILES.get(f.name, f.name): f.name for f in fields(Card) if f.name != "table"}


def as_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a person's options that a card holds: texts, numbers and tuples of whole numbers.

    Examples
    --------
    >>> as_given({"epochs": 3, "shape": (8, 8), "preset": None, "random_state": object()})
    {'epochs': 3, 'shape': [8, 8]}
    """
    plain = {name: _as_plain(value) for name, value in options.items()}
    return {name: value for name, value in plain.items() if value is not None and _is_given(value)}


def card_in_file(card: Card) -> dict[str, Any]:
    """Return the card with the keys that it has in a file.

    Examples
    --------
    >>> card_in_file(Card("table", "float64", metrics={"test_mse": 0.5}))["figures"]
    {'test_mse': 0.5}
    """
    values = asdict(replace(card, table=None))
    return {key: values[name] for key, name in FIELDS.items()}


def read_card(card: Any, shape: tuple[int, ...]) -> Card:
    """Return the card of a file for samples of `shape`, every field of it within the values that are written.

    A key that files of format 1 lack may be missing, and has its default then.

    Raises ModelFileError, with the reason alone.
    """
    if not isinstance(card, dict):
        raise ModelFileError("its card is no table")
    if missing := sorted(NEVER_MISSING - set(card)):
        raise ModelFileError(f"its card lacks the key {missing[0]!r}")
    if unknown := sorted(set(card) - set(FIELDS)):
        raise ModelFileError(
            f"its card has a key that is not known here, {unknown[0][:100]!r}{writer(card)}; update narrows"
        )
    for key, value in card.items():
        if not RULES[key](value, shape):
            raise ModelFileError(f"the {key!r} of its card is not one that narrows writes")
    values: dict[str, Any] = {FIELDS[key]: _as_tuple(v) for key, v in card.items()}
    return Card(**values)


def writer(card: dict[str, Any]) -> str:
    """Return which narrows wrote a card, checked or not, to go into a sentence; "" where it does not say so.

    Examples
    --------
    >>> writer({"recipe": {"narrows": "0.1.0"}})
    ' (narrows 0.1.0 wrote it)'
    """
    recipe = card.get("recipe")
    version = recipe.get("narrows") if isinstance(recipe, dict) else None
    return f" (narrows {version} wrote it)" if version and is_text(version) else ""


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number, and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Return whether a value is a text that may be shown: terminals obey characters that are not printable."""
    return isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()


def _is_layout(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        arrangement = Layout(value).kind.removeprefix("one_")
    except (NarrowsError, TypeError):
        return False
    return (arrangement == "table") == (len(shape) == 1) and (arrangement != "grey" or shape[0] == 1)


def _are_columns(value: Any, shape: tuple[int, ...]) -> bool:
    return value is None or (_is_list(value, is_text) and len(value) == shape[0])


def _is_reading(value: Any, shape: tuple[int, ...]) -> bool:
    if value == {}:
        return True
    return (
        isinstance(value, dict)
        and set(value) == {"size", "fit", "colour", "depth"}
        and (value["size"] is None or _is_size(value["size"]))
        and value["fit"] in ("crop", "pad", "stretch")
        and value["colour"] in ("grey", "rgb")
        and value["depth"] in (8, 16, 32, 64)
    )


def _as_tuple(value: Any) -> Any:
    """Return a list, and lists in it, as tuples."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def _as_plain(value: Any) -> Any:
    """Return NumPy's numbers and tuples as Python's and lists."""
    if isinstance(value, np.generic):
        return value.item()
    return [_as_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _is_given(value: Any) -> bool:
    return value is None or is_text(value) or _is_number(value) or _is_list(value, is_whole)


def _is_row(value: Any) -> bool:
    return _is_list(value, lambda v: v is None or _is_number(v)) and len(value) == 4


def _are_quantiles(value: Any, shape: tuple[int, ...]) -> bool:
    return _is_list(value, _is_positive) and len(value) in (0, len(QUANTILES)) and value == sorted(value)


def _are_variances(value: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(value, list) and len(value) in (0, shape[0]) and all(map(_is_positive, value))


def _is_recipe(value: Any, shape: tuple[int, ...]) -> bool:
    """Return whether a recipe holds single values, and numbers where narrows writes some: pages reckon with these."""
    return (
        _is_table(value, lambda v: v is None or is_text(v) or _is_number(v))
        and all(_is_number(value[key]) for key in NUMBERS if key in value)
        and (value.get("kept_step") is None or _is_number(value["kept_step"]))
        and ("map_samples" in value) == ("map_seconds" in value)
    )


def _is_size(value: Any) -> bool:
    return _is_list(value, lambda side: is_whole(side) and 1 <= side <= MAX_SIDE) and len(value) == 2


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= 1e300


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value >= 0


def _is_list(value: Any, rule: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(map(rule, value))


def _is_table(value: Any, rule: Callable[[Any], bool]) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_ITEMS
        and all(map(is_text, value))
        and all(map(rule, value.values()))
    )


RULES: dict[str, Callable[[Any, tuple[int, ...]], bool]] = {
    "layout": _is_layout,
    "dtype": lambda value, shape: isinstance(value, str) and value in DTYPES,
    "columns": _are_columns,
    "reading": _is_reading,
    "origin": lambda value, shape: is_text(value),
    "recipe": _is_recipe,
    "figures": lambda value, shape: _is_table(value, _is_number),
    "error_quantiles": _are_quantiles,
    "variances": _are_variances,
    "given": lambda value, shape: value is None or _is_table(value, _is_given),
    "history": lambda value, shape: _is_list(value, _is_row),
}

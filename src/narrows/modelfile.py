"""One safe file: weights, and the texts that rebuild the model.

`model.safetensors` holds the network's state and, in its header, one JSON text: the format's version, the parts'
texts, the shape and kind of the data, and the metrics of training. A map head is a second network, whose samples are
codes: its state has the prefix `map.`, and its parts' texts stand under the key `map`. The file holds no pickle, no
import path and no file path. Its header is checked before any weight is read; a file that is not a valid model raises
ModelFileError.

Format 3 is written; formats 1 and 2 can be read. Format 1 has no key `map` and no map head; the cards of both lack the
variances of the columns.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file
from torch import Tensor

from narrows.data.layout import Layout
from narrows.errors import ModelFileError, NarrowsError
from narrows.files import whole
from narrows.model.network import JOINS, MAX_VALUES, MENUS, Network
from narrows.model.settings import default_settings
from narrows.spec import MAX_LENGTH, find_names

FORMAT = 3
FORMAT_KEYS: dict[Any, set[str]] = {
    1: {"format", "shape", "texts", "card"},
    2: {"format", "shape", "texts", "map", "card"},
    3: {"format", "shape", "texts", "map", "card"},
}
NEW_IN_CARD = {3: {"variances"}}  # keys that cards of earlier formats lack, by format
CARD_KEYS = {"metrics": "figures"}  # fields of a card that have another name in files
MAP = "map."  # the prefix of the map head's weights
FILE_NAME = "model.safetensors"
MAX_FILE = 4 * 2**30  # bytes
MAX_HEADER = 2**20  # bytes
MAX_SIDE = 2**20  # of one axis of a sample
MAX_ITEMS = 10_000  # of a list or table in the header
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)  # of the errors of held-out samples, see `Card`
DTYPES = {"bool", "float16", "float32", "float64"} | {f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)}
_TORCH_NAMES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "F16": torch.float16}
_TORCH_NAMES |= {"BF16": torch.bfloat16, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}

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
    variances : of the training data's columns, or of pictures' channels about each pixel's mean, in user's units; () in
        files of formats 1 and 2.
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


class Model(NamedTuple):
    """A trained network, its card and its map head: all that is in a model file.

    Attributes
    ----------
    head : a network whose samples are the codes of `network`, (k,), and whose own codes are positions (2,) on a map;
        None for a model without one.
    """

    network: Network
    card: Card
    head: Network | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of a table's columns; x0, x1, ... where they have none."""
        return self.card.columns or tuple(f"x{i}" for i in range(self.network.shape[0]))

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights of both networks by their names in the file."""
        head = {} if self.head is None else self.head.state_dict(prefix=MAP)
        return {**self.network.state_dict(), **head}


def save(path: str | Path, model: Model, overwrite: bool = False) -> None:
    """Write `model` to the file `path`, completely or not at all.

    Raises DataError where the file exists and `overwrite` is False, or cannot be written; ModelFileError where a weight
    or a number of the card is not finite.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.tensors().items()}
    _check_finite(tensors, str(path))
    network, head = model.network, model.head
    header = {"format": FORMAT, "shape": network.shape, "texts": network.texts, "card": _card_in_file(model.card)}
    header["map"] = None if head is None else head.texts
    try:  # only one key, since the order of several differs from run to run
        metadata = {"narrows": json.dumps(header, sort_keys=True, allow_nan=False)}
    except ValueError:
        raise ModelFileError(f"{path} is not written: a figure of its card is not finite; train it again") from None
    with whole(path, overwrite) as temporary:
        save_file(tensors, temporary, metadata)


@default_settings()
def load(path: str | Path, device: str | torch.device = "cpu") -> Model:
    """Read a model file, or the one in a run folder.

    Parameters
    ----------
    path : of `model.safetensors` or of the folder that holds it.
    device : of the weights.

    Raises
    ------
    ModelFileError : when there is no file, or it is not a valid model.
    """
    path = find_file(path)
    try:
        if path.exists() and not path.is_file():  # reading a named pipe would block
            raise _refusal(path.name, "it is no file")
        with path.open("rb") as file:
            size = path.stat().st_size
            header, header_bytes = _read_header(file.read, size, path.name)
            model = _rebuild(header, path.name)
            if len(header_bytes) + sum(t.numel() * t.itemsize for t in model.tensors().values()) != size:
                raise _refusal(path.name, "it is longer or shorter than its weights")
            tensors = load_tensors(header_bytes + file.read(size))
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ModelFileError(
            f"the model {path} cannot be read: {reason}; give a run folder or the {FILE_NAME} in it"
        ) from None
    except SafetensorError as error:
        raise _refusal(path.name, f"its weights are damaged ({error})") from None
    _check_finite(tensors, path.name)
    own = {name: value for name, value in tensors.items() if not name.startswith(MAP)}
    network = _filled(model.network, own, path.name).to(device)
    if model.head is None:
        return Model(network, model.card)
    rest = {name.removeprefix(MAP): value for name, value in tensors.items() if name.startswith(MAP)}
    return Model(network, model.card, _filled(model.head, rest, path.name).to(device))


def _card_in_file(card: Card) -> dict[str, Any]:
    """Return the card with the keys that it has in a file."""
    return {CARD_KEYS.get(key, key): value for key, value in asdict(card).items()}


def find_file(path: str | Path) -> Path:
    """Return `path`, or the model file in it where it is a run folder.

    Examples
    --------
    >>> find_file("runs/digits.safetensors").name
    'digits.safetensors'
    """
    path = Path(path)
    return path / FILE_NAME if path.is_dir() else path


def _filled(network: Network, tensors: dict[str, Tensor], name: str) -> Network:
    """Return the network with its weights, ready for use."""
    network.load_state_dict(tensors, assign=True)
    if not (network.scaling.scale > 0).all():
        raise _refusal(name, "its scaling has a scale that is not positive")
    return network.eval()


def _read_header(read: Callable[[int], bytes], size: int, name: str) -> tuple[dict[str, Any], bytes]:
    """Return the header as a dict, checked to be that of a model of narrows, and the bytes that were read."""
    first = read(8)
    length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
    if size > MAX_FILE or not 2 <= length <= min(MAX_HEADER, size - 8):
        raise _refusal(name, "it is not a safetensors file of a size that a model has")
    text = read(length)
    header = _parse_json(text, name)
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or set(metadata) != {"narrows"} or not isinstance(metadata["narrows"], str):
        raise _refusal(name, "it is no model of narrows")
    return header, first + text


def _rebuild(header: dict[str, Any], name: str) -> Model:
    """Return the model on the meta device; its weights have the names, types and shapes of those in the file."""
    about = _parse_json(header["__metadata__"]["narrows"], name)
    version = about.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise _refusal(name, f"it has format {version} of a later narrows; update narrows to read it")
    if not _is_whole(version) or set(about) != FORMAT_KEYS.get(version):
        raise _refusal(name, "its header lacks a key or has an unknown one")
    shape = _check_shape(about["shape"], name)
    card = _check_card(about["card"], shape, version, name)
    model = Model(_build(shape, about["texts"], name), card)
    if about.get("map") is not None:
        model = model._replace(head=_build_head(model.network, about["map"], name))
    expected = {key: (value.dtype, list(value.shape)) for key, value in model.tensors().items()}
    if {key: _described(value) for key, value in header.items() if key != "__metadata__"} != expected:
        raise _refusal(name, "its weights have other names, types or shapes than its parts")
    return model


def _build(shape: tuple[int, ...], texts: Any, name: str) -> Network:
    """Return the network for samples of `shape` that `texts` describe, without weights."""
    known = isinstance(texts, dict) and set(texts) == set(MENUS)
    if not known or not all(isinstance(text, str) and len(text) <= MAX_LENGTH for text in texts.values()):
        raise _refusal(name, "its header does not name one text for every part")
    for kind, text in texts.items():
        _check_registered(kind, text, name)
    try:
        with torch.device("meta"):
            return Network.from_texts(shape, **texts)
    except NarrowsError as error:
        raise _refusal(name, str(error)) from None
    except (RuntimeError, OverflowError, MemoryError, ValueError, TypeError) as error:
        raise _refusal(name, f"its parts do not fit its data ({error})") from None


def _check_registered(kind: str, text: str, name: str) -> None:
    """Refuse a part that is in no menu here: one of somebody's own."""
    try:
        names = find_names(text, kind, JOINS.get(kind, (None, "|"))[1])
    except NarrowsError as error:
        raise _refusal(name, str(error)) from None
    for part in names:
        if part not in MENUS[kind]:
            raise _refusal(
                name,
                f"its {kind} {part!r} is not known here; register it first, by narrows.model.register({kind!r}, ...)",
            )


def _build_head(network: Network, texts: Any, name: str) -> Network:
    """Return the map head of `network`, without weights."""
    if not network.has_code:
        raise _refusal(name, "it has a map head, and no code that this could read")
    head = _build((network.code_size,), texts, name)
    if not head.has_code or head.code_size != 2:
        raise _refusal(name, "its map head does not make two numbers of a code")
    return head


def _described(entry: Any) -> tuple[torch.dtype | None, Any]:
    entry = entry if isinstance(entry, dict) else {}
    kind = entry.get("dtype")
    return _TORCH_NAMES.get(kind) if isinstance(kind, str) else None, entry.get("shape")


def _check_shape(shape: Any, name: str) -> tuple[int, ...]:
    good = isinstance(shape, list) and 1 <= len(shape) <= 4
    if (
        not good
        or not all(_is_whole(side) and 1 <= side <= MAX_SIDE for side in shape)
        or math.prod(shape) > MAX_VALUES
    ):
        raise _refusal(name, "the shape of its data is not one that narrows writes")
    return tuple(shape)


def _check_card(card: Any, shape: tuple[int, ...], version: Any, name: str) -> Card:
    """Return the card, every field of it within the values that `save` writes."""
    later = set().union(*(keys for number, keys in NEW_IN_CARD.items() if number > version))
    if not isinstance(card, dict) or set(card) != {CARD_KEYS.get(f.name, f.name) for f in fields(Card)} - later:
        raise _refusal(name, "its card lacks a key or has an unknown one")
    card = {"variances": []} | card
    columns, quantiles, variances = card["columns"], card["error_quantiles"], card["variances"]
    try:
        Layout(card["layout"])
        layout_is_known = True
    except (NarrowsError, TypeError):
        layout_is_known = False
    rules = {
        "layout": layout_is_known,
        "dtype": isinstance(card["dtype"], str) and card["dtype"] in DTYPES,
        "columns": columns is None or (_is_list(columns, _is_text) and len(columns) == shape[0]),
        "reading": _is_reading(card["reading"]),
        "origin": _is_text(card["origin"]),
        "recipe": _is_table(card["recipe"], lambda v: v is None or _is_text(v) or _is_number(v)),
        "figures": _is_table(card["figures"], _is_number),
        "error_quantiles": _is_list(quantiles, lambda v: _is_number(v) and v >= 0)
        and len(quantiles) in (0, len(QUANTILES))
        and quantiles == sorted(quantiles),
        "variances": isinstance(variances, list)
        and len(variances) in (0, shape[0])
        and all(_is_number(v) and v >= 0 for v in variances),
    }
    for key, good in rules.items():
        if not good:
            raise _refusal(name, f"the {key!r} of its card is not one that narrows writes")
    values = {field: card[CARD_KEYS.get(field, field)] for field in (f.name for f in fields(Card))}
    values |= {
        "columns": columns and tuple(columns),
        "error_quantiles": tuple(quantiles),
        "variances": tuple(variances),
    }
    return Card(**values)


def _is_reading(value: Any) -> bool:
    if value == {}:
        return True
    return (
        isinstance(value, dict)
        and set(value) == {"size", "fit", "colour", "depth"}
        and (value["size"] is None or _is_size(value["size"]))
        and value["fit"] in ("crop", "pad", "stretch")
        and value["colour"] in ("grey", "rgb")
        and value["depth"] in (8, 16)
    )


def _is_size(value: Any) -> bool:
    return _is_list(value, lambda side: _is_whole(side) and 1 <= side <= MAX_SIDE) and len(value) == 2


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= 1e300


def _is_text(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) <= MAX_LENGTH and value.isprintable()
    )  # terminals obey other characters


def _is_list(value: Any, rule: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(map(rule, value))


def _is_table(value: Any, rule: Callable[[Any], bool]) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MAX_ITEMS
        and all(map(_is_text, value))
        and all(map(rule, value.values()))
    )


def _check_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise _refusal(name, f"its weight {key!r} has a value that is not finite")


def _parse_json(text: str | bytes, name: str) -> dict[str, Any]:
    """Return the JSON object in `text`, strict: no key twice, no NaN, no infinity."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _refusal(name, "its header is not JSON of our kind")
    return value


def _refusal(name: str, reason: str) -> ModelFileError:
    return ModelFileError(f"{name} is not opened: {reason}; give a {FILE_NAME} written by `narrows train`")

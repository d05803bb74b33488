"""One safe file: weights, and the texts that rebuild the model.

`model.safetensors` holds the network's state and, in its header, one JSON text: the format's version, the parts'
texts, the shape and kind of the data, and the metrics of training. An attachment has its text and its version under the
key `attachments`, by its name, and the names of its tensors begin with that name and a dot. The kinds and categories of
a table's columns are the tensor `columns`, JSON in UTF-8, since a header may be too small. The file holds no pickle, no
import path and no file path. Its header is checked before any weight is read; a file that is not a valid model
raises ModelFileError.

Format 3 is written; formats 1 and 2 can be read. Format 1 has no attachments. Format 2 has a key `map` in their place,
and so had format 3 for some weeks: the texts of a map head, or null. A new attachment, and a new key of the card, raise
no format: who does not know them refuses the file, by name.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file
from torch import Tensor, nn

from narrows.card import MAX_SIDE, Card, card_in_file, is_text, is_whole, read_card, writer
from narrows.errors import ModelFileError, NarrowsError, SpecError
from narrows.files import whole
from narrows.model.attachments import ATTACHMENTS, Attachment
from narrows.model.attachments.map import MapHead
from narrows.model.network import JOINS, MAX_VALUES, MENUS, Network
from narrows.model.settings import default_settings
from narrows.spec import MAX_LENGTH, build, find_names, name_of, shown
from narrows.tables.columns import Columns, named, unnamed
from narrows.tables.columns_text import from_bytes, to_bytes

FORMAT = 3
KEYS = {"format", "shape", "texts", "card"}  # of the header, in every format
BESIDE: dict[Any, tuple[set[str], ...]] = {1: (set(),), 2: ({"map"},), 3: ({"attachments"}, {"map"})}
FILE_NAME = "model.safetensors"
COLUMNS = "columns"  # the tensor of a table's columns
MAX_FILE = 4 * 2**30  # bytes
MAX_HEADER = 2**20  # bytes
_TORCH_NAMES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "F16": torch.float16}
_TORCH_NAMES |= {"BF16": torch.bfloat16, "I32": torch.int32, "U8": torch.uint8, "BOOL": torch.bool}


class Model(NamedTuple):
    """A trained network, its card and its attachments: all that is in a model file.

    Attributes
    ----------
    attachments : what was learned about the network's codes, by name.
    """

    network: Network
    card: Card
    attachments: Mapping[str, Attachment] = {}

    @property
    def map_head(self) -> MapHead | None:
        """The attachment `map`: from codes to positions on a map, and back."""
        return cast("MapHead | None", self.attachments.get("map"))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of a table's columns; x0, x1, ... where they have none."""
        return self.card.columns or unnamed(self.network.shape[0])

    def with_attachment(self, attachment: Attachment) -> Model:
        """Return the model with a built attachment, in place of the one of its name if there is one.

        Raises SpecError where the network cannot have it, or has weights whose names begin as the attachment's.
        """
        attachment.check(self.network)
        name = name_of(type(attachment))
        if any(key.startswith(f"{name}.") for key in self.network.state_dict()):
            raise SpecError(
                f"the attachment {name!r} has the name of a part of the network, which has weights; give it another "
                f"name, by its attribute `spelling`"
            )
        return self._replace(attachments={**self.attachments, name: attachment})

    @property
    def columns(self) -> Columns:
        """The columns of a table, numbers where the kinds are not known."""
        return self.card.table or named(self.column_names)

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights of the network and of its attachments by their names in the file."""
        tensors = dict(self.network.state_dict())
        for name, attachment in self.attachments.items():
            tensors |= attachment.state_dict(prefix=f"{name}.")
        return tensors


def save(path: str | Path, model: Model, overwrite: bool = False) -> None:
    """Write `model` to the file `path`, completely or not at all.

    Raises DataError where the file exists and `overwrite` is False, OutputError where it cannot be written,
    ModelFileError where a weight or a number of the card is not finite.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.tensors().items()}
    network = model.network
    header = {"format": FORMAT, "shape": network.shape, "texts": network.texts, "card": card_in_file(model.card)}
    if model.card.table is not None:
        tensors[COLUMNS] = torch.frombuffer(bytearray(to_bytes(model.card.table)), dtype=torch.uint8)
    header["attachments"] = {
        name: {"version": attachment.version, "text": repr(attachment)}
        for name, attachment in model.attachments.items()
    }
    try:  # only one key, since the order of several differs from run to run
        _check_finite(tensors)
        metadata = {"narrows": json.dumps(header, sort_keys=True, allow_nan=False)}
    except ModelFileError as error:
        raise ModelFileError(f"{path} is not written: {error}; train it again") from None
    except ValueError:
        raise ModelFileError(f"{path} is not written: a figure of its card is not finite; train it again") from None
    with whole(path, overwrite) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:
            raise _system_error(error) from None


def _system_error(error: SafetensorError) -> OSError:
    """Return the system's own error, whose number stands in the text of a library's."""
    number = re.search(r"os error (\d+)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(str(error))


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
        model = _read(path)
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ModelFileError(
            f"the model {path} cannot be read: {reason}; give a run folder or the {FILE_NAME} in it"
        ) from None
    except (SafetensorError, NarrowsError) as error:
        reason = f"its weights are damaged ({error})" if isinstance(error, SafetensorError) else str(error)
        raise ModelFileError(
            f"{path.name} is not opened: {reason}; give a {FILE_NAME} written by `narrows train`"
        ) from None
    for module in (model.network, *model.attachments.values()):
        module.to(device)
    return model


def find_file(path: str | Path) -> Path:
    """Return `path`, or the model file in it where it is a run folder.

    Examples
    --------
    >>> find_file("runs/digits.safetensors").name
    'digits.safetensors'
    """
    path = Path(path)
    return path / FILE_NAME if path.is_dir() else path


def _read(path: Path) -> Model:
    """Return the model in a file, ready for use; errors of ours hold the reason alone."""
    if path.exists() and not path.is_file():  # reading a named pipe would block
        raise ModelFileError("it is no file")
    with path.open("rb") as file:
        size = path.stat().st_size
        header, header_bytes = _read_header(file.read, size)
        length = _pop_columns(header)
        model = _rebuild(header)
        if len(header_bytes) + length + sum(t.numel() * t.itemsize for t in model.tensors().values()) != size:
            raise ModelFileError("it is longer or shorter than its weights")
        tensors = load_tensors(header_bytes + file.read(size))
    _check_finite(tensors)
    if length:
        model = model._replace(card=replace(model.card, table=_read_columns(tensors[COLUMNS], model)))
    _fill(model.network, tensors)
    model.network.scaling.check()
    for name, attachment in model.attachments.items():
        _fill(attachment, tensors, f"{name}.")
        attachment.check_state()
    return model


def _fill(module: nn.Module, tensors: Mapping[str, Tensor], prefix: str = "") -> None:
    """Give a module without weights its own, whose names begin with `prefix`."""
    module.load_state_dict({key: tensors[f"{prefix}{key}"] for key in module.state_dict()}, assign=True)
    module.eval()


def _pop_columns(header: dict[str, Any]) -> int:
    """Remove the entry of the columns of a table from a header, and return how many bytes they are, 0 for none."""
    if COLUMNS not in header:
        return 0
    dtype, shape = _described(header.pop(COLUMNS))
    if dtype != torch.uint8 or not isinstance(shape, list) or len(shape) != 1 or not is_whole(shape[0]) or shape[0] < 1:
        raise ModelFileError("its columns are not written as narrows writes them")
    return shape[0]


def _read_columns(tensor: Tensor, model: Model) -> Columns:
    columns = from_bytes(tensor.numpy().tobytes())
    if len(model.network.shape) != 1 or len(columns.items) != model.network.shape[0]:
        raise ModelFileError("its columns are more or fewer than its data have")
    return columns


def _read_header(read: Callable[[int], bytes], size: int) -> tuple[dict[str, Any], bytes]:
    """Return the header as a dict, checked to be that of a model of narrows, and the bytes that were read."""
    first = read(8)
    length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
    if size > MAX_FILE or not 2 <= length <= min(MAX_HEADER, size - 8):
        raise ModelFileError("it is not a safetensors file of a size that a model has")
    text = read(length)
    header = _parse_json(text)
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or set(metadata) != {"narrows"} or not isinstance(metadata["narrows"], str):
        raise ModelFileError("it is no model of narrows")
    return header, first + text


def _rebuild(header: dict[str, Any]) -> Model:
    """Return the model on the meta device; its weights have the names, types and shapes of those in the file."""
    about = _parse_json(header["__metadata__"]["narrows"])
    version = about.get("format")
    if isinstance(version, int) and version > FORMAT:
        raise ModelFileError(f"it has format {version} of a later narrows; update narrows to read it")
    if not is_whole(version) or not set(about) >= KEYS or set(about) - KEYS not in BESIDE.get(version, ()):
        raise ModelFileError("its header lacks a key or has an unknown one")
    shape = _check_shape(about["shape"])
    card = read_card(about["card"], shape)
    _check_texts(about["texts"])
    with _on_meta_device():
        model = Model(Network.from_texts(shape, **about["texts"]), card)
        model = _attach(model, about.get("attachments", _former_attachments(about.get("map"))))
    expected = {key: (value.dtype, list(value.shape)) for key, value in model.tensors().items()}
    if {key: _described(value) for key, value in header.items() if key != "__metadata__"} != expected:
        raise ModelFileError("its weights have other names, types or shapes than its parts")
    return model


@contextmanager
def _on_meta_device() -> Iterator[None]:
    """Build without weights; what does not fit raises one of our errors."""
    try:
        with torch.device("meta"):
            yield
    except NarrowsError:
        raise
    except (RuntimeError, OverflowError, MemoryError, ValueError, TypeError) as error:
        raise ModelFileError(f"its parts do not fit its data ({error})") from None


def _attach(model: Model, attachments: Any) -> Model:
    """Return the model with the attachments that the header names, without weights."""
    if not isinstance(attachments, dict):
        raise ModelFileError("its attachments are no table")
    for name, entry in attachments.items():
        known, by = ATTACHMENTS.get(name), writer({"recipe": model.card.recipe})
        if known is None:
            raise ModelFileError(
                f"its attachment {name[:100]!r} is not known here{by}; update narrows or, where it is one of your own, "
                f"register it first, by narrows.model.register('attachment', ...)"
            )
        good = isinstance(entry, dict) and set(entry) == {"version", "text"}
        if not good or not is_whole(entry["version"]) or not is_text(entry["text"]):
            raise ModelFileError(f"its attachment {name!r} is not written as a version and a text")
        if entry["version"] != known.version:
            raise ModelFileError(
                f"its attachment {name!r} has the version {entry['version']}, however the one here is "
                f"{known.version}{by}; use the narrows that wrote it"
            )
        attachment = build(entry["text"], {name: known}, "attachment")
        attachment.check(model.network)
        attachment.build(model.network)
        model = model.with_attachment(attachment)
    return model


def _former_attachments(texts: Any) -> dict[str, Any]:
    """Return the entries of attachments where a file has the texts of a map head's parts in their place, or None."""
    if texts is None:
        return {}
    _check_texts(texts)
    return {"map": {"version": 1, "text": repr(MapHead.from_texts(texts))}}


def _check_texts(texts: Any) -> None:
    """Refuse what is not one text for every part, and parts in no menu here: those of somebody's own."""
    known = isinstance(texts, dict) and set(texts) == set(MENUS)
    if not known or not all(isinstance(text, str) and len(text) <= MAX_LENGTH for text in texts.values()):
        raise ModelFileError("its header does not name one text for every part")
    for kind, text in texts.items():
        for part in find_names(text, kind, JOINS.get(kind, (None, "|"))[1]):
            if part not in MENUS[kind]:
                raise ModelFileError(
                    f"its {kind} {shown(repr(part))} is not known here; register it first, by "
                    f"narrows.model.register({kind!r}, ...)"
                )


def _described(entry: Any) -> tuple[torch.dtype | None, Any]:
    entry = entry if isinstance(entry, dict) else {}
    kind = entry.get("dtype")
    return _TORCH_NAMES.get(kind) if isinstance(kind, str) else None, entry.get("shape")


def _check_shape(shape: Any) -> tuple[int, ...]:
    good = isinstance(shape, list) and 1 <= len(shape) <= 4
    if not good or not all(is_whole(side) and 1 <= side <= MAX_SIDE for side in shape) or math.prod(shape) > MAX_VALUES:
        raise ModelFileError("the shape of its data is not one that narrows writes")
    return tuple(shape)


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise ModelFileError(f"its weight {key!r} has a value that is not finite")


def _parse_json(text: str | bytes) -> dict[str, Any]:
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
        raise ModelFileError("its header is not JSON of our kind")
    return value

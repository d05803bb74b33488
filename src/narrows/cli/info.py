"""The commands `info`, about a model or data, and `parts`, which lists parts, presets and data sets."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from narrows.cli.arguments import USUAL, Data, HowRead, Reading, as_data, as_options, as_words
from narrows.cli.display import drain
from narrows.cli.printing import print_rows, print_texts, signature, visible
from narrows.errors import DataError

if TYPE_CHECKING:
    from narrows.data.samples import Samples


def info(
    source: Annotated[Data, arg(metavar="RUN | DATA ...")],
    *,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="FILE.csv", help_behavior_hint="")] = None,
    reading: Reading = USUAL,
    overwrite: bool = False,
) -> int:
    """Say what is in a model or in data; of a table, what its columns hold and what training does with them.

    Args:
        source: a run folder, a model file, or data.
        output: a file for the table of columns, which --columns takes when it has been edited.
        overwrite: replace an existing file.
    """
    found = as_data(source)
    if isinstance(found, str) and _is_model(found):
        if output is not None:
            raise DataError(f"-o takes the columns of a table, however: {visible(found)} is a model; leave it out")
        return _info_model(found)
    return _info_data(found, reading, output, overwrite)


def parts() -> int:
    """Print the menus: every part, preset and data set, and how it is written."""
    import inspect

    from narrows.data.named import NAMED
    from narrows.model.network import MENUS
    from narrows.presets import PRESETS

    for kind, menu in MENUS.items():
        print(f"\n{kind}")
        for name, part in menu.items():
            summary = (inspect.getdoc(part) or "").split(".")[0].replace("\n", " ")
            print(f"  {name + signature(part):<64}  {summary}")
    print("\npreset")
    for name, preset in PRESETS.items():
        parts = (preset.backbone, preset.bottleneck, preset.corruption)
        print(f"  {name:<16}  {' x '.join(text for text in parts if text not in (None, 'none()'))}")
    print("\ndata\n  " + "  ".join(NAMED))
    return 0


def _is_model(source: str) -> bool:
    from narrows.modelfile import FILE_NAME

    return source.endswith(".safetensors") or (Path(source) / FILE_NAME).is_file()


def _info_model(source: str) -> int:
    from narrows.model.network import MENUS
    from narrows.model.summary import describe_code, layers
    from narrows.verbs.columns import describe_known
    from narrows.verbs.describe import count, describe_map, describe_metrics
    from narrows.verbs.reading import open_model

    model = open_model(source)
    network, card = model.network, model.card
    shape = "x".join(map(str, network.shape))
    sample = f"{shape} {card.dtype}" if card.table is None else count(len(card.table.items), "column")
    print(f"{visible(source)}: a model of {card.origin or 'data'}, {sample}")
    if card.table is not None:
        print_texts(("column", "kind", "categories"), describe_known(card.table))
    for kind in MENUS:
        print(f"  {kind:<11} {network.texts[kind]}")
    rows = [(layer.name, "x".join(map(str, layer.shape)), f"{layer.parameters:,}") for layer in layers(network)]
    print_rows(("layer", "output", "parameters"), rows)
    print(f"parameters: {sum(p.numel() for p in network.parameters()):,}")
    print(f"code: {describe_code(network)}")
    if model.map_head is not None:
        print(f"map: {describe_map(model)}")
    print("trained:")
    for key, value in card.recipe.items():
        if value not in (None, False):
            print(f"  {key:<18} {round(value, 1) if isinstance(value, float) else value}")
    print(*describe_metrics(model), sep="\n")
    return 0


def _info_data(source: str | list[str], reading: HowRead, output: str | None, overwrite: bool) -> int:
    from narrows.files import refuse_existing
    from narrows.verbs.describe import describe_array, shell_word
    from narrows.verbs.reading import read_data

    if output is not None:
        refuse_existing(output, overwrite)
    samples = drain(read_data(source, **as_options(reading)))
    again = reading if output is None else replace(reading, columns=output)
    paths = [source] if isinstance(source, str) else source
    command = " ".join(["narrows train", *map(shell_word, paths), *map(shlex.quote, as_words(again))])
    if samples.table is not None:
        return _info_table(samples, output, overwrite, command)
    if output is not None:
        raise DataError(f"-o takes the columns of a table, however: {visible(samples.origin)} is none; leave it out")
    print(f"{visible(samples.origin)}: {describe_array(samples.x)}")
    _print_labels(samples)
    print(f"skipped: {len(samples.skipped)}")
    print(f"next: {command}")
    return 0


def _info_table(samples: Samples, output: str | None, overwrite: bool, command: str) -> int:
    from narrows.verbs.columns import HEADINGS, describe_columns, write_columns
    from narrows.verbs.describe import count

    rows = describe_columns(samples)
    print(f"{visible(samples.origin)}: {count(len(samples.x), 'row')}, {count(len(rows), 'column')}")
    print_texts(HEADINGS, rows)
    _print_labels(samples)
    if output is not None:
        write_columns(output, samples, overwrite)
        print(f"{output}: the columns; edit their kinds, then {command}")
    else:
        print(f"next: {command}")
    return 0


def _print_labels(samples: Samples) -> None:
    import numpy as np

    from narrows.data.labels import group_labels

    if samples.labels is None:
        return
    values, own = group_labels(samples.labels)
    counts = np.bincount(own[own >= 0], minlength=len(values))
    some = zip(values[:12].tolist(), counts.tolist(), strict=False)
    shown = ", ".join(f"{' '.join(str(value).split())}: {count:,}" for value, count in some)
    print(f"labels: {len(values):,} ({visible(shown)}{', ...' if len(values) > 12 else ''})")

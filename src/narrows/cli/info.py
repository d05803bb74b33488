"""The commands `info`, about a model or data, and `parts`, which lists parts, presets and data sets."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from narrows.cli.arguments import USUAL, Data, HowRead, Reading, as_data
from narrows.cli.display import drain
from narrows.cli.printing import print_rows, signature, visible


def info(source: Annotated[Data, arg(metavar="RUN | DATA ...")], *, reading: Reading = USUAL) -> int:
    """Say what is in a model or in data.

    Args:
        source: a run folder, a model file, or data.
    """
    found = as_data(source)
    if isinstance(found, str) and _is_model(found):
        return _info_model(found)
    return _info_data(found, reading)


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
    from narrows.verbs.describe import describe_map, describe_metrics
    from narrows.verbs.reading import open_model

    model = open_model(source)
    network, card = model.network, model.card
    print(f"{visible(source)}: a model of {card.origin or 'data'}, {'x'.join(map(str, network.shape))} {card.dtype}")
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


def _info_data(source: str | list[str], reading: HowRead) -> int:
    import numpy as np

    from narrows.data.labels import group_labels
    from narrows.verbs.describe import describe_array
    from narrows.verbs.reading import read_data

    samples = drain(read_data(source, **vars(reading)))
    print(f"{visible(samples.origin)}: {describe_array(samples.x)}")
    if samples.labels is not None:
        values, own = group_labels(samples.labels)
        counts = np.bincount(own[own >= 0], minlength=len(values))
        some = zip(values[:12].tolist(), counts.tolist(), strict=False)
        shown = ", ".join(f"{' '.join(str(value).split())}: {count:,}" for value, count in some)
        print(f"labels: {len(values):,} ({visible(shown)}{', ...' if len(values) > 12 else ''})")
    print(f"skipped: {len(samples.skipped)}")
    words = [source] if isinstance(source, str) else source
    print(f"next: narrows train {shlex.join(words)}")
    return 0

"""A preset is a plain dict of part texts and recipe; what a person gives wins over it, and it over `auto`.

Keys: the parts of a network (`backbone`, `bottleneck`, `corruption`, `loss`, `scaling`) and the recipe of training
(`optimizer`, `schedule`, `batch_size`, `epochs`). A specialist that needs no code says `code: False`. It may say the
side of the patches that larger pictures are cut into (`patch_size`), whether noisy data turn it to blind spots
(`estimates_noise`), and in place of epochs how many values training sees (`values`) within how many seconds
(`max_seconds`), more of both where it trains on crops; or which share of the usual steps does (`share_of_steps`).
`pictures` holds what differs where the samples are pictures. `published` holds what `--as-published` puts in the
recipe's place, and the losses that the source printed, by epoch.
"""

from __future__ import annotations

from typing import Any

from narrows.errors import SpecError, did_you_mean

TUTORIAL = {"corruption": "none()", "loss": "mse()", "scaling": "unit(output='sigmoid')"}
PUBLISHED = {"optimizer": "adam(0.001)", "schedule": "constant()", "batch_size": 20}

PRESETS: dict[str, dict[str, Any]] = {
    "tutorial-linear": {
        **TUTORIAL,
        "backbone": "dense(hidden=[])",
        "bottleneck": "relu(128)",
        "epochs": 1,
        "published": {
            **PUBLISHED,
            "epochs": 20,
            "printed": {1: 0.342308, 2: 0.081272, 5: 0.047382, 10: 0.040589, 15: 0.038733, 20: 0.037874},
        },
    },
    "tutorial-conv": {
        **TUTORIAL,
        "backbone": "conv(channels=[16], pool='max', up='transposed', grid=True)",
        "bottleneck": "relu(4)",
        "epochs": 1,
        "published": {
            **PUBLISHED,
            "epochs": 15,
            "printed": {1: 0.448799, 2: 0.266815, 5: 0.231836, 10: 0.193259, 15: 0.183579},
        },
    },
    "denoise": {
        "corruption": "gaussian(0.0, 0.5)",
        "code": False,
        "estimates_noise": True,
        "patch_size": 64,
        "values": 7e7,
        "max_seconds": 175.0,
    },
    "map": {
        "backbone": "dense(hidden=[256, 128, 128, 128, 128, 128])",
        "bottleneck": "map(2)",
        "corruption": "gaussian(0.0, 0.5)",
        "pictures": {"corruption": "shift(0.04, chance=0.25)"},
        "optimizer": "muon(0.035)",
        "batch_size": 768,
        "share_of_steps": 0.25,
    },
}


def find_preset(name: str) -> dict[str, Any]:
    """Return the preset `name`.

    Raises SpecError for a name that is not in PRESETS.

    Examples
    --------
    >>> find_preset("tutorial-linear")["bottleneck"]
    'relu(128)'
    """
    if name not in PRESETS:
        raise SpecError(f"there is no preset {name!r}; {did_you_mean(name, PRESETS)}")
    return PRESETS[name]

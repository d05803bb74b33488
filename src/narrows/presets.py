"""Presets: a plain dict each, of texts of parts and of options of training.

What a person gives takes precedence over the preset, and the preset over `auto`. The keys:

    backbone, bottleneck, corruption, loss, scaling    the parts of the network
    optimizer, schedule, batch_size, epochs            the options of training
    code               False where the model needs no code
    patch_size         side of the patches that larger pictures are cut into, pixels
    estimates_noise    True where training on noisy data uses the corruption `blind_spots`
    values             in place of epochs: how many values training sees, more where it trains on crops
    max_seconds        within how many seconds, more where it trains on crops
    share_of_steps     in place of epochs: which share of the usual number of steps
    pictures           a dict of what differs where the samples are pictures
    published          a dict of the options with `--as-published`, and of the losses that the source printed, by epoch
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

"""Presets: recipes by name."""

from __future__ import annotations

from typing import Any

from narrows.errors import SpecError, did_you_mean
from narrows.recipe import Published, Recipe

TUTORIAL: dict[str, Any] = {"corruption": "none()", "loss": "mse()", "scaling": "unit(output='sigmoid')", "epochs": 1}
TUTORIAL_OPTIONS: dict[str, Any] = {"optimizer": "adam(0.001)", "schedule": "constant()", "batch_size": 20}

PRESETS: dict[str, Recipe] = {
    "tutorial-linear": Recipe(
        **TUTORIAL,
        backbone="dense(hidden=[])",
        bottleneck="relu(128)",
        published=Published(
            **TUTORIAL_OPTIONS,
            epochs=20,
            printed={1: 0.342308, 2: 0.081272, 5: 0.047382, 10: 0.040589, 15: 0.038733, 20: 0.037874},
        ),
    ),
    "tutorial-conv": Recipe(
        **TUTORIAL,
        backbone="conv(channels=[16], pool='max', up='transposed', grid=True)",
        bottleneck="relu(4)",
        published=Published(
            **TUTORIAL_OPTIONS,
            epochs=15,
            printed={1: 0.448799, 2: 0.266815, 5: 0.231836, 10: 0.193259, 15: 0.183579},
        ),
    ),
    "denoise": Recipe(
        corruption="gaussian(0.0, 0.5)",
        needs_code=False,
        estimates_noise=True,
        patch_size=64,
        values=7e7,
        max_seconds=175.0,
    ),
    "map": Recipe(
        backbone="dense(hidden=[256, 128, 128, 128, 128, 128])",
        bottleneck="map(2)",
        corruption="gaussian(0.0, 0.5)",
        pictures={"corruption": "shift(0.04, chance=0.25)"},
        optimizer="muon(0.035)",
        batch_size=768,
        share_of_steps=0.25,
    ),
}


def find_preset(name: str) -> Recipe:
    """Return the preset `name`.

    Raises SpecError for a name that is not in PRESETS.

    Examples
    --------
    >>> find_preset("tutorial-linear").bottleneck
    'relu(128)'
    """
    if name not in PRESETS:
        raise SpecError(f"there is no preset {name!r}; {did_you_mean(name, PRESETS)}")
    return PRESETS[name]

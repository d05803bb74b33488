"""The colours of a figure on a dark page: greys as light as they were dark, colours lighter, in their order."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

GREY = 0.012  # chroma, below which a colour is a grey
TURNED = 1.17, -0.95  # a + b * lightness is the dark lightness of a grey: ink becomes pale, pale ground nearly black
LIFTED = 0.42, 0.5  # the same of a colour: all can be told from the ground, and a ramp still rises
# Ottosson, "A perceptual color space for image processing", 2020: linear RGB to cones' responses, their roots to Lab
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def darken(colour: str) -> str:
    """Return what stands for a colour, #rrggbb, where the reader prefers dark pages.

    Examples
    --------
    >>> darken("#ffffff"), darken("#000000")
    ('#1b1b1b', '#ffffff')
    """
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    lab = LAB @ np.cbrt(CONES @ linear)
    first, times = TURNED if np.hypot(*lab[1:]) < GREY else LIFTED
    lab[0] = np.clip(first + times * lab[0], 0, 1)
    linear = np.clip(np.linalg.inv(CONES) @ (np.linalg.inv(LAB) @ lab) ** 3, 0, 1)
    rgb = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return "#" + "".join(f"{level:02x}" for level in np.rint(255 * rgb).astype(int))


def dark_style(colours: Iterable[str]) -> str:
    """Return the rules of an SVG file that give `colours`, its fills and strokes, their dark counterparts."""
    rules = "".join(
        f'[fill="{colour}"]{{fill:{dark}}}[stroke="{colour}"]{{stroke:{dark}}}'
        for colour, dark in ((colour, darken(colour)) for colour in colours)
    )
    return f"@media (prefers-color-scheme: dark) {{{rules}}}"

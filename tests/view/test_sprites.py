"""Pictures in sheets: exact where they fit, smaller where they do not."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from narrows.view.explorer.sprites import A_SHEET, pack

SMALL = np.random.default_rng(0).integers(0, 256, (300, 9, 8)).astype(np.uint8)


def opened(sheet):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet))).convert("RGB"))


@pytest.mark.parametrize("pictures", [SMALL, np.stack([SMALL, SMALL[::-1], SMALL // 2], -1)], ids=["grey", "colour"])
def test_pictures_that_fit_are_exact(pictures):
    sprites = pack(pictures, most=1e9)
    assert sprites.exact
    for index in (0, 17, A_SHEET, 299):
        sheet, place = opened(sprites.sheets[index // A_SHEET]), index % A_SHEET
        cut = sheet[place // 16 * 9 :, place % 16 * 8 :][:9, :8]
        wanted = pictures[index] if pictures.ndim == 4 else np.repeat(pictures[index][..., None], 3, 2)
        assert np.array_equal(cut, wanted)


def test_pictures_that_do_not_fit_lose_some_detail():
    exact = sum(map(len, pack(SMALL, most=1e9).sheets))
    lossy = pack(SMALL, most=0.8 * exact)
    assert not lossy.exact
    assert sum(map(len, lossy.sheets)) <= 0.85 * exact
    large = pack(np.random.default_rng(0).integers(0, 256, (20, 100, 80)).astype(np.uint8), most=1e9)
    assert (large.height, large.width, large.exact) == (64, 51, False)
    least = pack(SMALL.repeat(4, 1).repeat(4, 2), most=1)
    assert (least.height, least.width) == (9, 8)

"""Figures of pictures: one fixed scale, and pictures of any size and number of channels."""

import numpy as np
import pytest
from seen import images, parts, words

from narrows.view import pictures as draw


def test_large_pictures_are_cropped_so_that_every_pixel_is_seen():
    big = np.zeros((200, 300))
    big[52:148, 102:198] = np.indices((96, 96)).sum(0) % 2
    (shown,) = images(draw.draw_methods({"checks": (big, "")}))
    assert set(np.unique(shown)) == {0, 255}
    assert shown.mean() == 127.5


def test_rows_are_drawn_on_one_fixed_scale():
    dim = np.full((2, 4, 5), 51, np.uint8)
    dim[0, 0, 0] = 60
    figure = draw.draw_rows({"data": dim, "again\npaler": dim, "third": dim}, (0, 255))
    assert words(figure) == ["data", "again", "paler", "third"]
    shown = images(figure)
    assert len(shown) == 6
    assert [image.max() for image in shown] == [60, 51] * 3
    assert draw.as_bytes(np.array([[[0.5, 1.0]]]), (0.5, 2.5)).tolist() == [[[0, 64]]]


@pytest.mark.parametrize("shape", [(3, 6, 5), (3, 6, 5, 1), (3, 6, 5, 2), (3, 6, 5, 3), (3, 6, 5, 4), (3, 6, 500, 3)])
def test_any_pictures_can_be_drawn(shape):
    shown = images(draw.draw_rows({"data": np.zeros(shape)}))
    assert len(shown) == 3
    assert shown[0].ndim == (3 if shape[3:] in ((3,), (4,)) else 2)
    assert shown[0].shape[1] <= 1.5 * draw.CELL


def test_panels_are_drawn_for_any_number_of_them():
    panel = draw.Panel("a", np.zeros((4, 9, 3)), "words")
    assert words(draw.draw_panels([[panel, panel, panel], [panel]])) == ["a", "words"] * 4


def test_a_caption_stands_below_its_own_picture_and_above_the_next_row():
    x = np.zeros((3, 8, 8))
    figure = draw.draw_rows({"noisy": x, "model": x, "median": x}, captions={"model": ["1 dB", "2 dB", "3 dB"]})
    drawn = parts(figure.svg)
    boxes = [[float(image.get(side)) for side in ("x", "y", "width", "height")] for image in drawn["image"]]
    captions = {text.text: (float(text.get("x")), float(text.get("y"))) for text in drawn["text"]}
    for i in range(3):
        left, top, width, height = boxes[3 + i]
        x, y = captions[f"{i + 1} dB"]
        assert x == left + width / 2
        assert top + height < y < boxes[6 + i][1]
    assert boxes[-1][1] + boxes[-1][3] < figure.height

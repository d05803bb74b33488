"""A picture restored in tiles is the same as in one piece: any size, any channels, no seams, the same in a batch."""

import numpy as np
import pytest
import torch
from restoring import model_of, noise

from narrows.card import Card
from narrows.data.layout import to_pictures
from narrows.errors import DataError
from narrows.model.tiling import Tiling
from narrows.tasks import tiles
from narrows.tasks.reconstruct import denoise
from narrows.tasks.tiles import choose_side, cut, find_overlap, note_on_channels

RNG = np.random.default_rng(0)


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "SIDE", 32)
    monkeypatch.setattr(tiles, "OVERLAPS", 3)  # of an overlap


@pytest.mark.parametrize("pool", ["max", "stride"])
@pytest.mark.parametrize("up", ["transposed", "upsample"])
@pytest.mark.parametrize("size", [(150, 97), (40, 200), (1, 90), (131, 128)])
def test_tiles_make_what_the_whole_picture_makes(small_tiles, pool, up, size):
    """Not bit for bit: a convolution adds in another order where the picture is of another size."""
    model = model_of(f"conv(channels=[3, 5], pool='{pool}', up='{up}', grid=True)", dtype="float64", top=1.0)
    x = RNG.random(size)
    assert len(cut(max(size), choose_side(model.network.backbone.tiling), 16)) > 1
    whole = model.network.reconstruct(torch.from_numpy(x)[None, None])[0, 0].detach().numpy()
    restored = denoise(model, x)
    assert restored.shape == size
    np.testing.assert_allclose(restored, whole, atol=1e-6)
    assert np.ptp(restored) > 0.05  # what a seam would spoil


@pytest.mark.parametrize("length", [1, 31, 32, 33, 50, 64, 500])
@pytest.mark.parametrize(("side", "overlap"), [(32, 8), (32, 0), (512, 24)])
def test_kept_parts_lie_end_to_end_and_have_their_surroundings(length, side, overlap):
    spans = cut(length, side, overlap)
    assert [span.first for span in spans] == [0, *[span.last for span in spans[:-1]]]
    assert spans[-1].last == spans[-1].stop == length
    for span in spans:
        assert span.start % 8 == 0
        assert span.first < span.last
        assert span.stop - span.start <= side
        assert span.start == 0 or span.first - span.start >= overlap
        assert span.stop == length or span.stop - span.last >= overlap


def test_a_side_leaves_room_between_the_overlaps():
    for stride in (1, 2, 8, 16, 48):
        for reach in (0, 1, 20, 300):
            tiling = Tiling(stride, reach)
            side, overlap = choose_side(tiling), find_overlap(tiling)
            assert side % stride == overlap % stride == 0
            assert side > 2 * overlap >= 2 * reach


@pytest.mark.parametrize(
    "shape", [(3, 5), (40, 30), (7, 40, 30), (40, 30, 3), (2, 40, 30, 3), (2, 1, 40, 30), (2, 40, 30, 2)]
)
def test_a_grey_model_restores_each_channel_by_itself(small_tiles, shape):
    model, x = model_of(), noise(*shape)
    restored = denoise(model, x)
    assert restored.shape == shape
    assert restored.dtype == np.uint8
    planes, expected = to_pictures(x)[0], to_pictures(restored)[0]
    for n in range(len(planes)):
        for c in range(planes.shape[1]):
            assert np.array_equal(denoise(model, planes[n, c]), expected[n, c])


def test_a_picture_alone_or_among_others_is_the_same_bits():
    model, x = model_of(dtype="float64", top=1.0), RNG.random((7, 40, 30))
    together = denoise(model, x)
    for i in range(7):
        assert np.array_equal(denoise(model, x[i]), together[i])


def test_a_colour_model_takes_grey_pictures_as_colours_that_are_alike(small_tiles):
    model, x = model_of(channels=3), noise(50, 40)
    colour = denoise(model, np.stack([x] * 3, -1))
    grey = denoise(model, x)
    assert grey.shape == x.shape
    assert np.abs(grey - colour.astype(float).mean(-1)).max() <= 1
    assert denoise(model, noise(2, 50, 40, 3)).shape == (2, 50, 40, 3)
    assert denoise(model, noise(2, 50, 40)).shape == (2, 50, 40)


def test_what_is_said_of_colours():
    assert note_on_channels(model_of(), 1) is None
    assert "each colour channel" in note_on_channels(model_of(), 3)
    assert "come back grey" in note_on_channels(model_of(channels=3), 1)
    with pytest.raises(DataError, match="3 channels or grey ones, however: these have 2"):
        denoise(model_of(channels=3), noise(2, 40, 30, 2))
    with pytest.raises(DataError, match="pictures are"):
        denoise(model_of(), noise(2, 2, 2, 2, 2))


def test_depths_are_mapped_full_range_to_full_range(small_tiles):
    shallow = noise(50, 40)
    deep = shallow.astype(np.uint16) * 257
    for model in (model_of(), model_of(dtype="uint16", top=4095.0)):
        if model.card.dtype == "uint16":
            deep = np.rint(shallow / 255 * 4095).astype(np.uint16)
        one, other = denoise(model, shallow), denoise(model, deep)
        assert (one.dtype, other.dtype) == (np.uint8, np.uint16)
        full = 4095 if model.card.dtype == "uint16" else 65535
        assert np.abs(other / full - one / 255).max() < 1 / 255


def test_the_input_is_left_alone_and_others_arrangements_are_taken(small_tiles):
    model, x = model_of(), noise(50, 40)
    before = x.copy()
    restored = denoise(model, x)
    assert np.array_equal(x, before)
    x.flags.writeable = False
    assert np.array_equal(denoise(model, x), restored)
    assert np.array_equal(denoise(model, np.asfortranarray(x)), restored)


def test_flat_rows_of_a_model_that_learned_them_are_understood():
    model = model_of()
    flat = model._replace(card=Card(layout="flat", dtype="uint8"))
    x = noise(5, 16, 16)
    assert np.abs(denoise(flat, x.reshape(5, 256)).reshape(x.shape) - denoise(model, x).astype(int)).max() <= 1
    assert denoise(model, x[0].ravel()).shape == (256,)


def test_a_model_of_one_size_takes_that_size_alone():
    model = model_of("conv(channels=[3])")
    assert denoise(model, noise(2, 16, 16)).shape == (2, 16, 16)
    with pytest.raises(DataError, match="this model takes arrays of shape"):
        denoise(model, noise(17, 16))

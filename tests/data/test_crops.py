"""Crops: pictures of any sizes at full resolution, cut at positions that a generator draws."""

import numpy as np
import pytest
import torch
from disk import put_all, waves

from narrows.data.crops import Crops
from narrows.data.read import read
from narrows.data.stream import Stream, take
from narrows.errors import NarrowsError
from narrows.training.finished import find_examples
from narrows.training.fit import Fit

SMALL = {"backbone": "unet(2)", "bottleneck": "linear(2)", "device": "cpu"}


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(*sizes):
    """Return pictures whose values tell where they lie, and the picture itself."""
    return [i * 10_000 + np.arange(h * w).reshape(h, w) for i, (h, w) in enumerate(sizes)]


def test_every_crop_is_a_part_of_its_picture():
    pictures = numbered((20, 31), (16, 16), (40, 17))
    crops = Crops(pictures, 16)
    index = torch.tensor([0, 2, 1, 0, 2] * 20)
    cut = crops.take(index, chance())
    assert cut.shape == (100, 1, 16, 16)
    for i, crop in zip(index.tolist(), cut, strict=True):
        top, left = divmod(crop[0, 0, 0].item() - i * 10_000, pictures[i].shape[1])
        assert np.array_equal(crop[0], pictures[i][top : top + 16, left : left + 16])
    positions = {crop[0, 0, 0].item() for i, crop in zip(index.tolist(), cut, strict=True) if i == 0}
    assert len(positions) > 15
    assert torch.equal(cut, crops.take(index, chance()))
    assert not torch.equal(cut, crops.take(index, chance(1)))


def test_every_position_is_drawn_the_corners_too():
    crops = Crops(numbered((5, 4)), 3)
    firsts = {crop[0, 0, 0].item() for crop in crops.take(torch.zeros(300, dtype=torch.long), chance())}
    assert firsts == {0, 1, 4, 5, 8, 9}


def test_colours_come_channels_first():
    picture = np.arange(5 * 6 * 3).reshape(5, 6, 3)
    assert np.array_equal(Crops([picture], (5, 6)).centres()[0], np.moveaxis(picture, -1, 0))


def test_large_pictures_are_visited_more_often():
    assert Crops(numbered((64, 64), (128, 64), (70, 70)), 32).visits.bincount().tolist() == [4, 8, 5]


def test_a_picture_that_is_too_small_is_mirrored_and_a_crop_is_no_larger_than_all():
    crops = Crops(numbered((3, 5), (4, 5)), 64)
    assert crops.shape == (1, 4, 5)
    first = crops.take(torch.tensor([0]), chance())[0, 0]
    assert torch.equal(first[3], first[2])


def test_a_part_keeps_the_size_of_the_crops():
    crops = Crops(numbered((3, 5), (40, 50), (30, 30)), 20)
    part = crops.part([0, 2])
    assert (len(part), part.shape) == (2, (1, 20, 20))
    assert torch.equal(part.centres(), crops.centres()[[0, 2]])


def test_a_target_is_cut_at_the_same_positions():
    crops = Crops(numbered((20, 31), (16, 25)), 8)
    target = Crops([-picture for picture in crops.pictures], 8)
    stream, generator = Stream(crops, 4, target=target), chance()
    for index in stream.epoch(generator):
        batch = stream.take(index, generator)
        assert torch.equal(batch.target, -batch.x)
    assert take(crops, None, crops.visits, chance()).target is None


@pytest.mark.parametrize("crop", ["a", 0, 1.5, True])
def test_a_crop_is_a_whole_number(crop):
    with pytest.raises(NarrowsError, match="patch_size"):
        read(np.zeros((4, 9, 9), np.uint8), patch_size=crop)


def test_arrays_become_crops_only_where_they_are_larger():
    x = np.random.default_rng(0).integers(0, 256, (4, 30, 20, 3), dtype=np.uint8)
    assert read(x, patch_size=30).x is not None
    assert isinstance(read(x, patch_size=30).x, np.ndarray)
    samples = read(x, patch_size=16)
    assert samples.x.shape == (3, 16, 16)
    assert samples.reading == {"size": None, "fit": "crop", "colour": "rgb", "depth": 8}
    assert isinstance(read(np.zeros((5, 80)), patch_size=16).x, np.ndarray)


def test_files_keep_their_resolution(tmp_path):
    rng = np.random.default_rng(0)
    pictures = {f"{i}.png": rng.integers(0, 256, (150 + i, 90), dtype=np.uint8) for i in range(3)}
    folder = put_all(tmp_path, pictures)
    (folder / "broken.png").write_bytes(b"no picture")
    samples = read(folder, patch_size=32)
    assert samples.names == tuple(pictures)
    assert all(np.array_equal(a, b) for a, b in zip(samples.x.pictures, pictures.values(), strict=True))
    assert [name for name, _ in samples.skipped] == ["broken.png"]
    assert samples.reading == {"size": None, "fit": "crop", "colour": "grey", "depth": 8}
    with pytest.raises(NarrowsError, match="no meaning beside patch_size"):
        read(folder, size=32, patch_size=32)


def test_a_model_of_crops_trains_and_says_that_nothing_was_resized():
    x = waves().astype(np.uint8)
    fit = Fit(read(x), patch_size=16, epochs=2, corruption="gaussian(0.2)", **SMALL)
    assert fit.network.shape == (1, 16, 16)
    assert fit.plan.split.held_out.x.shape[1:] == (1, 16, 16)
    model = fit.run()
    name, shown, reference = find_examples(fit.plan, fit.end)
    assert (name, shown.x.shape, reference.shape) == ("validation", (2, 16, 16), (10, 16, 16))
    assert model.card.reading == {"size": None, "fit": "crop", "colour": "grey", "depth": 8}
    assert model.card.recipe["train_samples"] == 10
    assert fit.history[-1]["val_mse"] > 0
    again = Fit(read(x), patch_size=16, epochs=2, corruption="gaussian(0.2)", **SMALL).run()
    first, second = ([*m.network.parameters()] for m in (model, again))
    assert all(map(torch.equal, first, second))


def test_one_picture_is_enough_for_crops():
    fit = Fit(read(waves(1)), patch_size=16, epochs=1, **SMALL)
    assert fit.plan.split.held_out is None
    assert fit.run().card.recipe["validation_samples"] == 0

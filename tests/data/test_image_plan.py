"""All pictures get one size, and a model reads them as it learned them."""

import numpy as np
import pytest
from disk import gradient, put, refused

from narrows import memory
from narrows.data import images
from narrows.data.read import read


class TestSize:
    @pytest.mark.parametrize("size", [(4, 5), (128, 128), (1, 1)])
    def test_one_small_size_is_kept(self, tmp_path, size):
        for name in ("a.png", "b.png"):
            put(tmp_path / name, gradient(*size))
        samples = read(tmp_path)
        np.testing.assert_array_equal(samples.x, np.stack([gradient(*size)] * 2))
        assert samples.notes == ()

    @pytest.mark.parametrize("sizes", [[(20, 30), (30, 20)], [(129, 20), (129, 20)]])
    def test_others_become_64_with_a_note(self, tmp_path, sizes):
        for i, size in enumerate(sizes):
            put(tmp_path / f"{i}.png", gradient(*size))
        samples = read(tmp_path)
        assert samples.x.shape == (2, 64, 64)
        assert len(samples.notes) == 1
        assert "scaled and centre-cut to 64x64 (--size, --resize-mode change that)" in samples.notes[0]

    @pytest.mark.parametrize(("size", "expected"), [(9, (9, 9)), ((7, 9), (7, 9)), ([7, 9], (7, 9)), ((9,), (9, 9))])
    @pytest.mark.parametrize("fit", [None, "crop", "pad", "stretch"])
    def test_the_size_that_is_asked_for(self, tmp_path, size, expected, fit):
        put(tmp_path / "a.png", gradient(20, 33))
        samples = read(tmp_path, size, resize_mode=fit)
        assert samples.x.shape == (1, *expected)
        (note,) = samples.notes
        assert note.startswith("1 picture shrunk from 20x33 to {}x{}: what is under".format(*expected))
        assert samples.reading["size"] == list(expected)
        assert samples.reading["fit"] == (fit or "crop")

    def test_what_the_fits_do(self, tmp_path):
        picture = np.full((40, 80), 200, np.uint8)
        picture[:, :20] = picture[:, 60:] = 100
        put(tmp_path / "a.png", picture)
        cut = read(tmp_path, 10, resize_mode="crop").x[0]
        assert (cut[:, 2:-2] == 200).all()
        assert cut.min() > 190  # the filter sees a little of what is cut off
        padded = read(tmp_path, 10, resize_mode="pad").x[0]
        assert (padded[:2] == 0).all()
        assert (padded[8:] == 0).all()
        assert abs(padded[3:7, 4:6].astype(int) - 200).max() <= 3
        stretched = read(tmp_path, 10, resize_mode="stretch").x[0]
        assert abs(stretched[5, [0, 5, 9]].astype(int) - [100, 200, 100]).max() <= 3

    @pytest.mark.parametrize("size", [0, -1, 1.5, "8", (1, 2, 3), (8, 0), True, ()])
    def test_sizes_that_are_none_are_refused(self, tmp_path, size):
        put(tmp_path / "a.png", gradient(4, 5))
        assert "whole numbers of at least 1" in refused(tmp_path, size=size)

    def test_unknown_fits_are_refused(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        assert "'crop', 'pad', 'stretch'" in refused(tmp_path, resize_mode="squeeze")

    def test_scaling_down_averages(self, tmp_path):
        board = np.indices((512, 512)).sum(0) % 2 * 255
        put(tmp_path / "a.png", board.astype(np.uint8))
        assert abs(read(tmp_path).x.astype(int) - 127).max() <= 2

    def test_a_large_jpeg_is_scaled_well(self, tmp_path):
        put(tmp_path / "a.jpg", gradient(800, 800, 3), quality=95)
        assert abs(read(tmp_path).x[0].astype(int) - gradient(64, 64, 3)).mean() < 4

    def test_memory_is_counted_before_reading(self, tmp_path, monkeypatch):
        for i in range(10):
            put(tmp_path / f"{i}.png", gradient(40, 40, 3))
        monkeypatch.setattr(memory, "available_memory", lambda: 10 * 3 * 21 * 21)
        monkeypatch.setattr(images, "decode", lambda *args: pytest.fail("a picture was decoded"))
        assert "size=21 would fit" in refused(tmp_path)
        monkeypatch.undo()
        monkeypatch.setattr(memory, "available_memory", lambda: 10 * 3 * 21 * 21)
        assert read(tmp_path, 21).x.shape == (10, 21, 21, 3)

    def test_available_memory_is_a_number_of_bytes_or_unknown(self):
        free = memory.available_memory()
        assert free is None or free > 1e6


class TestReading:
    def reading(self, **changes):
        return {"size": [6, 8], "fit": "crop", "colour": "grey", "depth": 8} | changes

    def test_a_model_reads_as_it_learned(self, tmp_path):
        put(tmp_path / "a.png", gradient(30, 50, 3))
        samples = read(tmp_path, reading=self.reading())
        assert samples.x.shape == (1, 6, 8)
        assert samples.reading == self.reading()
        sizes, colours = samples.notes
        assert "1 picture shrunk from 30x50 to 6x8" in sizes
        assert colours == "in colour: 1 of 1 picture, read as grey, as the model's were"
        assert read(tmp_path, reading=self.reading(colour="rgb")).x.shape == (1, 6, 8, 3)

    def test_grey_pictures_for_a_colour_model(self, tmp_path):
        put(tmp_path / "a.png", gradient(6, 8))
        reading = self.reading(colour="rgb")
        samples = read(tmp_path, reading=reading)
        np.testing.assert_array_equal(samples.x[0], np.stack([gradient(6, 8)] * 3, -1))
        assert samples.reading == reading

    def test_8_and_16_bits_are_mapped_full_range_to_full_range(self, tmp_path):
        shallow, deep = tmp_path / "shallow", tmp_path / "deep"
        put(shallow / "a.png", np.array([[0, 1, 128, 255]], np.uint8))
        put(deep / "a.png", np.array([[0, 257, 32896, 65535]], np.uint16))
        up = read(shallow, reading=self.reading(size=[1, 4], depth=16)).x
        down = read(deep, reading=self.reading(size=[1, 4])).x
        assert (up.dtype, down.dtype) == (np.uint16, np.uint8)
        assert up.tolist() == [[[0, 257, 32896, 65535]]]
        assert down.tolist() == [[[0, 1, 128, 255]]]

    def test_size_and_fit_may_repeat_but_not_change_it(self, tmp_path):
        put(tmp_path / "a.png", gradient(6, 8))
        assert read(tmp_path, (6, 8), resize_mode="crop", reading=self.reading()).x.shape == (1, 6, 8)
        assert "6x8" in refused(tmp_path, size=9, reading=self.reading())
        assert "leave size and resize_mode out" in refused(tmp_path, resize_mode="pad", reading=self.reading())

    def test_a_reading_without_a_size_keeps_the_pictures_own(self, tmp_path):
        put(tmp_path / "a.png", gradient(200, 300, 3))
        assert read(tmp_path, reading=self.reading(size=None)).x.shape == (1, 200, 300)
        put(tmp_path / "b.png", gradient(300, 200))
        assert "2 sizes" in refused(tmp_path, reading=self.reading(size=None))

    def test_a_model_of_arrays_has_no_reading(self, tmp_path):
        put(tmp_path / "a.png", gradient(6, 8))
        assert read(tmp_path, reading={}).x.shape == (1, 6, 8)
        assert read(np.ones((2, 3)), reading=self.reading()).reading == {}

    @pytest.mark.parametrize("change", [{"fit": "x"}, {"colour": "x"}, {"depth": 7}, {"size": [0, 1]}, {"more": 1}])
    def test_other_readings_are_refused(self, tmp_path, change):
        put(tmp_path / "a.png", gradient(6, 8))
        assert "must" in refused(tmp_path, reading=self.reading(**change))

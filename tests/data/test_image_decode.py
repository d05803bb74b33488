"""Pictures come out upright, in their depth and colour."""

import numpy as np
import pytest
from disk import gradient, put
from PIL import Image

from narrows.data.read import read

ORIENTATION = 0x0112


class TestColour:
    def test_any_colour_makes_all_rgb(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        put(tmp_path / "b.png", gradient(4, 5, 3))
        samples = read(tmp_path)
        assert samples.reading["colour"] == "rgb"
        np.testing.assert_array_equal(samples.x[0], np.stack([gradient(4, 5)] * 3, -1))
        np.testing.assert_array_equal(samples.x[1], gradient(4, 5, 3))

    def test_colour_files_of_grey_pictures_are_grey(self, tmp_path):
        put(tmp_path / "a.png", np.stack([gradient(4, 5)] * 3, -1))
        Image.fromarray(gradient(4, 5)).convert("P").save(tmp_path / "b.png")
        samples = read(tmp_path)
        np.testing.assert_array_equal(samples.x, np.stack([gradient(4, 5)] * 2))
        assert samples.x.flags.c_contiguous
        assert samples.reading["colour"] == "grey"

    def test_transparency_lies_over_white(self, tmp_path):
        rgba = np.zeros((1, 3, 4), np.uint8)
        rgba[0] = [(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 51)]
        put(tmp_path / "a.png", rgba)
        assert read(tmp_path).x[0, 0].tolist() == [[255, 0, 0], [255, 255, 255], [204, 204, 204]]

    def test_transparency_of_grey_pictures(self, tmp_path):
        image = Image.new("LA", (2, 1), (9, 255))
        image.putpixel((1, 0), (9, 0))
        image.save(tmp_path / "a.png")
        Image.fromarray(np.array([[9, 8]], np.uint8)).save(tmp_path / "b.png", transparency=8)
        assert read(tmp_path).x.tolist() == [[[9, 255]], [[9, 255]]]

    def test_a_palette_with_transparency(self, tmp_path):
        image = Image.new("P", (3, 1))
        image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
        image.putdata([0, 1, 2])
        image.save(tmp_path / "a.png", transparency=1)
        image.save(tmp_path / "b.gif")
        samples = read(tmp_path)
        assert samples.x[0, 0].tolist() == [[255, 0, 0], [255, 255, 255], [0, 0, 255]]
        assert samples.x[1, 0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]

    def test_one_bit(self, tmp_path):
        Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1").save(tmp_path / "a.png")
        assert read(tmp_path).x.tolist() == [[[0, 255, 0]]]

    @pytest.mark.parametrize("suffix", ["jpg", "tif"])
    def test_cmyk(self, tmp_path, suffix):
        Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / f"a.{suffix}")
        assert abs(read(tmp_path).x[0, 8, 8].astype(int) - [255, 0, 0]).max() <= 3


class TestDepth:
    DEEP = np.array([[0, 1, 256], [32768, 65534, 65535]], np.uint16)

    def test_all_16_bit_pictures_keep_their_bits(self, tmp_path):
        for name in ("a.png", "b.tif", "c.pgm"):
            put(tmp_path / name, self.DEEP)
        big_endian = Image.frombytes("I;16B", (3, 2), self.DEEP.astype(">u2").tobytes())
        big_endian.save(tmp_path / "d.tif")
        samples = read(tmp_path)
        assert samples.x.dtype == np.uint16
        assert samples.x.dtype.isnative
        np.testing.assert_array_equal(samples.x, np.stack([self.DEEP] * 4))
        assert samples.reading["depth"] == 16

    def test_scaled_16_bit_pictures_keep_their_bits(self, tmp_path):
        put(tmp_path / "a.png", np.full((200, 300), 12345, np.uint16))
        for fit in ("crop", "stretch"):
            assert (read(tmp_path, resize_mode=fit).x == 12345).all()
        assert read(tmp_path, resize_mode="pad").x.max() == 12345

    def test_of_mixed_depths_the_deeper_one_decides_with_a_note(self, tmp_path):
        put(tmp_path / "a.png", self.DEEP)
        put(tmp_path / "b.png", gradient(2, 3))
        samples = read(tmp_path)
        assert samples.x.dtype == np.uint16
        assert samples.x[0].tolist() == self.DEEP.tolist()
        assert samples.x[1].tolist() == (gradient(2, 3).astype(int) * 257).tolist()
        assert "1 of 2 pictures have 8 bits and count as 16" in samples.notes[0]
        put(tmp_path / "c.png", gradient(2, 3, 3))
        assert read(tmp_path).x[0, 1].tolist() == [[32768] * 3, [65534] * 3, [65535] * 3]

    def test_among_fractions_whole_numbers_keep_their_values(self, tmp_path):
        put(tmp_path / "a.tif", np.array([[0.5, -1.0]], np.float32))
        put(tmp_path / "b.png", np.array([[0, 200]], np.uint8))
        samples = read(tmp_path)
        assert samples.x.tolist() == [[[0.5, -1.0]], [[0.0, 200.0]]]
        assert (samples.x.dtype, samples.reading["depth"]) == (np.float32, 32)
        assert "1 of 2 pictures have 8 or 16 bits" in samples.notes[0]

    def test_a_model_of_bytes_skips_fractions_and_says_why(self, tmp_path):
        put(tmp_path / "a.tif", np.ones((2, 3), np.float32))
        put(tmp_path / "b.png", gradient(2, 3))
        samples = read(tmp_path, reading={"size": [2, 3], "fit": "crop", "colour": "grey", "depth": 8})
        assert samples.names == ("b.png",)
        assert samples.skipped == (("a.tif", "it holds float32 values, however: the model learned 8-bit pictures"),)


class TestOrientation:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
    def test_pictures_are_turned_upright(self, tmp_path, suffix, orientation):
        picture = gradient(40, 64, 3)
        turned = picture.transpose(1, 0, 2) if orientation >= 5 else picture
        stored = turned[:, ::-1] if orientation in (2, 3, 7, 8) else turned
        stored = stored[::-1] if orientation in (3, 4, 6, 7) else stored
        if orientation in (6, 8):  # a quarter turn to the right, or to the left
            stored = np.rot90(picture, 1 if orientation == 6 else -1)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        put(tmp_path / f"a.{suffix}", np.ascontiguousarray(stored), exif=exif, quality=95)
        samples = read(tmp_path)
        assert samples.notes == ()
        assert samples.x.shape == (1, 40, 64, 3)
        assert abs(samples.x[0].astype(int) - picture).mean() < 4

    def test_nonsense_in_the_metadata_is_ignored(self, tmp_path):
        put(tmp_path / "a.jpg", gradient(16, 16), exif=b"Exif\0\0II*\0nonsense")
        exif = Image.Exif()
        exif[ORIENTATION] = 77
        put(tmp_path / "b.jpg", gradient(16, 16), exif=exif)
        assert len(read(tmp_path).x) == 2

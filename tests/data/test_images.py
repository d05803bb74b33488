"""Folders of pictures come out upright, in one size, in their depth and colour; broken files are named."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from narrows.data import images as pictures
from narrows.data.layout import to_samples
from narrows.data.read import read
from narrows.errors import DataError

ORIENTATION = 0x0112


def gradient(height, width, channels=0):
    """Return a picture that differs in every direction and channel, smooth enough for JPEG."""
    y, x = np.mgrid[0:height, 0:width]
    grey = 40 + 150 * y / height + 60 * x / width
    planes = [grey, 255 - grey, 40 + 200 * x / width, np.full_like(grey, 200)][: channels or 1]
    return np.stack(planes, -1).astype(np.uint8) if channels else planes[0].astype(np.uint8)


def put(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def refused(source, **options):
    with pytest.raises(DataError) as caught:
        read(source, **options)
    return str(caught.value)


class TestFolder:
    def test_sorted_with_subfolders_and_without_hidden_files(self, tmp_path):
        for i, name in enumerate(["b.png", "a/z.png", "a/b/c.PNG", ".hidden.png", ".cache/d.png"]):
            put(tmp_path / name, np.full((4, 5), i, np.uint8))
        samples = read(tmp_path)
        assert samples.names == ("a/b/c.PNG", "a/z.png", "b.png")
        assert samples.x[:, 0, 0].tolist() == [2, 1, 0]
        assert samples.origin == tmp_path.name
        assert samples.labels is None
        assert samples.notes == ()
        assert samples.reading == {"size": [4, 5], "fit": "crop", "colour": "grey", "depth": 8}

    def test_subfolders_are_labels_where_all_pictures_lie_in_some(self, tmp_path):
        for name in ("cat/1.png", "cat/kitten/2.png", "dog/1.png"):
            put(tmp_path / name, gradient(4, 5))
        assert read(tmp_path).labels.tolist() == ["cat", "cat", "dog"]
        assert read(tmp_path, labels=[1, 2, 3]).labels.tolist() == [1, 2, 3]
        assert read(tmp_path / "cat").labels is None
        put(tmp_path / "1.png", gradient(4, 5))
        assert read(tmp_path).labels is None

    def test_links_in_a_circle_end(self, tmp_path):
        put(tmp_path / "a/1.png", gradient(4, 5))
        os.symlink(tmp_path, tmp_path / "a" / "loop")
        os.symlink(tmp_path / "nothing.png", tmp_path / "gone.png")
        samples = read(tmp_path)
        assert samples.names == ("a/1.png",)
        assert [name for name, _ in samples.skipped] == ["gone.png"]

    def test_other_files_are_counted_in_a_note(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        for name in ("labels.csv", "notes.txt", "readme", ".DS_Store"):
            (tmp_path / name).write_text("text")
        assert "ignored 3 files" in read(tmp_path).notes[0]

    def test_no_picture_is_refused(self, tmp_path):
        assert "holds no file" in refused(tmp_path)
        (tmp_path / "a.txt").write_text("text")
        assert "only .txt files" in refused(tmp_path)

    def test_a_single_picture_is_a_folder_of_one(self, tmp_path):
        samples = read(put(tmp_path / "a.png", gradient(4, 5)))
        assert (samples.names, samples.origin, samples.x.shape) == (("a.png",), "a.png", (1, 4, 5))
        (tmp_path / "b.png").write_text("text")
        assert "b.png" in refused(tmp_path / "b.png")

    def test_torch_takes_them(self, tmp_path):
        torch = pytest.importorskip("torch")
        for name in ("a.png", "b.png"):
            put(tmp_path / name, gradient(4, 5, 3))
        samples, layout = to_samples(read(tmp_path).x)
        assert torch.from_numpy(samples).shape == (2, 3, 4, 5)
        assert layout.kind == "channels_last"


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
        assert "scaled and centre-cut to 64x64 (--size, --fit change that)" in samples.notes[0]

    @pytest.mark.parametrize(("size", "expected"), [(9, (9, 9)), ((7, 9), (7, 9)), ([7, 9], (7, 9)), ((9,), (9, 9))])
    @pytest.mark.parametrize("fit", [None, "crop", "pad", "stretch"])
    def test_the_size_that_is_asked_for(self, tmp_path, size, expected, fit):
        put(tmp_path / "a.png", gradient(20, 33))
        samples = read(tmp_path, size, fit=fit)
        assert samples.x.shape == (1, *expected)
        assert samples.notes == ()
        assert samples.reading["size"] == list(expected)
        assert samples.reading["fit"] == (fit or "crop")

    def test_what_the_fits_do(self, tmp_path):
        picture = np.full((40, 80), 200, np.uint8)
        picture[:, :20] = picture[:, 60:] = 100
        put(tmp_path / "a.png", picture)
        cut = read(tmp_path, 10, fit="crop").x[0]
        assert (cut[:, 2:-2] == 200).all()
        assert cut.min() > 190  # the filter sees a little of what is cut off
        padded = read(tmp_path, 10, fit="pad").x[0]
        assert (padded[:2] == 0).all()
        assert (padded[8:] == 0).all()
        assert abs(padded[3:7, 4:6].astype(int) - 200).max() <= 3
        stretched = read(tmp_path, 10, fit="stretch").x[0]
        assert abs(stretched[5, [0, 5, 9]].astype(int) - [100, 200, 100]).max() <= 3

    @pytest.mark.parametrize("size", [0, -1, 1.5, "8", (1, 2, 3), (8, 0), True, ()])
    def test_sizes_that_are_none_are_refused(self, tmp_path, size):
        put(tmp_path / "a.png", gradient(4, 5))
        assert "whole numbers of at least 1" in refused(tmp_path, size=size)

    def test_unknown_fits_are_refused(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        assert "'crop', 'pad', 'stretch'" in refused(tmp_path, fit="squeeze")

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
        monkeypatch.setattr(pictures, "available_memory", lambda: 10 * 3 * 21 * 21)
        monkeypatch.setattr(pictures, "_decode", lambda *args: pytest.fail("a picture was decoded"))
        assert "--size 21 would fit" in refused(tmp_path)
        monkeypatch.undo()
        monkeypatch.setattr(pictures, "available_memory", lambda: 10 * 3 * 21 * 21)
        assert read(tmp_path, 21).x.shape == (10, 21, 21, 3)

    def test_available_memory_is_a_number_of_bytes_or_unknown(self):
        free = pictures.available_memory()
        assert free is None or free > 1e6


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
            assert (read(tmp_path, fit=fit).x == 12345).all()
        assert read(tmp_path, fit="pad").x.max() == 12345

    def test_mixed_depths_become_8_bits_with_a_note(self, tmp_path):
        put(tmp_path / "a.png", self.DEEP)
        put(tmp_path / "b.png", gradient(2, 3))
        samples = read(tmp_path)
        assert samples.x.dtype == np.uint8
        assert samples.x[0].tolist() == [[0, 0, 1], [128, 255, 255]]
        assert "1 of 2 pictures are 16-bit" in samples.notes[0]
        put(tmp_path / "c.png", gradient(2, 3, 3))
        assert read(tmp_path).x[0, 1].tolist() == [[128] * 3, [255] * 3, [255] * 3]

    def test_32_bit_pictures_are_skipped(self, tmp_path):
        put(tmp_path / "a.tif", np.ones((2, 3), np.float32))
        put(tmp_path / "b.tif", np.ones((2, 3), np.int32))
        put(tmp_path / "c.png", gradient(2, 3))
        samples = read(tmp_path)
        assert samples.names == ("c.png",)
        assert all("32 bits" in reason for _, reason in samples.skipped)


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


class TestBroken:
    def break_some(self, folder):
        """Fill a folder with broken pictures of every kind, and return how many there are."""
        noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
        count = 0
        for suffix in ("png", "jpg", "bmp", "gif", "tif", "webp", "ppm"):
            whole = put(folder / f"whole.{suffix}", noise).read_bytes()
            for cut in (0, 1, 10, 60, 300, len(whole) // 2):
                (folder / f"cut-{cut:04}.{suffix}").write_bytes(whole[:cut])
                count += 1
            (folder / f"whole.{suffix}").unlink()
        (folder / "text.png").write_text("this is no picture")
        (folder / "page.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
        return count + 2

    def test_broken_files_are_skipped_and_named(self, tmp_path):
        count = self.break_some(tmp_path)
        put(tmp_path / "good.png", gradient(60, 60, 3))
        samples = read(tmp_path)
        assert "good.png" in samples.names
        assert len(samples.names) + len(samples.skipped) == count + 1
        assert len(samples.skipped) >= count - 2
        assert len(samples.x) == len(samples.names)
        for name, reason in samples.skipped:
            assert name not in samples.names
            assert reason
            assert str(tmp_path) not in reason
            assert "\n" not in reason
        assert dict(samples.skipped)["cut-0000.png"] == "the file is empty"

    def test_flipped_bytes_raise_nothing_else(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 255, (12, 12, 3), np.uint8)
        generator = np.random.default_rng(1)
        put(tmp_path / "good.png", noise)
        for suffix in ("png", "jpg", "bmp", "gif", "webp", "ppm"):
            whole = put(tmp_path / f"whole.{suffix}", noise).read_bytes()
            for i in range(40):
                damaged = bytearray(whole)
                damaged[generator.integers(min(len(damaged), 200))] ^= int(generator.integers(1, 256))
                (tmp_path / f"{i}.{suffix}").write_bytes(damaged)
        samples = read(tmp_path, 8)
        assert len(samples.names) + len(samples.skipped) == 247

    def test_only_broken_pictures_are_refused(self, tmp_path):
        (tmp_path / "a.png").write_text("text")
        (tmp_path / "b.png").write_bytes(b"")
        message = refused(tmp_path)
        assert "none of the 2 pictures" in message
        assert "a.png: it is no picture" in message

    def test_pictures_broken_in_their_pixels_only(self, tmp_path):
        whole = put(tmp_path / "a.jpg", gradient(300, 300, 3)).read_bytes()
        (tmp_path / "a.jpg").write_bytes(whole[:-900])
        assert "a.jpg" in refused(tmp_path)

    def test_a_bomb_is_skipped(self, tmp_path, monkeypatch):
        put(tmp_path / "bomb.png", np.zeros((50, 50), np.uint8))
        put(tmp_path / "large.png", np.zeros((20, 20), np.uint8))
        put(tmp_path / "small.png", np.zeros((9, 9), np.uint8))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
        samples = read(tmp_path)
        assert samples.names == ("large.png", "small.png")
        assert "too many pixels" in samples.skipped[0][1]

    def test_a_pipe_and_a_folder_are_no_pictures(self, tmp_path):
        put(tmp_path / "a.png", gradient(4, 5))
        os.mkfifo(tmp_path / "pipe.png")
        (tmp_path / "folder.png").mkdir()
        samples = read(tmp_path)
        assert samples.names == ("a.png",)
        assert [name for name, _ in samples.skipped] == ["pipe.png"]

    def test_an_interrupt_is_not_swallowed(self, tmp_path, monkeypatch):
        def interrupt(*args):
            raise KeyboardInterrupt

        put(tmp_path / "a.png", gradient(4, 5))
        monkeypatch.setattr(pictures, "_decode", interrupt)
        with pytest.raises(KeyboardInterrupt):
            read(tmp_path)

    def test_nothing_warns_and_nothing_stays_open(self, tmp_path):
        self.break_some(tmp_path)
        put(tmp_path / "good.png", gradient(60, 60, 3))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read(tmp_path)


class TestReading:
    def reading(self, **changes):
        return {"size": [6, 8], "fit": "crop", "colour": "grey", "depth": 8} | changes

    def test_a_model_reads_as_it_learned(self, tmp_path):
        put(tmp_path / "a.png", gradient(30, 50, 3))
        samples = read(tmp_path, reading=self.reading())
        assert samples.x.shape == (1, 6, 8)
        assert samples.reading == self.reading()
        assert samples.notes == ()
        assert read(tmp_path, reading=self.reading(colour="rgb")).x.shape == (1, 6, 8, 3)

    def test_grey_pictures_for_a_colour_model(self, tmp_path):
        put(tmp_path / "a.png", gradient(6, 8))
        reading = self.reading(colour="rgb")
        samples = read(tmp_path, reading=reading)
        np.testing.assert_array_equal(samples.x[0], np.stack([gradient(6, 8)] * 3, -1))
        assert samples.reading == reading

    def test_depths_are_mapped_full_range_to_full_range(self, tmp_path):
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
        assert read(tmp_path, (6, 8), fit="crop", reading=self.reading()).x.shape == (1, 6, 8)
        assert "6x8" in refused(tmp_path, size=9, reading=self.reading())
        assert "leave size and fit out" in refused(tmp_path, fit="pad", reading=self.reading())

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

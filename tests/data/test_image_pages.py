"""Every page of a file is a picture of its own, read as it is stored, and written back so."""

import numpy as np
import pytest
import tifffile
from disk import gradient, put, refused
from PIL import Image
from restoring import noise

from narrows.data.image_file import count_pages, read_original, write_pages
from narrows.data.read import read
from narrows.errors import DataError

RNG = np.random.default_rng(0)


def animation(path, frames, **options):
    """Write frames as an animation and return its path."""
    first, *rest = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=rest, duration=[40, 80, 120, 160][: len(frames)], **options)
    return path


def rewritten(path, name="again"):
    """Read all pages, write them as they are, and return the new file's path."""
    originals = [read_original(path, page) for page in range(count_pages(path))]
    target = path.with_name(f"{name}{path.suffix}")
    write_pages(target, originals, [original.values for original in originals])
    return target


class TestReading:
    def test_pages_of_a_tiff_are_pictures_with_names_of_their_own(self, tmp_path):
        x = noise(3, 6, 7)
        tifffile.imwrite(tmp_path / "b.tif", x, photometric="minisblack")
        put(tmp_path / "a.png", x[0])
        samples = read(tmp_path)
        assert samples.names == ("a.png", "b.tif[1]", "b.tif[2]", "b.tif[3]")
        assert np.array_equal(samples.x[1:], x)
        assert samples.notes == (
            "3 pages of 1 file are read, each a picture of its own (--pages first takes one of each)",
        )

    def test_only_the_first_pages_are_read_where_that_is_asked_for(self, tmp_path):
        x = noise(3, 6, 7)
        tifffile.imwrite(tmp_path / "a.tif", x, photometric="minisblack")
        samples = read(tmp_path, pages="first")
        assert samples.names == ("a.tif",)
        assert np.array_equal(samples.x, x[:1])
        assert samples.notes == ("the first page of 1 file is read, 2 are left out (--pages first)",)
        assert "pages must be 'all' or 'first'" in refused(tmp_path, pages="last")

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
    def test_frames_of_an_animation_are_pictures(self, tmp_path, suffix):
        x = np.stack([np.full((8, 9), level, np.uint8) for level in (10, 90, 170, 250)])
        animation(tmp_path / f"a.{suffix}", x, **({"lossless": True} if suffix == "webp" else {}))
        samples = read(tmp_path)
        assert np.array_equal(samples.x, x)
        assert samples.names[3] == f"a.{suffix}[4]"

    def test_both_pictures_of_a_stereo_camera_but_not_its_preview(self, tmp_path):
        pair = [Image.new("RGB", (24, 16), level) for level in ("white", "black")]
        small = Image.new("RGB", (12, 8), "red")
        pair[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[pair[1], small])
        assert read(tmp_path).x.mean((1, 2)).tolist() == [255, 0]

    def test_thumbnails_and_masks_of_a_tiff_are_no_pictures(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            writer.write(noise(4, 4), photometric="minisblack", subfiletype=1)
            writer.write(gradient(16, 16), photometric="minisblack")
        samples = read(tmp_path)
        assert np.array_equal(samples.x, gradient(16, 16)[np.newaxis])
        assert samples.names == ("a.tif",)

    def test_pages_keep_their_resolution_in_patches(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", noise(2, 30, 40, dtype=np.uint16), photometric="minisblack")
        samples = read(tmp_path, patch_size=8)
        assert (len(samples.x), samples.reading["depth"]) == (2, 16)

    def test_pages_and_their_targets_belong_together_by_name_and_number(self, tmp_path):
        x = noise(3, 6, 7)
        for folder, pages in {"noisy": x, "clean": x[:, ::-1]}.items():
            (tmp_path / folder).mkdir()
            tifffile.imwrite(tmp_path / folder / "a.tif", pages, photometric="minisblack")
        samples = read(tmp_path / "noisy", target=tmp_path / "clean")
        assert np.array_equal(samples.target, x[:, ::-1])

    def test_a_page_that_is_broken_costs_no_other(self, tmp_path):
        x = np.ones((3, 4, 5), np.float32)
        x[1, 2, 3] = np.nan
        tifffile.imwrite(tmp_path / "a.tif", x, photometric="minisblack")
        samples = read(tmp_path)
        assert samples.names == ("a.tif[1]", "a.tif[3]")
        assert samples.skipped == (("a.tif[2]", "it holds 1 pixel value that is NaN or infinite; fill them"),)


class TestWriting:
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.float32])
    @pytest.mark.parametrize("shape", [(3, 6, 7), (3, 6, 7, 3)])
    def test_pages_of_a_tiff(self, tmp_path, dtype, shape):
        x = (RNG.random(shape) * 200).astype(dtype)
        tifffile.imwrite(tmp_path / "a.tif", x, photometric="rgb" if len(shape) == 4 else "minisblack")
        written = tifffile.imread(rewritten(tmp_path / "a.tif"))
        assert (written.dtype, written.shape) == (x.dtype, x.shape)
        assert np.array_equal(written, x)

    def test_pages_of_several_sizes(self, tmp_path):
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            for side in (5, 9):
                writer.write(noise(side, side), photometric="minisblack")
        with tifffile.TiffFile(rewritten(tmp_path / "a.tif")) as written:
            assert [page.shape for page in written.pages] == [(5, 5), (9, 9)]

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
    def test_an_animation_keeps_its_frames_and_their_durations(self, tmp_path, suffix):
        x = np.stack([np.full((8, 9), level, np.uint8) for level in (10, 90, 170, 250)])
        path = animation(tmp_path / f"a.{suffix}", x, **({"lossless": True} if suffix == "webp" else {}), loop=3)
        with Image.open(rewritten(path)) as image:
            durations, frames = [], []
            for frame in range(image.n_frames):
                image.seek(frame)
                frames.append(np.asarray(image.convert("L")))
                durations.append(image.info["duration"])
            assert image.info["loop"] == 3
        assert np.array_equal(frames, x)
        assert durations == [40, 80, 120, 160]

    def test_both_pictures_of_a_stereo_camera(self, tmp_path):
        pair = [Image.new("RGB", (24, 16), level) for level in ("white", "black")]
        pair[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=pair[1:])
        with Image.open(rewritten(tmp_path / "a.jpg")) as image:
            assert (image.format, image.n_frames) == ("MPO", 2)

    def test_a_format_of_one_picture_refuses_several(self, tmp_path):
        tifffile.imwrite(tmp_path / "a.tif", noise(3, 6, 7), photometric="minisblack")
        originals = [read_original(tmp_path / "a.tif", page) for page in range(3)]
        with pytest.raises(DataError, match="JPEG holds one picture, however the file has 3"):
            write_pages(tmp_path / "b.jpg", originals, [original.values for original in originals], "JPEG")
        assert not (tmp_path / "b.jpg").exists()

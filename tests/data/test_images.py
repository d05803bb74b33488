"""Broken files are skipped and named, and harm nothing else."""

import os
import warnings

import numpy as np
import pytest
from disk import gradient, put, refused
from PIL import Image

from narrows.data import images
from narrows.data.read import read


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
        monkeypatch.setattr(images, "decode", interrupt)
        with pytest.raises(KeyboardInterrupt):
            read(tmp_path)

    def test_nothing_warns_and_nothing_stays_open(self, tmp_path):
        self.break_some(tmp_path)
        put(tmp_path / "good.png", gradient(60, 60, 3))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read(tmp_path)

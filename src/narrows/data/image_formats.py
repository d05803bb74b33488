"""Which files are pictures, and what is said of those that cannot be read."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from narrows.unreadable import one_line

# Only decoders that need no outside program: Pillow's EPS reader, for one, starts Ghostscript.
DECODERS = (
    *("PNG", "JPEG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000", "TGA", "SGI", "PCX", "DCX"),
    *("SUN", "PSD", "QOI", "XBM", "XPM", "ICO", "CUR", "ICNS", "DDS", "BLP", "FTEX", "MSP", "FLI", "FITS", "IM"),
    *("IMT", "GBR", "PCD", "PIXAR", "SPIDER"),
)
EXTENSIONS = {
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".btf"),
    *(".tf8", ".webp", ".avif", ".avifs", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".pbm", ".pgm", ".ppm"),
    *(".pnm", ".pfm", ".tga", ".icb", ".vda", ".vst", ".sgi", ".rgb", ".rgba", ".bw", ".pcx", ".dcx", ".ras", ".psd"),
    *(".qoi", ".xbm", ".xpm", ".ico", ".cur", ".icns", ".dds", ".blp", ".ftc", ".ftu", ".msp", ".fli", ".flc", ".fit"),
    *(".fits", ".im", ".imt", ".gbr", ".pcd", ".pxr", ".spider"),
}
HEIF = {".heic", ".heif", ".hif"}  # read where pillow-heif is installed
EXTENSIONS |= HEIF
GREY_MODES = ("1", "L", "LA", "La")  # Pillow's names for grey pixels of at most 8 bits
ORIENTATION = 0x0112  # the EXIF tag
IMAGES_EXTRA = 'pip install "narrows[images]"'


def open_picture(path: Path) -> Image.Image:
    """Open a picture with one of DECODERS; raises OSError or ValueError for any other file."""
    check_file(path)
    if path.suffix.lower() in HEIF:
        register_heif()
        return Image.open(path, formats=(*DECODERS, "HEIF"))
    return Image.open(path, formats=DECODERS)


def check_file(path: Path) -> None:
    """Raise a ValueError where `path` is no file, or an empty one."""
    if not path.is_file():  # to open a named pipe would wait for ever
        raise ValueError("it is no file, or a broken link")
    if path.stat().st_size == 0:
        raise ValueError("the file is empty")


def register_heif() -> None:
    """Make Pillow read and write HEIC; raises a ValueError where its decoder is not installed."""
    try:
        import pillow_heif
    except ImportError:
        raise ValueError(f"HEIC needs a decoder that is not installed: {IMAGES_EXTRA}") from None
    pillow_heif.register_heif_opener()


def read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or it is damaged.

    >>> read_orientation(Image.new("L", (2, 2)))
    1
    """
    try:
        value = Image.Image.getexif(image).get(ORIENTATION, 1)  # PNG's own getexif decodes all pixels first
    except Exception:  # a picture with damaged metadata is still read
        return 1
    return value if isinstance(value, int) else 1


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture is grey with 16 bits.

    >>> is_deep(Image.new("I;16", (2, 2))), is_deep(Image.new("L", (2, 2)))
    (True, False)
    """
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def reason_of(error: Exception) -> str:
    """Return in one line why a picture cannot be decoded, without the path that the decoder may name.

    >>> reason_of(UnidentifiedImageError("cannot identify image file '/home/a.png'"))
    'it is no picture of a known format'
    """
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels, as a decompression bomb would"
    return one_line(error)

"""The fonts of a `Raster`: Pillow's own, which has the plainest Latin letters, and the system's for all others."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from typing import Any

from PIL import ImageFont

# looked for where the system keeps its fonts; first those of many scripts, then those of one
FILES = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "segoeui.ttf", "arial.ttf"),
    "LiberationSans-Regular.ttf",
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "PingFang.ttc", "Hiragino Sans GB.ttc", "msyh.ttc"),
    *("msgothic.ttc", "malgun.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf"),
    *("NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf"),
)
NO_CHARACTER = chr(0x10FFFF)  # for which each font draws what it has for none
PROBED = 16  # pixels


@cache
def load_font(number: int, size: float) -> Any:
    """Return a font, 0 for Pillow's own and 1 for the first of FILES; None where the system has it not."""
    if number == 0:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(FILES[number - 1], size)
    except OSError:
        return None


@cache
def find_font(character: str) -> int | None:
    """Return the number of the first font that has a character, None where none has.

    >>> find_font("a"), find_font(chr(0x10FFFF))
    (0, None)
    """
    return next((number for number in range(len(FILES) + 1) if _has(number, character)), None)


def split_by_font(words: str, size: float) -> list[tuple[Any, str]]:
    """Return words as pieces that one font writes, each with its font.

    >>> [piece for _, piece in split_by_font("plain", 12)]
    ['plain']
    """
    pieces = groupby(unicodedata.normalize("NFC", words), lambda c: find_font(c) or 0)
    return [(load_font(number, size), "".join(characters)) for number, characters in pieces]


def spell_out(words: str) -> str:
    """Return words with the codes of characters that no font here has, so that they can be told apart.

    >>> spell_out("plain"), spell_out("a" + chr(0x10FFFF))
    ('plain', 'a[10FFFF]')
    """
    return "".join(c if find_font(c) is not None else f"[{ord(c):04X}]" for c in unicodedata.normalize("NFC", words))


def _has(number: int, character: str) -> bool:
    font = load_font(number, PROBED)
    if font is None:
        return False
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask(NO_CHARACTER))

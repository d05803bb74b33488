"""What the pictures say, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str], str]

CHINESE: dict[str, str] = {}


def english(words: str) -> str:
    """Return the words as they are."""
    return words


def chinese(words: str) -> str:
    """Return the words in Chinese.

    Raises KeyError where nobody has translated them.
    """
    return CHINESE[words]


LANGUAGES: dict[str, Say] = {"": english, ".zh-CN": chinese}  # by the end of a file's name

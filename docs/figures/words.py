"""What pictures and tables say: the programs speak English, words.zh-CN.json has the Chinese for all of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Say = Callable[[str], str]

CHINESE: dict[str, str] = json.loads(Path(__file__).with_name("words.zh-CN.json").read_text(encoding="utf-8"))


def english(words: str) -> str:
    """Return the words as they are."""
    return words


def chinese(words: str) -> str:
    """Return the words in Chinese.

    Raises KeyError where nobody has translated them.
    """
    return CHINESE[words]


LANGUAGES: dict[str, Say] = {"": english, ".zh-CN": chinese}  # by the end of a file's name

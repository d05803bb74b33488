"""Puts the tables into the pages, between a mark `<!-- table: name -->` and the next `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Mapping

MARKED = re.compile(r"<!-- table: (?P<name>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
LINK = re.compile(r"!\[(?P<words>[^\]]*)\]\((?P<path>pictures/[^)]+)\)")


def fill(page: str, tables: Mapping[str, str]) -> str:
    """Return a page with its marked tables written anew.

    Raises KeyError for a mark whose table nobody makes.

    Examples
    --------
    >>> fill("<!-- table: a -->\\nold\\n<!-- end -->", {"a": "| new |"})
    '<!-- table: a -->\\n| new |\\n<!-- end -->'
    """
    return MARKED.sub(lambda found: f"<!-- table: {found['name']} -->\n{tables[found['name']]}\n<!-- end -->", page)


def find_tables(page: str) -> list[str]:
    """Return the names of the tables that a page asks for."""
    return [found["name"] for found in MARKED.finditer(page)]


def find_pictures(page: str) -> list[str]:
    """Return the paths of the pictures that a page shows."""
    return [found["path"] for found in LINK.finditer(page)]

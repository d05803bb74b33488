"""What is learned: torch only; no files, no printing."""

from narrows.model.network import MENUS, Network, build_part
from narrows.model.register import register

__all__ = ["MENUS", "Network", "build_part", "register"]

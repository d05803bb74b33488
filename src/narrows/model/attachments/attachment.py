"""The attachment: what is learned about the codes of a network after it, and lies beside it in the model file."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from narrows.model.network import Network
from narrows.spec import Part


class Attachment(Part, nn.Module, ABC):
    """A small module about the codes of one network.

    A model file holds its text, its `version`, and its tensors with its name and a dot before theirs. A version is
    raised where a file of the former one would mean something else.
    """

    version: int

    @abstractmethod
    def check(self, network: Network) -> None:
        """Raise a SpecError where `network` cannot have it, because it has no code that this can read, say."""

    @abstractmethod
    def build(self, network: Network) -> None:
        """Make the modules and buffers for the codes of `network`, their values to be learned or loaded.

        All are made by torch's functions without a device, so that on the meta device they take no memory.
        """

    def check_state(self) -> None:
        """Raise a SpecError where tensors from a file, all finite, hold values that this never has."""

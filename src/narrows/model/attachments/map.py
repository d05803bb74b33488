"""The map head: from codes to two numbers, a position on a map, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from narrows.errors import SpecError
from narrows.model.attachments.attachment import Attachment
from narrows.model.network import Network, build_part

HEAD = {"corruption": "none", "loss": "mse", "scaling": "standard"}  # the parts that every map head has


def takes_head(network: Network) -> bool:
    """Return whether a map head is of use: the code is all that the decoder reads, and has more than two numbers.

    Examples
    --------
    >>> texts = {"backbone": "dense", "corruption": "none", "loss": "mse", "scaling": "standard"}
    >>> [takes_head(Network.from_texts((9,), bottleneck=f"linear({size})", **texts)) for size in (2, 3)]
    [False, True]
    """
    return network.has_code and network.code_size > 2


class MapHead(Attachment):
    """Turns a code into a position on a map and back, by a second autoencoder, whose samples are codes.

    Parameters
    ----------
    backbone : of that autoencoder, as a text.
    bottleneck : which makes two numbers, as a text.

    Examples
    --------
    >>> import torch
    >>> network = Network.from_texts((9,), backbone="dense", bottleneck="linear(3)", **HEAD)
    >>> head = MapHead(backbone="dense(hidden=[8])", bottleneck="linear(2)")
    >>> head.build(network)
    >>> points = head.encode(torch.zeros(4, 3))
    >>> points.shape, head.decode(points).shape
    (torch.Size([4, 2]), torch.Size([4, 3]))
    >>> head
    map(backbone='dense(hidden=[8])', bottleneck='linear(2)')
    """

    spelling = "map"
    version = 1
    network: Network

    def __init__(self, *, backbone: str = "dense(hidden=[128, 128])", bottleneck: str = "map(2)") -> None:
        super().__init__()
        self.backbone = repr(build_part("backbone", backbone))
        self.bottleneck = repr(build_part("bottleneck", bottleneck))

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> MapHead:
        """Return the head, not built, that a text for every part describes; raise a SpecError where it is none."""
        for kind, text in HEAD.items():
            if repr(build_part(kind, texts[kind])) != repr(build_part(kind, text)):
                raise SpecError(f"a map head has the {kind} {text!r}, however this one has {texts[kind]!r}")
        return cls(backbone=texts["backbone"], bottleneck=texts["bottleneck"])

    @classmethod
    def of(cls, network: Network) -> MapHead:
        """Return the head that a trained `network` is, whose samples are codes, (k,), and whose codes are positions."""
        head = cls.from_texts(network.texts)
        head.network = network
        return head.train(network.training)

    def check(self, network: Network) -> None:
        """Raise a SpecError where `network` has no code, or one of no more than two numbers."""
        network.check_code()
        if not takes_head(network):
            raise SpecError(
                f"a map head makes two numbers of more, however the code of this model has {network.code_size}; train "
                f"with a bottleneck such as 'linear(8)'"
            )

    def build(self, network: Network) -> None:
        """Make the head for codes of `network`; raise a SpecError where the parts do not make two numbers of them."""
        own = Network.from_texts((network.code_size,), backbone=self.backbone, bottleneck=self.bottleneck, **HEAD)
        if not own.has_code or own.code_size != 2:
            raise SpecError(f"its map head does not make two numbers of a code, but {own.code_size}")
        self.network = own

    def check_state(self) -> None:
        """Raise a SpecError where its scaling has values that no scaling has."""
        self.network.scaling.check()

    def encode(self, z: Tensor) -> Tensor:
        """Return the positions (N, 2) of codes `z` (N, k)."""
        return self.network.encode(z).z

    def decode(self, points: Tensor) -> Tensor:
        """Return the codes (M, k) that `points` (M, 2) decode to."""
        return self.network.decode(points).float()

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the tensors by their names in the head's network, which model files have always had."""
        return self.network.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Take tensors by the names that `state_dict` gives them."""
        return self.network.load_state_dict(*args, **kwargs)

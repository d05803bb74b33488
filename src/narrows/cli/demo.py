"""The command `demo`."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import arg

from narrows.cli.display import show


def demo(
    *,
    output: Annotated[str, arg(aliases=["-o"], metavar="RUN")] = "runs/demo",
    device: Annotated[str, arg(metavar="auto|cpu|cuda")] = "auto",
) -> int:
    """Train the tutorial's two autoencoders on MNIST and write one page about them, in under two minutes.

    Args:
        output: the folder of the page and both runs; an earlier demo there is replaced.
        device: where to train.
    """
    from narrows.verbs import demo as verb

    return show(verb.demo(output, device=device))

"""A drawing of a network: its layers from left to right."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from narrows.model.network import Network
from narrows.model.summary import describe_code, layers
from narrows.view.figure import COLOURS, INK, MUTED, Figure

FUNNEL = "#e5e5e1"  # between two layers
GAP, BAR = 112, 26  # from one layer to the next, and the width of one
TALLEST, LEAST = 150, 8  # heights of layers
LINE = 15  # from one line of text to the next


@dataclass(frozen=True)
class Step:
    """One bar of the drawn network: the names of its layers, the shape that leaves it and its parameters."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int

    @property
    def is_code(self) -> bool:
        """Whether this step makes the code."""
        return self.names[0].startswith("code")

    @property
    def words(self) -> str:
        """The names, a line each."""
        return "\n".join(self.names)


def draw_network(network: Network) -> Figure:
    """Draw the network's layers from left to right; the more values leave a layer, the higher it is.

    Examples
    --------
    >>> network = Network.from_texts((4,), backbone="dense(hidden=[])", bottleneck="linear(2)", corruption="none",
    ...     loss="mse", scaling="standard")
    >>> "22 parameters; the code: 2 numbers for 4" in draw_network(network).svg
    True
    """
    row = steps(network)
    lines = max(len(step.words.split("\n")) for step in row)
    head, foot = 68, 34 + LINE * (lines + 1)
    figure = Figure(max(GAP * len(row) + 16, 400), head + TALLEST + foot)
    total = sum(p.numel() for p in network.parameters())
    words = f"{total:,} parameters; the code: {describe_code(network).split(':')[0]}"
    figure.text(figure.width / 2, 24, words, colour=MUTED)
    most = max(math.prod(step.shape) for step in row)
    centre, left = head + TALLEST / 2, (figure.width - GAP * len(row)) / 2 + GAP / 2
    halves = [max(TALLEST * (math.prod(step.shape) / most) ** 0.4, LEAST) / 2 for step in row]
    for i in range(1, len(row)):
        x0, x1 = left + GAP * (i - 1) + BAR / 2, left + GAP * i - BAR / 2
        corners = [(x0, halves[i - 1]), (x1, halves[i]), (x1, -halves[i]), (x0, -halves[i - 1])]
        figure.area([(x, centre + y) for x, y in corners], FUNNEL)
    for i, (step, half) in enumerate(zip(row, halves, strict=True)):
        colour = COLOURS[1] if step.is_code else INK if i in (0, len(row) - 1) else COLOURS[0]
        _draw_step(figure, step, left + GAP * i, centre, half, colour)
    return figure


def _draw_step(figure: Figure, step: Step, x: float, centre: float, half: float, colour: str) -> None:
    """Draw a step as a bar of height 2 * `half` around `centre`, its shape above and its layers below all bars."""
    figure.bars([(x - BAR / 2, centre - half, BAR, 2 * half)], colour)
    figure.text(x, centre - half - 8, "×".join(f"{side:,}" for side in step.shape), bold=True)
    below = centre + TALLEST / 2 + 24
    figure.text(x, below, step.words, size=11)
    count = f"{step.parameters:,} parameters" if step.parameters else ""
    figure.text(x, below + 6 + LINE * len(step.words.split("\n")), count, size=10, colour=MUTED)


def steps(network: Network) -> list[Step]:
    """Return the network's layers as steps; a layer without parameters joins the step that it belongs to."""
    result: list[Step] = []
    waiting: tuple[str, ...] = ()
    for layer in layers(network):
        is_end = layer.name == "data" or layer.name.startswith("code")
        if not (layer.parameters or is_end):
            if not result or waiting or layer.name == "Upsample" or result[-1].names[0].startswith(("code", "data")):
                waiting = (*waiting, layer.name)
            else:
                last = result.pop()
                result.append(Step((*last.names, layer.name), layer.shape, last.parameters))
            continue
        name = layer.name.replace(": ", "\n").split("(")[0] if is_end else layer.name
        result.append(Step((*waiting, name), layer.shape, layer.parameters))
        waiting = ()
    if waiting:
        result.append(Step(waiting, result[0].shape, 0))
    # the output is reshaped like the input, which is no layer of its own
    result[-1] = replace(result[-1], shape=result[0].shape)
    return result

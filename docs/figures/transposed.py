"""The textbook pictures of question 6: what a transposed convolution does, number by number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from narrows.model import Network
from narrows.view.figure import COLOURS, GROUND, INK, MUTED, Figure
from narrows.view.pictures import as_bytes
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, interpolate

from words import Say

SIDE = 34  # of a cell, in CSS pixels
WIDTH = 740
INPUT = np.array([[1, 0, 2], [3, 1, 0], [0, 2, 1]], np.float32)
STAMP = np.array([[1, 2], [3, 4]], np.float32)
WIDE_STAMP = np.array([[1, 2, 1], [2, 3, 2], [1, 2, 1]], np.float32)
PALE = ("#e3e3df", "#cfe3e2", "#8fc4c1", "#1b7a78")  # cells that 0, 1, 2 and 4 stamps reach
CODE_PLACE = (3, 3)  # the place of the code that is changed, from the top and from the left


def transpose(x: np.ndarray, kernel: np.ndarray, stride: int = 2) -> np.ndarray:
    """Return the transposed convolution of one picture with one kernel, as PyTorch has it.

    Examples
    --------
    >>> transpose(np.array([[1, 10]], np.float32), STAMP).astype(int).tolist()
    [[1, 2, 10, 20], [3, 4, 30, 40]]
    """
    return conv_transpose2d(_batch(x), _batch(kernel), stride=stride)[0, 0].numpy()


def stamp(x: np.ndarray, kernel: np.ndarray, stride: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return the same by its definition, a stamp per input value, and how many stamps reach each output value."""
    high, wide = kernel.shape
    sums = np.zeros((stride * (len(x) - 1) + high, stride * (x.shape[1] - 1) + wide), np.float32)
    counts = np.zeros(sums.shape, int)
    for (i, j), value in np.ndenumerate(x):
        place = slice(stride * i, stride * i + high), slice(stride * j, stride * j + wide)
        sums[place] += value * kernel
        counts[place] += 1
    return sums, counts


def repeat(x: np.ndarray) -> np.ndarray:
    """Return `x` with every value as a 2x2 block, as nearest-neighbour upsampling makes it."""
    return interpolate(_batch(x), scale_factor=2)[0, 0].numpy()


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the convolution with zeros around, as large as `x`."""
    return conv2d(_batch(x), _batch(kernel), padding=kernel.shape[0] // 2)[0, 0].numpy()


def draw_stamps(say: Say) -> Figure:
    """Draw kernel 2, stride 2: stamps side by side."""
    output, counts = stamp(INPUT, STAMP)
    assert (output == transpose(INPUT, STAMP)).all()
    assert (counts == 1).all()
    figure = _begin(say("Transposed convolution, kernel 2×2, stride 2: stamps side by side"), 356)
    tints = _tints(INPUT.shape)
    top = 66
    _cells(figure, 30, top + 51, INPUT, tints, say("input, 3×3"))
    figure.text(163, top + 108, "×", size=22)
    _cells(figure, 190, top + 68, STAMP, None, say("kernel, 2×2"))
    figure.text(293, top + 108, "=", size=22)
    _cells(
        figure,
        330,
        top,
        output,
        repeat(np.arange(9, dtype=np.float32).reshape(3, 3)).astype(int),
        say("output, 6×6"),
        tints,
    )
    for i in range(3):
        for j in range(3):
            _frame(figure, 330 + 2 * SIDE * j, top + 2 * SIDE * i, 2, 2, INK, 1.5)
    lines = (
        "Every input value",
        "multiplies the whole",
        "kernel and puts it down",
        "at its own place.",
        "",
        "The step (stride 2) is",
        "as wide as the kernel:",
        "the stamps touch and",
        "never overlap.",
    )
    figure.text(566, top + 30, say("\n".join(lines)), size=13, anchor="start")
    figure.text(
        WIDTH / 2, 320, say("the input's 3 makes its own block: 3 × (1 2 / 3 4) = (3 6 / 9 12)"), size=13, colour=MUTED
    )
    figure.text(
        WIDTH / 2, 342, say("one output value reads one input value; same colour, same stamp"), size=13, colour=MUTED
    )
    return figure


def draw_overlap(say: Say) -> Figure:
    """Draw kernel 3, stride 2: stamps that overlap, and how many reach each place."""
    output, counts = stamp(INPUT, WIDE_STAMP)
    assert (output == transpose(INPUT, WIDE_STAMP)).all()
    flat = transpose(np.ones_like(INPUT), np.ones_like(WIDE_STAMP))
    assert (flat == counts).all()
    figure = _begin(say("Transposed convolution, kernel 3×3, stride 2: stamps overlap"), 668)
    tints, top = _tints(INPUT.shape), 66
    _cells(figure, 30, top + 68, INPUT, tints, say("input, 3×3"))
    figure.text(163, top + 124, "×", size=22)
    _cells(figure, 190, top + 68, WIDE_STAMP, None, say("kernel, 3×3"))
    figure.text(322, top + 124, "=", size=22)
    _cells(figure, 350, top, output, None, say("output, 7×7"))
    for j, colour in ((0, COLOURS[0]), (1, COLOURS[1])):
        _frame(figure, 350 + 2 * SIDE * j, top, 3, 3, colour, 3, inset=2 * j - 1)
    lines = (
        "Two neighbouring",
        "stamps, framed:",
        "the step is 2, the",
        "kernel 3 wide, so",
        "one column of cells",
        "is the sum of both.",
    )
    figure.text(600, top + 40, say("\n".join(lines)), size=13, anchor="start")
    top = 378
    _cells(figure, 60, top, counts, np.searchsorted([1, 2, 4], counts) + 1, say("stamps that reach a cell"), PALE)
    for i, (count, colour) in enumerate(zip((1, 2, 4), PALE[1:], strict=True)):
        figure.bars([(60 + 92 * i, top + 250, 18, 18)], colour)
        figure.text(
            84 + 92 * i,
            top + 264,
            say("1 stamp") if count == 1 else say("{} stamps").format(count),
            size=13,
            anchor="start",
        )
    figure.image((380, top, 7 * SIDE, 7 * SIDE), as_bytes(flat[None], (0, 4))[0])
    figure.text(380 + 3.5 * SIDE, top - 10, say("an even input, all 1, through a kernel of all 1"), size=13, bold=True)
    figure.text(380 + 3.5 * SIDE, top + 264, say("white is 4, dark grey 1"), size=13, colour=MUTED)
    figure.text(
        632,
        top + 60,
        say("An even input\ncomes out as\na checkerboard,\nunless training\nfinds weights\nthat cancel it."),
        size=13,
        anchor="start",
    )
    return figure


def draw_upsample(say: Say) -> Figure:
    """Draw upsampling and a convolution, beside it how many input values each output value reads."""
    repeated = repeat(INPUT)
    output = convolve(repeated, WIDE_STAMP)
    reads = count_inputs(INPUT.shape)
    figure = _begin(say("Upsample ×2, then an ordinary convolution 3×3: no seams"), 620)
    tints, top = _tints(INPUT.shape), 66
    order = np.arange(9, dtype=np.float32).reshape(3, 3)
    _cells(figure, 20, top + 51, INPUT, tints, say("input, 3×3"))
    figure.text(144, top + 108, "→", size=22)
    _cells(figure, 166, top, repeated, repeat(order).astype(int), say("every value repeated, 6×6"), tints)
    figure.text(389, top + 108, "×", size=22)
    _cells(figure, 406, top + 51, WIDE_STAMP, None, say("kernel, 3×3"))
    figure.text(522, top + 108, "=", size=22)
    _cells(figure, 534, top, output, None, say("output, 6×6"), side=33)
    _frame(figure, 166 + SIDE, top + SIDE, 3, 3, COLOURS[1], 3)
    _frame(figure, 534 + 2 * 33, top + 2 * 33, 1, 1, COLOURS[1], 3, side=33)
    words = "the framed 3×3 values, times the kernel, summed, are the framed output value; beyond the edge are zeros"
    figure.text(WIDTH / 2, 304, say(words), size=13, colour=MUTED)
    top = 366
    _cells(figure, 60, top, reads, np.searchsorted([1, 2, 4], reads) + 1, say("input values that a cell reads"), PALE)
    even = convolve(repeat(np.ones((5, 5), np.float32)), np.ones((3, 3), np.float32))[2:-2, 2:-2]
    assert (even == 9).all()
    figure.image((360, top, 6 * SIDE, 6 * SIDE), as_bytes(even[None], (0, 9))[0])
    _frame(figure, 360, top, 6, 6, MUTED, 1)
    figure.text(360 + 3 * SIDE, top - 10, say("an even input, away from the edge"), size=13, bold=True)
    figure.text(360 + 3 * SIDE, top + 230, say("all cells are 9"), size=13, colour=MUTED)
    lines = (
        "Every cell away from",
        "the edge sums nine",
        "products: an even",
        "input stays even.",
        "",
        "Neighbouring blocks",
        "share what they read.",
    )
    figure.text(586, top + 40, say("\n".join(lines)), size=13, anchor="start")
    return figure


def count_inputs(shape: tuple[int, int]) -> np.ndarray:
    """Return how many input values each output value of upsampling and a 3x3 convolution reads.

    Examples
    --------
    >>> count_inputs((2, 2)).tolist()
    [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]
    """
    counts = np.zeros((2 * shape[0], 2 * shape[1]), int)
    for place in np.ndindex(shape):
        one = np.zeros(shape, np.float32)
        one[place] = 1
        counts += convolve(repeat(one), np.ones((3, 3), np.float32)) > 0
    return counts


def draw_checkerboard(image: np.ndarray, say: Say) -> Figure:
    """Draw one digit (28, 28), reduced to 7x7 and doubled again in three ways, all weights alike."""
    small = avg_pool2d(_batch(image.astype(np.float32) / 255), 4)[0, 0].numpy()
    ones = np.ones((3, 3), np.float32)
    ways = {
        say("input, 7×7"): small,
        say("kernel 2, stride 2"): transpose(small, ones[:2, :2]),
        say("kernel 3, stride 2"): transpose(small, ones * 4 / 9),
        say("upsample, kernel 3"): convolve(repeat(small), ones / 9),
    }
    below = (
        say("each value a grey cell"),
        say("blocks, one per value"),
        say("a grid that is not in the input"),
        say("soft, no grid"),
    )
    figure = _begin(say("The same 7×7 picture doubled in three ways, all weights of a kernel alike"), 268)
    for i, ((name, picture), words) in enumerate(zip(ways.items(), below, strict=True)):
        left = 20 + 180 * i
        figure.image((left, 72, 160, 160), as_bytes(picture[None])[0])
        figure.text(left + 80, 62, name, size=13, bold=True)
        figure.text(left + 80, 252, words, size=12, colour=MUTED)
    return figure


def draw_reach(say: Say) -> Figure:
    """Draw which pixels change when one of the 7x7 places of the code does, in both decoders, freshly made."""
    figure = _begin(say("One place of the 7×7 code changes: which of the 28×28 pixels do?"), 400)
    titles = {
        "transposed": (
            say("two transposed convolutions, 2×2, stride 2"),
            say("{} pixels: its own 4×4 block, nothing else"),
        ),
        "upsample": (say("two times upsample + convolution 3×3"), say("{} pixels: neighbouring blocks share them")),
    }
    for i, (up, (title, words)) in enumerate(titles.items()):
        changed = find_reach(up)
        left, top, side = 36 + 350 * i, 70, 10
        figure.bars([(left, top, 28 * side, 28 * side)], "#ffffff")
        figure.bars([(left + side * x, top + side * y, side, side) for y, x in np.argwhere(changed)], COLOURS[i])
        for line in range(0, 29, 4):
            ends = [(left + side * line, top), (left + side * line, top + 28 * side)]
            figure.line(ends, "#c9cac5", 1)
            figure.line([(left, top + side * line), (left + 28 * side, top + side * line)], "#c9cac5", 1)
        figure.text(left + 14 * side, top - 10, title, size=13, bold=True)
        figure.text(left + 14 * side, top + 28 * side + 22, words.format(int(changed.sum())), size=13, colour=INK)
    figure.text(
        WIDTH / 2, 388, say("grey lines: the 49 blocks of 4×4 pixels, one per place of the code"), size=12, colour=MUTED
    )
    return figure


def find_reach(up: str) -> np.ndarray:
    """Return which pixels (28, 28) hang on one place of the code in a fresh decoder; `up` as in narrows' `conv`."""
    torch.manual_seed(0)
    network = Network.from_texts(
        (1, 28, 28),
        backbone=f"conv(channels=[16], pool='max', up='{up}', grid=True)",
        bottleneck="linear(4)",
        corruption="none",
        loss="mse",
        scaling="unit(output='sigmoid')",
    )
    code = torch.randn(64, 4, 7, 7, generator=torch.Generator().manual_seed(0))
    changed = code.clone()
    changed[:, :, CODE_PLACE[0], CODE_PLACE[1]] += 1
    with torch.no_grad():
        return (network.decoder(code) != network.decoder(changed)).any(0)[0].numpy()


def _begin(title: str, height: float) -> Figure:
    figure = Figure(WIDTH, height)
    figure.text(WIDTH / 2, 26, title, size=16, bold=True)
    return figure


def _cells(
    figure: Figure,
    left: float,
    top: float,
    values: np.ndarray,
    groups: Sequence[str] | np.ndarray | None,
    title: str,
    tints: Sequence[str] | None = None,
    side: float = SIDE,
) -> None:
    """Draw an array as cells with numbers; `groups` says which of `tints` each has, or lists its own colours."""
    for number, ((i, j), value) in enumerate(np.ndenumerate(values)):
        if groups is None:
            colour = "#ffffff"
        else:
            colour = groups[number] if tints is None else tints[int(np.asarray(groups)[i, j])]
        x, y = left + side * j, top + side * i
        figure.bars([(x, y, side, side)], colour)
        _frame(figure, x, y, 1, 1, "#b9bab5", 0.8, side=side)
        ink = "#ffffff" if colour == PALE[3] else INK
        figure.text(x + side / 2, y + side / 2 + 5, f"{value:g}", size=14, colour=ink)
    figure.text(left + side * values.shape[1] / 2, top - 10, title, size=13, bold=True)


def _frame(
    figure: Figure,
    x: float,
    y: float,
    wide: int,
    high: int,
    colour: str,
    width: float,
    inset: float = 0,
    side: float = SIDE,
) -> None:
    x0, y0, x1, y1 = x + inset, y + inset, x + side * wide - inset, y + side * high - inset
    figure.line([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], colour, width)


def _tints(shape: tuple[int, int]) -> list[str]:
    """Return as many pale colours as a picture of `shape` has places."""
    return [_mix(colour, GROUND, 0.62) for colour in COLOURS[: shape[0] * shape[1]]]


def _mix(colour: str, other: str, share: float) -> str:
    parts = [(int(colour[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in parts)


def _batch(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x, np.float32))[None, None]

"""A network in use: samples pass in blocks of a fixed number of rows, so that a result depends on its sample alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad
from torch.overrides import TorchFunctionMode

from narrows.model.settings import default_settings

BLOCK_ROWS = 64  # rows that go through a network at once
LARGE_SAMPLE = 2**17  # values, above which fewer samples go through a network at once
VALUES_AT_ONCE = 2**22  # of these; blocks of memory of up to 32 MiB are used again, larger ones are fetched anew
SIMD_FLOATS = 16  # 32-bit numbers that the widest processors add at once


def in_blocks(
    module: nn.Module,
    function: Callable[[Tensor], Tensor],
    x: Tensor,
    block_rows: int = BLOCK_ROWS,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Return `function` of the rows of `x`, in blocks of `block_rows` rows, the last one padded, on the CPU.

    A matrix product may round a row differently in a batch of another size, or where its memory starts elsewhere. In
    blocks of one size and with aligned rows, a sample's result is the same bit for bit, alone and in any batch.

    Parameters
    ----------
    module : what `function` calls; it is in evaluation mode meanwhile.
    function : of a block (block_rows, ...) to a tensor with as many rows.
    x : (N, ...), on any device.
    device : of `module`, where the blocks go.

    Examples
    --------
    >>> layer = nn.Linear(3, 2)
    >>> x = torch.rand(100, 3)
    >>> torch.equal(in_blocks(layer, layer, x)[7], in_blocks(layer, layer, x[7:8])[0])
    True
    """
    training, results = module.training, torch.empty(0)
    module.eval()
    with default_settings(), torch.inference_mode(), _AlignedRows():
        for start in range(0, max(len(x), 1), block_rows):  # without rows, one block tells the result's shape
            rows = x[start : start + block_rows]
            block = torch.zeros(block_rows, *x.shape[1:], dtype=x.dtype, device=device)
            block[: len(rows)] = rows.to(device)
            result = function(block)[: len(rows)]
            if start == 0:
                with torch.inference_mode(False):  # a tensor like any other, also to whoever wants a gradient
                    results = torch.empty(len(x), *result.shape[1:], dtype=result.dtype)
            results[start : start + len(rows)] = result
    module.train(training)
    return results


def rows_at_once(values: int, most: int = BLOCK_ROWS) -> int:
    """Return how many samples of so many values go through a network at once: `most`, or fewer large ones.

    Examples
    --------
    >>> rows_at_once(28 * 28), rows_at_once(1000 * 1000 * 3)
    (64, 1)
    """
    return most if values <= LARGE_SAMPLE else max(1, min(most, VALUES_AT_ONCE // values))


class _AlignedRows(TorchFunctionMode):
    """Pads the inputs and weights of linear layers with zeros to a multiple of SIMD_FLOATS columns.

    On processors, matrix products with few columns add up a row in an order that depends on where its memory starts.
    """

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is linear:
            x, weight, *bias = args
            x, gap = x.contiguous(), -x.shape[-1] % SIMD_FLOATS
            args = (pad(x, (0, gap)), pad(weight, (0, gap)), *bias) if gap else (x, weight, *bias)
        return function(*args, **(kwargs or {}))

"""PyTorch's settings of the moment: the caller's own change nothing here, and ours nothing of the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Generator, Tensor
from torch.nn import init
from torch.overrides import TorchFunctionMode

DRAWING = {
    Tensor.uniform_,
    Tensor.normal_,
    Tensor.bernoulli_,
    Tensor.exponential_,
    Tensor.random_,
    torch.rand,
    torch.randn,
    torch.randint,
    torch.randperm,
    torch.normal,
    torch.bernoulli,
    torch.multinomial,
    init.uniform_,
    init.normal_,
    init.trunc_normal_,
    init.xavier_uniform_,
    init.xavier_normal_,
    init.kaiming_uniform_,
    init.kaiming_normal_,
    init.orthogonal_,
    init.sparse_,
}


@contextmanager
def default_settings() -> Iterator[None]:
    """Run a block with gradients, float32, tensors on the CPU and no autocast, whatever the caller has set.

    Only what differs is set, since a default device slows every operation. The default dtype is one of the whole
    process: two threads with others must not meet here.

    Examples
    --------
    >>> with torch.no_grad(), default_settings():
    ...     torch.is_grad_enabled()
    True
    """
    dtype = torch.get_default_dtype()
    with ExitStack() as stack:
        if dtype != torch.float32:
            stack.callback(torch.set_default_dtype, dtype)
            torch.set_default_dtype(torch.float32)
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if not torch.is_grad_enabled():
            stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        yield


class DrawsFrom(TorchFunctionMode):
    """Within it, all random numbers that name no generator come from one of our own, in this thread alone.

    So weights are the same whoever else draws meanwhile, and the global generator stays as it was. The numbers are
    those that `torch.manual_seed` would have made the global one draw.

    Parameters
    ----------
    generator : on the CPU.

    Examples
    --------
    >>> with DrawsFrom(Generator().manual_seed(0)):
    ...     first = torch.nn.Linear(3, 2).weight
    >>> with torch.random.fork_rng():
    ...     _ = torch.manual_seed(0)
    ...     torch.equal(torch.nn.Linear(3, 2).weight, first)
    True
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in DRAWING and kwargs.get("generator") is None:
            kwargs["generator"] = self.generator
        return function(*args, **kwargs)

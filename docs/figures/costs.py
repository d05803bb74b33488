"""What a step of the tutorial's loop costs, part by part: run it alone on the machine.

    python docs/figures/costs.py

Multiply-adds are counted from the shapes. Times are medians over rounds, in milliseconds, with two threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paths
import mnist
import numpy as np
import record
import torch
from PIL import Image
from torch import Tensor, nn

import convnet
import linear

BATCHES = (20, 256)
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def count_multiply_adds(network: nn.Sequential, x: Tensor) -> list[dict[str, Any]]:
    """Return a row per layer: what it is, its parameters, the multiply-adds and the values that leave it, per picture.

    Examples
    --------
    >>> rows = count_multiply_adds(convnet.build(), torch.zeros(1, 1, 28, 28))
    >>> sum(row["multiply_adds"] for row in rows)
    250880
    """
    rows = []
    for layer in network:
        before, x = x, layer(x)
        parameters = sum(p.numel() for p in layer.parameters())
        products = 0
        if isinstance(layer, nn.ConvTranspose2d):  # every input value goes into a whole kernel per output channel
            products = before[0].numel() * layer.weight[0].numel()
        elif hasattr(layer, "weight"):  # every output value is a sum over the inputs that its weights see
            products = x[0].numel() * layer.weight[0].numel()
        rows.append(
            {"layer": _describe(layer), "parameters": parameters, "multiply_adds": products, "values": x[0].numel()}
        )
    return rows


def time_layers(network: nn.Sequential, x: Tensor, rounds: int) -> list[list[float]]:
    """Return milliseconds per layer and round, forward and backward, for a batch `x` in the network's layout."""
    times: list[list[float]] = []
    for layer in network:
        # nobody asks for the slope at the data
        inside = x.detach().requires_grad_(bool(times))
        slope = torch.ones_like(layer(inside))

        def step(layer: nn.Module = layer, inside: Tensor = inside, slope: Tensor = slope) -> None:
            out = layer(inside)
            if out.requires_grad:
                out.backward(slope)

        times.append(clock(step, rounds))
        with torch.no_grad():
            x = layer(x)
    return times


def time_loop(
    network: nn.Sequential, images: np.ndarray, shape: tuple[int, ...], rounds: int
) -> dict[str, list[float]]:
    """Return milliseconds per part of one step of the loop, at the tutorial's batch of 20."""
    optimizer = torch.optim.Adam(network.parameters(), lr=convnet.RATE)
    batch = images[: convnet.BATCH]
    x = torch.stack([_load(image) for image in batch]).view(shape)
    loss = nn.functional.mse_loss(network(x), x)

    def forward() -> None:
        nonlocal loss
        loss = nn.functional.mse_loss(network(x), x)

    def backward() -> None:
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x), x).backward()

    both = clock(backward, rounds)
    ahead = clock(forward, rounds)
    return {
        "load": clock(lambda: torch.stack([_load(image) for image in batch]), rounds),
        "forward": ahead,
        "forward_backward": both,
        "optimizer": clock(optimizer.step, rounds),
        "item": clock(lambda: loss.item(), rounds),
    }


def clock(step: Callable[[], Any], rounds: int) -> list[float]:
    """Return the milliseconds of `rounds` rounds, each the mean of some calls that take 20 ms together."""
    step()
    began = time.perf_counter()
    step()
    calls = max(1, min(2000, round(0.02 / max(time.perf_counter() - began, 1e-6))))
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(calls):
            step()
        seconds.append((time.perf_counter() - began) / calls)
    return [1000 * value for value in seconds]


def run_costs(rounds: int, threads: int) -> dict[str, Any]:
    """Return the row."""
    torch.set_num_threads(threads)
    row = record.stamp() | {"of": "costs", "rounds": rounds, "threads": threads, "layers": {}, "times": {}, "loop": {}}
    images = mnist.read_images("t10k")
    torch.manual_seed(0)
    networks = {"linear": (linear.build(), (-1, 784)), "conv": (convnet.build(), (-1, 1, 28, 28))}
    for name, (network, shape) in networks.items():
        x = convnet.as_tensor(images)
        row["layers"][name] = count_multiply_adds(network, x[:1].view(shape))
        row["loop"][name] = time_loop(network, images, shape, rounds)
        for batch in BATCHES:
            for layout, order in LAYOUTS.items() if name == "conv" else [("contiguous", None)]:
                placed = network.to(memory_format=order) if order else network
                part = x[:batch].view(shape)
                part = part.contiguous(memory_format=order) if order else part
                row["times"][f"{name} {batch} {layout}"] = time_layers(placed, part, rounds)
                print(name, batch, layout, flush=True)
    return row


def _load(image: np.ndarray) -> Tensor:
    """Return one picture as torchvision's MNIST and ToTensor make it: through PIL, divided by 255."""
    values = torch.from_numpy(np.array(Image.fromarray(image), np.uint8, copy=True))
    return values.view(28, 28, 1).permute(2, 0, 1).contiguous().to(torch.float32).div(255)


def _describe(layer: nn.Module) -> str:
    name = type(layer).__name__
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return f"{name} {layer.in_channels}-{layer.out_channels}, {layer.kernel_size[0]}x{layer.kernel_size[1]}"
    return f"{name} {layer.in_features}-{layer.out_features}" if isinstance(layer, nn.Linear) else name


def main() -> None:
    """Time, and put the row into the results in the place of an older one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=paths.RESULTS)
    options = parser.parse_args()
    place = options.results / "tutorial.json"
    row = run_costs(options.rounds, options.threads)
    results = record.load(place) or {"run": paths.describe_run(), "rows": []}
    results["rows"] = [old for old in results["rows"] if old["of"] != "costs"] + [row]
    record.save(place, results)


if __name__ == "__main__":
    main()

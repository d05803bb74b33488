"""The tutorial's linear network 784-128-784 in the tutorial's loop, and what that loop prints of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paths  # noqa: F401  benchmarks/ becomes importable
import numpy as np
import record
import torch
from torch import Tensor, nn

from experiments import Size, mse

BATCH, RATE = 20, 0.001
BLOCK = 20  # batches that a point of the first epoch's curve is the mean of
PRINTED_AT = (20, 100, 256)  # batch sizes that the same network's loss is printed for


def build() -> nn.Sequential:
    """Return the network as the tutorial writes it."""
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())


def run_linear(seed: int, size: Size, cache: Path) -> dict[str, Any]:
    """Return the row of one seed, and keep its weights in `cache`.

    `after_mse` are measured on all training pictures when an epoch has ended, `train_mse` while the weights move.
    """
    place = cache / "linear" / f"{seed}.json"
    if row := record.load(place):
        return row
    torch.manual_seed(seed)
    network = build()
    # one call for all weights; the same arithmetic
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    x, test = (_as_rows(size.images(part)) for part in ("train", "test"))
    row = record.stamp() | {"of": "linear", "seed": seed, "epochs": size.linear}
    row |= {"train_mse": [], "after_mse": [], "test_mse": []}
    for epoch in range(size.linear):
        losses = [_step(network, optimizer, batch) for batch in x.split(BATCH)]
        row["train_mse"].append(float(np.mean(losses)))
        row["after_mse"].append(mse(_restore(network, x), x.numpy()))
        row["test_mse"].append(mse(_restore(network, test), test.numpy()))
        if epoch == 0:
            blocks = np.array(losses[: len(losses) // BLOCK * BLOCK]).reshape(-1, BLOCK)
            row["first_epoch"] = {"steps": BLOCK, "mse": blocks.mean(1).tolist()}
        print(f"linear {seed} {epoch + 1} {row['train_mse'][-1]:.6f} {row['test_mse'][-1]:.6f}", flush=True)
    row["printed"] = {str(batch): print_loss(network, x, batch) for batch in PRINTED_AT}
    place.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), place.with_suffix(".pt"))
    record.save(place, row)
    return row


@torch.no_grad()
def print_loss(network: nn.Module, x: Tensor, batch_size: int) -> float:
    """Return what the tutorial's formula prints for a network that stands still, at another batch size."""
    batches = x.split(batch_size)
    total = sum(nn.functional.mse_loss(network(batch), batch).item() * len(batch) for batch in batches)
    return total / len(batches)


def load_linear(seed: int, cache: Path) -> Any:
    """Return a function from pictures (N, 28, 28) float32 to what the trained network makes of them."""
    network = build()
    network.load_state_dict(torch.load(cache / "linear" / f"{seed}.pt", weights_only=True))
    return lambda x: _restore(network, torch.from_numpy(x).flatten(1)).reshape(x.shape)


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, batch: Tensor) -> float:
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(network(batch), batch)
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def _restore(network: nn.Module, x: Tensor) -> np.ndarray:
    return torch.cat([network(part) for part in x.split(1000)]).numpy()


def _as_rows(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images.reshape(len(images), -1).astype(np.float32) / np.float32(255))

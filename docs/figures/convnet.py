"""The tutorial's convolutional network as the tutorial trains it: in PyTorch, and its weights as one row of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 20
RATE = 0.001
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Adam's, as in PyTorch
# from PyTorch's order of a weight's axes to the row's, where channels come last
ORDERS = ((2, 3, 1, 0), (0, 2, 3, 1), (2, 3, 0, 1), (2, 3, 1, 0))


@dataclass
class State:
    """Where a training stands: the weights, Adam's two moments, all (1077,) float32, and the steps taken."""

    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray
    steps: int = 0

    @classmethod
    def begin(cls, weights: np.ndarray) -> State:
        """Return the state before the first step."""
        return cls(weights.copy(), np.zeros_like(weights), np.zeros_like(weights))


def build(relu: bool = True) -> nn.Sequential:
    """Return the network as the tutorial writes it; `relu` is the one on the code."""
    code = [nn.ReLU()] if relu else []
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 4, 3, padding=1), *code, nn.MaxPool2d(2)),
        *(nn.ConvTranspose2d(4, 16, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid()),
    )


def pack(values: list[Tensor]) -> np.ndarray:
    """Return the weights and biases of the four layers, or what belongs to each of them, as a row (1077,)."""
    rows = []
    for weight, bias, order in zip(values[::2], values[1::2], ORDERS, strict=True):
        rows += [weight.detach().permute(order).flatten(), bias.detach()]
    return torch.cat(rows).numpy().astype(np.float32)


def unpack(row: np.ndarray, like: list[Tensor]) -> list[Tensor]:
    """Return the inverse of `pack`: tensors of the shapes of `like`."""
    values, start = [], 0
    for i, tensor in enumerate(like):
        part = torch.from_numpy(row[start : start + tensor.numel()].copy())
        if tensor.ndim > 1:
            order = ORDERS[i // 2]
            part = part.view([tensor.shape[axis] for axis in order])
            part = part.permute([order.index(axis) for axis in range(4)]).contiguous()
        values.append(part)
        start += tensor.numel()
    return values


def as_tensor(images: np.ndarray) -> Tensor:
    """Return pictures of bytes (N, 28, 28) as values in [0, 1], (N, 1, 28, 28)."""
    return torch.from_numpy(images.astype(np.float32) / np.float32(255)).unsqueeze(1)


def load(row: np.ndarray, relu: bool = True) -> nn.Sequential:
    """Return the network with the weights `row`."""
    network = build(relu)
    for parameter, value in zip(network.parameters(), unpack(row, list(network.parameters())), strict=True):
        parameter.data.copy_(value)
    return network


def train(state: State, images: np.ndarray, relu: bool = True) -> float:
    """Train one epoch as the tutorial does, changing `state`; return the MSE while the weights moved.

    `images` (N, 28, 28) are bytes, taken in order, N a multiple of 20.
    """
    network = load(state.weights, relu)
    parameters = list(network.parameters())
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    moments = unpack(state.first, parameters), unpack(state.second, parameters)
    for parameter, first, second in zip(parameters, *moments, strict=True):
        step = torch.tensor(float(state.steps))
        optimizer.state[parameter] = {"step": step, "exp_avg": first, "exp_avg_sq": second}
    total = 0.0
    for batch in as_tensor(images).split(BATCH):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(batch), batch)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    state.weights[:] = pack(parameters)
    state.first[:] = pack([optimizer.state[p]["exp_avg"] for p in parameters])
    state.second[:] = pack([optimizer.state[p]["exp_avg_sq"] for p in parameters])
    state.steps += len(images) // BATCH
    return total / len(images)


@torch.no_grad()
def restore(values: np.ndarray, row: np.ndarray, relu: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network makes of pictures `values` (N, 28, 28) float32, and their codes (N, 7, 7, 4)."""
    network = load(row, relu)
    encoder, decoder = network[:-4], network[-4:]
    outputs, codes = [], []
    for part in torch.from_numpy(values).unsqueeze(1).split(500):
        code = encoder(part)
        codes.append(code.permute(0, 2, 3, 1).numpy())
        outputs.append(decoder(code)[:, 0].numpy())
    return np.concatenate(outputs), np.concatenate(codes)

"""A plain PyTorch loop over tensors in memory: the same layers, Adam at a constant rate, the mean squared error."""

from __future__ import annotations

import numpy as np
import torch
from course import Course
from layers import build_halves, count_parameters, finish_imports, sample_shape
from torch import nn
from torch.nn.functional import mse_loss


def main() -> None:
    """Train and print the row."""
    course = Course("plain", "torch", "numpy")
    options = course.options
    torch.manual_seed(options.seed)
    shape = sample_shape(options.model)

    @torch.no_grad()
    def restore(x: np.ndarray) -> np.ndarray:
        return model(torch.from_numpy(x).view(-1, *shape)).numpy()

    finish_imports()
    course.begin()
    values = torch.from_numpy(course.train.copy()).float().div_(255).view(-1, *shape)
    model = nn.Sequential(*build_halves(options.model))
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate)
    for _ in range(options.epochs):
        for index in torch.randperm(len(values)).split(options.batch_size):
            loss = mse_loss(model(values[index]), values[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if course.epoch_ends(restore):
            break
    course.end(restore, count_parameters(model), f"Adam {options.rate}, batch {options.batch_size}")


if __name__ == "__main__":
    main()

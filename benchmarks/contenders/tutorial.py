"""The tutorial's own loop: one image at a time through PIL, batches of 20 in the data's order, Adam at 0.001.

It trains on all 60,000 images, as published; `--batch-size` and `--rate` do not touch it. torchvision is not needed:
`Images` does to an image what its `MNIST` and `ToTensor` do.
"""

from __future__ import annotations

import numpy as np
import torch
from course import Course
from layers import build_halves, count_parameters, finish_imports, sample_shape
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

EPOCHS = {"linear": 20, "conv": 15}
BATCH_SIZE = 20
RATE = 0.001


class Images(Dataset):
    """MNIST as torchvision gives it: bytes, made a PIL picture and then values in [0, 1], image by image."""

    def __init__(self, images: np.ndarray) -> None:
        self.data = torch.from_numpy(images.copy())
        self.targets = torch.zeros(len(images), dtype=torch.int64)  # the loop reads the labels and drops them

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, target = Image.fromarray(self.data[index].numpy()), int(self.targets[index])
        values = torch.from_numpy(np.array(image, np.uint8, copy=True))
        values = values.view(image.size[1], image.size[0], 1).permute((2, 0, 1)).contiguous()
        return values.to(dtype=torch.get_default_dtype()).div(255), target


def main() -> None:
    """Train as published and print the row."""
    course = Course("tutorial", "torch", "pillow", "numpy", all_images=True)
    options = course.options
    torch.manual_seed(options.seed)
    shape = sample_shape(options.model)
    epochs = options.epochs or EPOCHS[options.model]

    finish_imports()
    course.begin()
    loader = DataLoader(Images(course.train), batch_size=BATCH_SIZE, num_workers=0)
    model = nn.Sequential(*build_halves(options.model))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)

    @torch.no_grad()
    def restore(x: np.ndarray) -> np.ndarray:
        return model(torch.from_numpy(x).view(-1, *shape)).numpy()

    for _ in range(epochs):
        train_loss = 0.0
        for images, _labels in loader:
            images = images.view(-1, *shape)
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, images)
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * images.size(0)
        if course.epoch_ends(restore):
            break
    course.end(restore, count_parameters(model), f"Adam {RATE}, batch {BATCH_SIZE}, in order, image by image")


if __name__ == "__main__":
    main()

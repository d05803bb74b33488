"""PyOD's AutoEncoder, as near to the tutorial's linear network as its arguments bring it.

Without batch normalisation, dropout, weight decay and standardised data it is 784-128-784 with a ReLU on the code, and
as many parameters. What its arguments cannot change: the output layer is linear, so that pixels may lie outside
[0, 1]; the encoder's weights start Kaiming-uniform; an epoch drops its last incomplete batch.
"""

from __future__ import annotations

import contextlib

import numpy as np
import torch
from course import Course, StopTraining
from layers import count_parameters, finish_imports
from pyod.models.auto_encoder import AutoEncoder

NOTE = (
    "not the same network: its output layer is linear, without the sigmoid, and no argument changes that "
    "(no batch normalisation, dropout, weight decay or preprocessing here)"
)


class Watched(AutoEncoder):
    """Tells the course when an epoch ends."""

    course: Course

    def restore(self, x: np.ndarray) -> np.ndarray:
        """Return images through the network, as `decision_function` compares them."""
        with torch.no_grad():
            return self.model(torch.from_numpy(x).flatten(1)).numpy()

    def epoch_update(self) -> None:
        """Stop the training where the course says so."""
        if self.course.epoch_ends(self.restore):
            raise StopTraining


def main() -> None:
    """Train with PyOD and print the row."""
    course = Course("pyod", "pyod", "torch", "numpy", "scikit-learn")
    options = course.options
    if options.model != "linear":
        raise SystemExit("PyOD's AutoEncoder has dense layers only: it cannot be the convolutional network")
    finish_imports()
    course.begin()
    values = course.train.reshape(len(course.train), -1).astype(np.float32) / np.float32(255)
    detector = Watched(
        preprocessing=False,
        lr=options.rate,
        epoch_num=options.epochs,
        batch_size=options.batch_size,
        device=torch.device("cpu"),
        random_state=options.seed,
        verbose=0,
        optimizer_params={"weight_decay": 0},
        hidden_neuron_list=[128],
        batch_norm=False,
        dropout_rate=0,
    )
    detector.course = course
    with contextlib.suppress(StopTraining):
        detector.fit(values)
    recipe = f"Adam {options.rate}, batch {options.batch_size}"
    course.end(detector.restore, count_parameters(detector.model), recipe, note=NOTE)


if __name__ == "__main__":
    main()

"""Keras on JAX: the same layers, `compile` with Adam and the mean squared error, `fit`."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"  # read when keras is imported

import keras
import numpy as np
from course import Course, mnist
from keras import layers


def build(model: str) -> keras.Model:
    """Return the network of `model`."""
    if model == "linear":
        return keras.Sequential(
            [keras.Input((784,)), layers.Dense(128, activation="relu"), layers.Dense(784, activation="sigmoid")]
        )
    if model == "default":
        return keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(64, 8, strides=4, padding="same", activation="silu"),
                layers.Conv2D(64, 1, activation="silu"),
                layers.Flatten(),
                layers.Dense(32),
                layers.Dense(3136, activation="silu"),
                layers.Reshape((7, 7, 64)),
                layers.Conv2D(64, 1, activation="silu"),
                layers.Conv2D(64, 1, activation="silu"),
                layers.Conv2DTranspose(1, 4, strides=4, activation="sigmoid"),
            ]
        )
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2DTranspose(16, 2, strides=2, activation="relu"),
            layers.Conv2DTranspose(1, 2, strides=2, activation="sigmoid"),
        ]
    )


class Watch(keras.callbacks.Callback):
    """Tells the course when an epoch ends."""

    def __init__(self, course: Course, restore) -> None:
        super().__init__()
        self.course = course
        self.restore = restore

    def on_epoch_end(self, epoch, logs=None) -> None:
        """Stop the training where the course says so."""
        self.model.stop_training = self.course.epoch_ends(self.restore)


def main() -> None:
    """Train with Keras and print the row."""
    course = Course("keras", "keras", "jax", "jaxlib", "numpy")
    options = course.options
    keras.utils.set_random_seed(options.seed)
    shape = (784,) if options.model == "linear" else (28, 28, 1)

    def restore(x: np.ndarray) -> np.ndarray:
        return model.predict(x.reshape(-1, *shape), batch_size=mnist.CHUNK, verbose=0)

    course.begin()
    values = mnist.as_values(course.train).reshape(-1, *shape)
    model = build(options.model)
    model.compile(optimizer=keras.optimizers.Adam(options.rate), loss="mse")
    model.fit(
        values,
        values,
        batch_size=options.batch_size,
        epochs=options.epochs,
        verbose=0,
        callbacks=[Watch(course, restore)],
    )
    course.end(restore, model.count_params(), f"Adam {options.rate}, batch {options.batch_size}")


if __name__ == "__main__":
    main()

"""pythae's AE, trained by its own BaseTrainer, with the same layers as encoder and decoder."""

from __future__ import annotations

import contextlib
import tempfile

import numpy as np
import torch
from course import Course, StopTraining
from layers import build_halves, count_parameters, finish_imports, sample_shape
from pythae.data.datasets import BaseDataset
from pythae.models import AE, AEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import Tensor, nn


class Encoder(BaseEncoder):
    """Layers in pythae's form of an encoder."""

    def __init__(self, layers: nn.Sequential) -> None:
        BaseEncoder.__init__(self)
        self.layers = layers

    def forward(self, x: Tensor) -> ModelOutput:
        """Return the codes of `x`."""
        return ModelOutput(embedding=self.layers(x))


class Decoder(BaseDecoder):
    """Layers in pythae's form of a decoder."""

    def __init__(self, layers: nn.Sequential) -> None:
        BaseDecoder.__init__(self)
        self.layers = layers

    def forward(self, z: Tensor) -> ModelOutput:
        """Return what codes stand for."""
        return ModelOutput(reconstruction=self.layers(z))


class Watch(TrainingCallback):
    """Tells the course when an epoch ends."""

    def __init__(self, course: Course, restore) -> None:
        self.course = course
        self.restore = restore

    def on_epoch_end(self, training_config, **kwargs) -> None:
        """Stop the training where the course says so."""
        if self.course.epoch_ends(self.restore):
            raise StopTraining


def main() -> None:
    """Train with pythae and print the row."""
    course = Course("pythae", "pythae", "torch", "numpy", "pydantic")
    options = course.options
    torch.manual_seed(options.seed)
    shape = sample_shape(options.model)

    @torch.no_grad()
    def restore(x: np.ndarray) -> np.ndarray:
        return model.decoder(model.encoder(torch.from_numpy(x).view(-1, *shape)).embedding).reconstruction.numpy()

    with tempfile.TemporaryDirectory() as folder:
        finish_imports()
        course.begin()
        values = torch.from_numpy(course.train.copy()).float().div_(255).view(-1, *shape)
        encoder, decoder = build_halves(options.model)
        model = AE(AEConfig(input_dim=shape, latent_dim=128), Encoder(encoder), Decoder(decoder))
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=options.epochs,
            learning_rate=options.rate,
            per_device_train_batch_size=options.batch_size,
            seed=options.seed,
            no_cuda=True,
        )
        data = BaseDataset(values, torch.zeros(len(values)))
        trainer = BaseTrainer(model, data, training_config=config, callbacks=[Watch(course, restore)])
        with contextlib.suppress(StopTraining, ArithmeticError):  # the second is what it raises for a loss of NaN
            trainer.train()
    course.end(restore, count_parameters(model), f"Adam {options.rate}, batch {options.batch_size}")


if __name__ == "__main__":
    main()

"""What tests of restoring share: noise, picture files, and models that make something of every pixel."""

import numpy as np
import torch
from PIL import Image

from narrows.card import Card
from narrows.model.network import Network
from narrows.modelfile import Model

RNG = np.random.default_rng(0)


def noise(*shape, dtype=np.uint8):
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def opened(path):
    """Return a picture with its pixels and metadata in memory."""
    with Image.open(path) as image:
        image.load()
        image.getexif().get_ifd(0x8769)
        return image


def model_of(backbone="conv(channels=[3], grid=True)", channels=1, dtype="uint8", top=255.0):
    """Return a model with the weights that it began with: what it makes differs from pixel to pixel."""
    texts = {"bottleneck": "linear(4)", "corruption": "gaussian(0.1)", "loss": "mse", "scaling": "unit"}
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Network.from_texts((channels, 16, 16), backbone=backbone, **texts).eval()
    network.scaling.fit([torch.tensor([[[[0.0, top]]]], dtype=torch.float64)])
    for parameter in network.parameters():
        parameter.data *= 3  # so that a seam would show
    layout = "grey" if channels == 1 else "channels_last"
    return Model(network.to("cpu"), Card(layout=layout, dtype=dtype))

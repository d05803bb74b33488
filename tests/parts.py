"""Parts that live in the tests: each does what no part of the menus does yet, and goes through every contract.

So the interfaces are proved before papers need them: a penalty and a random code, a bottleneck with weights,
tensors that go round the bottleneck, weights in the loss, several of the model's columns of one user's column,
samples that lie in no array, and an attachment that stores buffers.
"""

import torch
from torch import nn

from narrows.data.source import Source
from narrows.errors import SpecError
from narrows.model.attachments import Attachment
from narrows.model.backbone import SkipBackbone
from narrows.model.bottleneck import Bottleneck, Code
from narrows.model.corruption import Corruption
from narrows.model.scaling import Scaling
from narrows.spec import check_number, check_whole


class Noisy(Bottleneck):
    """A Gaussian code and its KL divergence from the standard normal: a variational autoencoder's."""

    def __init__(self, size=3, *, beta=1.0):
        super().__init__()
        self.size = check_whole("size", size, 1)
        self.beta = check_number("beta", beta, 0)
        self.features_in, self.features_out = 2 * size, size

    def forward(self, h, generator=None):
        mean, log_variance = h.chunk(2, dim=1)
        kl = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
        z = mean
        if generator is not None:
            z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator, device=h.device)
        return Code(z, self.beta * kl.flatten(1).sum(1))


class Turned(Bottleneck):
    """A learned map of twice as many features."""

    def __init__(self, size=2):
        super().__init__()
        self.size = check_whole("size", size, 1)
        self.features_in, self.features_out = 2 * size, size
        self.turn = nn.Linear(2 * size, size)

    def forward(self, h, generator=None):
        z = self.turn(h)
        return Code(z, z.new_zeros(len(z)))


class Bridge(SkipBackbone):
    """One layer a half, and a hidden layer that goes round the bottleneck."""

    def __init__(self, *, width=6):
        self.width = check_whole("width", width, 1)

    def build(self, input_shape, output_shape, features_in, features_out):
        size = torch.Size(input_shape).numel()
        return BridgeEncoder(size, self.width, features_in), BridgeDecoder(output_shape, self.width, features_out)


class BridgeEncoder(nn.Module):
    def __init__(self, size, width, features):
        super().__init__()
        self.first, self.second = nn.Linear(size, width), nn.Linear(width, features)

    def forward(self, x):
        skips = self.first(x.flatten(1)).relu()
        return self.second(skips), (skips,)


class BridgeDecoder(nn.Module):
    def __init__(self, shape, width, features):
        super().__init__()
        self.shape = shape
        self.join = nn.Linear(features + width, torch.Size(shape).numel())

    def forward(self, z, skips):
        return self.join(torch.cat([z, *skips], 1)).unflatten(1, self.shape)


class Holes(Corruption):
    """Hides a share of the values, and asks for those alone: a weight of 1 where hidden, else of `seen`."""

    def __init__(self, share=0.5, *, seen=0.0):
        super().__init__()
        self.share = check_number("share", share, 0, 1)
        self.seen = check_number("seen", seen, 0)

    def forward(self, x, generator):
        hidden = torch.rand(x.shape, generator=generator, device=x.device) < self.share
        return x.masked_fill(hidden, 0.0), hidden.float().clamp_min(self.seen)


class Spread(Attachment):
    """The mean and spread of the codes, and how far from them a code lies."""

    version = 3

    def __init__(self, floor=1e-6):
        super().__init__()
        self.floor = check_number("floor", floor, 0)

    def check(self, network):
        network.check_code()

    def build(self, network):
        self.register_buffer("mean", torch.zeros(network.code_size))
        self.register_buffer("spread", torch.ones(network.code_size))

    def check_state(self):
        if (self.spread < 0).any():
            raise SpecError("a spread is negative")

    def fit(self, z):
        self.spread, self.mean = torch.std_mean(z, 0)

    def distance(self, z):
        return ((z - self.mean) / self.spread.clamp_min(self.floor)).square().mean(1).sqrt()


class Powers(Scaling):
    """Makes two of the model's columns of every column or channel: its share of the largest value, and that squared."""

    def build(self, shape):
        self.register_buffer("largest", torch.ones(shape[0], *[1] * (len(shape) - 1), dtype=torch.float64))

    def fit(self, chunks):
        ends = torch.stack([chunk.double().abs().movedim(1, 0).flatten(1).amax(1) for chunk in chunks]).amax(0)
        self.largest.copy_(ends.view_as(self.largest)).clamp_min_(1e-9)

    def model_shape(self, shape):
        return (2 * shape[0], *shape[1:])

    def forward(self, x):
        share = x.double() / self.largest
        return torch.cat([share, share.square()], 1).float()

    def back(self, value):
        return value.chunk(2, 1)[0].double() * self.largest

    def fold(self, costs):
        return torch.stack(costs.chunk(2, 1)).mean(0)


class Waves(Source):
    """Samples (6,) that are computed when they are taken, and lie in no tensor: sine waves of many phases."""

    shape = (6,)

    def __init__(self, phases):
        self.phases, self.visits = phases, torch.arange(len(phases))

    def __len__(self):
        return len(self.phases)

    def take(self, index, generator):
        phases = torch.tensor([self.phases[i] for i in index.tolist()], dtype=torch.float64)
        return (phases[:, None] + torch.arange(6)).sin()

    def to(self, device):
        return self

    def part(self, index):
        return Waves([self.phases[i] for i in index])

    def chunks(self, size=4096):
        return (self.take(index, torch.Generator()) for index in self.visits.split(size))


PARTS = {
    "backbone": {"bridge": Bridge},
    "bottleneck": {"noisy": Noisy, "turned": Turned},
    "corruption": {"holes": Holes},
    "loss": {},
    "scaling": {"powers": Powers},
}

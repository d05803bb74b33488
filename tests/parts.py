"""Parts that live in the tests: each does what no part of the menus does yet, and goes through every contract.

So the interfaces are proved before papers need them: a penalty and a random code, a bottleneck with weights,
tensors that go round the bottleneck, weights in the loss, and an attachment that stores buffers.
"""

import torch
from torch import nn

from narrows.errors import SpecError
from narrows.model.attachments import Attachment
from narrows.model.backbone import SkipBackbone
from narrows.model.bottleneck import Bottleneck, Code
from narrows.model.corruption import Corruption
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

    def build(self, shape, features_in, features_out):
        size = torch.Size(shape).numel()
        return BridgeEncoder(size, self.width, features_in), BridgeDecoder(shape, self.width, features_out)


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


PARTS = {
    "backbone": {"bridge": Bridge},
    "bottleneck": {"noisy": Noisy, "turned": Turned},
    "corruption": {"holes": Holes},
    "loss": {},
    "scaling": {},
}

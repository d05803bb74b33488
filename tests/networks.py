"""Small networks for tests."""

from narrows.model.network import Network

TEXTS = {"backbone": "dense(hidden=[5])", "bottleneck": "linear(2)", "corruption": "none", "loss": "mse"}


def network_of(shape=(4,), x=None, **texts):
    """Return a network for samples of `shape`, its scaling fitted to `x` where that is given."""
    network = Network.from_texts(shape, **(TEXTS | {"scaling": "standard"} | texts))
    if x is not None:
        network.scaling.fit([x])
    return network

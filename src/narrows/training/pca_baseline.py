"""PCA beside a trained network: on the same held-out samples, in the same units, with as many numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from narrows.data.source import Source
from narrows.data.stream import take
from narrows.model.inference import LARGE_SAMPLE, rows_at_once
from narrows.model.network import Network
from narrows.model.pca import PCA

PCA_VALUES = 2**22  # of the training samples that PCA is fitted to, at least as many samples as it has components
CHUNK = 4096  # held-out samples that are measured at once
VARIATION_SAMPLES = 512  # training samples on which the variation of the outputs is measured
VARIATION_VALUES = 2**24  # of large ones together, 8 samples at least
VARYING_SHARE = 0.1  # of the deviation of all values together: a value varies if PCA's output of it has more
FLAT_SHARE = 0.1  # of the deviation of PCA's output: the network's output of a value is flat if it has less
MAX_FLAT_SHARE = 0.05  # of the varying values, above which there is a warning
BETTER = 0.995  # times the network's error: PCA counts as better if its error is less


@dataclass(frozen=True)
class PcaBaseline:
    """PCA's error on held-out samples, and whether the network's outputs vary as PCA's do.

    Attributes
    ----------
    mse : of PCA, per value, in model's units.
    count : PCA's components.
    flat, varying : how many values of a sample have an output that hardly varies, out of how many that vary.
    """

    mse: float
    count: int
    flat: int
    varying: int

    def complaints(self, network_mse: float, held_out: str = "validation share") -> list[str]:
        """Return a sentence for everything that is wrong with a network of that MSE on samples that are called so."""
        lines = []
        if self.mse < BETTER * network_mse:
            lines.append(
                f"PCA with {self.count:,} numbers is better here: its MSE on the {held_out} is {self.mse:.6f}, "
                f"this model's {network_mse:.6f}; train on more samples or longer, with other parts, or use PCA"
            )
        if self.flat > MAX_FLAT_SHARE * self.varying:
            lines.append(
                f"the outputs of {self.flat:,} of {self.varying:,} values hardly vary, so little was learned of them; "
                f"look there for values far from all others, or take another scaling, loss or bottleneck"
            )
        return lines


def is_comparable(network: Network) -> bool:
    """Return whether PCA does the same: the code is all that the decoder reads, and has fewer numbers than a sample."""
    return network.has_code and network.code_size < network.values


def measure_pca(network: Network, samples: Tensor, held_out: Tensor) -> PcaBaseline:
    """Return how PCA fitted to `samples` does on `held_out` ones (n, C, *grid), clamped as the network is.

    Gaps are filled with the usual values, and count in no error.
    """
    scaling, shape = network.scaling, network.scaling.model_shape(network.shape)
    pca = PCA.fit(_filled(network, samples), network.code_size)

    def restored(filled: Tensor) -> Tensor:
        return scaling.clamp(pca.restore(filled).view(-1, *shape).to(network.device))

    def errors(x: Tensor) -> Tensor:
        return scaling.mean_squares(restored(_filled(network, x)), scaling(x.to(network.device)).double())

    chunks = held_out.split(rows_at_once(network.values, CHUNK))
    mse = torch.cat([errors(chunk) for chunk in chunks]).mean().item()
    few = samples[: max(8, min(VARIATION_SAMPLES, VARIATION_VALUES // network.values))]
    deviation = network.in_blocks(lambda x: network.restore(scaling(x)).flatten(1), few).std(0, correction=0)
    usual = restored(_filled(network, few)).flatten(1).std(0, correction=0).cpu()
    varies = usual > VARYING_SHARE * usual.square().mean().sqrt()
    flat = varies & (deviation < FLAT_SHARE * usual)
    return PcaBaseline(mse, len(pca.axes), int(flat.sum()), int(varies.sum()))


def take_samples(source: Source, network: Network, seed: int) -> Tensor:
    """Return the training samples (n, C, *grid) for PCA and for the columns' variances: all, or a random part."""
    most = max(PCA_VALUES // network.values, 2 * network.code_size, 2)
    index = torch.randperm(len(source.visits), generator=Generator().manual_seed(seed))[:most]
    return take(source, None, source.visits[index], Generator().manual_seed(seed)).x


def describe_kept(kept: int, steps: int, network: Network, held_out: str) -> str:
    """Return a line on weights that were kept instead of the last ones, by the samples that are called `held_out`."""
    if kept:
        return f"the weights of step {kept:,} of {steps:,} are kept: the last ones are worse on the {held_out}"
    is_linear = network.scaling.limits is None and not network.scaling.has_categories
    is_pca = network.backbone.starts_as_pca and is_linear
    what = "PCA" if is_pca else "the start, which is about PCA,"
    return f"{what} is kept as the model: nothing that {steps:,} steps learned is surely better on the {held_out}"


def _filled(network: Network, x: Tensor) -> Tensor:
    """Return samples in model's units, flat, with the usual values in place of gaps, float64; of large ones float32."""
    dtype = torch.float64 if network.values <= LARGE_SAMPLE else torch.float32
    rows = torch.empty(len(x), math.prod(network.scaling.model_shape(network.shape)), dtype=dtype)
    count = rows_at_once(network.values, CHUNK)
    for part, place in zip(x.split(count), rows.split(count), strict=True):
        place.copy_(network.scaling.fill(network.scaling(part.to(network.device))).flatten(1))
    return rows

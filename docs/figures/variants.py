"""Other shapes of the convolutional network, all trained with narrows' own recipe on the same pictures, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paths  # noqa: F401  benchmarks/ becomes importable
import record
import torch
from narrows.data.read import read
from narrows.model.network import as_tensor
from narrows.training.fit import Fit

from experiments import Size, count_dead

CONV = "conv(channels=[16], pool='max', up='{up}', grid={grid})"
VARIANTS = {  # backbone and bottleneck; each code has 196 numbers
    "own": (CONV.format(up="transposed", grid=True), "relu(4)"),
    "no-relu": (CONV.format(up="transposed", grid=True), "linear(4)"),
    "overlap": (CONV.format(up="upsample", grid=True), "relu(4)"),
    "overlap-no-relu": (CONV.format(up="upsample", grid=True), "linear(4)"),
    "vector": (CONV.format(up="transposed", grid=False), "linear(196)"),
}


def run_variant(name: str, seed: int, size: Size, cache: Path) -> dict[str, Any]:
    """Return the row of one seed: the test MSE after training, and the code's channels that never change."""
    place = cache / "variants" / name / f"{seed}.json"
    if row := record.load(place):
        return row
    backbone, bottleneck = VARIANTS[name]
    fit = Fit(
        read(size.images("train")[: size.shapes]),
        backbone=backbone,
        bottleneck=bottleneck,
        corruption="none()",
        loss="mse()",
        scaling="unit(output='sigmoid')",
        epochs=1,
        max_seconds=1e6,
        validation=0,
        seed=seed,
    )
    stamp = record.stamp()
    fit.run()
    test = as_tensor(size.images("test")[:, None])
    network = fit.network.eval()
    with torch.no_grad():
        codes = network.in_blocks(lambda rows: network.encode(rows).z, test)
    row = stamp | {
        "of": "variant",
        "variant": name,
        "seed": seed,
        "epochs": 1,
        "pictures": len(fit.plan.split.source.visits),
        "backbone": fit.plan.texts["backbone"],
        "bottleneck": fit.plan.texts["bottleneck"],
        "optimizer": repr(fit.plan.optimizer),
        "batch_size": fit.plan.batch_size,
        "parameters": sum(p.numel() for p in network.parameters()),
        "train_mse": fit.history[-1]["train_mse"],
        "test_mse": float(network.in_blocks(network.errors, test).mean()),
        "dead_channels": count_dead(codes.movedim(1, -1).flatten(0, -2).numpy()),
    }
    record.save(place, row)
    print(f"{name} {seed} {row['test_mse']:.6f}", flush=True)
    return row

"""The command `train`."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import arg

from narrows.cli.arguments import USUAL, Data, Labels, Part, Reading, ResizeMode, Size, as_data, as_options, as_size
from narrows.cli.display import show


def train(
    data: Annotated[Data, arg(help_behavior_hint="(default: mnist)")] = ("mnist",),
    *,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="RUN", help_behavior_hint="")] = None,
    preset: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None,
    backbone: Part = None,
    bottleneck: Part = None,
    corruption: Part = None,
    loss: Part = None,
    scaling: Part = None,
    optimizer: Part = None,
    schedule: Part = None,
    batch_size: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    epochs: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    max_steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    max_seconds: Annotated[float | None, arg(metavar="S", help_behavior_hint="")] = None,
    validation: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="")] = None,
    validation_data: Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")] = None,
    split_by: Annotated[str | None, arg(metavar="COLUMN", help_behavior_hint="")] = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    device: Annotated[str, arg(metavar="auto|cpu|cuda")] = "auto",
    size: Size = None,
    resize_mode: ResizeMode = None,
    patch_size: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None,
    target: Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")] = None,
    self_supervised: bool = False,
    labels: Labels = None,
    as_published: bool = False,
    reading: Reading = USUAL,
    overwrite: bool = False,
) -> int:
    """Train an autoencoder on DATA and leave a run folder.

    Args:
        data: a name (mnist), a folder, a zip or several paths of pictures, a .npy, .npz or IDX file, or a table such
            as .csv or .parquet.
        output: the run folder; runs/NAME by default, then runs/NAME-2.
        preset: a ready choice of parts, see `narrows parts`.
        backbone: how both halves are built, "dense(hidden=[256])".
        bottleneck: what the code is made by, "linear(32)".
        corruption: damage in training, "gaussian(0.0, 0.1)".
        loss: cost of a reconstruction, "mse".
        scaling: user's units to the model's, "standard".
        optimizer: how the weights are moved, "muon(0.05)", "adamw(0.001)".
        schedule: how its rate changes, "one_cycle(warmup=0.15)", "linear(warmup=0.1)", "constant".
        batch_size: samples of a step.
        epochs: passes over the training samples.
        max_steps: a cap on the steps.
        max_seconds: a cap on training, 300 by default.
        validation: share of the samples kept out of training, 0.1 by default.
        validation_data: samples to hold out in place of a share, read as DATA are.
        split_by: a column of a table; rows of one value, such as one patient's, are held out together.
        seed: makes a run repeatable.
        device: where to train.
        size: of pictures, one number or height and width.
        resize_mode: how pictures of another shape are brought to that size.
        patch_size: resize nothing; train on patches of this side, 64 with the preset denoise.
        target: what DATA should become, clean pictures of the same names or an array.
        self_supervised: learn to restore from noisy pictures alone.
        labels: a file with a label per sample, for colours and figures.
        as_published: repeat the preset's source to the letter.
        overwrite: replace an existing run.
    """
    from narrows.verbs import train as verb

    return show(
        verb.train(
            as_data(data),
            output=output or verb.next_folder,
            **as_options(reading),
            overwrite=overwrite,
            size=as_size(size),
            resize_mode=resize_mode,
            patch_size=patch_size,
            target=target,
            labels=labels,
            preset=preset,
            self_supervised=self_supervised,
            optimizer=optimizer,
            schedule=schedule,
            batch_size=batch_size,
            epochs=epochs,
            max_steps=max_steps,
            max_seconds=max_seconds,
            validation=validation,
            validation_data=validation_data,
            split_by=split_by,
            as_published=as_published,
            seed=seed,
            device=device,
            backbone=backbone,
            bottleneck=bottleneck,
            corruption=corruption,
            loss=loss,
            scaling=scaling,
        )
    )

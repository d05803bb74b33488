"""The commands `reconstruct`, `encode`, `decode` and `corrupt`."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import Positional, arg

from narrows.cli.arguments import USUAL, Data, Output, Reading, ResizeMode, Run, Size, as_data, as_options, as_size
from narrows.cli.display import show


def reconstruct(run: Run, data: Data, *, output: Output, reading: Reading = USUAL, overwrite: bool = False) -> int:
    """Send DATA through the bottleneck of a model and write what comes out.

    Args:
        run: a run folder or a model file.
        data: what to reconstruct.
        output: where the result goes.
        overwrite: replace an existing output.
    """
    from narrows.verbs import apply

    return show(apply.reconstruct(run, as_data(data), output=output, **as_options(reading), overwrite=overwrite))


def encode(run: Run, data: Data, *, output: Output, reading: Reading = USUAL, overwrite: bool = False) -> int:
    """Write the code of every sample of DATA, a row of numbers each.

    Args:
        run: a run folder or a model file.
        data: what to encode.
        output: where the codes go, a file.
        overwrite: replace an existing output.
    """
    from narrows.verbs import apply

    return show(apply.encode(run, as_data(data), output=output, **as_options(reading), overwrite=overwrite))


def decode(
    run: Run, codes: Annotated[Positional[str], arg(metavar="CODES")], *, output: Output, overwrite: bool = False
) -> int:
    """Write the samples that CODES stand for.

    Args:
        run: a run folder or a model file.
        codes: a file that encode wrote.
        output: where the samples go.
        overwrite: replace an existing output.
    """
    from narrows.verbs import apply

    return show(apply.decode(run, codes, output=output, overwrite=overwrite))


def corrupt(
    data: Data,
    *,
    with_: Annotated[str, arg(name="with", metavar="CORRUPTION")],
    output: Output,
    seed: Annotated[int, arg(metavar="N")] = 0,
    size: Size = None,
    resize_mode: ResizeMode = None,
    reading: Reading = USUAL,
    overwrite: bool = False,
) -> int:
    """Damage DATA and write the result, to try a model on.

    Args:
        data: what to damage.
        with_: the damage, "gaussian(0.08)" or a chain "mask(0.2) | gaussian(0.1)".
        output: where the result goes.
        seed: makes the damage repeatable.
        size: of pictures, one number or height and width.
        resize_mode: how pictures of another shape are brought to that size.
        overwrite: replace an existing output.
    """
    from narrows.verbs import apply

    return show(
        apply.corrupt(
            as_data(data),
            with_,
            output=output,
            seed=seed,
            size=as_size(size),
            resize_mode=resize_mode,
            **as_options(reading),
            overwrite=overwrite,
        )
    )

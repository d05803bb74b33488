"""The command `denoise`."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import arg

from narrows.cli.arguments import USUAL, Data, Reading, Run, as_data, as_options
from narrows.cli.display import show


def denoise(
    run: Run,
    data: Data,
    *,
    output: Annotated[str, arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")],
    compare: Annotated[str | None, arg(metavar="FILE|FOLDER", help_behavior_hint="")] = None,
    clean: Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")] = None,
    reading: Reading = USUAL,
    overwrite: bool = False,
    skip_existing: bool = False,
) -> int:
    """Restore noisy DATA with a model: a picture, a folder of pictures, or an array.

    Args:
        run: a run folder or a model file.
        data: what to restore.
        output: a picture or a folder for a picture, a folder for a folder, FILE.npy for an array.
        compare: write noisy, restored and difference side by side.
        clean: the clean picture, folder or array, for figures and beside the others.
        overwrite: replace an existing output.
        skip_existing: keep restored pictures that are there and go on with the others.
    """
    from narrows.verbs import denoise as verb

    return show(
        verb.denoise(
            run,
            as_data(data),
            output=output,
            compare=compare,
            clean=clean,
            **as_options(reading),
            overwrite=overwrite,
            skip_existing=skip_existing,
        )
    )

"""The command `map`."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import arg

from narrows.cli.arguments import USUAL, Data, Labels, Reading, Run, as_data, as_options
from narrows.cli.display import show


def draw_map(
    run: Run,
    data: Data,
    *,
    output: Annotated[str, arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")],
    labels: Labels = None,
    colour_by: Annotated[str | None, arg(metavar="label|error|COLUMN", help_behavior_hint="")] = None,
    pca: bool = False,
    reading: Reading = USUAL,
    overwrite: bool = False,
) -> int:
    """Place DATA on a model's map: a picture, a page to walk in, or a table.

    A model without a map gets one, in its file too.

    Args:
        run: a run folder or a model file.
        data: what to place.
        output: FILE.png or .svg, a picture; .html, a page to walk in; .csv or .parquet, a row per sample.
        labels: a file with a label per sample, for colours.
        colour_by: what the points of a picture or a page are coloured by; labels where there are any.
        pca: no map but the codes' two principal components, which are there at once.
        overwrite: replace an existing output.
    """
    from narrows.verbs import map as verb

    return show(
        verb.draw_map(
            run,
            as_data(data),
            output=output,
            labels=labels,
            colour_by=colour_by,
            pca=pca,
            **as_options(reading),
            overwrite=overwrite,
        )
    )

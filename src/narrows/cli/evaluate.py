"""The commands `evaluate` and `report`."""

from __future__ import annotations

from typing import Annotated

from tyro.conf import arg

from narrows.cli.arguments import USUAL, Damages, Data, Labels, Most, Reading, Reference, Run, as_data, as_options
from narrows.cli.display import show


def evaluate(
    run: Run,
    data: Data,
    *,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="FILE.json", help_behavior_hint="")] = None,
    corruption: Damages = (),
    most: Most = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    labels: Labels = None,
    reading: Reading = USUAL,
    reference: Reference = None,
    overwrite: bool = False,
) -> int:
    """Print every table that the model and DATA allow, plain methods beside it.

    Args:
        run: a run folder or a model file.
        data: what to measure the model on; best data that it never saw.
        output: a .json or .csv file that holds the tables too.
        corruption: damage DATA so, and print how well the model and the plain filters restore it; may be repeated.
        most: damaged pictures that are measured, 1,000 by default, or fewer of large ones.
        seed: makes the damage repeatable.
        labels: a file with a label per sample, for the figures of a map.
        reference: the training data, which PCA is fitted on, where the model does not know them by name.
        overwrite: replace an existing file.
    """
    from narrows.verbs import evaluate as verb

    events = verb.evaluate(
        run,
        as_data(data),
        output=output,
        corruption=corruption,
        most=most,
        seed=seed,
        labels=labels,
        **as_options(reading),
        reference=reference,
        overwrite=overwrite,
    )
    return show(events)


def report(
    run: Run,
    data: Annotated[Data, arg(help_behavior_hint="")] = (),
    *,
    output: Annotated[str | None, arg(aliases=["-o"], metavar="FILE.html", help_behavior_hint="")] = None,
    corruption: Damages = (),
    most: Most = None,
    seed: Annotated[int, arg(metavar="N")] = 0,
    labels: Labels = None,
    reading: Reading = USUAL,
    reference: Reference = None,
    overwrite: bool = False,
) -> int:
    """Write the page of a model on DATA: pictures, figures and plain methods beside them.

    Args:
        run: a run folder or a model file.
        data: what to show; the test split of the data that the model was trained on, where it is known by name.
        output: the page, report-NAME.html in the run folder by default.
        corruption: damage DATA so, and show how well the model and the plain filters restore it; may be repeated.
        most: damaged pictures that are measured, 1,000 by default, or fewer of large ones.
        seed: makes the damage repeatable.
        labels: a file with a label per sample, for colours.
        reference: the training data, which PCA is fitted on, where the model does not know them by name.
        overwrite: replace an existing page.
    """
    from narrows.verbs import evaluate as verb

    return show(
        verb.report(
            run,
            as_data(data) if data else None,
            output=output,
            corruption=corruption,
            most=most,
            seed=seed,
            labels=labels,
            **as_options(reading),
            reference=reference,
            overwrite=overwrite,
        )
    )

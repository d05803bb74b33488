"""The verb `map` in the shell: a model gets its map where it has none, and a map is written as its ending says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from narrows.cli.printing import describe_map, working
from narrows.errors import DataError, NarrowsError

if TYPE_CHECKING:
    import numpy as np

    from narrows.data.read import Samples
    from narrows.modelfile import Model
    from narrows.training.fit import Fit

PICTURES = (".png", ".svg")
ENDINGS = (*PICTURES, ".html", ".csv", ".parquet")


def check_output(output: str, colour_by: str | None, overwrite: bool) -> None:
    """Raise a DataError where a map cannot be written to `output` in that way."""
    from narrows.files import refuse_existing
    from narrows.tasks.mapping import check_table

    ending = Path(output).suffix
    if ending not in ENDINGS:
        raise DataError(f"a map is written as {', '.join(ENDINGS)}, however: -o {output}; give it one of these endings")
    if colour_by is not None and ending not in PICTURES:
        raise DataError(f"--colour-by is for pictures, .png or .svg, however: -o {output}; leave it out")
    refuse_existing(output, overwrite)
    check_table(output)


def write_map(output: str, model: Model, samples: Samples, colour_by: str | None, overwrite: bool) -> None:
    """Place `samples` on the model's map and write it: a picture, a page to walk in, or a table."""
    from narrows.tasks.mapping import make_map, write_table

    mapped = make_map(model, samples)
    ending = Path(output).suffix
    if ending == ".html":
        from narrows.view.explorer.page import write_explorer

        write_explorer(output, model, mapped, overwrite=overwrite)
    elif ending in PICTURES:
        from narrows.view.map_picture import write_picture

        write_picture(output, model, mapped, colour_by, overwrite=overwrite)
    else:
        write_table(output, mapped, overwrite=overwrite)
    print(f"{output}: {len(mapped):,} samples")


def with_map(run: str, model: Model, x: np.ndarray) -> Model:
    """Return the model with a map head fitted on the codes of `x`, and write its file anew."""
    from narrows.modelfile import find_file, save
    from narrows.tasks.encode import encode
    from narrows.training.map_head import add_head, choose_samples

    with working("fitting the map"):
        index = choose_samples(len(x), model.network.code_size)
        model = add_head(model, encode(model, x[index.numpy()]))
    print(f"map: {describe_map(model)}")
    try:
        save(find_file(run), model, overwrite=True)
    except DataError as error:
        print(f"note: this map is not kept: {error}")
    return model


def with_trained_map(fitting: Fit, model: Model) -> Model:
    """Return what `fitting` trained with a map head; what goes wrong there costs the map alone."""
    from narrows.training.map_head import add_default_head

    try:
        with working("fitting the map"):
            model = add_default_head(fitting, model)
        print(f"map: {describe_map(model)}")
    except KeyboardInterrupt:
        print("stopped early; the model is kept, without a map")
    except NarrowsError as error:
        print(f"no map: {error}")
    return model

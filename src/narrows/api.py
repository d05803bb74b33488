"""The verbs as functions: `narrows.train("photos/")`, `narrows.denoise(model, x)` and so on.

Parameters that most of them share:

    model      a fitted `Autoencoder`, a run folder or a model file
    data       an array (N, ...), a name, a path or Samples, as `narrows.read` takes it
    output     where the result is also written; None writes nothing
    reading    options of `narrows.read`, such as `axes` and `pages`; by default those of the training data
    overwrite  replace an existing output
    callback   called with every event of `narrows.verbs.events` while the verb runs

Nothing is printed. Data that cannot be read or used, and an `output` that exists without `overwrite`, raise DataError;
an invalid part raises SpecError, and a path that is not a valid model ModelFileError. Where some outputs are missing,
or the loss stopped training, a RuntimeWarning says so; where PCA is better than the model, a ConvergenceWarning.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from narrows.errors import SpecError
from narrows.estimator import Autoencoder
from narrows.metrics.table import Table
from narrows.modelfile import Model
from narrows.spec import take_renamed
from narrows.tasks.mapping import Map
from narrows.verbs import apply
from narrows.verbs import denoise as denoise_verb
from narrows.verbs import evaluate as evaluate_verb
from narrows.verbs import map as map_verb
from narrows.verbs import train as train_verb
from narrows.verbs.events import Event, Events, Note, finish
from narrows.verbs.restoring import Outcome

Callback = Callable[[Event], object]
AnyModel = Autoencoder | str | Path
# options of training that the estimator keeps, so that a clone of it trains in the same way
RECIPE = (
    *("optimizer", "schedule", "batch_size", "epochs", "max_steps", "max_seconds"),
    *("validation", "axes", "patch_size", "self_supervised", "device"),
)


def train(
    data: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
    **options: Any,
) -> Autoencoder:
    """Train on data and return the fitted estimator.

    Parameters
    ----------
    data : an array (N, ...), a name, a path or Samples, as `narrows.read` takes it.
    output : a run folder for the model, its history and a page about it; None writes nothing.
    options : `size`, `axes`, `target`, `labels` and `split_by` as `narrows.read` takes them; `validation_data`, samples
        that are held out in place of a share, read as `data` are; `preset`, `epochs`, `seed` and the parts as
        `Autoencoder` takes them.

    Raises DataError for data that cannot be learned from, SpecError for a part or option that is not valid.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> train(load_iris().data, bottleneck="linear(2)", epochs=1).transform(load_iris().data).shape
    (150, 2)
    """
    for old, new in (("crop", "patch_size"), ("fit", "resize_mode")):
        if old in options:
            options[new] = take_renamed(old, options.pop(old), new, options.get(new))
    trained = _value(train_verb.train(data, output=output, overwrite=overwrite, **options), callback)
    given = {name: options[name] for name in RECIPE if name in options}
    estimator = Autoencoder.of(trained.model, trained.run.history)
    return estimator.set_params(**given, random_state=trained.run.plan.seed)


def reconstruct(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> np.ndarray:
    """Return data encoded and decoded by a model, in their own arrangement, units and type.

    Raises DataError for data that the model does not take.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x = load_iris().data
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    >>> reconstruct(model, x).shape
    (150, 4)
    """
    return _value(apply.reconstruct(_open(model), data, output=output, overwrite=overwrite, **reading), callback)


def denoise(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    compare: str | Path | None = None,
    clean: Any = None,
    overwrite: bool = False,
    skip_existing: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> np.ndarray | list[Outcome]:
    """Return noisy data restored; for files of pictures, which are written to `output`, an `Outcome` for each.

    Parameters
    ----------
    compare : a file or folder for pictures of noisy, restored and difference side by side; None writes none.
    clean : the clean data, for PSNR (dB) and SSIM, which `callback` gets as a table.
    skip_existing : keep files of pictures that are there already, and write the others; to go on where it was stopped.
        The outcomes are those of the others.

    Raises DataError for data that cannot be restored.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=1, random_state=0).fit(noisy)
    >>> restored = denoise(model, noisy)
    >>> restored.shape, restored.dtype
    ((20, 8, 8), dtype('uint8'))
    """
    verb = denoise_verb.denoise(
        _open(model),
        data,
        output=output,
        compare=compare,
        clean=clean,
        overwrite=overwrite,
        skip_existing=skip_existing,
        **reading,
    )
    return _value(verb, callback)


def encode(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> np.ndarray:
    """Return the codes of data, float32 (N, k).

    Raises SpecError for a model without a code, DataError for data that the model does not take.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x = load_iris().data
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    >>> encode(model, x).shape
    (150, 2)
    """
    return _value(apply.encode(_open(model), data, output=output, overwrite=overwrite, **reading), callback)


def decode(
    model: AnyModel,
    codes: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> np.ndarray:
    """Return the decoded samples of codes (N, k), in the arrangement and type of the training data.

    Raises SpecError for a model without a code, DataError for codes of another width.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x = load_iris().data
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    >>> decode(model, [[0.0, 0.0], [1.0, 0.0]]).shape
    (2, 4)
    """
    return _value(apply.decode(_open(model), codes, output=output, overwrite=overwrite), callback)


def corrupt(
    data: Any,
    corruption: str,
    *,
    output: str | Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> np.ndarray:
    """Return data damaged by a corruption, in their own arrangement and type.

    Parameters
    ----------
    corruption : a part as text, "gaussian(0.08)": 0.08 of the range for pictures, of a standard deviation for tables.
    seed : makes the damage repeatable.

    Raises SpecError for a text that is no corruption, DataError for data that cannot be read.

    Examples
    --------
    >>> corrupt(np.zeros((2, 8, 8), np.uint8), "salt_pepper(0.5)").max()
    np.uint8(255)
    """
    return _value(apply.corrupt(data, corruption, output=output, seed=seed, overwrite=overwrite, **reading), callback)


def map(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    labels: Any = None,
    colour_by: str | None = None,
    pca: bool = False,
    overwrite: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> Map:
    """Return data on a model's map: `points` (N, 2), `errors` (N,), and labels and names where there are any.

    For a model without a map, a map head is fitted; where `model` is a path, it is added to the file.

    Parameters
    ----------
    output : FILE.png or .svg, a picture; .html, an interactive page; .csv or .parquet, a row per sample.
    labels : one per sample (N,), or a file with them, for colours.
    colour_by : "label", "error" or the name of a table's column, for the colours of a picture or a page.
    pca : take the first two principal components of the codes instead of a map.

    Raises SpecError for a model without a code, DataError for data of which no map can be made.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x = load_iris().data
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    >>> map(model, x).points.shape
    (150, 2)
    """
    opened = _open(model, with_map=not pca)
    verb = map_verb.draw_map(
        opened, data, output=output, labels=labels, colour_by=colour_by, pca=pca, overwrite=overwrite, **reading
    )
    return _value(verb, callback)


def evaluate(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    corruption: str | Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    labels: Any = None,
    reference: Any = None,
    overwrite: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> list[Table]:
    """Return tables of the metrics of a model on data, with plain methods beside it.

    Parameters
    ----------
    output : FILE.json or FILE.csv that holds the tables too.
    corruption : one or several corruptions as texts: the data are damaged by each, and the table says how well they are
        restored; () measures everything else.
    most : at most so many damaged pictures are measured, at least 1; 1,000 by default, or fewer large ones.
    seed : of the damage.
    labels : one per sample (N,), or a file with them, for the metrics of a map.
    reference : the training data, which PCA is fitted on; without them, of a model that does not know its data by name,
        no PCA stands beside it.

    Raises SpecError for a text that is no corruption, DataError for data that the model does not take.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x = load_iris().data
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    >>> [table.title for table in evaluate(model, x)][:2]
    ['Reconstruction of 150 samples', 'Error of single samples']
    """
    texts = [corruption] if isinstance(corruption, str) else corruption
    verb = evaluate_verb.evaluate(
        _open(model),
        data,
        output=output,
        corruption=texts,
        most=most,
        seed=seed,
        labels=labels,
        reference=reference,
        overwrite=overwrite,
        **reading,
    )
    return _value(verb, callback)


def report(
    model: AnyModel,
    data: Any = None,
    *,
    output: str | Path | None = None,
    corruption: str | Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    labels: Any = None,
    reference: Any = None,
    overwrite: bool = False,
    callback: Callback | None = None,
    **reading: Any,
) -> Path:
    """Write a page about a model on data and return its path.

    Parameters
    ----------
    data : None takes the test split of the training data, where these are known by name.
    output : the page; None is report-NAME.html beside the model, which must then be a path.
    corruption, most, seed, labels, reference : as `evaluate` takes them.

    Raises SpecError for a text that is no corruption, DataError for data that the model does not take.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> x = load_iris().data
    >>> model = Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(x)
    >>> import tempfile
    >>> report(model, x, output=Path(tempfile.mkdtemp()) / "report.html").name
    'report.html'
    """
    texts = [corruption] if isinstance(corruption, str) else corruption
    opened = _open(model)
    verb = evaluate_verb.report(
        opened,
        data,
        output=output,
        corruption=texts,
        most=most,
        seed=seed,
        labels=labels,
        reference=reference,
        history=model.history_ if isinstance(model, Autoencoder) else None,
        overwrite=overwrite,
        **reading,
    )
    return _value(verb, callback)


def _open(model: AnyModel, with_map: bool = False) -> Model | str | Path:
    """Return the model of a fitted estimator; a path is returned unchanged."""
    if isinstance(model, Autoencoder):
        return model.fitted_model(with_map)
    if not isinstance(model, str | Path):
        kind = type(model).__name__
        raise SpecError(f"a model is a fitted Autoencoder, a run folder or a model file, however: a {kind} was given")
    return model


def _value(events: Events, callback: Callback | None) -> Any:
    """Return the value of a verb's result; warn where something is missing."""
    errors: list[str] = []
    complaints: list[str] = []

    def see(event: Event) -> None:
        if isinstance(event, Note) and event.is_error:
            errors.append(event.text)
        elif isinstance(event, Note) and event.is_warning:
            complaints.append(event.text.removeprefix("note: "))
        if callback is not None:
            callback(event)

    result = finish(events, see)
    if result.status:
        reason = "; ".join(errors) or "some outputs are missing; `callback` is told which"
        warnings.warn(reason, RuntimeWarning, stacklevel=3)
    for complaint in complaints:
        warnings.warn(complaint, ConvergenceWarning, stacklevel=3)
    return result.value

"""The verbs as functions: `narrows.train("photos/")`, `narrows.denoise(model, x)` and so on.

Every one takes data as `narrows.read` does (an array, a name, a path or Samples) and a model as an `Autoencoder`, a run
folder or a model file. Nothing is printed; `callback` is given what the verb yields while it works
(`narrows.verbs.events`). Nothing is written but to `output`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from narrows.estimator import Autoencoder
from narrows.metrics.table import Table
from narrows.modelfile import Model
from narrows.tasks.mapping import Map
from narrows.verbs import apply
from narrows.verbs import denoise as denoise_verb
from narrows.verbs import evaluate as evaluate_verb
from narrows.verbs import map as map_verb
from narrows.verbs import train as train_verb
from narrows.verbs.events import Event, finish
from narrows.verbs.restoring import Outcome

Callback = Callable[[Event], object]
AnyModel = Autoencoder | str | Path


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
    options : `size`, `target` and `labels` as `narrows.read` takes them; `preset`, `epochs`, `seed` and the parts as
        `Autoencoder` takes them.

    Raises DataError for data that cannot be learned from, SpecError for a part that is not one.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> train(load_iris().data, bottleneck="linear(2)", epochs=5).transform(load_iris().data).shape
    (150, 2)
    """
    trained = finish(train_verb.train(data, output=output, overwrite=overwrite, **options), callback).value
    return Autoencoder.of(trained.model, trained.fit.history)


def reconstruct(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> np.ndarray:
    """Return data through the bottleneck of a model, in their own arrangement, units and type."""
    return finish(apply.reconstruct(_open(model), data, output=output, overwrite=overwrite), callback).value


def denoise(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    compare: str | Path | None = None,
    clean: Any = None,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> np.ndarray | list[Outcome]:
    """Return noisy data restored; of files of pictures, which are written to `output`, what became of each.

    Parameters
    ----------
    compare : where noisy, restored and difference go, side by side.
    clean : the clean data, for PSNR and SSIM, which are given to `callback` as a table.
    """
    verb = denoise_verb.denoise(_open(model), data, output=output, compare=compare, clean=clean, overwrite=overwrite)
    return finish(verb, callback).value


def encode(
    model: AnyModel,
    data: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> np.ndarray:
    """Return the codes of data, float32 (N, k); raises SpecError for a model without a code."""
    return finish(apply.encode(_open(model), data, output=output, overwrite=overwrite), callback).value


def decode(
    model: AnyModel,
    codes: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> np.ndarray:
    """Return the samples that codes (N, k) stand for, arranged and typed as the training data were."""
    return finish(apply.decode(_open(model), codes, output=output, overwrite=overwrite), callback).value


def corrupt(
    data: Any,
    corruption: str,
    *,
    output: str | Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> np.ndarray:
    """Return data damaged by a corruption, in their own arrangement and type.

    Examples
    --------
    >>> corrupt(np.zeros((2, 8, 8), np.uint8), "salt_pepper(0.5)").max()
    np.uint8(255)
    """
    return finish(apply.corrupt(data, corruption, output=output, seed=seed, overwrite=overwrite), callback).value


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
) -> Map:
    """Return data on a model's map: `points` (N, 2), `errors` (N,) and what is known of each sample.

    A model that has no map gets one; a model file keeps it.

    Parameters
    ----------
    output : FILE.png or .svg, a picture; .html, a page to walk in; .csv or .parquet, a row per sample.
    labels, colour_by : what the points of a picture are coloured by.
    pca : the codes' two principal components in place of a map.
    """
    opened = model if isinstance(model, str | Path) else _open(model, with_map=not pca)
    verb = map_verb.draw_map(
        opened, data, output=output, labels=labels, colour_by=colour_by, pca=pca, overwrite=overwrite
    )
    return finish(verb, callback).value


def evaluate(
    model: AnyModel,
    data: Any,
    *,
    corruption: str | Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    labels: Any = None,
    callback: Callback | None = None,
) -> list[Table]:
    """Return tables of how good a model is on data, with plain methods beside it.

    Parameters
    ----------
    corruption : damage the data so and measure how well they are restored; none measures all else.
    most : damaged pictures that are measured.
    """
    texts = (corruption,) if isinstance(corruption, str) else corruption
    verb = evaluate_verb.evaluate(_open(model), data, corruption=texts, most=most, seed=seed, labels=labels)
    return finish(verb, callback).value


def report(
    model: AnyModel,
    data: Any = None,
    *,
    output: str | Path | None = None,
    corruption: str | Sequence[str] = (),
    most: int | None = None,
    seed: int = 0,
    labels: Any = None,
    overwrite: bool = False,
    callback: Callback | None = None,
) -> Path:
    """Write a page about a model on data and return its path, report-NAME.html in its run folder by default."""
    texts = (corruption,) if isinstance(corruption, str) else corruption
    opened = model if isinstance(model, str | Path) else _open(model)
    verb = evaluate_verb.report(
        opened, data, output=output, corruption=texts, most=most, seed=seed, labels=labels, overwrite=overwrite
    )
    return finish(verb, callback).value


def _open(model: AnyModel, with_map: bool = False) -> Model | str | Path:
    """Return the model of a fitted estimator; a path stays one."""
    if isinstance(model, Autoencoder):
        return model.fitted_model(with_map)
    return model

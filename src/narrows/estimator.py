"""`Autoencoder`, the scikit-learn estimator."""

from __future__ import annotations

import functools
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from numbers import Real
from os import PathLike
from pathlib import Path

import narwhals
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, check_random_state, validate_data

from narrows import modelfile
from narrows.card import as_given
from narrows.data.arrays import as_numbers, refuse_sparse
from narrows.data.axes import ModelAxes
from narrows.data.crops import Crops
from narrows.data.layout import to_pictures
from narrows.data.places import are_paths
from narrows.data.read import read
from narrows.data.samples import Samples
from narrows.errors import DataError, SpecError, TrainingError
from narrows.files import refuse_existing
from narrows.modelfile import Model
from narrows.runfolder import COLUMNS, or_elsewhere, read_history
from narrows.spec import DEPRECATED, check_whole, take_renamed
from narrows.tables.noticing import LEARNED
from narrows.tables.table_file import is_frame
from narrows.tasks.depths import find_depth
from narrows.tasks.encode import decode, decode_map, encode, encode_map, has_map
from narrows.tasks.reconstruct import denoise, reconstruct
from narrows.tasks.score import errors, variance_explained
from narrows.tasks.tiles import is_other_size, picture_errors, takes_any_size
from narrows.training.fit import Fit
from narrows.training.map_head import add_head, gets_map, training_codes
from narrows.verbs.reading import are_files_of_any_size
from narrows.verbs.stopping import held_back

_MAPPING = threading.RLock()
KEPT_VALUES = 2**20  # of the codes that wait for a map head, 4 MiB
PICKLED_VALUES = 2**16  # of those in a pickle, 256 KiB: with fewer codes groups separate less well on the map

# names of the code's size in other libraries; their error message says what to write here
CODE_SIZE_NAMES = ("latent_dim", "n_components", "encoding_dim", "code_size", "bottleneck_size", "n_latent")


def _explain_code_size(init):
    """Raise a SpecError for another library's keyword for the size of the code, which says what to write instead."""

    @functools.wraps(init)  # scikit-learn reads the signature
    def wrapper(self, *args, **kwargs):
        for name in CODE_SIZE_NAMES:
            if name in kwargs:
                raise SpecError(
                    f'the code\'s size belongs to its bottleneck: write bottleneck="linear({kwargs[name]})" '
                    f"instead of {name}={kwargs[name]}"
                )
        init(self, *args, **kwargs)

    return wrapper


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """An autoencoder of images or tables, as a scikit-learn transformer.

    A parameter that is None is taken from the preset, or else chosen from the data.

    Parameters
    ----------
    preset : a name in `narrows.presets.PRESETS`, such as "tutorial-linear".
    backbone, bottleneck, corruption, loss, scaling : parts as texts, `bottleneck="linear(16)"`.
    shape : of one picture where X is flat, (height, width) or (height, width, channels).
    axes : of an array of pictures, "NZHW" (every slice is a picture), "NHWC", "NCHW", "NHW" or "HWC"; by default the
        dimensions decide. Results come back in the same arrangement, codes and scores have a row per picture.
    patch_size : pictures larger than this are trained on in patches of this side, pixels.
    self_supervised : learn to restore from noisy pictures alone.
    epochs : passes over the training samples, at least 1.
    max_seconds : a cap on training, at least 0.1, 300 by default; a run that it cuts does not repeat bit for bit.
    validation : share of the samples kept out of training, in [0, 0.9], 0.1 by default.
    device : "auto", "cpu", "cuda" or "cuda:N".
    random_state : an int or a numpy RandomState makes a run repeatable; None draws a seed.
    verbose : 1 prints what was chosen, a line per epoch, and one before the map is fitted.
    crop : the former name of `patch_size`; gives a FutureWarning.

    Attributes
    ----------
    model_ : the trained network with its card and, once it is fitted, its map head (`narrows.modelfile.Model`).
    history_ : a dict per epoch with epoch, train_mse, val_mse and seconds; the MSE is per value, in model's units.
    n_features_in_ : number of values of one sample.
    feature_names_in_ : names of the columns, where X had some.

    `fit` raises DataError for data that cannot be learned from, and SpecError for a parameter that is not valid.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> autoencoder = Autoencoder(bottleneck="linear(2)", epochs=5, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (150, 2)
    """

    @_explain_code_size
    def __init__(
        self,
        preset=None,
        *,
        backbone=None,
        bottleneck=None,
        corruption=None,
        loss=None,
        scaling=None,
        shape=None,
        axes=None,
        patch_size=None,
        self_supervised=False,
        optimizer=None,
        schedule=None,
        batch_size=None,
        epochs=None,
        max_steps=None,
        max_seconds=None,
        validation=None,
        device="auto",
        random_state=None,
        verbose=0,
        crop=DEPRECATED,
    ):
        self.preset = preset
        self.backbone = backbone
        self.bottleneck = bottleneck
        self.corruption = corruption
        self.loss = loss
        self.scaling = scaling
        self.shape = shape
        self.axes = axes
        self.patch_size = patch_size
        self.self_supervised = self_supervised
        self.optimizer = optimizer
        self.schedule = schedule
        self.batch_size = batch_size
        self.epochs = epochs
        self.max_steps = max_steps
        self.max_seconds = max_seconds
        self.validation = validation
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.crop = crop

    def fit(self, X, y=None, groups=None, validation_data=None):
        """Train on X and return self; y is ignored.

        Parameters
        ----------
        X : rows (N, values), a frame of pandas, polars or pyarrow, pictures (N, H, W) or (N, H, W, channels), or the
            `Samples` that `narrows.read` returns. NaN in rows are gaps: the network is told of them, and they cost
            nothing. A frame's columns may hold numbers, truth values, times and categories; what is left out is said
            by a warning, and `narrows.read(frame, columns=...)` chooses.
        groups : (N,) values of any kind, such as patients; samples of one group are held out for validation together.
            None, NaN and empty texts are each a group of their own.
        validation_data : samples like X that are held out in place of a share of X: they choose the weights and are
            measured, and are never learned from.

        Ctrl-C stops the training, and the model so far is kept. Warns (ConvergenceWarning) of that, and where PCA with
        as many numbers is better on the validation share, or outputs hardly vary. Raises DataError (a ValueError) for
        data that cannot be learned from, SpecError (a ValueError) for a parameter that is not valid.
        """
        samples, shape = self._training_samples(X)
        if groups is not None:
            samples = replace(samples, groups=groups)
        training = Fit(
            samples,
            preset=self.preset,
            shape=shape,
            patch_size=take_renamed("crop", self.crop, "patch_size", self.patch_size),
            self_supervised=self.self_supervised,
            optimizer=self.optimizer,
            schedule=self.schedule,
            batch_size=self.batch_size,
            epochs=self.epochs,
            max_steps=self.max_steps,
            max_seconds=self.max_seconds,
            validation=self.validation,
            validation_data=None if validation_data is None else self._validation_samples(validation_data, samples),
            device=self.device,
            seed=self._seed(),
            backbone=self.backbone,
            bottleneck=self.bottleneck,
            corruption=self.corruption,
            loss=self.loss,
            scaling=self.scaling,
        )
        self._say(*training.plan.notes)
        complaints = []
        try:
            for progress in training:
                if progress.epoch_ends:
                    val = "" if progress.val_mse is None else f", validation MSE {progress.val_mse:.6f}"
                    self._say(f"epoch {progress.epoch}: MSE {progress.train_mse:.6f}{val}")
        except KeyboardInterrupt:
            if training.training.last is None:  # no step was read
                raise
            complaints.append("stopped early; the model as it is now is kept")
        with held_back():
            self._keep(training)
        self._say(*filter(None, [training.end.kept]))
        for line in (*complaints, *training.end.warnings):
            warnings.warn(line, ConvergenceWarning, stacklevel=2)
        return self

    def transform(self, X):
        """Return the codes of X, (N, k): float64 where X is float64, else float32; k is the size of the code.

        Raises SpecError for a model without a code, DataError for samples of another shape.
        """
        x = self._samples(X).x
        return encode(self._model(), x).astype(np.float64 if x.dtype == np.float64 else np.float32, copy=False)

    def inverse_transform(self, X):
        """Return the decoded samples of codes X (N, k), in the arrangement and type of the training data.

        Raises SpecError for a model without a code, DataError for codes of another width.
        """
        return decode(self._model(), validate_codes(X))

    def map(self, X):
        """Return the positions of the samples X on the model's map, float32 (N, 2).

        A code of two numbers is a map by itself. A model without a preset has a map head, which the first call fits on
        the codes of the training samples. A pickle holds fewer of these, so the map is better where this comes first.

        Raises SpecError for a model without a map, DataError for samples of another shape.
        """
        x = self._samples(X).x
        return encode_map(self._model_with_map(), x)

    def inverse_map(self, points):
        """Return the decoded samples at `points` (M, 2) of the map, in the arrangement and type of the training data.

        Raises SpecError for a model without a map, DataError for points of another shape.
        """
        return decode_map(self._model_with_map(), validate_codes(points))

    def reconstruct(self, X):
        """Return X encoded and decoded, in its own arrangement, units and type; gaps, NaN, get the model's values.

        Raises DataError for samples of another shape.
        """
        samples = self._samples(X)
        return samples.back(reconstruct(self._model(), samples.x))

    def denoise(self, X):
        """Return damaged X restored, in its own arrangement, units and type.

        This works well where the corruption in training was like the damage. Raises DataError for samples of another
        shape, where the model does not take pictures of any size.
        """
        samples = self._samples(X, restores=takes_any_size(self._model()))
        return samples.back(denoise(self._model(), samples.x))

    def score_samples(self, X):
        """Return minus the MSE per value of every sample, float64 (N,), in model's units; lower is more unusual.

        Where the model takes pictures of any size, each picture of a folder is measured at its own.

        Raises DataError for samples of another shape.
        """
        model = self._model()
        pictures = self._pictures_of_any_size(X)
        return -(errors(model, self._samples(X).x) if pictures is None else picture_errors(model, pictures))

    def score(self, X, y=None):
        """Return the share of X's variance that the reconstruction explains, the mean over columns, in [-1, 1].

        The variances are those of the training data in user's units, so models with different scalings can be compared,
        as in GridSearchCV. Raises DataError for samples of another shape.
        """
        return variance_explained(self._model(), self._samples(X).x)

    def save(self, path, overwrite=False):
        """Write the model, with its map head, to the file `path`.

        Raises DataError where it exists and `overwrite` is False, or cannot be written; then the error says why, and
        where the model was written instead.
        """
        refuse_existing(path, overwrite)
        model = self._mapped_model()
        if getattr(self, "_no_map", None) is not None:
            warnings.warn(f"{path} is saved without a map: {self._no_map}", stacklevel=2)
        or_elsewhere(lambda place, overwrite: modelfile.save(place, model, overwrite), Path(path), overwrite)

    @classmethod
    def load(cls, path, device="cpu"):
        """Return a fitted estimator from a model file or a run folder.

        Parameters
        ----------
        device : of the network, "cpu" or "cuda".

        Raises ModelFileError where `path` is not a valid model.
        """
        model = modelfile.load(path, device)
        return cls.of(model, () if model.card.history else read_history(Path(path)))

    @classmethod
    def of(cls, model, history=()):
        """Return a fitted estimator of a trained `narrows.modelfile.Model` and its history.

        Its parameters are those that the training was given, and the preset and the parts that it chose.
        """
        card, known = model.card, cls().get_params()
        given = {"preset": card.recipe.get("preset"), **model.network.texts, **(card.given or {})}
        plain = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items() if name in known}
        estimator = cls(**plain)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in card.history]
        estimator.history_ = list(history) or rows
        estimator._adopt(model)
        return estimator

    def fitted_model(self, with_map=False):
        """Return the `narrows.modelfile.Model`; `with_map` fits its map head where it has one that is not fitted yet.

        Raises NotFittedError before `fit`.
        """
        return self._mapped_model() if with_map else self._model()

    def __getstate__(self):
        """Return what is pickled; for a map that is not fitted yet fewer codes, so that many rows make no large one."""
        state = dict(super().__getstate__())  # which is the estimator's own
        codes = state.get("_map_codes")
        if codes is not None:
            state["_map_codes"] = codes[: max(256, PICKLED_VALUES // codes.shape[1])].copy()
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = True
        return tags

    @property
    def _n_features_out(self):
        return self.model_.network.code_size

    def _say(self, *lines: str) -> None:
        """Print lines where `verbose` asks for them; a standard output that is closed or full costs no training."""
        if self.verbose:
            with suppress(OSError, ValueError):
                for line in lines:
                    print(line, flush=True)  # noqa: T201, verbose asked for it

    def _seed(self) -> int:
        given = self.random_state
        if given is None or isinstance(given, np.random.RandomState) or given is np.random:
            return int(check_random_state(given).randint(2**31))
        return check_whole("random_state", given, 0, 2**63 - 1)

    def _keep(self, training: Fit) -> None:
        """Take the model of a training, and codes for a map head, which is fitted on first use, as few are mapped."""
        self.history_ = training.history
        model = training.end.model
        given = as_given({**self.get_params(), "patch_size": training.plan.asked["patch_size"]})
        self._adopt(model._replace(card=replace(model.card, given=given)))
        is_mapped = gets_map(training.training)
        self._map_codes = training_codes(training.plan, model.network, KEPT_VALUES) if is_mapped else None
        self._map_seed: int = training.plan.seed
        self._no_map: Exception | None = None

    def _adopt(self, model: Model) -> None:
        self.model_ = model
        self.n_features_in_ = math.prod(model.network.shape)
        if model.card.columns is not None:
            self.feature_names_in_ = np.array(model.card.columns, dtype=object)

    def _model(self) -> Model:
        check_is_fitted(self, "model_")
        return self.model_

    def _mapped_model(self) -> Model:
        """Return the model, with its map head fitted where it has one and the data allow it."""
        with _MAPPING:  # two threads at the same time get the same map
            model, codes = self._model(), getattr(self, "_map_codes", None)
            if codes is not None:
                self._say(f"fitting the map, on {len(codes):,} codes")
                try:
                    self.model_ = model = add_head(model, codes, self._map_seed)
                except (DataError, TrainingError) as error:  # too few samples, or all alike
                    self._no_map = error
                self._map_codes = None
        return model

    def _model_with_map(self) -> Model:
        """Return the model with its map head; raise a SpecError with the reason where fitting it failed."""
        model = self._mapped_model()
        if not has_map(model) and getattr(self, "_no_map", None) is not None:
            raise SpecError(f"this model has no map: {self._no_map}")
        return model

    def _training_samples(self, X) -> tuple[Samples, tuple[int, ...] | None]:
        """Return X as samples, and the model's shape (C, *grid) where the parameter `shape` gives it."""
        X = _as_plain_array(X)
        if is_frame(X) and self.shape is None:
            return self._frame_samples(X), None
        given = X if _is_pictures(X) else validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan")
        samples = read(given, axes=self.axes)
        if not isinstance(X, Samples):
            for note in samples.notes:
                warnings.warn(note, stacklevel=3)
        if _is_pictures(X) and isinstance(samples.x, np.ndarray):  # scikit-learn counts features in rows
            rows = samples.x.reshape(len(samples.x), -1)
            validate_data(self, rows, dtype=None, ensure_all_finite="allow-nan")
        if self.shape is None:
            return samples, None
        return samples, _check_shape(self.shape)

    def _frame_samples(self, X) -> Samples:
        """Return a frame as samples, and warn of columns that are left out."""
        samples = read(X, axes=self.axes)
        validate_data(self, X, skip_check_array=True)  # sets the names of the columns, where they are texts
        self._say(*samples.notes)
        for found in samples.beside.found if samples.beside is not None else ():
            if found.done != LEARNED:
                warnings.warn(f"column {found.column.name!r} is {found.done}", stacklevel=4)
        return samples if hasattr(self, "feature_names_in_") else replace(samples, columns=None)

    def _validation_samples(self, validation_data, like: Samples) -> Samples:
        """Return validation data as samples, read as those to train on were."""
        if isinstance(validation_data, tuple):
            raise DataError(
                f"validation_data must be samples like X, however: it is a tuple of {len(validation_data)}; give the "
                f"samples alone, without targets"
            )
        given = _as_plain_array(validation_data, "validation_data")
        if is_frame(given) and like.table is not None:
            return read(given, model_columns=like.table)
        if _is_pictures(given):
            return read(given, axes=self.axes, model_columns=like.table)
        rows = check_array(given, dtype="numeric", ensure_all_finite="allow-nan", input_name="validation_data")
        return read(rows, axes=self.axes)

    def _given(self, X):
        """Return X as a plain array; for a model of pictures, paths of pictures are left as they are."""
        takes_files = len(self.model_.network.shape) > 1
        return X if takes_files and are_paths(X) else _as_plain_array(X)

    def _read(self, X, patch_size=None) -> Samples:
        """Return X as samples; files of pictures are read as those of the training were.

        Raises DataError for samples that were read from such files in another way.
        """
        way = self.model_.card.reading
        axes = ModelAxes(self.model_.card.layout, self.model_.network.shape)
        known = self.model_.card.table
        samples = read(X, reading=way or None, axes=axes, patch_size=patch_size, model_columns=known)
        if samples.skipped:
            name, reason = samples.skipped[0]
            warnings.warn(f"{len(samples.skipped)} files are skipped, such as {name}: {reason}", stacklevel=4)
        if any(samples.reading.get(key, value) != value for key, value in way.items()):
            raise DataError(
                f"this model's pictures are read by {way}, however these were by {samples.reading}; give the path of "
                f"the pictures, or read(path, reading=model.model_.card.reading)"
            )
        return samples

    def _pictures_of_any_size(self, X):
        """Return pictures of other sizes than the model's, one by one, where it takes these; None for all else."""
        model, X = self.model_, self._given(X)
        if are_files_of_any_size(model, X):
            X = self._read(X, patch_size=max(model.network.shape[1:]))
        if isinstance(X, Samples):
            X = X.x
        if isinstance(X, np.ndarray):
            pictures = np.moveaxis(to_pictures(X)[0], 1, -1) if is_other_size(model, X) else None
            return None if pictures is None else np.split(pictures, len(pictures))
        return X.pictures if isinstance(X, Crops) else None

    def _samples(self, X, restores=False) -> Samples:
        """Return X as samples that the model takes, and warn where its depth was decided; see `find_depth`.

        A model of pictures takes pictures and flat rows.
        """
        check_is_fitted(self, "model_")
        X = self._given(X)
        if _is_pictures(X) or len(self.model_.network.shape) > 1:
            samples = self._read(X)
            if note := find_depth(self.model_, samples.x, restores).note:
                warnings.warn(note, stacklevel=3)
            return samples
        if not is_frame(X):
            return Samples(validate_data(self, X, reset=False, dtype="numeric", ensure_all_finite="allow-nan"))
        self._check_names(X)
        samples = read(X, model_columns=self.model_.columns)
        for note in samples.notes:
            warnings.warn(note, stacklevel=3)
        return samples

    def _check_names(self, X) -> None:
        """Raise scikit-learn's error for a frame whose known columns are not all there, or in another order."""
        frame, known = narwhals.from_native(X, eager_only=True), self.model_.card.columns or ()
        own = [name for name in frame.columns if name in known]
        if 0 < len(own) == len(known) < len(frame.columns):  # what else is there is not used
            X = frame.select(own).to_native()
        validate_data(self, X, reset=False, skip_check_array=True)


def _is_pictures(X) -> bool:
    """Return whether X has more dimensions than the two that scikit-learn accepts, or is `Samples`."""
    dimensions = np.ndim(X) if isinstance(X, list | tuple) else len(getattr(X, "shape", ()))
    return isinstance(X, Samples) or dimensions > 2


def _check_shape(shape) -> tuple[int, int, int]:
    """Return the model's shape (C, H, W) for the parameter `shape`; raise a SpecError where that is none."""
    if not isinstance(shape, list | tuple | np.ndarray) or len(shape) not in (2, 3):
        raise SpecError(f"shape must be (height, width) or (height, width, channels), however: shape={shape!r}")
    height, width, channels = (check_whole(f"shape[{i}]", n, 1) for i, n in enumerate((*shape, 1)[:3]))
    return channels, height, width


def _as_plain_array(X, name="X"):
    """Return masked, structured, byte-swapped and torch arrays as arrays that torch accepts, all else unchanged.

    scikit-learn's checks would drop a mask, and torch refuses a foreign byte order. Raises DataError for what is no
    array: a path, a number, a sparse matrix.
    """
    if isinstance(X, str | PathLike):
        raise DataError(f"{name} must be an array or Samples, however: it is a path; write narrows.read({str(X)!r})")
    if isinstance(X, list) and X and all(isinstance(path, str | PathLike) for path in X):
        raise DataError(
            f"{name} must be an array or Samples, however: it is a list of paths; write narrows.read([...])"
        )
    refuse_sparse(X, name)
    if X is None or isinstance(X, Real | bytes | dict | set | Iterator):
        kind = type(X).__name__
        raise DataError(
            f"{name} must be an array, rows (N, values) or pictures (N, H, W), however: it is of type {kind}"
        )
    is_array = isinstance(X, np.ndarray)
    if isinstance(X, np.ma.MaskedArray) or (is_array and (X.dtype.kind == "V" or not X.dtype.isnative)):
        return as_numbers(X, "the array")
    if type(X).__module__.partition(".")[0] == "torch":
        return as_numbers(X, "the array")
    return X


def validate_codes(codes) -> np.ndarray:
    """Return codes, or points of a map, as an array; they may come as a list or a table.

    Raises DataError for what is no array of numbers.

    Examples
    --------
    >>> validate_codes([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    return as_numbers(codes, "the codes")


def load(path, device="cpu") -> Autoencoder:
    """Return the fitted estimator of a model file or a run folder, as `Autoencoder.load` does.

    Raises ModelFileError where `path` is not a valid model.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> path = Path(tempfile.mkdtemp()) / "iris.safetensors"
    >>> Autoencoder(backbone="dense(hidden=[])", bottleneck="linear(2)", epochs=5, random_state=0).fit(X).save(path)
    >>> load(path).transform(X).shape
    (150, 2)
    """
    return Autoencoder.load(path, device)

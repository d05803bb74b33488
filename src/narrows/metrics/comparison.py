"""Models and plain filters restore the same damaged pictures, each filter with its best setting.

Everything is measured in model's units. The filters' output is clamped to the data's range, as the model's is, and
their settings are chosen on training data alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from narrows.metrics.denoisers import EXTRA, FILTERS, Filter, Noise, Setting, describe
from narrows.metrics.psnr_ssim import has_ssim, psnr, ssim
from narrows.metrics.reconstruction import pick
from narrows.metrics.table import Cell, Table
from narrows.metrics.trial import Trial, make_trial
from narrows.modelfile import Model
from narrows.tasks.reconstruct import denoise

MAX_PICTURES = 1000  # that are measured, the same ones for every method
MAX_VALUES = 2**20  # of all these together
LEARNED, LEARNED_VALUES = 100, 2**18  # training pictures that settings are chosen on, and values of all of them
FIRST, FIRST_VALUES = 16, 2**15  # the same for the few of them on which all settings are tried
FINALISTS = 8  # the best settings of these, which are then tried on all learned pictures
LEARNED_SIDE = 128  # pixels; of larger training pictures the middle is taken


@dataclass(frozen=True, eq=False)
class Score:
    """How well one method restored the pictures of a trial.

    Attributes
    ----------
    method : its name.
    setting : of a filter, chosen on training data; "" for a method without settings.
    psnr, ssim : of every picture, (N,); the SSIM of pictures that are too small for it is None.
    shown : the drawn pictures of the trial as they were restored, (n, C, H, W).
    """

    method: str
    setting: str
    psnr: np.ndarray
    ssim: np.ndarray | None
    shown: np.ndarray

    @classmethod
    def of(cls, method: str, trial: Trial, restored: np.ndarray, setting: str = "") -> Score:
        """Return the score of a method that made `restored` (N, C, H, W) of a trial's damaged pictures."""
        clean, data_range = trial.clean, trial.data_range
        similarity = ssim(restored, clean, data_range) if has_ssim(clean) else None
        return cls(method, setting, psnr(restored, clean, data_range), similarity, restored[trial.drawn])

    @property
    def mean_psnr(self) -> float:
        """The mean over pictures, in dB."""
        return float(self.psnr.mean())

    @property
    def mean_ssim(self) -> float | None:
        """The mean over pictures."""
        return None if self.ssim is None else float(self.ssim.mean())


class Comparison:
    """How well each method restores pictures: doing nothing, clipping, the filters, the models.

    Iterating measures one method after another. Every method gets the same damaged pictures. A filter is told how
    strong the damage of the training pictures is and which values the damage writes; its setting is the one with the
    highest mean PSNR on some of the training pictures, damaged with another seed. Filters whose packages are not
    installed are left out.

    Parameters
    ----------
    models : by name; all is measured in the units of the first one's scaling.
    x : what to measure on, in the user's layout.
    reference : the training data; where it is `x` itself, the filters have the advantage that their settings are
        chosen on what is measured.
    corruption : a part as text, in model's units.
    most : pictures that are measured at most; by default 1,000, or fewer of large ones.
    filters : those to compare with; filters that are made for other damage are left out.
    seed : of the damage.

    Attributes
    ----------
    trial : the pictures that are measured.
    scores : those of the methods that were measured so far.

    Raises SpecError for a text that is no corruption, DataError for data that are no pictures of the models' shape.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        x: np.ndarray,
        reference: np.ndarray,
        corruption: str,
        *,
        most: int | None = None,
        filters: Sequence[Filter] = FILTERS,
        seed: int = 0,
    ) -> None:
        model = next(iter(models.values()))
        self.models, self.corruption, self.units = models, corruption, model.network.texts["scaling"]
        self.trial = make_trial(model, choose_pictures(x, most), corruption, seed)
        learning = choose(reference, LEARNED, LEARNED_VALUES, LEARNED_SIDE)
        self.learning = make_trial(model, learning, corruption, seed + 1).cropped(LEARNED_SIDE)
        suitable = [plain for plain in filters if self.trial.noise.values or not plain.impulse]
        self.filters = [plain for plain in suitable if plain.is_installed]
        self.missing = [plain for plain in suitable if not plain.is_installed]
        self.scores: list[Score] = []

    def __len__(self) -> int:
        """Return how many methods there are."""
        return 1 + self.clips_apart + len(self.filters) + len(self.models)

    def __iter__(self) -> Iterator[Score]:
        """Measure one method after another."""
        self.scores = []
        for score in self._measure():
            self.scores.append(score)
            yield score

    @property
    def clips_apart(self) -> bool:
        """Whether clipping the damaged pictures to the data's range is a method of its own."""
        return self.trial.limits is not None and not self.trial.clipped

    def run(self) -> list[Score]:
        """Measure all methods and return their scores."""
        return list(self)

    def table(self, reference_name: str) -> Table:
        """Return the scores and a note on how they were measured; `reference_name` names the training data in it."""
        rows: list[tuple[Cell, ...]] = []
        for score in self.scores:
            similarity = "-" if score.mean_ssim is None else f"{score.mean_ssim:.3f}"
            rows.append((score.method, score.setting, f"{score.mean_psnr:.2f}", similarity))
        columns = ("method", "setting", "PSNR (dB)", "SSIM")
        return Table(f"Denoising: {self.corruption}", columns, tuple(rows), self.describe(reference_name))

    def describe(self, reference_name: str) -> str:
        """Return sentences on how the scores are measured."""
        trial, count, missing = self.trial, len(self.trial.clean), ", ".join(plain.name for plain in self.missing)
        return " ".join(
            [
                f"Means over {count:,} picture{'s' if count > 1 else ''}; PSNR over a range of {trial.data_range:.4g}, "
                f"in units of {self.units}.",
                trial.clip_rule,
                f"Each filter has the setting that is best on {len(self.learning.clean)} pictures of {reference_name}, "
                f"damaged alike: h, power, weight and std in units of the noise's own, the Gaussian's std in pixels.",
                *([f'Left out: {missing}; pip install "{EXTRA}" brings what they need.'] if missing else []),
            ]
        )

    def _measure(self) -> Iterator[Score]:
        trial, learning = self.trial, self.learning
        yield Score.of("doing nothing", trial, trial.damaged)
        if self.clips_apart:
            yield Score.of("clipping only", trial, trial.clamp(trial.damaged))
        for plain in self.filters:
            setting = choose_setting(plain, learning)
            restored = trial.clamp(run_filter(plain, setting, trial.damaged, learning.noise))
            yield Score.of(plain.name, trial, restored, describe(setting))
        for name, model in self.models.items():
            yield Score.of(name, trial, restore(model, trial.damaged))


def choose_pictures(x: np.ndarray, most: int | None = None) -> np.ndarray:
    """Return the pictures of `x` (N, ...) that are measured, in order: at most `most`, by a fixed random choice."""
    return choose(x, most or MAX_PICTURES, np.inf if most else MAX_VALUES)


def choose(x: np.ndarray, most: int, values: float, side: float = np.inf) -> np.ndarray:
    """Return at most `most` samples of `x` (N, ...), so few that they hold at most `values` values, but two at least.

    `side` is what larger pictures will be cropped to.
    """
    sample_values = np.prod(np.minimum(x.shape[1:], side))
    return x[pick(len(x), int(min(most, max(2, values / sample_values))))]


def choose_setting(plain: Filter, learning: Trial) -> Setting:
    """Return the setting with the highest mean PSNR: all are tried on a few pictures, the best of them then on more."""

    def rate(setting: Setting, count: int) -> float:
        restored = learning.clamp(run_filter(plain, setting, learning.damaged[:count], learning.noise))
        return float(psnr(restored, learning.clean[:count], learning.data_range).mean())

    few = len(choose(learning.clean, FIRST, FIRST_VALUES))
    ranked = sorted(plain.settings(), key=lambda setting: -rate(setting, few))
    return max(ranked[:FINALISTS], key=lambda setting: rate(setting, len(learning.clean)))


def run_filter(plain: Filter, setting: Setting, pictures: np.ndarray, noise: Noise) -> np.ndarray:
    """Return pictures (N, C, H, W) in model's units through a filter, float32."""
    restored = np.empty_like(pictures)
    for i, picture in enumerate(np.moveaxis(pictures, 1, -1)):
        restored[i] = np.moveaxis(plain.apply(picture, noise, **setting), -1, 0)
    return restored


def restore(model: Model, pictures: np.ndarray) -> np.ndarray:
    """Return damaged pictures (N, C, H, W) restored by `denoise`, both in model's units."""
    scaling, device = model.network.scaling, model.network.device
    damaged = np.moveaxis(scaling.back(torch.from_numpy(pictures).to(device)).cpu().numpy(), 1, -1)
    grey = damaged.shape[-1] == 1
    restored = denoise(model, damaged[..., 0] if grey else damaged)
    samples = restored[:, np.newaxis] if grey else np.moveaxis(restored, -1, 1)
    return scaling(torch.from_numpy(np.ascontiguousarray(samples)).to(device)).cpu().numpy()

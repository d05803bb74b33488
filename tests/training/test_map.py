"""The map keeps neighbours together, places new samples and refuses what has no neighbours."""

from itertools import product

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from narrows import read
from narrows.errors import DataError, SpecError
from narrows.tasks.encode import decode, encode
from narrows.training.choose import choose_steps
from narrows.training.fit import Fit

QUICK = {"preset": "map", "backbone": "dense(hidden=[64, 64])", "device": "cpu"}


def test_new_samples_fall_among_their_own_kind_more_than_with_a_plain_code_and_spots_decode():
    training, new = (read(part) for part in ("mnist", "mnist:test"))
    x, labels = training.x[:3000], training.labels[:3000]
    shares = {"map(2)": 0.0, "linear(2)": 0.0}
    for text, seed in product(shares, (0, 1)):  # of one seed alone, chance has too much of a say
        model = Fit(read(x), bottleneck=text, epochs=60, seed=seed, **QUICK).run()
        positions = encode(model, x)
        assert positions.shape == (3000, 2)
        among = KNeighborsClassifier(5).fit(positions, labels)
        shares[text] += among.score(encode(model, new.x[:1000]), new.labels[:1000]) / 2
        assert decode(model, positions[:3]).shape == (3, 28, 28)
    assert shares["map(2)"] > shares["linear(2)"] + 0.05


def test_a_small_table_makes_a_map_whose_neighbours_were_neighbours():
    x = load_wine().data
    positions = encode(Fit(read(x), **QUICK).run(), x)
    assert trustworthiness((x - x.mean(0)) / x.std(0), positions) > 0.8


def test_small_colour_pictures_make_a_map_of_any_size(pictures):
    colour = np.stack([pictures, pictures[::-1], pictures], -1)
    model = Fit(read(colour), bottleneck="map(3, neighbours=4)", epochs=2, **QUICK).run()
    assert encode(model, colour[:5]).shape == (5, 3)


def test_the_same_seed_gives_the_same_map(table):
    one, two, other = (encode(Fit(read(table), seed=seed, epochs=2, **QUICK).run(), table) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.ones((1, 4)) * [1, 2, 3, 4], "at least 2 samples, however there is only 1"),
        (np.tile([1.0, 2.0, 3.0], (40, 1)), "all samples are equal"),
        (np.tile(np.arange(64, dtype=np.uint8).reshape(8, 8), (40, 1, 1)), "all samples are equal"),
    ],
)
def test_data_without_neighbours_are_refused_in_one_sentence(x, words):
    with pytest.raises(DataError, match=words) as caught:
        Fit(read(x), preset="map").run()
    assert "\n" not in str(caught.value)


def test_crops_and_targets_are_refused_in_one_sentence(pictures):
    with pytest.raises(
        SpecError, match=r"places whole samples by their neighbours, however the data are cut into crops.*linear\(2\)"
    ):
        Fit(read(pictures), preset="map", patch_size=4)
    with pytest.raises(SpecError, match="places whole samples by their neighbours, however the data have a target"):
        Fit(read(pictures, target=pictures), preset="map")


def test_the_preset_moves_pictures_and_weighs_places_by_the_data(pictures, table):
    of_pictures = Fit(read(pictures), preset="map", device="cpu")
    assert of_pictures.plan.texts["corruption"] == "shift(0.04, chance=0.25)"
    assert of_pictures.network.texts == of_pictures.plan.texts
    of_table = Fit(read(table), preset="map", device="cpu")
    assert of_pictures.plan.steps == round(0.25 * choose_steps(len(of_pictures.plan.split.source)))
    assert of_table.plan.texts["corruption"] == "gaussian(0.0, 0.5, clip=False)"
    of_table.training.start()
    assert of_table.network.bottleneck.weight == pytest.approx(2.5, rel=0.1)  # half of five columns of variance about 1
    assert Fit(read(table), preset="map", bottleneck="map(2, weight=7)").network.bottleneck.weight == 7

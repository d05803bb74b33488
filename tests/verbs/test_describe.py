"""What the verbs print of a model."""

from dataclasses import replace

import numpy as np

from narrows.data.read import read
from narrows.training.fit import Fit
from narrows.verbs.describe import describe_metrics


def test_the_training_error_says_where_it_is_over_hidden_pixels_alone(picture_model):
    assert not any("hidden" in line for line in describe_metrics(picture_model))
    x = np.random.default_rng(0).integers(0, 256, (20, 8, 8)).astype(np.uint8)
    blind = Fit(read(x), backbone="unet(2)", corruption="blind_spots", epochs=1, device="cpu").run()
    assert [line.endswith("over the hidden pixels") for line in describe_metrics(blind)[1:3]] == [True, False]
    twice = blind._replace(card=replace(blind.card, recipe=blind.card.recipe | {"self_supervised": True}))
    assert not any("hidden" in line for line in describe_metrics(twice))

"""The drawing of a network shows its layers and all its parameters."""

import numpy as np

from narrows.view.network_drawing import steps


def test_the_network_is_drawn_narrow_in_the_middle_and_ends_as_it_began(picture_model):
    drawn = steps(picture_model.network)
    values = [np.prod(step.shape) for step in drawn]
    names = [step.names[0] for step in drawn]
    assert drawn[0].shape == drawn[-1].shape == (1, 9, 8)
    assert names[values.index(min(values)) + 1].startswith("code")
    assert sum(step.parameters for step in drawn) == sum(p.numel() for p in picture_model.network.parameters())

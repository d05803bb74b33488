"""All errors have one parent, and each is also a ValueError or a RuntimeError."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.errors import DataError, ModelFileError, NarrowsError, SpecError, TrainingError, did_you_mean


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(SpecError, ValueError), (DataError, ValueError), (ModelFileError, ValueError), (TrainingError, RuntimeError)],
)
def test_every_error_is_ours_and_a_builtin_one(error, builtin):
    assert issubclass(error, NarrowsError)
    assert issubclass(error, builtin)
    others = {SpecError, DataError, ModelFileError, TrainingError} - {error}
    assert not any(issubclass(error, other) for other in others)


def test_the_tree_in_the_docstring_is_the_family():
    from narrows import errors

    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    family = [c.__name__ for c in classes if issubclass(c, NarrowsError) and c is not NarrowsError]
    assert len(family) == 4
    assert all(f"── {name}" in errors.__doc__ for name in family)


@pytest.mark.parametrize(("typed", "meant"), [("gausian", "gaussian"), ("Mask", "mask"), ("none ", "none")])
def test_a_slip_is_recognised(typed, meant):
    assert did_you_mean(typed, ["gaussian", "mask", "none"]) == f"did you mean {meant!r}?"


@given(st.text(), st.lists(st.text(max_size=9), max_size=5))
def test_a_hint_names_a_known_one_or_all(name, known):
    hint = did_you_mean(name, known)
    assert hint == f"known are: {', '.join(sorted(known))}" or any(hint == f"did you mean {k!r}?" for k in known)

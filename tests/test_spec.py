"""Any text gives a part or a SpecError; a part's repr is its text."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from narrows.errors import SpecError
from narrows.model.bottleneck import Linear
from narrows.model.corruption import Chain, Gaussian
from narrows.model.network import JOINS, MENUS, build_part
from narrows.spec import (
    MAX_LENGTH,
    Part,
    build,
    check_choice,
    check_flag,
    check_number,
    check_sizes,
    check_whole,
    find_names,
)


class Thing(Part):
    def __init__(self, a=1, b=None, *, c="x", d=None):
        self.a, self.b, self.c, self.d = a, b, c, d


MENU = {"thing": Thing}
LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


def test_a_bare_name_is_a_call_without_arguments():
    assert repr(build("thing", MENU, "thing")) == repr(build(" thing() ", MENU, "thing")) == "thing(1, c='x')"


def test_arguments_arrive_by_position_and_by_name():
    thing = build("thing(-2.5, [1, (2, 3)], c='y', d=None)", MENU, "thing")
    assert (thing.a, thing.b, thing.c, thing.d) == (-2.5, [1, [2, 3]], "y", None)


@given(a=LITERALS, c=LITERALS, d=LITERALS)
def test_whatever_a_part_holds_its_text_builds_it_again(a, c, d):
    thing = Thing([a], c=[c], d=[d])  # None alone is left out of a text, since it is the default
    text = repr(thing)
    if len(text) <= MAX_LENGTH and text.count("[") < 4:
        again = build(text, MENU, "thing")
        assert (again.a, again.b, again.c, again.d) == (thing.a, thing.b, thing.c, thing.d)


@pytest.mark.parametrize("kind", MENUS)
@settings(max_examples=150)
@given(text=st.text())
def test_arbitrary_texts_are_refused_and_nothing_else_happens(kind, text):
    try:
        build_part(kind, text)
    except SpecError:
        return
    _, sign = JOINS.get(kind, (None, "|"))
    assert set(find_names(text, kind, sign)) <= MENUS[kind].keys()


@pytest.mark.parametrize("kind", MENUS)
@settings(max_examples=150)
@given(data=st.data())
def test_arbitrary_arguments_build_a_part_or_are_refused(kind, data):
    name = data.draw(st.sampled_from(sorted(MENUS[kind])))
    words = data.draw(st.lists(LITERALS, max_size=4))
    options = data.draw(st.dictionaries(st.sampled_from(["std", "share", "low", "hidden", "grid", "output"]), LITERALS))
    text = f"{name}({', '.join([*map(repr, words), *(f'{k}={v!r}' for k, v in options.items())])})"
    try:
        part = build_part(kind, text)
    except SpecError:
        return
    assert repr(build_part(kind, repr(part))) == repr(part)


@given(st.text(alphabet="abx()[]|,=.*-+'\"0123456789eE_ \n\t#\\:lambda", max_size=60))
def test_texts_of_the_grammars_own_letters_never_raise_anything_else(text):
    with suppress(SpecError):
        build(text, MENU, "thing", join=lambda *parts: parts[0])


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "thing(__import__('os'))",
        "thing(open('a'))",
        "thing(a=(lambda: 1)())",
        "thing(*[1])",
        "thing(**{'a': 1})",
        "thing(a=1, a=2)",
        "thing()()",
        "thing.a",
        "thing[0]",
        "thing(1 + 1)",
        "thing(2 ** 2 ** 30)",
        "thing(1e999)",
        "thing(-1e999)",
        "thing(1j)",
        "thing(b'x')",
        "thing(...)",
        "thing(f'{1}')",
        "thing({1})",
        "thing({'a': 1})",
        "thing(-True)",
        "thing(+1)",
        "thing(x for x in [1])",
        "thing(a := 1)",
        "thing(name)",
        "thing(1, 2, 3)",
        "thing(z=1)",
        "thing() | thing()",
        "thing(1); thing(2)",
        "thing(1) if 1 else thing(2)",
        "thing(",
        "thing)",
        "1",
        "'thing'",
        "",
        " ",
        "\0",
        "\ud800",
        "thing(\n",
        "def thing(): pass",
        "thing(" + "[" * 5 + "]" * 5 + ")",
        "thing(" + "-" * 900 + "1)",
        "thing(" + "(" * 400 + ")" * 400 + ")",
        "(" * 990,
        "thing(" * 150,
        "not " * 200 + "1",
        "thing" + ".a" * 450,
        "thing|" * 160 + "thing",
        "thing(" + "9" * (MAX_LENGTH + 1) + ")",
        "thing(0777)",
        "thing('\\d')",
        "thing(1if 1else 2)",
    ],
)
def test_what_is_no_call_with_literals_is_refused(text):
    with pytest.raises(SpecError, match="thing"):
        build(text, MENU, "thing")


@pytest.mark.parametrize("text", [None, 3, b"thing", ["thing"], Thing()])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(SpecError, match="thing must be a text"):
        build(text, MENU, "thing")


def test_the_longest_text_is_read_and_one_letter_more_is_not():
    text = "thing('" + "x" * (MAX_LENGTH - len("thing('')")) + "')"
    assert len(build(text, MENU, "thing").a) == MAX_LENGTH - len("thing('')")
    with pytest.raises(SpecError, match=f"at most {MAX_LENGTH:,} characters, however this one has {MAX_LENGTH + 1:,}"):
        build(text + " ", MENU, "thing")


def test_a_mistyped_name_gets_its_nearest():
    with pytest.raises(SpecError, match="there is no bottleneck 'relo'; did you mean 'relu'"):
        build_part("bottleneck", "relo(3)")


@pytest.mark.parametrize(
    ("kind", "text", "written"),
    [
        ("bottleneck", "relu(1, 2)", r"written relu\(size=32\), however: too many"),
        ("corruption", "none(5)", r"written none\(\), however: too many"),
        ("loss", "mse(reduction='sum')", r"written mse\(\), however: got an unexpected keyword argument 'reduction'"),
        ("scaling", "standard(1)", r"written standard\(\)"),
    ],
)
def test_wrong_arguments_are_answered_with_the_right_ones(kind, text, written):
    with pytest.raises(SpecError, match=written):
        build_part(kind, text)


def test_parts_are_joined_in_order():
    chain = build_part("corruption", "mask(0.5)|none| gaussian(0.1)")
    assert isinstance(chain, Chain)
    assert [type(part).__name__ for part in chain.parts] == ["Mask", "Clean", "Gaussian"]


def test_only_corruptions_are_joined():
    with pytest.raises(SpecError, match="name one of them"):
        build_part("loss", "mse | mae")


def test_a_chain_has_an_end():
    assert len(build_part("corruption", "|".join(["none"] * 16)).parts) == 16
    with pytest.raises(SpecError, match="at most 16"):
        build_part("corruption", "|".join(["none"] * 17))


def test_numpy_numbers_print_as_texts_that_can_be_read():
    assert repr(Linear(np.int64(3))) == "linear(3)"
    assert repr(Gaussian(np.float32(0.5), np.float64(1))) == "gaussian(0.5, 1.0, clip=False)"


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [1], -1, 11, np.float64(3), 10**400])
def test_whole_numbers(value):
    with pytest.raises(SpecError, match="size must be a whole number between 0 and 10, however: size="):
        check_whole("size", value, 0, 10)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -0.1, True, "1", None, [1.0], 1j])
def test_numbers(value):
    with pytest.raises(SpecError, match="std must be a number of at least 0, however: std="):
        check_number("std", value, 0)


def test_numbers_at_their_ends_are_taken():
    assert check_number("x", 0, 0, 1) == 0
    assert check_number("x", 1, 0, 1) == 1
    assert check_whole("x", 10, 0, 10) == 10
    assert check_sizes("x", (), 5) == []
    assert check_sizes("x", (5, 1), 5) == [5, 1]


@pytest.mark.parametrize("value", ["12", 12, None, [0], [6], [1.0], [True], [[1]], [1] * 65])
def test_sizes(value):
    with pytest.raises(SpecError, match="hidden"):
        check_sizes("hidden", value, 5)


@pytest.mark.parametrize("value", [0, 1, "True", None])
def test_flags(value):
    with pytest.raises(SpecError, match="grid must be True or False"):
        check_flag("grid", value)


@pytest.mark.parametrize("value", ["c", "", None, 1, ["a"]])
def test_choices(value):
    with pytest.raises(SpecError, match="must be one of 'a', 'b', however"):
        check_choice("up", value, ("a", "b"))

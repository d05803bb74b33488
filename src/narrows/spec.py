"""Parts as texts: `"gaussian(0.08)"` <-> the object.

A text is parsed with `ast`: names are looked up in a menu, arguments are literals, and no code is run. Every part
stores its constructor's arguments as attributes of the same names, so `repr(part)` is its text.
"""

from __future__ import annotations

import ast
import inspect
import math
import numbers
import warnings
from abc import ABC
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from narrows.errors import SpecError, did_you_mean

DEPRECATED = "deprecated"  # the default of an argument that has been renamed
MAX_LENGTH = 2**16  # characters; the longest text that is read, of a wide table of mixed columns
# how parts are written, with the number or the list that somebody gave instead; for others as they are
EXAMPLES = {"bottleneck": "linear({})", "corruption": "gaussian({})", "optimizer": "adamw({})"}
EXAMPLES |= {"backbone": "dense(hidden={})", "loss": "mse", "scaling": "standard", "schedule": "constant"}
SIGNS: dict[str, type[ast.operator]] = {"|": ast.BitOr, "+": ast.Add}
T = TypeVar("T")


class Part(ABC):  # noqa: B024, abstract since no part is just a part
    """What is written as a call, `"gaussian(0.1)"`; its `repr` is that call with all arguments.

    Positional parameters are printed by position, keyword-only ones by name, and those that are None
    are left out.
    """

    def __repr__(self) -> str:
        words = []
        for parameter in arguments(type(self)):
            name, value = parameter.name, getattr(self, parameter.name)
            if value is not None:
                keyword = f"{name}=" if parameter.kind is parameter.KEYWORD_ONLY else ""
                words.append(f"{keyword}{value!r}")
        return f"{name_of(type(self))}({', '.join(words)})"


def name_of(part: type[Any]) -> str:
    """Return the name of a part's class in texts: its `spelling`, or the class's own name in lower case."""
    return getattr(part, "spelling", part.__name__.lower())


def shown(text: str, most: int = 200) -> str:
    """Return a text for a person to read: of a longer one than `most` characters the beginning and the end.

    Examples
    --------
    >>> shown("columns('n1 c2 n1 c2 n1 c2')", most=20)
    "columns(...n1 c2')"
    """
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def find_names(text: str, kind: str, sign: str = "|") -> list[str]:
    """Return the names of the parts that a text names; raise a SpecError for what is no text of parts.

    Examples
    --------
    >>> find_names("mask(0.5) | gaussian(0.1)", "corruption")
    ['mask', 'gaussian']
    """
    return [_read_call(node, text, kind)[0] for node in _split(_parse(text, kind), SIGNS[sign])]


def build(
    text: str, menu: Mapping[str, Callable[..., T]], kind: str, join: Callable[..., T] | None = None, sign: str = "|"
) -> T:
    """Build the part that `text` names in `menu`.

    Parameters
    ----------
    text : the part as a call, `"relu(128)"`; a bare name means the call without arguments.
    menu : what each name builds.
    kind : the word for such a part in messages, `"bottleneck"`.
    join : makes one part of several; None where parts of this kind cannot be joined.
    sign : the operator between parts that are joined, "|" or "+".

    Raises
    ------
    SpecError : for an unknown name, or an argument that is no literal or that the part does not accept.

    Examples
    --------
    >>> from fractions import Fraction
    >>> build("ratio(3, denominator=4)", {"ratio": Fraction}, "number")
    Fraction(3, 4)
    """
    calls = [_read_call(node, text, kind) for node in _split(_parse(text, kind), SIGNS[sign])]
    if len(calls) > 1 and join is None:
        raise SpecError(
            f"the {kind} {shown(repr(text))} joins several with {sign!r}, however only one is taken; name one of them"
        )
    parts = [_call(name, args, kwargs, menu, kind) for name, args, kwargs in calls]
    return parts[0] if join is None or len(parts) == 1 else join(*parts)


def arguments(factory: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters that a part's text can give, without `*args` and `**kwargs`.

    A part without a constructor of its own inherits these two from torch.

    Examples
    --------
    >>> [parameter.name for parameter in arguments(lambda size, *args, k=1, **kwargs: None)]
    ['size', 'k']
    """
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in inspect.signature(factory).parameters.values() if p.kind not in variable]


def take_renamed(old_name: str, old: Any, new_name: str, new: Any, stacklevel: int = 3) -> Any:
    """Return the value of a renamed argument, with a FutureWarning where it was given by its old name.

    Raises SpecError where both names are given.

    Examples
    --------
    >>> take_renamed("crop", DEPRECATED, "patch_size", 64)
    64
    """
    if isinstance(old, str) and old == DEPRECATED:
        return new
    if new is not None:
        raise SpecError(f"{old_name} is the former name of {new_name}; give {new_name} alone")
    warnings.warn(f"{old_name} is called {new_name} now", FutureWarning, stacklevel=stacklevel)
    return old


def check_whole(name: str, value: Any, low: int, high: float = math.inf) -> int:
    """Return `value` if it is a whole number in [low, high], else raise a SpecError that says so."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not low <= int(value) <= high:
        raise SpecError(f"{name} must be a whole number {_range(low, high)}, however: {name}={value!r}")
    return int(value)  # the repr of a NumPy integer is not a literal


def check_number(name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return `value` if it is a finite number in [low, high], else raise a SpecError that says so."""
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # an integer too large for a float
            number = float(value)
    if not (math.isfinite(number) and low <= number <= high):
        raise SpecError(f"{name} must be a number {_range(low, high)}, however: {name}={value!r}")
    return number


def check_flag(name: str, value: Any) -> bool:
    """Return `value` if it is True or False, else raise a SpecError that says so."""
    if not isinstance(value, bool):
        raise SpecError(f"{name} must be True or False, however: {name}={value!r}")
    return value


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`, else raise a SpecError that says so."""
    if value not in choices:
        raise SpecError(f"{name} must be one of {', '.join(map(repr, choices))}, however: {name}={value!r}")
    return value


def check_sizes(name: str, value: Any, high: int, most: int = 64) -> list[int]:
    """Return `value` if it is a list of at most `most` whole numbers in [1, high], else raise a SpecError."""
    if not isinstance(value, list | tuple) or len(value) > most:
        raise SpecError(f"{name} must be a list of at most {most} whole numbers, however: {name}={value!r}")
    return [check_whole(f"{name}[{i}]", v, 1, high) for i, v in enumerate(value)]


def _range(low: float, high: float) -> str:
    return f"of at least {low}" if high == math.inf else f"between {low} and {high}"


def _parse(text: str, kind: str) -> ast.expr:
    if not isinstance(text, str):
        raise SpecError(
            f"{kind} must be a text, however: {kind}={shown(repr(text))}; write {shown(_example(kind, text))}"
        )
    if len(text) > MAX_LENGTH:
        raise SpecError(f"a {kind} has at most {MAX_LENGTH:,} characters, however this one has {len(text):,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a text that Python warns about is refused
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
        raise SpecError(
            f"the {kind} {shown(repr(text))} cannot be read; write it as a call, 'name(1, option=2)'"
        ) from None


def _example(kind: str, value: Any, node: ast.expr | None = None) -> str:
    """Return how to write what somebody meant by a value, or by a text that is the literal `node`: an argument."""
    if isinstance(value, Part):
        return f'{kind}="{value!r}"'
    lists = kind == "backbone"  # whose sizes are one list
    number = isinstance(value, numbers.Real) or (isinstance(node, ast.Constant) and not isinstance(node.value, str))
    several = isinstance(value, list | tuple) or isinstance(node, ast.List | ast.Tuple)
    default = {"bottleneck": "32", "corruption": "0.1", "optimizer": "0.001", "backbone": "[256]"}.get(kind, "")
    if lists and several:
        default = str(value if isinstance(value, str) else list(value))
    elif number and not isinstance(value, bool):
        default = f"[{value}]" if lists else str(value)
    return f'{kind}="{EXAMPLES.get(kind, "name(1)").format(default)}"'


def _split(node: ast.expr, operator: type[ast.operator]) -> list[ast.expr]:
    """Return the operands of `a | b | c`, left to right (by a loop, since a long chain is a deep tree)."""
    operands: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, operator):
        operands.append(node.right)
        node = node.left
    return [node, *reversed(operands)]


def _read_call(node: ast.expr, text: str, kind: str) -> tuple[str, list[Any], dict[str, Any]]:
    if isinstance(node, ast.Name):
        return node.id, [], {}
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        value = node.operand if isinstance(node, ast.UnaryOp) else node
        raise SpecError(
            f"the {kind} {shown(repr(text))} must be a call, however: it is none; write "
            f"{shown(_example(kind, text, value))}"
        )
    kwargs = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in kwargs:
            raise SpecError(f"the {kind} {shown(repr(text))} may name each option once, and has no place for '**'")
        kwargs[keyword.arg] = _literal(keyword.value, text, kind)
    return node.func.id, [_literal(arg, text, kind) for arg in node.args], kwargs


def _literal(node: ast.expr, text: str, kind: str, depth: int = 0) -> Any:
    """Return the value of a literal: a number, text, boolean, None or a list of these."""
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool | int | float | str)):
        if not isinstance(node.value, float) or math.isfinite(node.value):
            return node.value
    elif isinstance(node, ast.List | ast.Tuple) and depth < 4:
        return [_literal(item, text, kind, depth + 1) for item in node.elts]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand, text, kind, depth + 1) if depth < 4 else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return -value
    raise SpecError(
        f"the {kind} {shown(repr(text))} may hold finite numbers, texts, True, False, None and lists of them only"
    )


def _call(name: str, args: list[Any], kwargs: dict[str, Any], menu: Mapping[str, Callable[..., T]], kind: str) -> T:
    if name not in menu:
        raise SpecError(f"there is no {kind} {shown(repr(name))}; {did_you_mean(name, menu)}")
    factory = menu[name]
    parameters = [p.replace(annotation=p.empty) for p in arguments(factory)]
    try:
        inspect.Signature(parameters).bind(*args, **kwargs)
    except TypeError as error:
        written = ", ".join(map(str, parameters))
        raise SpecError(f"the {kind} {name!r} is written {name}({written}), however: {error}") from None
    return factory(*args, **kwargs)

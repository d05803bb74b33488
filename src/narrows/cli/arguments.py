"""Arguments that several commands share, as annotations for tyro."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

ARRAYS = "FILE.npy, .npz, .csv, .parquet and the like, or a folder for pictures"
Data = Annotated[Positional[tuple[str, ...]], arg(metavar="DATA ...", help_behavior_hint="(required)")]
Run = Annotated[Positional[str], arg(metavar="RUN")]
Output = Annotated[str, arg(aliases=["-o"], metavar="OUT", help=ARRAYS)]
Size = Annotated[tuple[int, ...] | None, arg(metavar="N | H W", help_behavior_hint="")]
ResizeMode = Annotated[Literal["crop", "pad", "stretch"] | None, arg(metavar="crop|pad|stretch", help_behavior_hint="")]
Axes = Annotated[str | None, arg(metavar="NZHW|NHWC|NCHW|NHW|HWC", help_behavior_hint="")]
Pages = Annotated[Literal["all", "first"], arg(metavar="all|first", help_behavior_hint="")]
Damages = Annotated[tuple[str, ...], UseAppendAction, arg(metavar="CORRUPTION", help_behavior_hint="")]
Most = Annotated[int | None, arg(metavar="N", help_behavior_hint="")]
Labels = Annotated[str | None, arg(metavar="FILE", help_behavior_hint="")]
Reference = Annotated[str | None, arg(metavar="DATA", help_behavior_hint="")]
Part = Annotated[str | None, arg(metavar="PART", help_behavior_hint="")]


@dataclass(frozen=True)
class HowRead:
    """How DATA are read: options of `narrows.read` that all verbs share, each a flag of its own."""

    axes: Axes = None
    """of an array of pictures; of NZHW every slice is a picture"""
    pages: Pages = "all"
    """of TIFFs and animations, each page as a picture of its own, or the first of each file"""
    delimiter: Annotated[str | None, arg(metavar="CHAR", help_behavior_hint="")] = None
    """of a table, between its cells; also tab and space; what is not given is found, and said"""
    header: Annotated[bool, arg(help_behavior_hint="")] = False
    """a table begins with a line of column names"""
    no_header: Annotated[bool, arg(help_behavior_hint="")] = False
    """a table begins with its first row"""
    encoding: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """of a table's text, such as cp1252"""
    na_values: Annotated[tuple[str, ...], UseAppendAction, arg(metavar="TEXT", help_behavior_hint="")] = ()
    """a text that stands for a gap, beside NA, NaN, null, None, ? and nothing; may be repeated"""
    on_bad_lines: Annotated[Literal["error", "skip"], arg(metavar="error|skip", help_behavior_hint="")] = "error"
    """what becomes of a table's rows of another length"""
    columns: Annotated[str | None, arg(metavar="KINDS|FILE", help_behavior_hint="")] = None
    """kinds of columns, "age:number, name:drop", or a file of them, which info -o writes"""
    id_column: Annotated[tuple[str, ...], UseAppendAction, arg(metavar="NAME", help_behavior_hint="")] = ()
    """a column that is not learned and comes along in outputs; may be repeated"""
    label_column: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """the column that holds labels, for colours and figures; it is not learned"""


Reading = Annotated[HowRead, arg(name="")]
USUAL = HowRead()


def as_options(reading: HowRead) -> dict[str, Any]:
    """Return the options that were given, as `read` takes them; raise a DataError where two exclude each other.

    Examples
    --------
    >>> as_options(HowRead(delimiter=";", no_header=True))
    {'pages': 'all', 'delimiter': ';', 'on_bad_lines': 'error', 'header': False}
    """
    from narrows.errors import DataError

    if reading.header and reading.no_header:
        raise DataError("--header and --no-header exclude each other; give one")
    given = {name: value for name, value in vars(reading).items() if value not in (None, (), False)}
    no_header = given.pop("no_header", False)
    return given | ({"header": False} if no_header else {})


def as_words(reading: HowRead) -> list[str]:
    """Return the words of a command that read data in the same way.

    Examples
    --------
    >>> as_words(HowRead(delimiter=";", no_header=True, na_values=("-999",)))
    ['--delimiter', ';', '--no-header', '--na-values=-999']
    """
    words = []
    for name, value in vars(reading).items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif value != getattr(USUAL, name):
            for one in value if isinstance(value, tuple) else (value,):
                words += [f"{flag}={one}"] if one.startswith("-") else [flag, one]
    return words


def as_data(words: tuple[str, ...]) -> str | list[str]:
    """Return the only path or name, or the list of several paths; raise a DataError for none.

    Examples
    --------
    >>> as_data(("mnist",)), as_data(("a.png", "b.png"))
    ('mnist', ['a.png', 'b.png'])
    """
    from narrows.errors import DataError

    if not words:
        raise DataError("DATA is missing; name a file, a folder, several paths or a data set such as mnist")
    return words[0] if len(words) == 1 else list(words)


def as_size(size: tuple[int, ...] | None) -> tuple[int, int] | None:
    """Return (height, width) from one number or two; raise a DataError for more.

    Examples
    --------
    >>> as_size((28,)), as_size((20, 30))
    ((28, 28), (20, 30))
    """
    from narrows.errors import DataError

    if size is not None and len(size) not in (1, 2):
        raise DataError(f"--size takes one number or two, height and width, however: {' '.join(map(str, size))}")
    return None if size is None else (size[0], size[-1])

"""A column of texts becomes one of numbers, truth values or times, where its cells allow it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from narrows.tables.arrow import as_array, as_arrow
from narrows.tables.cells import CURRENCIES, GAPS, NO_VALUE, NONE, ORDERS, Number, is_period, parse_number, parse_time
from narrows.tables.formulas import FORMULA

if TYPE_CHECKING:
    import pyarrow as pa

TRIED = 200  # different texts that tell whether a column may be of a kind
ENOUGH = 0.9  # share of numbers in a column of numbers; what else stands in it is a gap
GAPS_PATTERN = f"^({'|'.join(map(re.escape, sorted(GAPS)))})$"
CODE = r"^\s*(0\d+|\+\d{9,15})\s*$"  # digits that a number would not keep: zip codes, telephone numbers
DOTTED_DAY = re.compile(r"\d{1,2}\.\d{1,2}\.\d")
MANY = 20  # different numbers; a column of fewer, with texts among them, is one of categories


class Converted(NamedTuple):
    """A column with a type.

    Attributes
    ----------
    values : of float64, int64, booleans, times or texts; null where there is a gap.
    example : a text that is unusual for a number or a time, and how it is read; None where none is.
    strays : texts in a column of numbers, which became gaps: how many, and one of them.
    code : digits that keep a column from being one of numbers; None where none does.
    order : how times are written, one of ORDERS; "" for anything else.
    """

    values: pa.ChunkedArray
    example: tuple[str, str] | None = None
    strays: tuple[int, str] | None = None
    code: str | None = None
    order: str = ""


def convert(
    texts: pa.ChunkedArray,
    decimal: str = ".",
    na_values: Sequence[str] = (),
    kind: str | None = None,
    order: str = "",
) -> Converted:
    """Return a column of texts as numbers, truth values or times where all its cells are such, else as texts.

    Parameters
    ----------
    decimal : the decimal sign of the table, "." or ",".
    na_values : texts that stand for a gap, beside those of `cells.GAPS`.
    kind : asked for; then whatever is not of this kind becomes a gap.
    order : one of ORDERS, in which times are read where several read as many.

    Examples
    --------
    >>> import pyarrow
    >>> convert(pyarrow.chunked_array([["1", "NA", "3"]])).values.to_pylist()
    [1, None, 3]
    >>> convert(pyarrow.chunked_array([["1,5", "2"]]), decimal=",").values.to_pylist()
    [1.5, 2.0]
    """
    import pyarrow.compute as pc

    if decimal == "." and not na_values and kind is None:
        plain = _cast(texts)
        if plain is not None and not pc.any(pc.is_nan(plain)).as_py():
            return _numbers_or_codes(texts, plain)
    trimmed = _without_gaps(texts, na_values)
    if trimmed.null_count == len(trimmed):
        return Converted(trimmed.cast("float64"))
    if kind == "category":
        return Converted(_without_guards(trimmed))
    plain = _cast(_with_point(trimmed, decimal))
    if plain is not None and kind in ("number", "integer"):
        return Converted(_whole(trimmed, plain))
    if plain is not None and kind is None:
        example = _first_with(trimmed, plain) if decimal == "," else None
        return _numbers_or_codes(trimmed, plain)._replace(example=example)
    return _convert_different(trimmed, decimal, kind, order)


def _numbers_or_codes(texts: pa.ChunkedArray, numbers: pa.ChunkedArray) -> Converted:
    """Return numbers, whole where all are written so; texts of digits where one is a code, as 01234 is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = _whole(texts, numbers)
    first = pc.drop_null(texts).slice(0, 1).to_pylist()
    if pa.types.is_integer(whole.type) or re.match(CODE, first[0]):
        codes = pc.filter(texts, pc.match_substring_regex(texts, CODE))
        digits = pc.match_substring_regex(pc.drop_null(texts), r"^\s*\+?\d+\s*$")
        if len(codes) and pc.all(digits).as_py():
            texts = pc.utf8_trim_whitespace(texts)
            return Converted(texts, code=codes[0].as_py().strip())
    return Converted(whole)


def _cast(texts: pa.ChunkedArray) -> Any:
    """Return texts as float64, None where one is no plain number."""
    import pyarrow as pa

    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _whole(texts: pa.ChunkedArray, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return numbers as int64 where all are written as whole numbers."""
    import pyarrow as pa

    try:
        return texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return numbers


def _without_gaps(texts: pa.ChunkedArray, na_values: Sequence[str]) -> pa.ChunkedArray:
    """Return trimmed texts, null where one stands for a gap; -999 stands for -999.0 too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    lower = pc.utf8_lower(trimmed)
    # by a pattern, since pyarrow.array imports pandas, which takes a second
    gaps = pc.or_(pc.equal(trimmed, NONE), pc.match_substring_regex(lower, GAPS_PATTERN))
    if na_values:
        names = pa.array([value.strip().lower() for value in na_values], lower.type)
        gaps = pc.or_(gaps, pc.is_in(lower, value_set=names))
    numbers = [number.value for number in map(parse_number, na_values) if number is not None]
    if numbers:
        shaped = pc.match_substring_regex(lower, r"^[+-]?\d*\.?\d*$")
        shaped = pc.and_(shaped, pc.match_substring_regex(lower, r"\d"))
        values = pc.if_else(shaped, lower, pa.NULL).cast(pa.float64())
        gaps = pc.or_(gaps, pc.fill_null(pc.is_in(values, value_set=pa.array(numbers)), False))
    return pc.if_else(gaps, pa.NULL, trimmed)


def _with_point(texts: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """Return texts with a point for the decimal comma; a point in them, which separates thousands, makes no number."""
    import pyarrow.compute as pc

    if decimal == ".":
        return texts
    return pc.replace_substring(pc.replace_substring(texts, ".", "x"), ",", ".")


def _first_with(texts: pa.ChunkedArray, numbers: pa.ChunkedArray) -> tuple[str, str] | None:
    import pyarrow.compute as pc

    at = pc.index(pc.fill_null(pc.match_substring(texts, ","), False), True).as_py()
    return None if at < 0 else (texts[at].as_py(), f"{numbers[at].as_py():g}")


def _convert_different(trimmed: pa.ChunkedArray, decimal: str, kind: str | None, order: str) -> Converted:
    """Convert a column by its different texts, each of which is read once."""
    places, signs = _Places(*encode_texts(trimmed)).without_signs()
    readers: dict[str, Callable[..., Converted | None]] = {
        "boolean": _booleans,
        "number": _numbers,
        "time": partial(_times, preferred=order),
    }
    for asked, reader in readers.items():
        if kind in (None, asked) or (kind == "integer" and asked == "number"):
            converted = reader(places, decimal, kind is not None)
            if converted is not None:
                return converted._replace(strays=_add(signs, converted.strays))
    return Converted(_without_guards(trimmed))


def _without_guards(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without the apostrophe that `formulas.as_cell` puts before what looks like a formula."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(texts, f"^'({FORMULA.pattern})", r"\1")


def encode_texts(texts: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """Return the different texts of a column, and for each cell which it is, -1 for a gap.

    >>> import pyarrow
    >>> encode_texts(pyarrow.chunked_array([["b", None], ["a", "b"]]))
    (['b', 'a'], array([ 0, -1,  1,  0]))
    """
    coded = texts.dictionary_encode()
    if not coded.num_chunks:
        return [], np.zeros(0, np.int64)
    coded = coded.unify_dictionaries()
    positions = [as_array(chunk.indices, -1).astype(np.int64) for chunk in coded.chunks]
    return coded.chunk(0).dictionary.to_pylist(), np.concatenate(positions)


class _Places(NamedTuple):
    """The different texts of a column, and for each cell which it is, -1 for a gap."""

    different: list[str]
    positions: np.ndarray

    def spread(self, values: Sequence[Any], type_: Any) -> pa.ChunkedArray:
        """Return a column with a value for each different text, None for a gap."""
        import pyarrow as pa

        gaps = np.array([value is None for value in values] + [True])[self.positions]
        filled = np.array([0 if value is None else value for value in values] + [0], type_)
        return pa.chunked_array([as_arrow(filled[self.positions], gaps)])

    def without_signs(self) -> tuple[_Places, tuple[int, str] | None]:
        """Return the texts that may be values, and of those without letter or digit how many cells, and one of them."""
        signs = [NO_VALUE.fullmatch(text) is not None for text in self.different]
        if not any(signs) or sum(signs) > len(signs) - 2:  # + and - alone may be values
            return self, None
        places = np.cumsum(~np.array(signs)) - 1
        places[signs] = -1
        texts = [text for text, is_sign in zip(self.different, signs, strict=True) if not is_sign]
        positions = np.where(self.positions < 0, -1, places[self.positions])
        return _Places(texts, positions), (self.count(signs), self.different[signs.index(True)])

    def count(self, chosen: Sequence[bool]) -> int:
        """Return how many cells hold one of the chosen texts."""
        return int(np.array([*chosen, False])[self.positions].sum())


def _booleans(places: _Places, decimal: str, asked: bool) -> Converted | None:
    known = {"true": True, "false": False}
    if asked:
        known |= {"yes": True, "no": False, "y": True, "n": False, "t": True, "f": False, "1": True, "0": False}
    values = [known.get(text.lower()) for text in places.different]
    if None in values and not asked:
        return None
    return Converted(places.spread(values, bool), strays=_find_strays(places, values))


def _numbers(places: _Places, decimal: str, asked: bool) -> Converted | None:
    """Return numbers by the table's decimal sign, or by the other one where only that reads them all."""
    if not asked and _share(places.different[:TRIED], lambda t: parse_number(t) or parse_number(t, ",")) < 0.5:
        return None
    readings = []
    for sign in (decimal, "," if decimal == "." else "."):
        parsed = [parse_number(text, sign) for text in places.different]
        readings.append((places.count([number is None for number in parsed]), parsed))
    strays, parsed = min(readings, key=lambda reading: reading[0])
    found = [number for number in parsed if number is not None]
    if not asked and any(re.match(CODE, text) for text in places.different):
        return None
    cells = int((places.positions >= 0).sum())
    few = strays and (strays > (1 - ENOUGH) * cells or len({number.value for number in found}) <= MANY)
    if not found or (not asked and (few or _mixes_units(found))):
        return None
    whole = all(number.is_whole and abs(number.value) < 2**53 for number in found)
    values = [None if number is None else int(number.value) if whole else number.value for number in parsed]
    unusual = ((t, n) for t, n in zip(places.different, parsed, strict=True) if n and (n.marks or "," in t))
    example = next(((text, f"{number.value:.15g}") for text, number in unusual), None)
    column = places.spread(values, np.int64 if whole else np.float64)
    return Converted(column, example, _find_strays(places, values))


def _mixes_units(numbers: Sequence[Number]) -> bool:
    """Return whether some numbers are percent or money and others are not, or money of two kinds; 0 has no unit."""
    units = {"".join(mark for mark in n.marks if mark in f"%{CURRENCIES}") for n in numbers if n.value}
    return len(units) > 1


def _times(places: _Places, decimal: str, asked: bool, preferred: str) -> Converted | None:
    """Return times by the order that reads most of them, the preferred one where several do.

    Where it is not known, days come first in 2.1.1970, and beside decimal commas.
    """
    if not preferred and (decimal == "," or any(map(DOTTED_DAY.match, places.different[:1]))):
        preferred = "day first"
    best, fewest = None, len(places.positions) + 1
    for order in sorted(ORDERS, key=lambda order: order != preferred):
        tried = _share(places.different[:TRIED], partial(parse_time, order=order))
        if tried < 1 and not (asked and tried > 0.5):
            continue
        times = [parse_time(text, order) for text in places.different]
        found = [time for time in times if time is not None]
        if not found or (len(found) < len(times) and not asked) or len({time.has_zone for time in found}) > 1:
            continue
        values = [None if time is None else time.microseconds for time in times]
        lost = places.count([time is None for time in times])
        if lost < fewest:
            column = _as_times(places.spread(values, np.int64), order, found)
            strays = _find_strays(places, values)
            text = next(text for text, time in zip(places.different, times, strict=True) if time is not None)
            best, fewest = Converted(column, _describe(text, order), strays, order=order), lost
    return best


def _as_times(microseconds: pa.ChunkedArray, order: str, times: Sequence[Any]) -> pa.ChunkedArray:
    import pyarrow as pa

    if order == "time of day":
        return microseconds.cast(pa.time64("us"))
    moments = microseconds.cast(pa.timestamp("us", "UTC" if times[0].has_zone else None))
    return moments.cast(pa.date32()) if all(time.is_date for time in times) else moments


def _describe(text: str, order: str) -> tuple[str, str] | None:
    if is_period(text):
        return text, "its first day"
    if order not in ("month first", "day first") or re.search("[A-Za-z]{3}", text):  # a month's name tells
        return None
    return text, f"a time, {order}"


def _add(some: tuple[int, str] | None, more: tuple[int, str] | None) -> tuple[int, str] | None:
    """Return what stray cells of two kinds are together."""
    return more if some is None else some if more is None else (some[0] + more[0], more[1])


def _find_strays(places: _Places, values: Sequence[Any]) -> tuple[int, str] | None:
    """Return how many cells could not be read, and the first text of them."""
    lost = [value is None for value in values]
    count = places.count(lost)
    return (count, places.different[lost.index(True)]) if count else None


def _share(texts: Sequence[str], reads: Callable[[str], Any]) -> float:
    return sum(reads(text) is not None for text in texts) / max(len(texts), 1)

"""What the text of a single cell means: a gap, a number or a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

# cells that stand for a missing value, in lower case; databases write \N
GAPS = {"", "na", "n/a", "nan", "null", "?", "#n/a", "#na", "<na>", "\\n"}
NONE = "None"  # Python writes it for a gap; in lower case people write it for a value, as in diagnosis: none
CURRENCIES = "$€£¥"
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
NO_VALUE = re.compile(r"\W+|#[A-Z]+[!?]|#DIV/0!|0000-00-00( 00:00:00)?")  # among numbers or times it is a gap
EPOCH = datetime(1970, 1, 1)
CLOCK = r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*([AaPp][Mm])?)?"
SLASHED = re.compile(rf"(\d{{1,2}})([/.-])(\d{{1,2}})\2(\d{{4}}|\d\d){CLOCK}")
DAY_MONTH = re.compile(rf"(\d{{1,2}})[ -]([A-Za-z]{{3,9}})\.?,?[ -](\d{{4}}|\d\d){CLOCK}")
MONTH_YEAR = re.compile(r"([A-Za-z]{3,9})\.?[ -](\d{4})")
QUARTER = re.compile(r"(?P<year>\d{4})[ -]?Q(?P<quarter>[1-4])|Q(?P<quarter2>[1-4])[ -]?(?P<year2>\d{4})")
WEEK = re.compile(r"\d{4}-?W\d\d")
ZONE = re.compile(r"\s+(UTC|GMT|[+-]\d\d:?\d\d)")
MONTH_DAY = re.compile(rf"([A-Za-z]{{3,9}})\.? (\d{{1,2}}),? (\d{{4}}){CLOCK}")
TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*([AaPp][Mm])?")
DOTTED = re.compile(r"(\d\d)\.(\d\d)\.(\d\d)()()")
ORDERS = ("year first", "month first", "day first", "time of day")  # how a time may be written; the first wins


class Number(NamedTuple):
    """A number that a cell holds.

    Attributes
    ----------
    value : `12%` is 12.
    marks : what is unusual in how it is written, such as "%" or "$".
    is_whole : whether it is written without a decimal sign and an exponent.
    """

    value: float
    marks: tuple[str, ...]
    is_whole: bool


class Time(NamedTuple):
    """A time that a cell holds, in microseconds since 1970 (of a time of day: since midnight)."""

    microseconds: int
    is_date: bool
    has_zone: bool


def is_gap(text: str) -> bool:
    """Return whether a cell stands for a missing value.

    >>> is_gap(" N/A "), is_gap("None"), is_gap("none"), is_gap("0")
    (True, True, False, False)
    """
    text = text.strip()
    return text == NONE or text.lower() in GAPS


def parse_number(text: str, decimal: str = ".") -> Number | None:
    r"""Return the number that a text is, None where it is none; `decimal` is "." or ",".

    >>> [parse_number(text).value for text in ("68,527.00", "12%", "-$5", "(5)", "\u22121.5", "1 234", "1_000")]
    [68527.0, 12.0, -5.0, -5.0, -1.5, 1234.0, 1000.0]
    >>> parse_number("1.234,5", decimal=",").value, parse_number("1,23") is None
    (1234.5, True)
    """
    found = _number_pattern(decimal).fullmatch(text.strip())
    if found is None:
        return None
    part = found.groupdict()
    if (part["open"] is None) != (part["close"] is None) or (part["open"] and part["sign"]):
        return None
    digits = re.sub(rf"[^0-9{decimal}]", "", part["body"]).replace(decimal, ".") if part["body"] else part["word"]
    value = float(digits + (part["exponent"] or ""))
    negative = part["open"] is not None or part["sign"] in ("-", "\u2212") or part["sign2"] in ("-", "\u2212")
    separator = (part["separator"],) if part["separator"] else ()
    currency = part["currency"] or part["currency2"]
    signs = [part["open"] and "()", part["percent"], currency, part["sign"] == "\u2212" and "\u2212"]
    marks = (*separator, *(str(sign) for sign in signs if sign))
    whole = part["body"] is not None and decimal not in part["body"] and not part["exponent"]
    return Number(-value if negative else value, marks, whole)


@cache
def _number_pattern(decimal: str) -> re.Pattern[str]:
    point, other = re.escape(decimal), "," if decimal == "." else "."
    groups = rf"\d{{1,3}}(?P<separator>[{other}'\u2019_ \u00a0\u2009\u202f])\d{{3}}(?:(?P=separator)\d{{3}})*"
    body = rf"(?P<body>(?:{groups}|\d+)(?:{point}\d*)?|{point}\d+)(?P<exponent>[eE][+-]?\d+)?"
    sign, currency = "[+\\-\u2212]", f"[{CURRENCIES}]"
    return re.compile(
        rf"(?P<open>\()?(?P<sign>{sign})?(?P<currency>{currency})?\s*(?P<sign2>{sign})?"
        rf"(?:{body}|(?P<word>(?i:inf|infinity)))\s*(?P<percent>%)?(?P<currency2>{currency})?(?P<close>\))?"
    )


def parse_time(text: str, order: str) -> Time | None:
    """Return the time that a text is, written in one of ORDERS, None where it is none.

    >>> parse_time("2023-06-23", "year first").is_date, parse_time("23.6.2023 10:30", "day first").is_date
    (True, False)
    >>> parse_time("23.6.2023", "day first") == parse_time("Jun 23, 2023", "month first")
    True
    >>> parse_time("2020-W02", "year first") == parse_time("6-Jan-20", "day first")
    True
    """
    text = text.strip()
    try:
        if order == "year first":
            return _year_first(text)
        if order == "time of day":
            found = TIME_OF_DAY.fullmatch(text) or DOTTED.fullmatch(text)
            return None if found is None else Time(_microseconds(EPOCH, found.groups()), False, False)
        return _with_day(text, order)
    except (ValueError, OverflowError):  # no such day
        return None


def is_period(text: str) -> bool:
    """Return whether a text is a quarter or a week, which is read as its first day.

    >>> is_period("2020Q1"), is_period("2020-W05"), is_period("2020-01-01")
    (True, True, False)
    """
    return bool(QUARTER.fullmatch(text) or WEEK.fullmatch(text))


def _year_first(text: str) -> Time | None:
    if found := QUARTER.fullmatch(text):
        year, quarter = found["year"] or found["year2"], found["quarter"] or found["quarter2"]
        text = f"{year}-{3 * int(quarter) - 2:02d}-01"
    elif WEEK.fullmatch(text):
        text = datetime.fromisoformat(text).date().isoformat()
    elif len(text) == 8 and text.isdigit():  # only where times are asked for, since these are whole numbers
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if not (text[:4].isdigit() and text[4:5] in ("-", "/") and text.isascii()):
        return None
    if len(text) in (6, 7):  # a month
        text += text[4] + "01"
    year, month, rest = re.split("[-/]", text, maxsplit=2)
    day, clock = rest[:2].rstrip("T "), rest[len(rest[:2].rstrip("T ")) :]
    clock = re.sub(r"^[T ]+(\d):", r"T0\1:", clock)
    clock = ZONE.sub(lambda zone: zone[1] if zone[1][0] in "+-" else "Z", clock)
    moment = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}{clock}")
    has_zone = moment.tzinfo is not None
    if has_zone:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return Time(_since_epoch(moment), not clock, has_zone)


def _with_day(text: str, order: str) -> Time | None:
    if found := SLASHED.fullmatch(text):
        first, _, second, year, *clock = found.groups()
        day, month = (first, second) if order == "day first" else (second, first)
    elif found := DAY_MONTH.fullmatch(text):
        day, month, year, *clock = found.groups()
    elif found := MONTH_DAY.fullmatch(text):
        month, day, year, *clock = found.groups()
    elif found := MONTH_YEAR.fullmatch(text):
        day, (month, year), clock = "1", found.groups(), [None] * 5
    else:
        return None
    if not month.isdigit():
        name = "sep" if month.lower() == "sept" else month.lower()
        month = str([full.startswith(name) for full in MONTHS].index(True) + 1)
    full = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 69 else 1900)
    moment = datetime(full, int(month), int(day))
    return Time(_microseconds(moment, clock), clock[0] is None, False)


def _microseconds(day: datetime, clock: tuple[str | None, ...] | list[str | None]) -> int:
    """Return the time of a day and (hour, minute, second, fraction, am or pm), each None where it is not written."""
    hour, minute, second, fraction, half = clock
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    micros = int((fraction or "0").ljust(6, "0"))
    return _since_epoch(day.replace(hour=hours, minute=int(minute or 0), second=int(second or 0), microsecond=micros))


def _since_epoch(moment: datetime) -> int:
    past = moment - EPOCH
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds

"""Text -> comparable tokens, so that an answer is right however it writes its numbers, money, percentages and dates.

Matching goes token by token, never by substring: "7" doesn't stand in "73,000". What is *not* done: synonyms
("United States" for "US"), stemming, languages written without spaces. A gold question lists such variants itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

# fmt: off
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
# fmt: on
_MONTH_NUMBERS = {name: number for number, month in enumerate(_MONTHS, 1) for name in (month, month[:3])} | {"sept": 9}
_MONTH = rf"({'|'.join(sorted(_MONTH_NUMBERS, key=len, reverse=True))})\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?\b"
_YEAR = r"(\d{4})\b"
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})(?:-(\d{1,2}))?\b")
_DAY_FIRST = re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}(?:\s*,?\s*{_YEAR})?")
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+{_DAY}(?![.,]?\d)(?:\s*,?\s*{_YEAR})?")
_MONTH_ONLY = re.compile(rf"\b{_MONTH},?\s+{_YEAR}")

_SCALE_LETTERS = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "tn": "trillion"}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_UNITS = {word: number for number, word in enumerate(_SMALL)}
_CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yuan"}
_SINGULAR = {"dollars": "dollar", "usd": "dollar", "euros": "euro", "pounds": "pound", "rmb": "yuan"}
_SCALE = rf"\s?(?:hundred|{'|'.join([*_SCALES, *_SCALE_LETTERS])})\b"
_AMOUNT = re.compile(rf"(?:us\s?)?([{''.join(_CURRENCIES)}])\s?(\d[\d,]*(?:\.\d+)?)({_SCALE})?")
_DROPPED = {"a", "an", "the"}
_MARKER = re.compile(r"\[\d+\]")
_TOKEN = re.compile(r"[^\W_]+(?:,\d{3}(?!\d)|\.\d+)*")
_DIGITS = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


def tokens(text: str) -> list[str]:
    """The words and numbers of ``text`` in one spelling.

    ``"US$1 billion"``, ``"$1bn"`` and ``"1 billion dollars"`` all give ``["1000000000", "dollar"]``;
    ``"January 18, 2025"`` and ``"2025-01-18"`` give ``["2025", "january", "18"]``, year first so that "January 2025"
    and "January 18" are both runs of it. Citation markers such as ``[1]`` vanish.
    """
    text = unicodedata.normalize("NFKC", _MARKER.sub(" ", text)).casefold()
    text = re.sub(r"[’‘`´]", "'", text)
    text = re.sub(r"'s\b|'", "", text).replace("&", " and ")
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda match: match[0].replace(".", "") + " ", text)
    text = _spell_dates(text)
    text = _AMOUNT.sub(lambda match: f"{match[2]}{match[3] or ''} {_CURRENCIES[match[1]]} ", text)
    text = re.sub(r"\bus dollars?\b", "dollar", text)
    text = re.sub(r"\bper cent\b|%", " percent ", text)
    text = re.sub(r"(?<=\d)\s*[-–—]\s*(?=\d)", " to ", text)
    text = re.sub(rf"(\d)({'|'.join(_SCALE_LETTERS)})\b", lambda m: f"{m[1]} {_SCALE_LETTERS[m[2]]}", text)
    words = [_SINGULAR.get(word, word) for word in _TOKEN.findall(text) if word not in _DROPPED]
    return _join_numbers(words)


def contains(text: Sequence[str], part: Sequence[str]) -> bool:
    """Whether the tokens ``part`` stand in the tokens ``text`` as one run. An empty part stands nowhere."""
    return bool(part) and f" {' '.join(part)} " in f" {' '.join(text)} "


def token_f1(text: Sequence[str], reference: Sequence[str]) -> float:
    """The harmonic mean of token precision and recall, as in SQuAD (Rajpurkar et al. 2016), 0 to 1."""
    shared = (Counter(text) & Counter(reference)).total()
    return 2 * shared / (len(text) + len(reference)) if shared else 0.0


def numbers(text: Sequence[str]) -> set[str]:
    """The tokens of ``text`` that are numbers."""
    return {token for token in text if token[0].isdigit()}


def _spell_dates(text: str) -> str:
    def spell(year: str | None, month: str, day: str | None) -> str:
        return f" {year or ''} {month} {int(day) if day else ''} "

    def iso(match: re.Match[str]) -> str:
        month = int(match[2])
        return spell(match[1], _MONTHS[month - 1], match[3]) if 1 <= month <= 12 else match[0]

    def name(abbreviation: str) -> str:
        return _MONTHS[_MONTH_NUMBERS[abbreviation] - 1]

    text = _ISO_DATE.sub(iso, text)
    text = _MONTH_FIRST.sub(lambda match: spell(match[3], name(match[1]), match[2]), text)
    text = _DAY_FIRST.sub(lambda match: spell(match[3], name(match[2]), match[1]), text)
    return _MONTH_ONLY.sub(lambda match: spell(match[2], name(match[1]), None), text)


def _join_numbers(words: list[str]) -> list[str]:
    """Write each number, in digits or words, as plain digits: "1.2 trillion", "thirteen hundred", "1,300"."""
    joined, at = [], 0
    while at < len(words):
        number, end = _number_at(words, at)
        joined.append(words[at] if number is None else format(number.normalize(), "f"))
        at = end
    return joined


def _number_at(words: list[str], at: int) -> tuple[Decimal | None, int]:
    """The number that starts at ``at`` and the index after it; (None, at + 1) if none does."""
    total, scale, end = Decimal(0), 10**15, at
    while end < len(words):
        group, after = _group_at(words, end)
        if group is None and end == at and words[at] in _SCALES:  # "a million": the article is gone
            group, after = Decimal(1), at
        next_scale = _SCALES.get(words[after], 1) if after < len(words) else 1
        if group is None or next_scale >= scale or (end > at and words[end][0].isdigit()):
            break
        total, scale, end = total + group * next_scale, next_scale, after + (next_scale > 1)
        if scale == 1:
            break
    return (total, end) if end > at else (None, at + 1)


def _group_at(words: list[str], at: int) -> tuple[Decimal | None, int]:
    """A number below a thousand in words, or one in digits, and the index after it."""
    if _DIGITS.fullmatch(words[at]):
        number, end = Decimal(words[at].replace(",", "")), at + 1
    elif words[at] == "hundred":
        number, end = Decimal(1), at
    else:
        small, end = _small_at(words, at)
        if small is None:
            return None, at
        number = Decimal(small)
    if words[end : end + 1] != ["hundred"]:
        return number, end
    number, end = number * 100, end + 1
    rest, after = _small_at(words, end + (words[end : end + 1] == ["and"]))
    if rest is None or words[after : after + 1] == ["hundred"]:  # "one hundred and two hundred" are two numbers
        return number, end
    return number + rest, after


def _small_at(words: list[str], at: int) -> tuple[int | None, int]:
    word = words[at] if at < len(words) else ""
    if word in _UNITS:
        return _UNITS[word], at + 1
    if word not in _TENS:
        return None, at
    unit = _UNITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
    return (_TENS[word] + unit, at + 2) if 1 <= unit <= 9 else (_TENS[word], at + 1)

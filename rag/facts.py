"""Text -> what can be compared exactly: its words, numbers and names, however they are written.

What is *not* done: arithmetic ("doubled" for 2 and 4), synonyms of names ("Beijing" for "China"), coreference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from rag.aliases import MONTHS, PLACES, SAME_NAME

Number = tuple[Decimal, str]
"""A value and its unit: ``%`` or nothing."""

TITLES = frozenset(
    "president vice mr mrs ms dr prof professor sir minister secretary chairman chief ceo founder governor senator "
    "general director former chancellor premier prime representative article articles passage passages".split()
)
STOP = frozenset(
    "a an the of in on at to for from by with and or but is are was were be been being do does did has have had can "
    "could will would should may might which who whom whose what when where why how that this these those it its as "
    "about into than then there their they them he she his her him i you we our your also such so if because while "
    "according says said say writes argues argued between over under after before during both each more most although "
    "though despite since unlike like many some all several few other another one two no not yet still only even new "
    "instead however moreover additionally furthermore meanwhile today here given against among through across without "
    "within".split()
)
_UNITS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SHORT_SCALES = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
_PERCENT = r"(?P<percent>\s?%|[\s-]?per\s?cent(?:age\spoints?)?\b)?"
_DIGITS = re.compile(
    r"(?<![^\W\d_])(?<!\d)(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?:[\s-]?(?P<scale>{'|'.join(_SCALES)})\b|(?P<short>{'|'.join(_SHORT_SCALES)})\b)?{_PERCENT}",
    re.IGNORECASE,
)
_SPELLED = re.compile(
    rf"\b(?:a\s+(?=(?:{'|'.join(_SCALES)})\b))?(?P<words>(?:{'|'.join([*_UNITS, *_SCALES])})"
    rf"(?:(?:\s+and\s+|[\s-]+)(?:{'|'.join([*_UNITS, *_SCALES])}))*)\b{_PERCENT}",
    re.IGNORECASE,
)
_ENDING = re.compile(r"(?:ies|ied|y|ing|ed|es|s|e)$")
_ISO_DATE = re.compile(r"\b\d{4}-(\d\d)\b")
_HEDGE = re.compile(r"\b(?:about|around|roughly|approximately|nearly|almost|some|over|more than|at least)\s+\S*$", re.I)
_MANY = re.compile(rf"\b({'|'.join(_SCALES)})s\b", re.IGNORECASE)
_WORD = re.compile(r"United (?:States(?: of America)?|Kingdom|Nations)\b|European Union\b|[^\W_]+(?:[.'’&][^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?])[\"”’)\]]*\s+(?=[\"“‘(\[]*[A-Z0-9])|(?<=[a-z%][.!?])(?=[A-Z])|\n+")


@dataclass(frozen=True)
class Word:
    """A word as it stands (``text``, at ``start``) and in the form it is compared in (``key``)."""

    text: str
    key: str
    start: int


def numbers(text: str) -> dict[Number, str]:
    """The numbers of a text, in digits or words, each with how it is written; "one" alone is a pronoun.

    >>> numbers("US$1.2 trillion, or 63.8 per cent")
    {(Decimal('1200000000000.0'), ''): '1.2 trillion', (Decimal('63.8'), '%'): '63.8 per cent'}
    """
    found: dict[Number, str] = {}
    for match in _DIGITS.finditer(text):
        scale = _SCALES.get((match["scale"] or "").lower()) or _SHORT_SCALES.get((match["short"] or "").lower(), 1)
        value = Decimal(match["digits"].replace(",", "")) * scale
        found[value, "%" if match["percent"] else ""] = match.group().strip()
    for match in _SPELLED.finditer(text):
        before = text[: match.start()].rstrip()
        if (match["words"].lower() == "one" and not match["percent"]) or before[-1:].isdigit():
            continue
        found[Decimal(_spelled(match["words"])), "%" if match["percent"] else ""] = match.group().strip()
    return found


def _spelled(words: str) -> int:
    """The value of a number in words: "two hundred and fifty thousand" -> 250000."""
    total = group = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _UNITS:
            group += _UNITS[word]
        elif word == "hundred":
            group = max(group, 1) * 100
        elif word in _SCALES:
            total, group = total + max(group, 1) * _SCALES[word], 0
    return total + group


# A passage is compared with one sentence after another, so what was found in it is kept.
_remembered = lru_cache(maxsize=1024)


@_remembered
def words(text: str) -> tuple[Word, ...]:
    """The words of a text; a hyphen parts two words, an apostrophe and the dots of "U.S." don't."""
    return tuple(Word(match.group(), _key(match.group()), match.start()) for match in _WORD.finditer(text))


@lru_cache(maxsize=1 << 14)
def _key(word: str) -> str:
    """The form that words are compared in: no case, accents, possessive or common ending; one form for a country."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    plain = re.sub(r"['’]s?$|\.", "", plain)
    for form in (plain, plain.removesuffix("s")):
        if form in SAME_NAME:
            return SAME_NAME[form]
    stem = None
    while stem != plain and len(plain) > 4:
        stem, plain = plain, _ENDING.sub("", plain)
    return plain


@_remembered
def names(text: str) -> tuple[tuple[Word, ...], ...]:
    """The names of a text: runs of capitalised words, without titles and ordinary first words."""
    spans: list[list[Word]] = []
    end, open_span = -1, False
    for word in words(text):
        gap = text[end : word.start] if end >= 0 else ""
        end = word.start + len(word.text)
        if not _is_name(word, text):
            open_span = False
        elif open_span and gap in (" ", "-", "‑"):
            spans[-1].append(word)
        else:
            spans.append([word])
            open_span = True
    return tuple(tuple(span) for span in spans)


def _is_name(word: Word, text: str) -> bool:
    if word.text == word.text.lower() or word.text.casefold() in STOP or word.text.casefold() in TITLES:
        return False
    before = text[: word.start].rstrip()
    if before and before[-1] not in '.!?:;“"‘(—–\n•':
        return True
    # A sentence's first word is a name for sure only if it is an acronym, a country, a possessive or before a name.
    after = text[word.start + len(word.text) :]
    acronym = len(word.text) > 1 and word.text.isupper()
    return acronym or word.key in PLACES or bool(re.match(r"[ -][A-Z]", after)) or word.text[-2:] in ("'s", "’s")


def missing_names(sentence: str, passage: str) -> list[str]:
    """The names of the sentence that the passage doesn't have."""
    keys = [word.key for word in words(passage)]
    known = set(keys) | set(_months(passage))
    initials = "".join(key[0] for key in keys)
    spans = names(passage)
    missing = []
    for span in names(sentence):
        absent = [word for word in span if word.key not in known and not _abbreviates(word, initials)]
        if not absent or (len(span) > 1 and "".join(word.key[0] for word in span) in known):
            continue
        # "Joe Biden" is the passage's "Biden", unless the passage speaks of another one.
        surname = span[-1]
        rivals = any(word.key == surname.key for other in spans for word in other[1:])
        if surname in absent or rivals:
            missing.append(" ".join(word.text for word in absent))
    return missing


def _months(text: str) -> Iterator[str]:
    """The months of ISO dates, which metadata are full of."""
    for match in _ISO_DATE.finditer(text):
        if 1 <= int(match[1]) <= 12:
            yield _key(MONTHS[int(match[1]) - 1])


def _abbreviates(word: Word, initials: str) -> bool:
    """Whether an acronym's letters begin consecutive words of the passage: "FDI" for "foreign direct investment"."""
    letters = word.text.rstrip("s")
    return len(letters) > 1 and letters.isupper() and letters.lower() in initials


def missing_numbers(sentence: str, passage: str) -> list[str]:
    """The numbers of the sentence that the passage doesn't have; "nearly 800" may stand for 793, "hundreds" as well."""
    known = numbers(passage)
    missing = _missing_scales(sentence, passage)
    for (value, unit), written in numbers(sentence).items():
        if (value, unit) in known:
            continue
        hedged = _HEDGE.search(sentence[: sentence.find(written)].rstrip() + " ")
        near = any(unit == other and abs(value - known_value) <= value / 10 for known_value, other in known)
        if not (hedged and near):
            missing.append(written)
    return missing


def _missing_scales(sentence: str, passage: str) -> list[str]:
    """The "hundreds" or "thousands" of the sentence for which the passage has neither the word nor, where it has no
    such word at all, a number."""
    theirs = {match[1].lower() for match in _MANY.finditer(passage)}
    values = [] if theirs else [value for value, _ in numbers(passage)]
    return [
        match.group()
        for match in _MANY.finditer(sentence)
        if (scale := match[1].lower()) not in theirs
        and not any(_SCALES[scale] <= value < 1000 * _SCALES[scale] for value in values)
    ]


def sentences(text: str) -> list[str]:
    """The sentences of a passage, near enough: an abbreviation may cut one in two."""
    return [part for part in _SENTENCE.split(text) if part and part.strip()]


def content(text: str) -> list[str]:
    """The keys of a text's words, without those that say nothing by themselves ("the", "of")."""
    return [word.key for word in words(text) if word.text.casefold() not in STOP]


def share(keys: Sequence[object], others: Set[object]) -> float:
    """The share of ``keys`` that stand in ``others``; 0 of none."""
    return sum(key in others for key in keys) / len(keys) if keys else 0.0


def is_year(value: Decimal) -> bool:
    """Whether a number looks like a year."""
    return value == int(value) and 1800 <= value < 2100


def same_kind(one: Number, other: Number) -> bool:
    """Whether two numbers have the same unit, and are both years or both none."""
    return one[1] == other[1] and is_year(one[0]) == is_year(other[0])

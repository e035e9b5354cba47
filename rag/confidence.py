"""How sure an answer is: a few features of it -> a calibrated probability that it is right."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rag.types import Reading

_CONTENT = re.compile(r"\w+(?:[’'.-]\w+)*")
_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][\w&-]+|\b[A-Z]{2,}\b|\b\d[\d,.]*\b")
_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|big|large|high|often)\b|\bwhat (?:percent|share)|\bpercentage\b", re.I
)
_ASKS_TIME = re.compile(r"^\W*(?:and |but )?when\b|\b(?:what|which) (?:year|month|day|date)s?\b", re.I)
_YEAR = re.compile(r"(?:in )?(?:1[5-9]|20)\d\d")
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|billion|"
    r"half|third|quarter|once|twice|several|few|many|most|none)s?\b",
    re.I,
)
_TIME = re.compile(
    r"\d|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|"
    r"wednesday|thursday|friday|saturday|sunday|yesterday|today|tomorrow|week|month|year|decade|century|day|last|next)",
    re.I,
)
_STOP = frozenset(
    "a an the of in on at to for from by with and or but is are was were be been do does did has have had can could "
    "will would should may might what which who whom whose when where why how that this these those it its as about "
    "into than there their they he she his her many much any some say says said according article articles".split()
)


def sigmoid(logit: float) -> float:
    """The probability of a logit."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def missing_names(question: str, texts: Sequence[str]) -> list[str]:
    """The names and numbers of the question that stand nowhere in the texts, in order."""
    return [word for word in dict.fromkeys(_NAME.findall(question)) if _missing({_stem(word)}, texts)]


def uncovered(question: str, texts: Sequence[str]) -> float:
    """Share of the question's content words that stand nowhere in the texts."""
    wanted = {_stem(word) for word in _CONTENT.findall(question) if word.lower() not in _STOP}
    return _missing(wanted, texts)


def _missing(wanted: set[str], texts: Sequence[str]) -> float:
    if not wanted:
        return 0.0
    known = {_stem(word) for text in texts for word in _CONTENT.findall(text)}
    known |= {part for word in known for part in re.split(r"[-.’']", word)}
    return sum(word not in known for word in wanted) / len(wanted)


def _stem(word: str) -> str:
    """A word without possessive, case and common endings: enough to compare two texts, not a linguist's stem."""
    word = re.sub(r"[’']s?$", "", word.lower()).strip(".,")
    return re.sub(r"[iey]$", "", re.sub(r"(?:ing|ed|es|s)$", "", word)) if len(word) > 3 else word


def wrong_type(question: str, short: str | None) -> bool:
    """Whether a question for a number or a time got an answer that is none."""
    if not short:
        return False
    if _ASKS_NUMBER.search(question):
        return not _NUMBER.search(short) or bool(_YEAR.fullmatch(short))
    return bool(_ASKS_TIME.search(question)) and not _TIME.search(short)


def features(question: str, short: str | None, best: Reading, close: Reading) -> list[float]:
    """What the confidence is judged by, in the order of ``WEIGHTS``.

    ``best`` is the reading of the passage that the answer is from, ``close`` a second one of the sentences that matter
    alone; both together err less. The first three are means over the two: whether the reader thinks that there is an
    answer, how far its span is ahead of none, and its best sentence. Then the share of the question's words that the
    passage lacks, and whether a number or a time was asked for and isn't given.
    """
    passage = best.passage
    about = " ".join((passage.title, *passage.authors, passage.publisher, passage.date))
    views = (best, close)
    return [
        sum(view.answerable for view in views) / 2,
        sum(min(view.span_score, 10.0) for view in views) / 2,
        sum(max(view.relevance, default=0.0) for view in views) / 2,
        uncovered(question, [passage.text, about]),
        float(wrong_type(question, short)),
    ]


WEIGHTS = (0.184, 0.13, 0.537, -2.379, -1.367)
"""Fitted by ``training/fit_confidence.py``."""

BIAS = 0.729


def probability(values: Sequence[float]) -> float:
    """The calibrated probability, 0 to 1, that an answer with these features is right."""
    return sigmoid(BIAS + sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True)))

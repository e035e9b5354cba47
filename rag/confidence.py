"""How sure an answer is: a few features of it -> a calibrated probability that it is right."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rag import facts, questions
from rag.types import Passage, Reading

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


def sigmoid(logit: float) -> float:
    """The probability of a logit."""
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def uncovered(question: str, text: str) -> float:
    """Share of the question's words that stand nowhere in the text, those that say nothing by themselves apart."""
    wanted = facts.content(question)
    return 1 - facts.share(wanted, set(facts.content(text))) if wanted else 0.0


def wrong_type(question: str, short: str | None) -> bool:
    """Whether a question for a number or a time got an answer that is none."""
    if not short:
        return False
    if questions.wants_number(question):
        return not _NUMBER.search(short) or bool(_YEAR.fullmatch(short))
    return questions.wants_time(question) and not _TIME.search(short)


def features(question: str, short: str | None, best: Reading, close: Reading, cited: Sequence[Passage]) -> list[float]:
    """What the confidence is judged by, in the order of ``WEIGHTS``.

    ``best`` is the reading of the passage that most of the answer is from, ``close`` a second one of the sentences that
    matter alone; both together err less. The first two are means over the two: whether the reader thinks that there is
    an answer, and how far its span is ahead of none. Then what of the question the passage and the bylines of all that
    is ``cited`` lack: the share of its words, its names and its numbers (2 of each at most); and whether a number or a
    time was asked for and isn't given.
    """
    known = "\n".join(dict.fromkeys([passage.heading for passage in (best.passage, *cited)] + [best.passage.text]))
    views = (best, close)
    return [
        sum(view.answerable for view in views) / 2,
        sum(min(view.span_score, 10.0) for view in views) / 2,
        uncovered(question, known),
        float(min(len(facts.missing_names(question, known)), 2)),
        float(min(len(facts.missing_numbers(question, known)), 2)),
        float(wrong_type(question, short)),
    ]


WEIGHTS = (0.831, -0.018, -1.359, -0.868, -1.454, -1.292)
"""Fitted by ``training/fit_confidence.py``."""

BIAS = 0.463


def probability(values: Sequence[float]) -> float:
    """The calibrated probability, 0 to 1, that an answer with these features is right."""
    return sigmoid(BIAS + sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True)))

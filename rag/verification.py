"""Sentence + the passage it cites -> supported or not; pure but for the model it is given.

Two kinds of check. Facts: every number, date and name of the sentence must stand in the passage, in the same place of
the same statement where the passage makes it; a sentence that fails is not supported, whatever the model says. Sense:
a probability from the model's own view of a few windows of the passage and from how much of the wording they share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag import facts

Support = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""(claim, premise) pairs -> the probability of each that the premise supports the claim."""

_ATTRIBUTION = re.compile(
    r"^(?:according to [^,]{2,80},\s+|"
    r"[^,.]{2,80}? (?:argue|say|write|note|claim|believe|warn|state|suggest|contend|report)(?:s|d|ed)? that\s+)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Verdict:
    """``probability`` is that the passage supports the sentence, by its sense alone; ``problems`` names the facts that
    aren't the passage's. ``supported`` takes both."""

    supported: bool
    probability: float
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """What a sentence and a passage have in common; its fields are the features of the probability."""

    model: float
    """The model's logit, for the window of the passage that supports the sentence best; from -6 to 6."""
    sentence_overlap: float
    """Share of the sentence's content words in the passage's best sentence."""
    window_overlap: float
    """The same for the best two sentences in a row."""
    passage_overlap: float
    pair_overlap: float
    """Share of its pairs of content words that follow one another in the passage too."""
    longest_run: float
    """Words of the longest run that stands in both, as a share of the sentence."""
    missing_words: float
    missing_names: float
    missing_numbers: float
    exchanged: float
    negated: float
    """1 if one of the sentence and its best premise is negated and the other isn't."""
    length: float


WINDOW = 3
"""Sentences of a passage that the model sees at a time."""

MOST_EVIDENCE = 3
"""Sentences of a passage quoted for one sentence of an answer."""

THRESHOLD = 0.5
"""The least probability of a sentence that is shown."""

BIAS = -1.0
WEIGHTS = Comparison(1.0, 0.5, 0.5, 0.5, 0.5, 0.5, -0.2, -0.5, -0.5, -1.0, -0.5, 0.0)
"""Fitted by training/fit_verification.py."""


class Verifier:
    """Says whether passages support sentences; ``support`` is the model's view. Thread-safe if ``support`` is."""

    def __init__(self, support: Support, *, threshold: float = THRESHOLD) -> None:
        self._support = support
        self._threshold = threshold

    def check(self, sentence: str, passage_text: str, context: str = "") -> Verdict:
        """Whether the passage supports the sentence.

        ``sentence`` has no citation markers. ``context`` is what else is known of the passage's article: title,
        authors, publisher, date; a name or date may stand there instead.
        """
        known = f"{context}\n{passage_text}"
        problems = [f"{name} isn't in the passage" for name in facts.missing_names(sentence, known)]
        problems += [f"{number} isn't in the passage" for number in facts.missing_numbers(sentence, known)]
        problems += [f"{pair} in the passage" for pair in facts.exchanged(sentence, _premise(sentence, passage_text))]
        probability = probability_of(self.compare(sentence, passage_text, context))
        return Verdict(not problems and probability >= self._threshold, probability, tuple(problems))

    def compare(self, sentence: str, passage_text: str, context: str = "") -> Comparison:
        """The features of a sentence and a passage."""
        known = f"{context}\n{passage_text}"
        claim = _claim(sentence, context)
        ours, theirs = facts.content(claim), facts.content(passage_text)
        parts = facts.sentences(passage_text)
        keys = [set(facts.content(part)) for part in parts]
        pairs = [keys[i] | keys[i + 1] for i in range(len(keys) - 1)] or keys
        premise = _premise(claim, passage_text)
        return Comparison(
            model=self._model(claim, parts),
            sentence_overlap=max((facts.share(ours, part) for part in keys), default=0.0),
            window_overlap=max((facts.share(ours, pair) for pair in pairs), default=0.0),
            passage_overlap=facts.share(ours, set(theirs)),
            pair_overlap=facts.share([*pairwise(ours)], {*pairwise(theirs)}),
            longest_run=facts.longest_run(
                [word.key for word in facts.words(claim)], [word.key for word in facts.words(passage_text)]
            ),
            missing_words=min(len(set(ours) - set(theirs)), 8),
            missing_names=min(len(facts.missing_names(sentence, known)), 2),
            missing_numbers=min(len(facts.missing_numbers(sentence, known)), 2),
            exchanged=float(bool(facts.exchanged(sentence, premise))),
            negated=float(facts.is_negated(claim) != facts.is_negated(premise)),
            length=math.log(len(ours) + 1),
        )

    def _model(self, claim: str, parts: Sequence[str]) -> float:
        """The model's best logit over the two windows of the passage that share most words with the claim."""
        ours = facts.content(claim)
        windows = [" ".join(parts[i : i + WINDOW]) for i in range(max(1, len(parts) - WINDOW + 1))]
        best = sorted(windows, key=lambda window: -facts.share(ours, set(facts.content(window))))[:2]
        return max((_logit(p) for p in self._support([(claim, window) for window in best])), default=-6.0)

    def evidence(self, sentence: str, parts: Sequence[str]) -> list[int]:
        """Which of a passage's sentences hold the most of a sentence's content: one index or a few, in order."""
        wanted = set(facts.content(sentence))
        keys = [set(facts.content(part)) & wanted for part in parts]
        chosen: list[int] = []
        covered: set[str] = set()
        while len(chosen) < MOST_EVIDENCE:
            best = max(range(len(parts)), key=lambda i: len(keys[i] - covered), default=None)
            if best is None or (len(keys[best] - covered) < max(2, 0.2 * len(wanted)) and chosen):
                break
            chosen.append(best)
            covered |= keys[best]
        return sorted(chosen)

    def correct(self, sentence: str, passage_text: str, context: str = "") -> str | None:
        """The sentence with its one wrong number put right; None where that isn't the whole trouble, or isn't clear."""
        wrong = facts.missing_numbers(sentence, f"{context}\n{passage_text}")
        if len(wrong) != 1 or sentence.count(wrong[0]) != 1:
            return None
        ours = facts.numbers(sentence)
        (value, unit), premise = (
            next(n for n, written in ours.items() if written == wrong[0]),
            _premise(sentence, passage_text),
        )
        candidates = [
            written
            for (other, other_unit), written in facts.numbers(premise).items()
            if other_unit == unit and facts.is_year(other) == facts.is_year(value) and (other, other_unit) not in ours
        ]
        if len(candidates) != 1:
            return None
        corrected = sentence.replace(wrong[0], candidates[0])
        return corrected if self.check(corrected, passage_text, context).supported else None


def probability_of(comparison: Comparison) -> float:
    """The probability, by a logistic regression on the features."""
    logit = BIAS + sum(getattr(WEIGHTS, name) * value for name, value in vars(comparison).items())
    return 1 / (1 + math.exp(-logit))


def _logit(probability: float) -> float:
    p = min(max(probability, 0.0025), 0.9975)
    return math.log(p / (1 - p))


def _premise(claim: str, passage_text: str) -> str:
    """The sentence of the passage that shares most words with the claim."""
    ours = facts.content(claim)
    return max(facts.sentences(passage_text), key=lambda part: facts.share(ours, set(facts.content(part))), default="")


def _claim(sentence: str, context: str) -> str:
    """The sentence without "Jane Doe argues that" where Jane Doe is the passage's author: the passage says the rest."""
    match = _ATTRIBUTION.match(sentence)
    if not match or not facts.names(match.group()) or facts.missing_names(match.group(), context):
        return sentence
    return sentence[match.end() :]

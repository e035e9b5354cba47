"""Sentence + the passage it cites -> supported or not; pure but for the models it is given.

Two kinds of check. Facts: every number, date and name of the sentence must stand in the passage, in the same place of
the same statement where the passage makes it; a sentence that fails is not supported, whatever the model says. Sense:
a probability from the reader's view of a few windows of the passage, from how near the embedder finds the nearest, and
from how much of the wording they share.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rag import facts, roles

Support = Callable[[Sequence[tuple[str, str]]], Sequence[float]]
"""(claim, premise) pairs -> the probability of each that the premise supports the claim."""

Embed = Callable[[Sequence[str]], np.ndarray]
"""N texts -> their unit vectors, [N, width], by the bundled embedder, which the weights are fitted to."""

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
class _Facts:
    """What of a sentence isn't the passage's, as ``facts`` finds it."""

    missing_names: list[str]
    missing_numbers: list[str]
    exchanged: list[str]
    negated: bool


@dataclass(frozen=True)
class Comparison:
    """What a sentence and a passage have in common; its fields are the features of the probability."""

    model: float
    """The model's logit for the window of the passage that supports the sentence best, -6 to 6."""
    overlap: float
    """Share of the sentence's content words in the best two sentences in a row of the passage."""
    pair_overlap: float
    """Share of its pairs of neighbouring content words that are neighbours in the passage too."""
    missing_names: float
    """Names that stand neither in those two sentences nor in the context, 2 at most; numbers likewise."""
    missing_numbers: float
    exchanged: float
    """1 if names are exchanged, else 0."""
    negated: float
    """1 if the passage's nearest sentence says the opposite, else 0."""
    nearness: float
    """The cosine of the sentence and the three sentences in a row of the passage that are nearest to it."""


WINDOW = 2
"""Sentences of a passage that the model sees at a time."""

MOST_EVIDENCE = 3
"""Sentences of a passage quoted for one sentence of an answer."""

THRESHOLD = 0.35
"""The least probability of a sentence that is shown. Under a half, since the facts are checked beside it. A higher one
(training/fit_verification.py finds 0.44) drops more that are true, plain ones among them."""

BIAS = -1.554
WEIGHTS = Comparison(
    model=0.313,
    overlap=-0.289,
    pair_overlap=0.537,
    missing_names=-0.072,
    missing_numbers=-0.261,
    exchanged=-3.879,
    negated=-3.651,
    nearness=2.817,
)
"""Fitted by training/fit_verification.py."""


class Verifier:
    """Says whether passages support sentences; ``support`` is the reader's view. Thread-safe if both models are."""

    def __init__(self, support: Support, embed: Embed, *, threshold: float = THRESHOLD) -> None:
        self._support = support
        self._embed = embed
        self._threshold = threshold

    def check(self, sentence: str, passage_text: str, context: str = "") -> Verdict:
        """Whether the passage supports the sentence.

        ``sentence`` has no citation markers. ``context`` is what else is known of the passage's article: title,
        authors, publisher, date; a name or date may stand there instead.
        """
        found = _facts(sentence, passage_text, context)
        problems = [f"{name} isn't in the passage" for name in found.missing_names]
        problems += [f"{number} isn't in the passage" for number in found.missing_numbers]
        problems += [f"{pair} in the passage" for pair in found.exchanged]
        problems += ["the passage says the opposite"] * found.negated
        probability = probability_of(self._compare(sentence, passage_text, context, found))
        return Verdict(not problems and probability >= self._threshold, probability, tuple(problems))

    def compare(self, sentence: str, passage_text: str, context: str = "") -> Comparison:
        """The features of a sentence and a passage, as ``check`` weighs them."""
        return self._compare(sentence, passage_text, context, _facts(sentence, passage_text, context))

    def _compare(self, sentence: str, passage_text: str, context: str, found: _Facts) -> Comparison:
        claim = _claim(sentence, context)
        ours, theirs = facts.content(claim), facts.content(passage_text)
        parts = facts.sentences(passage_text)
        nearest = _nearest(ours, _windows(parts, 2))
        return Comparison(
            model=self._model(claim, parts),
            overlap=facts.share(ours, set(facts.content(nearest))),
            pair_overlap=facts.share([*pairwise(ours)], {*pairwise(theirs)}),
            missing_names=min(len(facts.missing_names(sentence, f"{context}\n{nearest}")), 2),
            missing_numbers=min(len(facts.missing_numbers(sentence, f"{context}\n{nearest}")), 2),
            exchanged=float(bool(found.exchanged)),
            negated=float(found.negated),
            nearness=self._nearness(claim, ours, parts),
        )

    def _nearness(self, claim: str, ours: Sequence[str], parts: Sequence[str]) -> float:
        """The better cosine of the two windows of three sentences that have most of the claim's words. All windows tell
        no more and take four times as long."""
        windows = sorted(_windows(parts, 3), key=lambda text: -facts.share(ours, set(facts.content(text))))
        vectors = self._embed((claim, *windows[:2]))
        return float((vectors[1:] @ vectors[0]).max())

    def _model(self, claim: str, parts: Sequence[str]) -> float:
        """The model's better logit of two: for the sentence, and for the window, nearest to the claim."""
        ours = facts.content(claim)
        premises = {_nearest(ours, _windows(parts, size)) for size in (1, WINDOW)}
        return max(_logit(p) for p in self._support([(claim, premise) for premise in premises]))

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
        ours = facts.numbers(sentence)
        if len(wrong) != 1 or wrong[0] not in ours.values() or sentence.count(wrong[0]) != 1:
            return None
        number = next(number for number, written in ours.items() if written == wrong[0])
        premise = _nearest(facts.content(sentence), facts.sentences(passage_text))
        candidates = [
            written
            for other, written in facts.numbers(premise).items()
            if facts.same_kind(number, other) and other not in ours
        ]
        if len(candidates) != 1:
            return None
        corrected = sentence.replace(wrong[0], candidates[0])
        return corrected if self.check(corrected, passage_text, context).supported else None


def probability_of(comparison: Comparison) -> float:
    """The probability, by a logistic regression on the features."""
    logit = BIAS + sum(getattr(WEIGHTS, name) * value for name, value in vars(comparison).items())
    return 1 / (1 + math.exp(-logit))


def _facts(sentence: str, passage_text: str, context: str) -> _Facts:
    known, premise = f"{context}\n{passage_text}", _nearest(facts.content(sentence), facts.sentences(passage_text))
    return _Facts(
        missing_names=facts.missing_names(sentence, known),
        missing_numbers=facts.missing_numbers(sentence, known),
        exchanged=roles.exchanged(sentence, premise, known)
        or roles.usurped(sentence, passage_text, context)
        or roles.misplaced(sentence, passage_text),
        negated=roles.negated(sentence, premise),
    )


def _windows(parts: Sequence[str], size: int) -> list[str]:
    """Each run of ``size`` sentences; all of them, if there are fewer."""
    return [" ".join(parts[start : start + size]) for start in range(max(1, len(parts) - size + 1))]


def _logit(probability: float) -> float:
    p = min(max(probability, 0.0025), 0.9975)
    return math.log(p / (1 - p))


def _nearest(keys: Sequence[str], texts: Sequence[str]) -> str:
    """The text that has most of the keys."""
    return max(texts, key=lambda text: facts.share(keys, set(facts.content(text))), default="")


def _claim(sentence: str, context: str) -> str:
    """The sentence without "Jane Doe argues that" where Jane Doe is the passage's author: the passage says the rest."""
    match = _ATTRIBUTION.match(sentence)
    if not match or not facts.names(match.group()) or facts.missing_names(match.group(), context):
        return sentence
    return sentence[match.end() :]

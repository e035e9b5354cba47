"""Readings -> Finding: which sentences answer a question, and in whose words.

A question for a fact gets the sentence that holds the answer, and the span in it as ``short``. A question for reasons,
ways, lists or opinions gets the few sentences that cover it, from as many articles as needed, each article's under the
name of who says it. Every sentence stands verbatim in its article; nothing is written here but the lead-ins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from math import exp

from rag import facts, questions
from rag.quoting import Piece, names, piece, who_says
from rag.types import Passage, Reading

MAX_SENTENCES = 5
"""The most sentences of a long answer."""

RELEVANT = 0.25
"""A sentence belongs to a long answer if its relevance is at least this share of the best one's."""

COMPLETES = 4.0
"""By how much a further sentence gains, at most, for what it adds of the question, and again for its article."""

RIVAL = 1.5
"""A fact from a second article is laid beside the first if its score is within this many logits of it."""

ASKED_BACK = 0.1
"""What a sentence's relevance is worth where it is a question itself: it seldom answers one."""

SURE_SPAN = 2.0
"""A reason or a list gets a few words as ``short`` if its best span is ahead of no span by this many logits."""

_LEANS_BACK = re.compile(
    r"^[\"“‘']?(?:(?-i:[A-Z])[\w’' -]{2,40}, )?"
    r"(?:(?:but|and|yet|so|still|however|instead|therefore|thus|moreover|meanwhile|also)\b,?\s*)?"
    r"(?:it|its|they|their|these|those|this|that|he|she|his|her|such|both|the (?:move|deal|company|firm|plan|same|"
    r"latter|former|two))\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[A-Z]{0,2}[$€£¥]?\s?\d")
_QUALIFIER = re.compile(
    r"(?:\b(?:(?:more|less|fewer|greater) than|over|under|about|around|nearly|almost|at (?:least|most)|up to|roughly|"
    r"approximately|an estimated|as (?:many|much|few|little) as)\s+)?(?:[A-Z]{0,2}[$€£¥]\s?)?$"
)
_UNIT = re.compile(r"\s?(?:%|per ?cent\b|(?:thousand|million|billion|trillion)\b)")
_NAME = re.compile(r"\b[A-Z][\w&-]{2,}|\b[A-Z]{2,}\b")
_WORD = re.compile(r"[\w’'-]+")


_Ranked = tuple[float, Reading, int]
"""How well a sentence answers, 0 to 1, and which one of which passage it is."""


@dataclass(frozen=True)
class Finding:
    """What the readings give for a question: the answer's pieces, and what its confidence is judged by."""

    pieces: tuple[Piece, ...]
    short: str | None
    best: Reading

    @property
    def cited(self) -> list[Passage]:
        """The passages that the pieces are from."""
        return [piece.passage for piece in self.pieces]


def find(question: str, readings: Sequence[Reading]) -> Finding | None:
    """The best answer that the readings hold, however doubtful; None if there is nothing to read."""
    readings = [reading for reading in readings if reading.passage.sentences]
    # A byline holds facts ("founder of …") but no sentences that explain anything.
    bodies = [reading for reading in readings if reading.passage.kind == "body"]
    if not bodies:
        return None
    if questions.wants_speaker(question):
        return _claim(bodies)
    if questions.wants_sentences(question):
        return _long(question, bodies)
    return _fact(question, readings) or _long(question, bodies)


def score(reading: Reading) -> float:
    """How promising a reading is, as a logit: the passage answers, there is a span that does, and retrieval agrees."""
    return reading.answerable + 0.25 * min(reading.span_score, 8.0) + 2.0 * reading.passage.score


def close_up(finding: Finding) -> Passage:
    """The sentences of a finding's best passage that matter, with one on each side: for a second look."""
    passage, span = finding.best.passage, finding.best.span
    relevance, sentences = finding.best.relevance, passage.sentences
    if finding.short and span:
        hit = [index for index, (left, right) in enumerate(sentences) if left < span[1] and right > span[0]]
    else:
        hit = [max(range(len(relevance)), key=lambda index: relevance[index])] if relevance else []
    near = sentences[max(0, min(hit, default=0) - 1) : max(hit, default=0) + 2]
    left, right = near[0][0], near[-1][1]
    return Passage(
        source=passage.source,
        start=passage.start + left,
        end=passage.start + right,
        text=passage.text[left:right],
        score=passage.score,
        sentences=tuple((start - left, end - left) for start, end in near),
    )


def _probability(logit: float) -> float:
    return 1 / (1 + exp(-max(-50.0, min(50.0, logit))))


def _fact(question: str, readings: Sequence[Reading]) -> Finding | None:
    ranked = sorted((reading for reading in readings if reading.span), key=score, reverse=True)
    if not ranked:
        return None
    best = ranked[0]
    asked = set(_NAME.findall(question))
    pieces = _sentence_of_span(best, asked)
    if rival := _rival(best, ranked[1:]):
        pieces = [
            replace(piece, lead=who_says(piece.passage) if index == 0 else "")
            for group in (pieces, _sentence_of_span(rival, asked))
            for index, piece in enumerate(group)
        ]
    return Finding(tuple(pieces), _short(best), best)


def _claim(readings: Sequence[Reading]) -> Finding:
    """Who says something: the sentence that says it, under its author's name; the speaker is whom the sentence names,
    else the article's authors."""
    _, reading, index = _ranked_sentences(readings)[0]
    pieces = _pieces(reading.passage, [index])
    left, right = pieces[0].start, pieces[-1].end
    named = reading.span is not None and left <= reading.span[0] and reading.span[1] <= right and reading.span_score > 0
    speaker = _short(reading) if named else None
    if not speaker or not speaker[0].isupper():
        speaker = names(reading.passage.authors) or speaker
    pieces[0] = replace(pieces[0], lead=who_says(reading.passage))
    return Finding(tuple(pieces), speaker, reading)


def _short(reading: Reading) -> str | None:
    """The answer span in a few words, a number with its unit and with what qualifies it ("more than 750")."""
    if reading.span is None:
        return None
    text = reading.passage.text
    start, end = reading.span
    if _NUMBER.match(text, start):
        start = _QUALIFIER.search(text[:start]).start()  # type: ignore[union-attr]  # matches the empty string
        if unit := _UNIT.match(text, end):
            end = unit.end()
    return " ".join(text[start:end].strip(" ,;:").split()) or None


def _rival(best: Reading, others: Iterable[Reading]) -> Reading | None:
    """A reading of another article that is nearly as sure and says something else."""
    known = _words(_short(best) or "")
    for other in others:
        if other.passage.source == best.passage.source:
            continue
        if score(best) - score(other) > RIVAL or other.answerable < 0:
            return None
        words = _words(_short(other) or "")
        if words and not words & known:
            return other
    return None


def _sentence_of_span(reading: Reading, asked: set[str]) -> list[Piece]:
    """The sentence that holds the answer, and the one before it where that is what names the things asked about."""
    assert reading.span is not None
    start, end = reading.span
    passage = reading.passage
    inside = [index for index, (left, right) in enumerate(passage.sentences) if left < end and right > start] or [0]
    if inside[0]:
        before, first = (passage.text[slice(*passage.sentences[index])] for index in (inside[0] - 1, inside[0]))
        if any(name in before and name not in first for name in asked):
            inside.insert(0, inside[0] - 1)
    return _pieces(passage, inside)


def _pieces(passage: Passage, indexes: Sequence[int]) -> list[Piece]:
    """The sentences at ``indexes``, with the sentence before one that leans on it ("It is the first …")."""
    wanted = set(indexes)
    for index in indexes:
        left, right = passage.sentences[index]
        if index and _LEANS_BACK.match(passage.text[left:right]):
            wanted.add(index - 1)
    return [piece(passage, passage.sentences[index]) for index in sorted(wanted)]


def _long(question: str, readings: Sequence[Reading]) -> Finding:
    asked = questions.topic(question)
    chosen = _covering(asked, _ranked_sentences(readings))
    _, first, index = chosen[0]
    return Finding(tuple(_by_source(chosen)), _headline(question, first, index), first)


def _covering(asked: Sequence[str], ranked: Sequence[_Ranked]) -> list[_Ranked]:
    """The best sentence and those that complete it, best first, none that repeats another."""
    chosen, rest = [ranked[0]], list(ranked[1:])
    while rest and len(chosen) < MAX_SENTENCES:
        covered = {key for _, reading, index in chosen for key in facts.content(_sentence(reading, index))}
        sources = {reading.passage.source for _, reading, _ in chosen}
        worth = [_worth(item, asked, covered, sources) for item in rest]
        if max(worth) < RELEVANT * chosen[0][0]:
            break
        _, reading, index = best = rest.pop(worth.index(max(worth)))
        if not any(_alike(_sentence(reading, index), _sentence(other, at)) for _, other, at in chosen):
            chosen.append(best)
    return chosen


def _worth(item: _Ranked, asked: Sequence[str], covered: Set[str], sources: Set[str]) -> float:
    """What a further sentence is worth: more if it has words of the question that no chosen one has, or is of another
    article and has half of the question's words."""
    value, reading, index = item
    words = set(facts.content(_sentence(reading, index)))
    share = facts.share(asked, words)
    elsewhere = share if share >= 0.5 and reading.passage.source not in sources else 0.0
    return value * (1 + COMPLETES * (facts.share(asked, words - covered) + elsewhere))


def _headline(question: str, reading: Reading, index: int) -> str | None:
    """The few words that a reason or a list comes to, where the reader is sure of them; those of a list are a list."""
    listed = questions.wants_list(question)
    if not listed and not questions.wants_reason(question):
        return None
    left, right = reading.passage.sentences[index]
    if reading.span is None or reading.span_score < SURE_SPAN or not left <= reading.span[0] < reading.span[1] <= right:
        return None
    short = _short(reading) or ""
    if listed and not re.search(r",| and | & ", short):
        return None
    return short or None


def _ranked_sentences(readings: Sequence[Reading]) -> list[_Ranked]:
    values = [
        (_probability(reading.answerable) * relevance * (ASKED_BACK if _asks(reading, index) else 1.0), reading, index)
        for reading in readings
        for index, relevance in enumerate(reading.relevance)
    ]
    return sorted(values, key=lambda item: -item[0])


def _asks(reading: Reading, index: int) -> bool:
    return _sentence(reading, index).rstrip("\"”’') ").endswith("?")


def _sentence(reading: Reading, index: int) -> str:
    left, right = reading.passage.sentences[index]
    return reading.passage.text[left:right]


def _by_source(chosen: Sequence[_Ranked]) -> list[Piece]:
    """The chosen sentences in each article's order, the article with the best sentence first, led in by who says it."""
    sources = list(dict.fromkeys(reading.passage.source for _, reading, _ in chosen))
    pieces: list[Piece] = []
    for source in sources:
        found: dict[int, Piece] = {}
        for _, reading, index in chosen:
            if reading.passage.source == source:
                found |= {piece.passage.start + piece.start: piece for piece in _pieces(reading.passage, [index])}
        ordered = [found[at] for at in sorted(found)]
        pieces += [replace(ordered[0], lead=who_says(ordered[0].passage)), *ordered[1:]]
    return pieces


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _alike(one: str, other: str) -> bool:
    """Whether two sentences say the same in nearly the same words."""
    left, right = _words(one), _words(other)
    return len(left & right) >= 0.7 * min(len(left), len(right), 1000) if left and right else True

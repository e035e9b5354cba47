"""Scores: one answer against its gold question, then many of them as rates with intervals. Pure functions.

Spans are character offsets, end exclusive. A share that can't be measured (nothing to measure it on) is None, and a
question that can't be scored is unscored, never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evals.gold import Question
from evals.matching import contains, token_f1, tokens
from rag.types import Answer, Citation

Span = tuple[str, int, int]
"""A source and a span of its text."""

RANKS = 10
"""How deep a ranking is looked at."""

_RESAMPLES = 2000
_BINS = 10


class _Placed(Protocol):
    """Anything that lies somewhere in an article: a Citation, a Passage."""

    @property
    def source(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True)
class Score:
    """One answer scored. ``passed`` is None where it can't be; so is every measure that doesn't apply."""

    passed: bool | None
    problems: tuple[str, ...]
    f1: float | None = None
    """Token F1 with the nearest acceptable answer, of ``short`` where there is one; for a question with ``must`` only,
    with the evidence. The graded view: an answer that pours out everything contains the right one, and has a low F1."""
    short_passed: bool | None = None
    """Whether ``short`` alone holds an acceptable answer."""
    citation_precision: float | None = None
    citation_recall: float | None = None
    inexact_citations: int = 0
    rank: int | None = None
    """Rank of the first passage that holds evidence, from 1; None if none of the first ten does."""
    evidence_found: float | None = None
    """Share of the evidence quotes that the first ten passages hold."""


def score(question: Question, answer: Answer, texts: Mapping[str, str]) -> Score:
    """The score of one answer; ``texts`` maps each article's source to its text."""
    inexact = [citation for citation in answer.citations if not is_exact(citation, texts)]
    problems = [f"citation [{c.number}] is not what {c.source} says at {c.start}-{c.end}" for c in inexact]
    if not question.answerable:
        if answer.answered:
            problems.insert(0, "answered, though the articles don't say")
        return Score(not answer.answered, tuple(problems), inexact_citations=len(inexact))
    evidence = [locate(quote.source, quote.quote, texts) for quote in question.evidence]
    rank, found = retrieval_rank(answer.passages, evidence)
    if rank is None:
        problems.append("no passage holds the evidence")
    if not answer.answered:
        problems.insert(0, f"declined: {answer.reason}")
        return Score(
            passed=False,
            problems=tuple(problems),
            f1=0.0,
            short_passed=False if question.answers else None,
            inexact_citations=len(inexact),
            rank=rank,
            evidence_found=found,
        )
    missing = missing_parts(question, answer)
    precision, recall = citation_scores(answer.citations, evidence)
    if not precision:
        problems.append("no citation overlaps the evidence" if answer.citations else "no citation")
    return Score(
        passed=not missing,
        problems=(*missing, *problems),
        f1=graded(question, answer),
        short_passed=_says_any(answer.short or "", question.answers) if question.answers else None,
        citation_precision=precision,
        citation_recall=recall,
        inexact_citations=len(inexact),
        rank=rank,
        evidence_found=found,
    )


def missing_parts(question: Question, answer: Answer) -> list[str]:
    """What the answer lacks, empty if it is right: one of the acceptable answers, and each part that it must have."""
    missing = []
    if question.answers and not any(_says_any(said, question.answers) for said in (answer.short or "", answer.text)):
        missing.append(f"expected {' | '.join(question.answers)}")
    missing += [f"missing {' | '.join(part)}" for part in question.must if not _says_any(answer.text, part)]
    return missing


def graded(question: Question, answer: Answer) -> float:
    """Token F1 with the nearest acceptable answer, or with the evidence where only parts are asked for."""
    if question.answers:
        said = tokens(answer.short or answer.text)
        return max(token_f1(said, tokens(acceptable)) for acceptable in question.answers)
    return token_f1(tokens(answer.text), tokens(" ".join(evidence.quote for evidence in question.evidence)))


def is_exact(citation: Citation, texts: Mapping[str, str]) -> bool:
    """Whether the cited span of the article is the quote, character for character."""
    return bool(citation.quote) and texts.get(citation.source, "")[citation.start : citation.end] == citation.quote


def locate(source: str, quote: str, texts: Mapping[str, str]) -> list[Span]:
    """Every place of the article where the quote stands; a repeated paragraph stands in several."""
    text, spans, at = texts.get(source, ""), [], -1
    while quote and (at := text.find(quote, at + 1)) >= 0:
        spans.append((source, at, at + len(quote)))
    return spans


def overlaps(one: _Placed, other: Span) -> bool:
    """Whether two spans share at least half of the shorter one: a word at the edge is no evidence."""
    source, start, end = other
    shared = min(one.end, end) - max(one.start, start)
    return one.source == source and shared > 0 and 2 * shared >= min(one.end - one.start, end - start)


def citation_scores(citations: Sequence[_Placed], evidence: Sequence[Sequence[Span]]) -> tuple[float | None, float]:
    """Precision (the share of citations that overlap evidence; None without citations) and recall (the share of the
    evidence, each with its possible places, that is cited)."""
    right = sum(any(overlaps(citation, span) for spans in evidence for span in spans) for citation in citations)
    cited = sum(any(overlaps(citation, span) for span in spans for citation in citations) for spans in evidence)
    return right / len(citations) if citations else None, cited / len(evidence)


def retrieval_rank(passages: Sequence[_Placed], evidence: Sequence[Sequence[Span]]) -> tuple[int | None, float]:
    """The rank from 1 of the first of ten passages that holds evidence, and the share of the evidence in the ten."""
    top = passages[:RANKS]
    found = [
        next((rank for rank, passage in enumerate(top, 1) if any(overlaps(passage, span) for span in spans)), None)
        for spans in evidence
    ]
    ranks = [rank for rank in found if rank is not None]
    return min(ranks, default=None), len(ranks) / len(evidence)


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of the values that are there."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def interval(values: Iterable[float | None]) -> tuple[float, float] | None:
    """The 95 % percentile bootstrap interval (Efron 1979) of the mean; the seed is fixed, so it repeats.

    It has no width where all values are equal, which on few questions says little: look at their number too.
    """
    known = np.array([value for value in values if value is not None], dtype=float)
    if not len(known):
        return None
    draws = np.random.default_rng(0).integers(len(known), size=(_RESAMPLES, len(known)))
    low, high = np.percentile(known[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """A percentile of the values, interpolated; None without values."""
    return float(np.percentile(values, percent)) if values else None


@dataclass(frozen=True)
class Bin:
    """One row of a reliability table: answers whose confidence lies in [low, high)."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Calibration:
    """How far confidence is a probability of being right: 0 is perfect for both figures."""

    brier: float
    """Mean squared difference of confidence and outcome (Brier 1950)."""
    ece: float
    """Expected calibration error (Guo et al. 2017): the gap between confidence and accuracy, averaged over answers."""
    bins: tuple[Bin, ...]


def calibration(pairs: Sequence[tuple[float, bool]]) -> Calibration | None:
    """Brier score, expected calibration error and reliability table of (confidence, right) pairs; None without any."""
    if not pairs:
        return None
    bins = []
    for index in range(_BINS):
        inside = [pair for pair in pairs if min(int(pair[0] * _BINS), _BINS - 1) == index]
        if inside:
            confidence, right = (float(np.mean(column)) for column in zip(*inside, strict=True))
            bins.append(Bin(index / _BINS, (index + 1) / _BINS, len(inside), confidence, right))
    return Calibration(
        brier=float(np.mean([(confidence - right) ** 2 for confidence, right in pairs])),
        ece=sum(row.count * abs(row.confidence - row.right) for row in bins) / len(pairs),
        bins=tuple(bins),
    )


def _says_any(text: str, choices: Iterable[str]) -> bool:
    said = tokens(text)
    return any(contains(said, tokens(choice)) for choice in choices)

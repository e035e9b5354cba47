"""Sentences of articles -> Answer: who says them, the text with its markers, the citations with their exact quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag import prompts
from rag.types import Answer, Citation, Passage

_MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Piece:
    """One sentence of an answer with the span of a passage that it stands on (offsets relative to its text)."""

    text: str
    passage: Passage
    start: int
    end: int
    lead: str = ""
    """Who says it, where that opens a paragraph."""


def piece(passage: Passage, span: tuple[int, int]) -> Piece:
    """A span of a passage as a piece of an answer, on one line."""
    return Piece(" ".join(passage.text[slice(*span)].split()), passage, *span)


def who_says(passage: Passage) -> str:
    """Author, publisher and date of a passage as a lead-in; its title or file name where nothing else is known."""
    who = names(passage.authors)
    where = ", ".join(part for part in (passage.publisher, passage.date) if part)
    if who and where:
        return f"{who} ({where})"
    return who or where or passage.title or passage.source


def names(people: Sequence[str]) -> str:
    """Names as a phrase: ``A``, ``A and B``, ``A, B and C``."""
    return " and ".join(filter(None, [", ".join(people[:-1]), *people[-1:]]))


def cite(pieces: Sequence[Piece]) -> tuple[str, tuple[Citation, ...]]:
    """The pieces as text, each with its marker, and the citations the markers name.

    Sentences that follow one another in an article share one citation, whose quote covers them.
    """
    citations: list[Citation] = []
    text = ""
    last: Piece | None = None
    for piece in pieces:
        passage = piece.passage
        if last is not None and not piece.lead and _adjacent(last, piece):
            citations[-1] = _citation(citations[-1].number, passage, citations[-1].start, passage.start + piece.end)
        else:
            at = passage.start
            citations.append(_citation(len(citations) + 1, passage, at + piece.start, at + piece.end))
        gap = "" if not text else "\n\n" if piece.lead else " "
        lead = f"{piece.lead}: " if piece.lead else ""
        text += f"{gap}{lead}{piece.text} [{citations[-1].number}]"
        last = piece
    return text, tuple(replace(citation, quote=_quote(citation, pieces)) for citation in citations)


def _adjacent(last: Piece, piece: Piece) -> bool:
    if last.passage is not piece.passage or not last.end <= piece.start:
        return False
    return not last.passage.text[last.end : piece.start].strip()


def _citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    return Citation(
        number=number,
        source=passage.source,
        title=passage.title,
        authors=passage.authors,
        publisher=passage.publisher,
        date=passage.date,
        quote="",
        start=start,
        end=end,
    )


def _quote(citation: Citation, pieces: Sequence[Piece]) -> str:
    passage = next(
        piece.passage
        for piece in pieces
        if piece.passage.source == citation.source and piece.passage.start + piece.start == citation.start
    )
    return passage.text[citation.start - passage.start : citation.end - passage.start]


def answered(
    text: str, short: str | None, citations: tuple[Citation, ...], passages: Sequence[Passage], confidence: float
) -> Answer:
    """An answer by the reader."""
    return _answer(text, short, True, None, citations, passages, confidence)


def joined(answers: Sequence[Answer]) -> Answer:
    """One answer of those to the parts of a question, its citations numbered through; a decline if all of them are."""
    found = [answer for answer in answers if answer.answered]
    passages = tuple(dict.fromkeys(passage for answer in answers for passage in answer.passages))
    if not found:
        return replace(answers[0], passages=passages)
    texts: list[str] = []
    citations: list[Citation] = []
    for answer in found:
        told = {(citation.source, citation.start, citation.end) for citation in citations}
        if all((citation.source, citation.start, citation.end) in told for citation in answer.citations):
            continue  # one sentence may answer both parts
        shift = len(citations)
        texts.append(_renumbered(answer.text, shift))
        citations += [replace(citation, number=citation.number + shift) for citation in answer.citations]
    short = "; ".join(dict.fromkeys(answer.short for answer in found if answer.short)) or None
    sure = min(answer.confidence for answer in found)
    return answered("\n\n".join(texts), short, tuple(citations), passages, sure)


def _renumbered(text: str, shift: int) -> str:
    return _MARKER.sub(lambda match: f"[{int(match[1]) + shift}]", text)


def declined(reason: str, confidence: float, passages: Sequence[Passage]) -> Answer:
    """A decline by the reader: the articles don't say, and why."""
    return _answer(prompts.REFUSAL, None, False, reason, (), passages, confidence)


def _answer(
    text: str,
    short: str | None,
    answered: bool,
    reason: str | None,
    citations: tuple[Citation, ...],
    passages: Sequence[Passage],
    confidence: float,
) -> Answer:
    return Answer(text, short, answered, reason, citations, tuple(passages), confidence, "reader", seconds=0.0)

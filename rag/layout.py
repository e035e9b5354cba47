"""Where on a page things stand: its title, authors, publisher and date, its prose, and what is boilerplate.

Only short lines that match as a whole are taken for metadata or boilerplate, near the top or the foot of the text. What
no such line tells stays empty, since a wrong author is worse than none; and a dropped paragraph is a lost answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.boilerplate import SHORT, is_boilerplate
from rag.telling import (
    AGENCY,
    CARRIED,
    FOOT,
    HEAD,
    TOLD,
    Fact,
    Span,
    find_bylines,
    find_notes,
    find_title,
    front_matter_lines,
    read_front_matter,
)
from rag.types import Metadata

LINE = re.compile(r"[^\s\ufeff](?:[^\n\r\f\v\x85\u2028\u2029]*[^\s\ufeff])?")


def lay_out(text: str, known: Metadata) -> tuple[Metadata, tuple[Span, ...], tuple[Span, ...]]:
    """The metadata of a text (``known`` wins), the spans of its prose, and those that tell the metadata."""
    lines = [match.span() for match in LINE.finditer(text)]
    front = front_matter_lines(text, lines)
    facts = read_front_matter(text, lines[:front])
    lines = lines[front:]
    kept = [line for line in lines if not is_boilerplate(text[line[0] : line[1]])] or lines
    head = _head_lines(text, kept)
    facts += find_bylines(text, head)
    title = find_title(text, kept, facts, known.title)
    facts += title
    facts += find_notes(text, lines[-FOOT:], kept, facts)
    top = title[0].start if title else 0
    kept = [line for line in kept if line not in head or not _is_page_furniture(text[slice(*line)], line[0] < top)]
    metadata = merge(known, _settle(facts))
    bylines = [
        (fact.start, fact.end) for fact in facts if fact.rank != CARRIED or fact.told.publisher == metadata.publisher
    ]
    body = _without(text, kept, [(fact.start, fact.end) for fact in facts if not fact.prose])
    return metadata, body or _without(text, kept, []), tuple(_union(bylines))


def _head_lines(text: str, lines: Sequence[Span]) -> list[Span]:
    """The lines at the top, up to the second paragraph of prose: the first may be a standfirst above the byline."""
    prose = [i for i, (start, end) in enumerate(lines[:HEAD]) if _is_prose(text[start:end])]
    return list(lines[: prose[1] if len(prose) > 1 else HEAD])


def _is_prose(line: str) -> bool:
    return len(line) > SHORT or (line.endswith((".", "”", '"')) and len(line.split()) >= 20)


def _is_page_furniture(line: str, above_title: bool) -> bool:
    """A counter among the first lines, or a section's name above the title."""
    counter = not any(character.isalpha() for character in line) and not line.endswith(".")
    return counter or (above_title and len(line.split()) <= 3)


def _without(text: str, lines: Sequence[Span], holes: Sequence[Span]) -> tuple[Span, ...]:
    """The lines as runs, interrupted by the holes and by lines that are not there."""
    cuts = iter([*_union(holes), (len(text), len(text))])
    cut = next(cuts)
    parts: list[Span] = []
    for start, end in lines:
        while cut[1] <= start < len(text):
            cut = next(cuts)
        parts += [(start, min(end, cut[0])), (min(end, cut[1]), end)]
    trimmed = ((start, start + len(text[start:end].rstrip())) for start, end in parts if start < end)
    return tuple(_joined(text, ((start, end) for start, end in trimmed if start < end)))


def _joined(text: str, spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _union(spans: Iterable[Span]) -> list[Span]:
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start < union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def _settle(facts: Sequence[Fact]) -> Metadata:
    """Of each field the value that is trusted most; an agency is the author where another publisher carries it."""
    ranked = sorted(facts, key=lambda fact: fact.rank)
    found = Metadata()
    for fact in ranked:
        found = merge(found, fact.told)
    trust = next((fact.rank for fact in ranked if fact.told.authors), TOLD)
    authors = [author for fact in ranked if fact.rank == trust for author in fact.told.authors]
    found = replace(found, authors=tuple(dict.fromkeys(authors)))
    agency = next((fact.told.publisher for fact in ranked if fact.rank == AGENCY), "")
    carrier = next((fact.told.publisher for fact in ranked if fact.rank > AGENCY and fact.told.publisher), "")
    if agency and carrier and found.publisher == agency and not found.authors:
        return replace(found, authors=(agency,), publisher=carrier)
    return found


def merge(first: Metadata, second: Metadata) -> Metadata:
    return Metadata(
        first.title or second.title,
        first.authors or second.authors,
        first.publisher or second.publisher,
        first.date or second.date,
    )

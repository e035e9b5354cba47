"""Article -> Chunks: runs of whole sentences with exact offsets.

Offsets are carried along from the file's text to each sentence; no text is ever searched for.

What is not done: chunks don't overlap. Each is embedded with its article's title in front, and a sentence that is found
twice would be cited twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag import splitting
from rag.splitting import Span
from rag.types import Article, Chunk, Metadata

VERSION = 1
"""Part of the corpus fingerprint: raised whenever the same article gives other chunks."""

CLAUSE = re.compile(r"[,;:]\s+|\s[—–-]\s+|[，、；：]|—")
SPACE = re.compile(r"\s+")


def chunk(article: Article, count: Callable[[str], int], *, size: int = 200) -> list[Chunk]:
    """The chunks of an article: those of its body, in order, then those of kind ``byline``.

    ``count`` gives the tokens of a text, as the embedder counts them, and is asked once per sentence; ``size`` is about
    how many a chunk has. A single sentence makes a longer one; more than twice ``size`` it is split, between clauses
    where it can be. Ids are unique in a corpus and change with source, place, text and metadata.
    """
    width = splitting.wrap_width(article.text)
    chunks = []
    for start, end in article.body:
        paragraphs = splitting.paragraphs(article.text, start, end, width)
        measured = (_measure(article.text, paragraph, count, size) for paragraph in paragraphs)
        chunks += [_chunk(article, group, "body") for group in _pack(measured, size)]
    for lines in _neighbours(article.text, article.bylines):
        measured = (_measure(article.text, [line], count, size) for line in lines)
        chunks += [_chunk(article, group, "byline") for group in _pack(measured, size)]
    return chunks


@dataclass(frozen=True)
class _Piece:
    """A sentence, or a part of an overlong one."""

    start: int
    end: int
    tokens: int
    heading: bool = False
    """Whether it is a short paragraph without a full stop, which announces what follows."""


def _chunk(article: Article, pieces: Sequence[_Piece], kind: str) -> Chunk:
    start, end = pieces[0].start, pieces[-1].end
    text = article.text[start:end]
    return Chunk(
        id=_chunk_id(article.source, start, end, kind, text, article.metadata),
        source=article.source,
        start=start,
        end=end,
        text=text,
        sentences=tuple((piece.start - start, piece.end - start) for piece in pieces),
        metadata=article.metadata,
        kind=kind,
    )


def _chunk_id(source: str, start: int, end: int, kind: str, text: str, known: Metadata) -> str:
    content = "\x1f".join([kind, text, known.title, *known.authors, known.publisher, known.date])
    return f"{_digest(source)[:12]}-{start}-{end}-{_digest(content)[:8]}"


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _neighbours(text: str, spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Group spans that nothing but whitespace separates: a chunk is one stretch of the article."""
    group: list[Span] = []
    for start, end in spans:
        if group and text[group[-1][1] : start].strip():
            yield group
            group = []
        group.append((start, end))
    if group:
        yield group


def _pack(paragraphs: Iterable[Sequence[_Piece]], size: int) -> Iterator[list[_Piece]]:
    """Fill chunks up to ``size`` tokens; one that is 60 % full ends before a paragraph that doesn't fit as a whole."""
    group: list[_Piece] = []
    tokens = 0
    for paragraph in paragraphs:
        whole = sum(piece.tokens for piece in paragraph)
        for index, piece in enumerate(paragraph):
            needed = whole if index == 0 and tokens >= 0.6 * size else piece.tokens
            body = _without_headings(group)
            if body and tokens + needed > size:
                yield group[:body]
                group = group[body:]
                tokens = sum(kept.tokens for kept in group)
            group.append(piece)
            tokens += piece.tokens
    if group:
        yield group


def _without_headings(group: Sequence[_Piece]) -> int:
    """How many pieces are left when the headings at the end go with the text that they announce."""
    length = len(group)
    while length and group[length - 1].heading:
        length -= 1
    return length


def _measure(text: str, spans: Sequence[Span], count: Callable[[str], int], size: int) -> list[_Piece]:
    if len(spans) == 1 and _is_heading(text, *spans[0]):
        start, end = spans[0]
        return [_Piece(start, end, count(text[start:end]), heading=True)]
    return [piece for start, end in spans for piece in _fit(text, start, end, count, size, 2 * size)]


def _is_heading(text: str, start: int, end: int) -> bool:
    return end - start <= 120 and not splitting.TERMINATED.search(text, start, end)


def _fit(text: str, start: int, end: int, count: Callable[[str], int], size: int, limit: int) -> Iterator[_Piece]:
    """The sentence as one piece, or halved until each part has ``size`` tokens at most.

    Ten characters are a token at least: a tokenizer counts a "word" of a million letters as a single unknown one.
    """
    if end - start <= 10 * limit:
        tokens = max(count(text[start:end]), (end - start) // 10)
        if tokens <= limit or end - start < 2:
            yield _Piece(start, end, tokens)
            return
    cut = _middle(text, start, end)
    for left, right in ((start, cut), (cut, end)):
        left = right - len(text[left:right].lstrip())
        right = left + len(text[left:right].rstrip())
        if left < right:
            yield from _fit(text, left, right, count, size, size)


def _middle(text: str, start: int, end: int) -> int:
    """Where to halve: the end of a clause, else a space, in the middle half and nearest its centre; else the centre."""
    centre = (start + end) // 2
    quarter = (end - start) // 4
    for boundary in (CLAUSE, SPACE):
        cuts = [match.end() for match in boundary.finditer(text, centre - quarter, centre + quarter)]
        if cuts:
            return min(cuts, key=lambda cut: abs(cut - centre))
    return centre

"""Plain text operations that keep offsets: sentences, tokenised text made readable, windows, exchanges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from random import Random

Span = tuple[int, int]

_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Gen|Col|Sen|Rep|vs|No|Inc|Ltd|Co|e\.g|i\.e|etc)|\b[A-Z])\.$"
)
_END = re.compile(r"[.!?][\"'”’)\]]*(?:\[\d+\])*\s+(?=[\"'“‘(\[]*[A-Z0-9])|\n+")


def sentences(text: str) -> list[Span]:
    """Offsets of the sentences of `text`, without the white space between them."""
    spans, start = [], 0
    for match in _END.finditer(text):
        mark = text[start : match.start() + 1]
        if match.group()[0] == "." and _ABBREVIATION.search(mark):
            continue
        spans.append((start, match.end()))
        start = match.end()
    spans.append((start, len(text)))
    return [strip(text, span) for span in spans if text[slice(*span)].strip()]


def strip(text: str, span: Span) -> Span:
    start, end = span
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


_NO_SPACE_BEFORE = re.compile(r"^(?:[.,;:?!%)\]}]+|''|n't|'(?:s|re|ve|ll|d|m)?)$", re.IGNORECASE)
_BRACKETS = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]"}


def untokenize(tokens: Sequence[str]) -> tuple[str, list[Span]]:
    """Penn-style tokens -> readable text and each token's offsets in it."""
    text, spans, glue = "", [], True
    for token in tokens:
        word = _BRACKETS.get(token, token)
        if not glue and not _NO_SPACE_BEFORE.match(token) and word != ")":
            text += " "
        spans.append((len(text), len(text) + len(word)))
        text += word
        glue = token in ("``", "(", "[", "$", "£", "€", "-LRB-", "-LSB-")
    return text, spans


def overlapping(spans: Iterable[Span], targets: Sequence[Span]) -> list[Span]:
    return [(s, e) for s, e in spans if any(s < stop and start < e for start, stop in targets)]


def window(text: str, keep: Sequence[Span], words: int, rng: Random) -> Span:
    """A run of whole sentences of about `words` words around `keep`, with as much on either side as chance has it."""
    spans = sentences(text)
    inside = [i for i, (s, e) in enumerate(spans) if any(s < stop and start < e for start, stop in keep)]
    first = last = rng.randrange(len(spans))
    if inside:
        first, last = inside[0], inside[-1]
    sizes = [len(text[s:e].split()) for s, e in spans]
    total = sum(sizes[first : last + 1])
    while total < words and (first > 0 or last < len(spans) - 1):
        back = first > 0 and (last == len(spans) - 1 or rng.random() < 0.5)
        first, last = (first - 1, last) if back else (first, last + 1)
        total += sizes[first] if back else sizes[last]
    return spans[first][0], spans[last][1]


def cut(text: str, span: Span, marks: Sequence[Span]) -> tuple[str, list[Span]]:
    """The piece of `text` in `span`, and those of `marks` that lie in it, relative to it."""
    start, end = span
    return text[start:end], [(s - start, e - start) for s, e in marks if start <= s and e <= end]


def without(text: str, gone: Sequence[Span], marks: Sequence[Span]) -> tuple[str, list[Span]]:
    """`text` without the sentences that touch `gone`, and the `marks` that remain."""
    kept = [span for span in sentences(text) if span not in set(overlapping([span], gone))]
    result, moved = "", []
    for s, e in kept:
        shift = len(result) + bool(result) - s
        result += (" " if result else "") + text[s:e]
        moved += [(a + shift, b + shift) for a, b in marks if s <= a and b <= e]
    return result, moved


def exchange(text: str, one: str, other: str, marks: Sequence[Span] = ()) -> tuple[str, list[Span]]:
    """`text` with `one` and `other` in each other's place, and `marks` moved along; a mark cut in two is lost."""
    pattern = re.compile(rf"(?<!\w)(?:{re.escape(one)}|{re.escape(other)})(?!\w)", re.IGNORECASE)
    pieces, at, edits = [], 0, []
    for match in pattern.finditer(text):
        new = other if match.group().lower() == one.lower() else one
        new = new[0].upper() + new[1:] if match.group()[0].isupper() else new
        pieces += [text[at : match.start()], new]
        edits.append((match.start(), match.end(), len(new)))
        at = match.end()
    moved = [(_moved(s, edits), _moved(e, edits)) for s, e in marks]
    return "".join([*pieces, text[at:]]), [(s, e) for s, e in moved if s is not None and e is not None]


def _moved(offset: int, edits: Sequence[tuple[int, int, int]]) -> int | None:
    shift = 0
    for start, end, length in edits:
        if start < offset < end:
            return None
        if end <= offset:
            shift += length - (end - start)
    return offset + shift

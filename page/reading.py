"""An article as HTML, with the passages that an answer cites marked in it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from html import escape

from page.render import button
from page.turn import byline, clipped
from rag import Citation, Passage
from rag.types import Article


def article(found: Article | None, shown: Sequence[Citation], current: Citation) -> str:
    """An article with the ``shown`` passages marked and the ``current`` one to scroll to.

    ``found`` is None where the article is gone; a quote that no longer stands where it was is shown above the text.
    """
    here = [citation for citation in shown if citation.source == current.source]
    stale = found is None or found.text[current.start : current.end] != current.quote
    notice = _stale(found, current) if stale else ""
    marked = [c for c in here if found and found.text[c.start : c.end] == c.quote]
    text = _marked_text(found, marked, current) if found else ""
    return (
        # The time makes each opening a new value, so that the page scrolls again to a passage that is already open.
        f'<article class="article" data-opened="{time.monotonic_ns()}"><header>'
        f"{button('Close', kind='plain close', title='Close the article (Escape)')}"
        f'<h2 tabindex="-1">{escape(current.title or current.source)}</h2>'
        f'<p class="byline">{escape(byline(current))}</p><p class="file">{escape(current.source)}</p>'
        f"{_jumps(marked, current)}</header>{notice}"
        f'<div class="text" tabindex="0" role="region" aria-label="Text of the article">{text}</div></article>'
    )


def _jumps(marked: Sequence[Citation], current: Citation) -> str:
    jumps = "".join(
        button(
            str(citation.number),
            kind="marker active" if citation is current else "marker",
            title=f"Go to passage {citation.number}",
            jump=citation.number,
        )
        for citation in marked
        if citation.number
    )
    return f'<p class="jumps">Cited here {jumps}</p>' if jumps else ""


def _stale(found: Article | None, current: Citation) -> str:
    what = "is no longer in the corpus" if found is None else "has changed since this answer"
    return (
        f'<p class="note" role="status"><strong>Note:</strong> the article {what}. It said: '
        f"<q>{escape(clipped(current.quote))}</q></p>"
    )


def _marked_text(found: Article, marked: Sequence[Citation], current: Citation) -> str:
    """The text cut at every edge of a citation or of prose; each piece is marked with the citations that cover it."""
    text = found.text
    edges = {0, len(text), *(edge for span in found.body for edge in span)}
    edges |= {edge for citation in marked for edge in (citation.start, citation.end)}
    cuts = sorted(edges)
    pieces = []
    for start, end in itertools.pairwise(cuts):
        covering = [citation for citation in marked if citation.start <= start and end <= citation.end]
        prose = any(left <= start and end <= right for left, right in found.body)
        pieces.append(_piece(text[start:end], start, covering, current, prose=prose))
    return "".join(pieces)


def _piece(text: str, start: int, covering: Sequence[Citation], current: Citation, *, prose: bool) -> str:
    if not covering:
        return escape(text) if prose else f'<span class="aside">{escape(text)}</span>'
    # The number stands before the mark, not in it: what is marked is the quote, character for character.
    labels = "".join(
        f"<b>{citation.number}</b>" for citation in covering if citation.start == start and citation.number
    )
    kind = "current" if current in covering else "other"
    numbers = " ".join(str(citation.number) for citation in covering)
    return f'{labels}<mark class="{kind}" tabindex="-1" data-numbers="{numbers}">{escape(text)}</mark>'


def nearest(passage: Passage) -> Citation:
    """A passage that was retrieved but isn't cited, as a citation without a number, to be shown in the same way."""
    return Citation(
        number=0,
        source=passage.source,
        title=passage.title,
        authors=passage.authors,
        publisher=passage.publisher,
        date=passage.date,
        quote=passage.text,
        start=passage.start,
        end=passage.end,
    )

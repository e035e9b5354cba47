"""The turn of a conversation, and how the page words what it knows."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from rag import Answer, Citation, Passage
from rag.types import Metadata

MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True)
class Turn:
    """One question of a conversation: being answered (``status``), answered, or failed (``error``)."""

    id: str
    question: str
    status: str = ""
    text: str = ""
    citations: tuple[Citation, ...] = ()
    answer: Answer | None = None
    error: str = ""
    rating: str = ""
    noted: str = ""
    """What became of the person's comment or draft."""


def byline(known: Citation | Passage | Metadata) -> str:
    """Authors, publisher and date, as far as they are known."""
    parts = (", ".join(known.authors), known.publisher, known.date)
    return " · ".join(part for part in parts if part) or "author and date not given"


def duration(seconds: float) -> str:
    """A time as a person says it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def clipped(text: str, most: int = 320) -> str:
    """Text on one line, cut between words."""
    return textwrap.shorten(text, most, placeholder=" …")


def sentence_case(text: str | None) -> str:
    """A clause as a sentence of its own."""
    text = (text or "").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")

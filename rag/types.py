"""The data that passes between the rooms: frozen dataclasses, no logic beyond printing.

Offsets are counted in characters (Unicode code points) of an article's text, end exclusive, so that
``article_text[start:end] == quote``. For a text or Markdown file that text is the file read as UTF-8 with its
newlines untouched (a BOM, if any, is the character at offset 0); for HTML and PDF it is what ``rag text FILE`` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Metadata:
    """What is known of an article: empty where the article doesn't tell."""

    title: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    date: str = ""
    """ISO date, ``YYYY-MM-DD``, ``YYYY-MM`` or ``YYYY``; empty if unknown."""


@dataclass(frozen=True)
class Article:
    """One file of the corpus.

    ``body`` lists the spans of ``text`` that are prose, in order: what lies outside is boilerplate of the page
    (menus, share bars, comment forms, footers) and never ends up in an answer. ``bylines`` lists the spans where
    title, author, publisher and date stand; they serve as evidence for questions about the article itself.
    """

    source: str
    text: str
    metadata: Metadata
    body: tuple[tuple[int, int], ...]
    bylines: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Chunk:
    """A run of whole sentences of one article, about 200 tokens. ``text == article.text[start:end]``."""

    id: str
    source: str
    start: int
    end: int
    text: str
    sentences: tuple[tuple[int, int], ...]
    """Spans of its sentences, relative to ``text``."""
    metadata: Metadata = field(default_factory=Metadata)
    kind: str = "body"
    """``body``, or ``byline`` for the lines that carry title, author, publisher and date."""


@dataclass(frozen=True)
class Passage:
    """A retrieved chunk with its article's metadata; ``score`` falls along a result list, higher is better."""

    source: str
    start: int
    end: int
    text: str
    score: float
    title: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    date: str = ""
    sentences: tuple[tuple[int, int], ...] = ()
    """Spans of its sentences, relative to ``text``."""
    kind: str = "body"

    @property
    def heading(self) -> str:
        """What is known of the article: its title, and who wrote it, where and when."""
        byline = ", ".join(part for part in (*self.authors, self.publisher, self.date) if part)
        return " — ".join(part for part in (self.title, byline) if part)


@dataclass(frozen=True)
class Reading:
    """What the reader finds in one passage for one question.

    ``answerable`` is a logit that compares across passages. ``span`` is the best answer span, relative to
    ``passage.text``, with ``span_score`` its logit against "no span". ``relevance`` has one probability per sentence.
    """

    passage: Passage
    answerable: float
    span: tuple[int, int] | None
    span_score: float
    relevance: tuple[float, ...]


@dataclass(frozen=True)
class Citation:
    """An exact span of an article: ``article_text[start:end] == quote``."""

    number: int
    source: str
    title: str
    authors: tuple[str, ...]
    publisher: str
    date: str
    quote: str
    start: int
    end: int

    def __str__(self) -> str:
        who = ", ".join(self.authors)
        label = " · ".join(part for part in (self.title or self.source, who, self.publisher, self.date) if part)
        return f"[{self.number}] {label}\n    “{' '.join(self.quote.split())}” ({self.source}:{self.start}-{self.end})"


@dataclass(frozen=True)
class Usage:
    """What an answer cost at the LLM: tokens, and money where a price is configured (else None)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True)
class Answer:
    """An answer, or a decline (``answered`` False, ``reason`` says why). Every sentence of ``text`` ends in a marker
    ``[n]`` that names a citation; ``confidence`` is a calibrated probability that the answer is right."""

    text: str
    short: str | None
    answered: bool
    reason: str | None
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    confidence: float
    answerer: str
    seconds: float
    notes: tuple[str, ...] = ()
    """What a person should know besides: dropped sentences, a failed service, an ignored setting."""
    dropped: int = 0
    """How many sentences of an LLM's draft were dropped because no passage supports them."""
    usage: Usage | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage: ``retrieve``, ``read``, ``write``, ``verify``."""

    def __str__(self) -> str:
        asides = [aside for aside in (self.reason, *self.notes) if aside]
        parts = [self.text, *(str(citation) for citation in self.citations), *(f"({aside})" for aside in asides)]
        return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class Event:
    """One piece of a streamed answer.

    ``kind`` is ``status`` (``text`` says what is happening), ``sentence`` (a checked piece of the answer, with its
    markers, and its citations) or ``answer`` (the last one; ``answer`` is the whole).
    """

    kind: str
    text: str = ""
    citations: tuple[Citation, ...] = ()
    answer: Answer | None = None


@dataclass(frozen=True)
class SyncReport:
    """What a sync did. The first four and ``skipped`` name sources; ``skipped`` pairs each with its reason."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    chunks: int
    """Chunks in the store after the sync."""
    seconds: float
    embedded: int = 0
    """Chunks that had to be embedded."""

    def __str__(self) -> str:
        counts = ", ".join(
            f"{len(names)} {label}"
            for label, names in (
                ("added", self.added),
                ("changed", self.changed),
                ("removed", self.removed),
                ("unchanged", self.unchanged),
                ("skipped", self.skipped),
            )
        )
        lines = [f"{counts}; {self.chunks} chunks, {self.embedded} embedded, {self.seconds:.2f} s"]
        lines += [f"  skipped {source}: {reason}" for source, reason in self.skipped]
        return "\n".join(lines)

"""Answers in the articles' own words: retrieve, read, quote, and decline where that gives too little.

The embedded answerer. It needs no LLM: the reader finds the sentences, ``answering`` chooses among them,
``quoting`` cites them, and ``confidence`` says how sure that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag import answering, attribution, bylines, confidence, facts, followup, questions, quoting, retrieval, spelling
from rag.embedding import Embedding
from rag.generation import Generation
from rag.reader import Reader
from rag.types import Answer, Passage, Reading

CANDIDATES = 24
"""Passages retrieved for a question, and reranked by the reader where a ranking is asked for."""

READ_AT_ONCE = 6
"""Passages read before asking whether that is enough."""

MOST_READ = 10
"""Passages read for an answer at most: the evidence is seldom further down, and each costs some 8 ms on two cores."""

SURE = 3.0
"""Score (logit) of a reading at which no further passages are read for a question for a fact."""

FUSED_WEIGHT = 4.0
"""Reranking adds this times the fused retrieval score to a reading's logit."""

THRESHOLD = 0.32
"""Below this confidence the assistant declines. Chosen on gold questions: ``rag eval`` prints both kinds of error."""


@dataclass(frozen=True)
class Found:
    """What was read, what was found in it, and the features of its confidence; none where nothing was found."""

    readings: list[Reading]
    finding: answering.Finding | None
    features: list[float]

    @property
    def sure(self) -> float:
        """The probability that it is right, 0 where nothing was found."""
        return confidence.probability(self.features) if self.finding else 0.0


class Extractive:
    """The embedded answerer. Safe to use from several threads."""

    def __init__(self, reader: Reader, embedding: Embedding) -> None:
        self._reader = reader
        self._embedding = embedding

    def retrieve(self, wordings: Sequence[str], generation: Generation, k: int = CANDIDATES) -> list[Passage]:
        """The ``k`` passages that both searches together rank highest for the question (in several wordings)."""
        return retrieval.retrieve(wordings, generation, self._embedding, k)

    def search(
        self, question: str, context: Sequence[str], generation: Generation, k: int = CANDIDATES
    ) -> tuple[str, list[Passage]]:
        """The question without slips of the finger, and ``k`` passages for it; ``context`` are other wordings of it."""
        passages = self.retrieve([question, *context], generation, k)
        mended = spelling.mended(question, passages, self._reader.knows)
        return mended, self.retrieve([mended, *context], generation, k) if mended != question else passages

    def rerank(self, question: str, passages: Sequence[Passage], most: int = CANDIDATES) -> list[Passage]:
        """The passages with the first ``most`` of them in the order of the reader's judgement and retrieval's."""
        return [*_reranked(self._reader.read(question, passages[:most])), *passages[most:]]

    def answer(self, question: str, passages: Sequence[Passage], generation: Generation) -> Answer:
        """The answer to a question that stands alone, to each part of it where it asks two things."""
        parts = followup.parts(question)
        if len(parts) == 1:
            return self._quote(question, passages)
        answers: list[Answer] = []
        for part in parts:
            asked = followup.standalone(part, [(parts[0], _said(answers[0]))]) if answers else part
            found = self.retrieve([asked, question], generation)
            answers.append(self._quote(asked, found))
        whole = quoting.joined(answers)
        open_parts = [part for part, each in zip(parts, answers, strict=True) if whole.answered and not each.answered]
        return replace(whole, notes=tuple(f"the articles don't say: {part}" for part in open_parts))

    def about_article(self, question: str, passages: Sequence[Passage], generation: Generation) -> Answer | None:
        """The answer to a question about an article itself, or None if it isn't one."""
        field = bylines.asked_field(question)
        if field is None:
            return None
        found = bylines.look_up(question, field, passages, lambda source: _byline_passages(generation, source))
        if found is None or found.match < bylines.FITS:
            return None
        name = found.article.title or found.article.source
        if not found.value:
            reason = f"the article “{name}” doesn't tell its {field}"
            return quoting.declined(reason, 1 - found.match, tuple(passages))
        if not found.lines:
            reason = f"the metadata of “{name}” gives {found.value}, but its text doesn't show it"
            return quoting.declined(reason, 1 - found.match, tuple(passages))
        pieces = [quoting.piece(line, span) for line, span in found.lines]
        pieces[0] = replace(pieces[0], lead=f"“{name}”")
        text, citations = quoting.cite(pieces)
        return quoting.answered(text, found.value, citations, tuple(passages), found.match)

    def _quote(self, question: str, passages: Sequence[Passage]) -> Answer:
        """The sentences that the reader finds, verbatim, or a decline.

        What an author or publisher is asked by name is read as their articles are asked it, too; the surer one counts.
        """
        found = self.find(question, passages)
        ranked = tuple(_reranked(found.readings)) + tuple(passages[len(found.readings) :])
        if said := attribution.as_said(question, passages):
            found = max(found, self.find(*said), key=lambda each: each.sure)
        if found.finding is None:
            return quoting.declined("no passage of the articles matches the question", 0.0, ranked)
        if found.sure < THRESHOLD:
            return quoting.declined(_doubt(question, found.readings, found.sure), found.sure, ranked)
        if unspoken := _unspoken(question, found.finding.cited, passages):
            return quoting.declined(_unmentioned(unspoken), 0.0, ranked)
        text, citations = quoting.cite(found.finding.pieces)
        return quoting.answered(text, found.finding.short, citations, ranked, found.sure)

    def find(self, question: str, passages: Sequence[Passage]) -> Found:
        """What the passages hold, however doubtful: read once, then the sentences that it rests on a second time."""
        readings = self.read(question, passages)
        finding = answering.find(question, readings)
        if finding is None:
            return Found(readings, None, [])
        close = self._reader.read(question, [answering.close_up(finding)])[0]
        return Found(
            readings,
            finding,
            confidence.features(question, finding.short, finding.best, close, finding.cited),
        )

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """Readings of the most promising passages, and of more where these leave a doubt or more may be said."""
        readings = self._reader.read(question, passages[:READ_AT_ONCE])
        sure = any(answering.score(reading) >= SURE for reading in readings)
        if sure and not questions.wants_sentences(question):
            return readings
        return readings + self._reader.read(question, passages[READ_AT_ONCE:MOST_READ])


def _reranked(readings: Sequence[Reading]) -> list[Passage]:
    """The passages that were read, the reader's judgement joined with retrieval's, scored above all unread ones."""
    logits = [(reading.answerable + FUSED_WEIGHT * reading.passage.score, reading.passage) for reading in readings]
    ranked = sorted(logits, key=lambda item: -item[0])
    return [replace(passage, score=1 + confidence.sigmoid(logit)) for logit, passage in ranked]


def _said(answer: Answer) -> str:
    """An answer in the article's words alone, without the lead-in that names who says it."""
    return answer.short or " ".join(citation.quote for citation in answer.citations)


def _byline_passages(generation: Generation, source: str) -> list[Passage]:
    chunks = generation.chunks(tuple(generation.manifest.entries[source].chunks))
    return [retrieval.passage(chunk, 0.0) for chunk in chunks if chunk.kind == "byline"]


def _unspoken(question: str, cited: Sequence[Passage], passages: Sequence[Passage]) -> list[str]:
    """The names that somebody is asked to speak of, and that stand in no passage found of the articles cited."""
    topic = questions.spoken_of(question)
    if not topic:
        return []
    sources = {passage.source for passage in cited}
    theirs = _text(each for each in (*cited, *passages) if each.source in sources)
    return [name for name in facts.missing_names(question, theirs) if name in topic]


def _text(passages: Iterable[Passage]) -> str:
    return "\n".join(f"{passage.heading}\n{passage.text}" for passage in passages)


def _unmentioned(missing: Sequence[str]) -> str:
    return f"nothing that fits the question mentions {', '.join(missing)}"


def _doubt(question: str, readings: Sequence[Reading], sure: float) -> str:
    """Why an answer is declined, in words that help to ask better."""
    known = _text(reading.passage for reading in readings)
    missing = [*facts.missing_names(question, known), *facts.missing_numbers(question, known)]
    if missing:
        return _unmentioned(missing)
    return f"no passage answers this clearly enough (confidence {sure:.2f}, needed {THRESHOLD:.2f})"

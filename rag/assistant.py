"""The Assistant: the one file that knows every room, and joins them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import answering, articles, bylines, confidence, drafting, followup, prompting, prompts, retrieval, syncing
from rag.embedding import BundledEmbedding, LlamaIndexEmbedding
from rag.errors import LLMError, QuestionError, SettingsError
from rag.generation import Generation
from rag.reader import Reader
from rag.server_store import ServerStore
from rag.settings import Settings
from rag.store import Store
from rag.types import Answer, Article, Event, Metadata, Passage, Reading, SyncReport
from rag.verification import Verifier

if TYPE_CHECKING:
    from rag.llm import LLM

MODELS = Path(__file__).parent / "models"

CANDIDATES = 24
"""Passages retrieved for a question, and reranked by the reader where a ranking is asked for."""

READ_AT_ONCE = 6
"""Passages read before asking whether that is enough."""

MOST_READ = 12
"""Passages read for an answer at most: the evidence is seldom further down, and each costs some 8 ms on two cores."""

PROMPTED = 10
"""Passages that an LLM is given at most."""

SURE = 4.0
"""Score (logit) of a reading at which no further passages are read for a question for a fact."""

FUSED_WEIGHT = 3.0
"""Reranking adds this times the fused retrieval score to a reading's logit."""

THRESHOLD = 0.5
"""Below this confidence the assistant declines. Chosen on gold questions: ``rag eval`` prints both kinds of error."""

MAX_QUESTION = 2000
"""Characters of a question that are read."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, what) while a sync goes on."""


class Assistant:
    """Answers questions about a folder of articles.

    >>> assistant = Assistant(Settings(corpus="articles/", store=".rag/"))
    >>> assistant.sync()
    >>> print(assistant.query("How many people work at BYD's bus plant in Lancaster?"))

    ``llm`` and ``embedding`` take any LlamaIndex LLM or embedding. Safe to use from several threads.
    """

    def __init__(self, settings: Settings | None = None, *, llm: Any = None, embedding: Any = None) -> None:
        self.settings = settings or Settings()
        self._llm_model = llm
        self._embedding_model = embedding
        self.reader = Reader(MODELS)

    @cached_property
    def embedding(self) -> BundledEmbedding | LlamaIndexEmbedding:
        """What turns texts into vectors: the bundled model unless asked for another."""
        if self._embedding_model is not None:
            return LlamaIndexEmbedding(self._embedding_model)
        kind, _, model = self.settings.embedding.partition(":")
        if kind == "bundled":
            return BundledEmbedding(MODELS)
        if kind == "openai" and model:
            return LlamaIndexEmbedding(_openai_embedding(model, self.settings))
        raise SettingsError(f"embedding {self.settings.embedding!r} is unknown: use bundled or openai:MODEL")

    @cached_property
    def store(self) -> Store | ServerStore:
        """The index on disk, or on a Chroma server."""
        settings, embedding = self.settings, self.embedding
        if settings.chroma_url is None:
            return Store(settings.store, embedding.name, embedding.dimension)
        return ServerStore(settings.chroma_url, settings.store, embedding.name, embedding.dimension)

    @cached_property
    def verifier(self) -> Verifier:
        """What checks an LLM's sentences against the passages they cite."""
        return Verifier(self.reader.support)

    @cached_property
    def llm(self) -> LLM | None:
        """The LLM that writes the answers, or None where the reader does."""
        if self._llm_model is None and not self.settings.uses_llm:
            return None
        from rag.llm import LLM

        return LLM(self.settings, model=self._llm_model)

    def sync(self, progress: Progress | None = None, *, rebuild: bool = False) -> SyncReport:
        """Brings the index up to date with the corpus; only what is new or changed is read and embedded.

        ``rebuild`` starts from nothing: for a damaged store, or one written with another embedding.
        """
        return syncing.sync(self.settings.corpus, self.store, self.embedding, progress, rebuild=rebuild)

    def retrieve(self, question: str, k: int = 10) -> list[Passage]:
        """The ``k`` passages that fit the question best, best first, reranked by the reader."""
        question = _checked(question)
        candidates = retrieval.retrieve([question], self._generation(), self.embedding, max(k, CANDIDATES))
        readings = self.reader.read(question, candidates[:CANDIDATES])
        return [*_reranked(readings), *candidates[CANDIDATES:]][:k]

    def query(self, question: str, history: followup.History = ()) -> Answer:
        """The answer to a question; with ``history``, earlier (question, answer) turns, also to a follow-up.

        Raises a ``RagError`` where no answer can be given; an answer that the articles don't hold is no error but an
        ``Answer`` with ``answered`` False.
        """
        answer = None
        for event in self.stream(question, history):
            answer = event.answer
        assert answer is not None
        return answer

    def stream(self, question: str, history: followup.History = ()) -> Iterator[Event]:
        """The same answer piece by piece: status, checked sentences, and last the whole ``Answer``."""
        clock = _Clock()
        notes = [] if len(question.strip()) <= MAX_QUESTION else [f"only the first {MAX_QUESTION} characters were read"]
        question = _checked(question)
        generation = self._generation()
        yield Event("status", "Looking through the articles")
        asked, llm = self._alone(question, history, notes)
        context = followup.context(asked, history)
        passages = retrieval.retrieve([asked, *context], generation, self.embedding, CANDIDATES)
        clock.lap("retrieve")
        answer = self._about_article(asked, passages, generation)
        if answer is None and llm is not None and passages:
            yield Event("status", f"{llm.name} is writing from the passages, each sentence is checked")
            answer = yield from self._write(llm, asked, passages, notes)
            clock.lap("write")
        elif answer is not None:
            yield from _by_paragraph(answer)
        if answer is None:
            yield Event("status", f"Reading {len(passages)} passages")
            answer = self._read_parts(asked, passages, generation, notes)
            clock.lap("read")
            yield from _by_paragraph(answer)
        answer = clock.stop(replace(answer, notes=tuple(notes)))
        yield Event("answer", answer.text, answer.citations, answer)

    def warm_up(self) -> None:
        """Load the models and whatever else the first question would have to wait for."""
        self.reader.read("warm?", [Passage("", 0, 5, "Warm.", 0.0, sentences=((0, 5),))])
        self.embedding.embed_query("warm?")
        if self.llm is not None:
            self.llm.warm_up()

    def articles(self) -> dict[str, Metadata]:
        """The indexed articles: source -> metadata."""
        return self._generation().articles()

    def article(self, source: str) -> Article:
        """One article of the corpus as it stands on disk now; ArticleError if there is none of that name."""
        known = articles.read_metadata(self.settings.corpus).get(source)
        return articles.read_article(self.settings.corpus, source, known)

    def _generation(self) -> Generation:
        current = self.store.current()
        if current is None:
            self.sync()
            current = self.store.current()
        assert current is not None
        return current

    def _alone(self, question: str, history: followup.History, notes: list[str]) -> tuple[str, LLM | None]:
        """The question as it stands alone, and the LLM that is to answer it, if there is one that works."""
        if not history or self.llm is None:
            return followup.standalone(question, history), self.llm
        try:
            reply = self.llm.complete(prompting.condense_messages(question, history))
        except LLMError as error:
            notes.append(f"{error}; the bundled reader answered")
            return followup.standalone(question, history), None
        return prompting.condensed(reply, question), self.llm

    def _write(
        self, llm: LLM, question: str, passages: Sequence[Passage], notes: list[str]
    ) -> Generator[Event, None, Answer | None]:
        """The LLM's answer, its sentences as they are checked; None, and a note, if the service fails before any."""
        ranked = _reranked(self.reader.read(question, passages[:MOST_READ])) + list(passages[MOST_READ:])
        fitting = prompting.fit(ranked[:PROMPTED], llm.count_tokens, self.settings.llm_context_tokens)
        reply = llm.stream(prompting.messages(question, fitting))
        draft = drafting.Draft(reply, self.verifier, question, fitting)
        try:
            for piece in draft:
                yield Event("sentence", piece.text, piece.citations)
        except LLMError as error:
            if not draft.answered:
                notes.append(f"{error}; the bundled reader answered")
                return None
            notes.append(f"the LLM's answer broke off: {error}")
        if draft.dropped:
            notes.append(f"{draft.dropped} sentence{'s' * (draft.dropped > 1)} dropped that no passage supports")
        if not draft.answered:
            yield Event("sentence", prompts.REFUSAL)
        return Answer(
            text=draft.text if draft.answered else prompts.REFUSAL,
            short=None,
            answered=draft.answered,
            reason=draft.reason,
            citations=tuple(draft.citations),
            passages=tuple(ranked),
            confidence=draft.confidence,
            answerer=f"llm:{llm.name}",
            seconds=0.0,
            dropped=draft.dropped,
            usage=reply.usage,
        )

    def _read_parts(
        self, question: str, passages: Sequence[Passage], generation: Generation, notes: list[str]
    ) -> Answer:
        """The embedded answer, to each part of a question that asks two things."""
        parts = followup.parts(question)
        if len(parts) == 1:
            return self._read_answer(question, passages)
        answers: list[Answer] = []
        for part in parts:
            asked = followup.standalone(part, [(parts[0], answers[0].text)]) if answers else part
            found = retrieval.retrieve([asked, question], generation, self.embedding, CANDIDATES)
            answers.append(self._read_answer(asked, found))
        if any(answer.answered for answer in answers):
            notes += [
                f"the articles don't say: {part}"
                for part, each in zip(parts, answers, strict=True)
                if not each.answered
            ]
        return answering.joined(answers)

    def _read_answer(self, question: str, passages: Sequence[Passage]) -> Answer:
        """The embedded answer: verbatim sentences that the reader finds."""
        readings = self.read(question, passages)
        finding = answering.find(question, readings)
        ranked = tuple(_reranked(readings)) + tuple(passages[len(readings) :])
        if finding is None:
            return answering.declined("no passage of the articles matches the question", 0.0, ranked)
        sure = confidence.probability(confidence.features(question, finding.short, finding.best, readings))
        if sure < THRESHOLD:
            return answering.declined(_doubt(question, readings, sure), sure, ranked)
        text, citations = answering.cite(finding.pieces)
        return answering.answered(text, finding.short, citations, ranked, sure)

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """Readings of the most promising passages, and of more where these leave a doubt or more may be said."""
        readings = self.reader.read(question, passages[:READ_AT_ONCE])
        sure = any(answering.score(reading) >= SURE for reading in readings)
        if sure and not answering.wants_sentences(question):
            return readings
        return readings + self.reader.read(question, passages[READ_AT_ONCE:MOST_READ])

    def _about_article(self, question: str, passages: Sequence[Passage], generation: Generation) -> Answer | None:
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
            return answering.declined(reason, 1 - found.match, tuple(passages))
        if not found.lines:
            reason = f"the metadata of “{name}” gives {found.value}, but its text doesn't show it"
            return answering.declined(reason, 1 - found.match, tuple(passages))
        pieces = [answering.piece(line, span) for line, span in found.lines]
        pieces[0] = replace(pieces[0], lead=f"“{name}”")
        text, citations = answering.cite(pieces)
        return answering.answered(text, found.value, citations, tuple(passages), found.match)


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.began = self.last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = self.timings.get(stage, 0.0) + now - self.last
        self.last = now

    def stop(self, answer: Answer) -> Answer:
        return replace(answer, seconds=time.perf_counter() - self.began, timings=self.timings)


def _checked(question: str) -> str:
    """The question without surrounding space, cut to a sensible length; QuestionError if it holds no word."""
    question = question.strip()[:MAX_QUESTION]
    if not any(character.isalnum() for character in question):
        raise QuestionError("the question is empty: ask something in words")
    return question


def _reranked(readings: Sequence[Reading]) -> list[Passage]:
    """The passages that were read, the reader's judgement joined with retrieval's, scored above all unread ones."""
    logits = [(reading.answerable + FUSED_WEIGHT * reading.passage.score, reading.passage) for reading in readings]
    ranked = sorted(logits, key=lambda item: -item[0])
    return [replace(passage, score=1 + confidence.sigmoid(logit)) for logit, passage in ranked]


def _byline_passages(generation: Generation, source: str) -> list[Passage]:
    chunks = generation.chunks(tuple(generation.manifest.entries[source].chunks))
    return [retrieval.passage(chunk, 0.0) for chunk in chunks if chunk.kind == "byline"]


def _doubt(question: str, readings: Sequence[Reading], sure: float) -> str:
    """Why an answer is declined, in words that help to ask better."""
    texts = [" ".join((r.passage.text, r.passage.title, *r.passage.authors, r.passage.publisher)) for r in readings]
    missing = confidence.missing_names(question, texts)
    if missing:
        return f"nothing that fits the question mentions {', '.join(missing)}"
    return f"no passage answers this clearly enough (confidence {sure:.2f}, needed {THRESHOLD:.2f})"


def _by_paragraph(answer: Answer) -> Iterator[Event]:
    """The answer's paragraphs as events, each with the citations it names."""
    for paragraph in answer.text.split("\n\n"):
        named = tuple(citation for citation in answer.citations if f"[{citation.number}]" in paragraph)
        yield Event("sentence", paragraph, named)


@lru_cache(maxsize=4)
def _default(settings: Settings) -> Assistant:
    return Assistant(settings)


def query(question: str, history: followup.History = ()) -> Answer:
    """Answer a question from the corpus that the settings name (``seeds/``), syncing it first if that is needed."""
    assistant = _default(Settings())
    assistant.sync()
    return assistant.query(question, history)


def _openai_embedding(model: str, settings: Settings) -> Any:
    try:
        from llama_index.embeddings.openai import OpenAIEmbedding
    except ImportError as error:
        raise SettingsError("OpenAI embeddings need one more package: pip install 'rag[openai-embeddings]'") from error
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    return OpenAIEmbedding(model=model, api_key=key, api_base=settings.openai_base_url)

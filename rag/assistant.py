"""The Assistant: the one file that knows every room, and joins them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

from rag import articles, followup, syncing
from rag.embedding import BundledEmbedding, LlamaIndexEmbedding
from rag.errors import LLMError, QuestionError, SettingsError
from rag.extractive import CANDIDATES, Extractive
from rag.generation import Generation
from rag.generative import PROMPTED, Generative
from rag.llm import LLM, total
from rag.reader import Reader
from rag.server_store import ServerStore
from rag.settings import Settings
from rag.store import Store
from rag.types import Answer, Article, Event, Metadata, Passage, SyncReport, Usage
from rag.verification import Verifier

MODELS = Path(__file__).parent / "models"

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
            return self._bundled_embedding
        if kind == "openai" and model:
            return LlamaIndexEmbedding(_openai_embedding(model, self.settings))
        raise SettingsError(f"embedding {self.settings.embedding!r} is unknown: use bundled or openai:MODEL")

    @cached_property
    def _bundled_embedding(self) -> BundledEmbedding:
        return BundledEmbedding(MODELS)

    @cached_property
    def store(self) -> Store | ServerStore:
        """The index on disk, or on a Chroma server."""
        settings, embedding = self.settings, self.embedding
        if settings.chroma_url is None:
            return Store(settings.store, embedding.name, embedding.dimension)
        return ServerStore(settings.chroma_url, settings.store, embedding.name, embedding.dimension)

    @cached_property
    def extractive(self) -> Extractive:
        """What answers in the articles' own words."""
        return Extractive(self.reader, self.embedding)

    @cached_property
    def llm(self) -> LLM | None:
        """The LLM that writes the answers, or None where the reader answers."""
        if self._llm_model is None and not self.settings.uses_llm:
            return None
        return LLM(self.settings, model=self._llm_model)

    @cached_property
    def generative(self) -> Generative | None:
        """What answers by the LLM, each sentence checked."""
        if self.llm is None:
            return None
        verifier = Verifier(self.reader.support, self._bundled_embedding.embed)
        rerank = partial(self.extractive.rerank, most=PROMPTED)
        return Generative(self.llm, verifier, rerank, self.settings.llm_context_tokens)

    def sync(self, progress: Progress | None = None, *, rebuild: bool = False) -> SyncReport:
        """Brings the index up to date with the corpus; only what is new or changed is read and embedded.

        ``rebuild`` starts from nothing: for a damaged store, or one written with another embedding.
        """
        return syncing.sync(self.settings.corpus, self.store, self.embedding, progress, rebuild=rebuild)

    def retrieve(self, question: str, k: int = 10) -> list[Passage]:
        """The ``k`` passages that fit the question best, best first, reranked by the reader."""
        asked, passages = self.extractive.search(_checked(question), (), self._generation(), max(k, CANDIDATES))
        return self.extractive.rerank(asked, passages)[:k]

    def query(self, question: str, history: followup.History = ()) -> Answer:
        """The answer to a question; with ``history``, earlier (question, answer) turns, also to a follow-up.

        Raises a ``RagError`` where no answer can be given; an answer that the articles don't hold is no error but an
        ``Answer`` with ``answered`` False.
        """
        *_, last = self.stream(question, history)
        assert last.answer is not None
        return last.answer

    def stream(self, question: str, history: followup.History = ()) -> Iterator[Event]:
        """The same answer piece by piece: status, checked sentences, and last the whole ``Answer``."""
        tally = _Tally()
        if len(question.strip()) > MAX_QUESTION:
            tally.notes.append(f"only the first {MAX_QUESTION} characters were read")
        question = _checked(question)
        generation = self._generation()
        yield Event("status", "Looking through the articles")
        asked, generative = self._alone(question, history, tally)
        mended, passages = self.extractive.search(asked, followup.context(asked, history), generation)
        if mended != asked:
            asked = mended
            tally.notes.append(f"read as: {asked}")
        tally.lap("retrieve")
        answer = self.extractive.about_article(asked, passages, generation)
        if answer is None and generative is not None and passages:
            answer = yield from self._written(generative, asked, passages, tally)
        if answer is None:
            yield Event("status", f"Reading {len(passages)} passages")
            answer = self.extractive.answer(asked, passages, generation)
            tally.lap("read")
        if answer.answerer == "reader":
            yield from _by_paragraph(answer)
        answer = tally.complete(answer)
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

    def _alone(self, question: str, history: followup.History, tally: _Tally) -> tuple[str, Generative | None]:
        """The question as it stands alone, and the LLM that is to answer it, if there is one that works."""
        if self.generative is None:
            return followup.standalone(question, history), None
        try:
            return self.generative.standalone(question, history, tally.spent), self.generative
        except LLMError as error:
            tally.notes.append(f"{error}; the bundled reader answered")
            return followup.standalone(question, history), None

    def _written(
        self, generative: Generative, question: str, passages: Sequence[Passage], tally: _Tally
    ) -> Generator[Event, None, Answer | None]:
        """The LLM's answer; None, and a note, if the service fails before its first sentence."""
        yield Event("status", f"{generative.llm.name} writes, and each sentence is checked")
        try:
            return (yield from generative.stream(question, passages, tally.spent))
        except LLMError as error:
            tally.notes.append(f"{error}; the bundled reader answered")
            return None
        finally:
            tally.lap("write")


class _Tally:
    """What is to be said of an answer besides: seconds by stage, what went wrong, what the LLM took."""

    def __init__(self) -> None:
        self.began = self.last = time.perf_counter()
        self.timings: dict[str, float] = {}
        self.notes: list[str] = []
        self.spent: list[Usage] = []

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.timings[stage] = self.timings.get(stage, 0.0) + now - self.last
        self.last = now

    def complete(self, answer: Answer) -> Answer:
        return replace(
            answer,
            seconds=time.perf_counter() - self.began,
            timings=self.timings,
            notes=(*self.notes, *answer.notes),
            usage=total(self.spent),
        )


def _checked(question: str) -> str:
    """The question without surrounding space, cut to a sensible length; QuestionError if it holds no word."""
    question = question.encode("utf-8", "replace").decode("utf-8").strip()[:MAX_QUESTION]
    if not any(character.isalnum() for character in question):
        raise QuestionError("the question is empty: ask something in words")
    return question


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

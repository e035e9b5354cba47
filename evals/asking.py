"""Gold questions -> a run: asks the assistant, of the corpus as it is or of one generation of its store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from evals.compare import Run
from evals.gold import Question
from evals.judge import judge
from evals.record import Record, fingerprint, question_record, read_texts, run_record
from rag.assistant import Assistant
from rag.errors import GoldError, LLMError, QuestionError
from rag.generation import Generation
from rag.settings import Settings
from rag.types import Answer, Chunk

Progress = Callable[[int, int, str], None]

_STOOD_IN = "the bundled reader answered"
"""What an answer notes where the LLM service failed: then the LLM can't be scored by it."""


class Asker:
    """Asks the same questions of one state of the corpus or several. ``judging`` has an LLM judge the answers too."""

    def __init__(
        self, settings: Settings, questions: Sequence[Question], progress: Progress, *, judging: bool = False
    ) -> None:
        self.settings = settings
        self.questions = questions
        self.progress = progress
        self.judge = judge(settings) if judging else None

    def run_corpus(self, assistant: Assistant, chunks: int) -> Run:
        """A run on the articles as they are on disk, which ``assistant`` has synced."""
        folder = self.settings.corpus
        texts = read_texts(folder)
        sources = {quote.source for question in self.questions for quote in question.evidence}
        if sources and sources.isdisjoint(texts):
            raise GoldError(f"{folder} holds none of the articles asked about: give your own questions with --gold")
        return self._run(assistant, texts, fingerprint(folder, texts), chunks)

    def run_generation(self, generation: Generation) -> Run:
        """A run on what a generation of the store holds, whatever has become of the articles since."""
        assistant = Assistant(self.settings)
        assistant.store = _Pinned(generation)  # type: ignore[assignment]
        texts = stored_texts(generation, read_texts(self.settings.corpus))
        return self._run(assistant, texts, f"generation {generation.number}", generation.manifest.chunks)

    def _run(self, assistant: Assistant, texts: Mapping[str, str], name: str, chunks: int) -> Run:
        assistant.warm_up()  # loading the models is not part of any answer's time
        records = []
        for number, question in enumerate(self.questions, 1):
            self.progress(number, len(self.questions), "asking")
            records.append(self._record(question, self._ask(assistant, question), texts))
        corpus = {"fingerprint": name, "articles": len(texts), "chunks": chunks}
        return run_record(corpus, f"llm:{self.settings.llm_model}" if self.settings.uses_llm else "reader", records)

    def _ask(self, assistant: Assistant, question: Question) -> Answer | str:
        """The answer, with the seconds as they are measured here; or the reason why there is none to score."""
        began = time.perf_counter()
        try:
            answer = assistant.query(question.question, history=question.history)
        except (LLMError, QuestionError) as error:
            return str(error)
        if failed := [note for note in answer.notes if _STOOD_IN in note]:
            return failed[0]
        return replace(answer, seconds=time.perf_counter() - began)

    def _record(self, question: Question, answer: Answer | str, texts: Mapping[str, str]) -> Record:
        record = question_record(question, answer, texts)
        if self.judge and record["answered"] and record["answerable"] and record["passed"] is not None:
            record["judged"] = self.judge(question, record["answer"])
        return record


class _Pinned:
    """A store that knows one generation."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def current(self) -> Generation:
        return self._generation


def stored_texts(generation: Generation, on_disk: Mapping[str, str]) -> dict[str, str]:
    """Source -> text of the articles of a generation: as on disk where its chunks still stand there, else as far as
    the chunks hold it, at their offsets, with spaces in between."""
    chunks: dict[str, list[Chunk]] = {source: [] for source in generation.articles()}
    for chunk in generation.all_chunks():
        chunks[chunk.source].append(chunk)
    texts = {}
    for source, stored in chunks.items():
        text = on_disk.get(source, "")
        unchanged = all(text[chunk.start : chunk.end] == chunk.text for chunk in stored)
        texts[source] = text if unchanged else _joined(stored)
    return texts


def _joined(chunks: Sequence[Chunk]) -> str:
    characters = [" "] * max(chunk.end for chunk in chunks)
    for chunk in chunks:
        characters[chunk.start : chunk.end] = chunk.text
    return "".join(characters)

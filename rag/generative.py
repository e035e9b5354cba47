"""Answers written by an LLM from the passages, each sentence checked before it is shown."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from rag import drafting, prompting, prompts
from rag.errors import LLMContextError, LLMError
from rag.followup import History
from rag.llm import LLM, Reply
from rag.types import Answer, Event, Passage, Usage
from rag.verification import Verifier

PROMPTED = 12
"""Passages that an LLM is given at most, as retrieval ranks them: so many hold all the evidence of 97 % of the gold
questions, and the best ten of them in the reader's order, which takes it 150 ms, no more."""

Rerank = Callable[[str, Sequence[Passage]], Sequence[Passage]]
"""Question, passages -> the passages, the first of them in the reader's order."""


@dataclass(frozen=True)
class Generative:
    """The LLM as answerer; ``tokens`` bounds the passages of a prompt. Safe to use from several threads.

    The methods add what the LLM takes to ``spent``, whether it ends well or not.
    """

    llm: LLM
    verifier: Verifier
    rerank: Rerank
    tokens: int

    def standalone(self, question: str, history: History, spent: list[Usage]) -> str:
        """A follow-up as a question that stands alone. Raises LLMError."""
        if not history:
            return question
        reply = self.llm.stream(prompting.condense_messages(question, history))
        try:
            return prompting.condensed("".join(reply), question)
        finally:
            spent.append(reply.usage)

    def stream(self, question: str, passages: Sequence[Passage], spent: list[Usage]) -> Generator[Event, None, Answer]:
        """The answer's sentences as they are checked; returns the whole. LLMError if the service fails before any.

        Where the prompt is too long for the LLM, it is asked again with half the passages, and again, down to one.
        """
        ranked, size = passages, self._room(passages)
        if size < len(passages[:PROMPTED]):  # then it matters which
            ranked = self.rerank(question, passages)
            size = self._room(ranked)
        notes: tuple[str, ...] = ()
        while True:
            try:
                answer = yield from self._written(question, ranked, size, spent)
                return replace(answer, notes=(*notes, *answer.notes))
            except LLMContextError:
                if size == 1:
                    raise
            ranked = self.rerank(question, passages) if ranked is passages else ranked
            size //= 2
            notes = (f"{self.llm.name} had no room for more than {size} of the passages: see RAG_LLM_CONTEXT_TOKENS",)

    def _room(self, passages: Sequence[Passage]) -> int:
        """How many of the passages a prompt holds, at least one."""
        return len(prompting.fit(passages[:PROMPTED], self.llm.count_tokens, self.tokens))

    def _written(
        self, question: str, passages: Sequence[Passage], size: int, spent: list[Usage]
    ) -> Generator[Event, None, Answer]:
        """One attempt, with the first ``size`` passages."""
        reply = self.llm.stream(prompting.messages(question, passages[:size]))
        draft = drafting.Draft(_whole(reply), self.verifier, question, passages[:size])
        notes = []
        try:
            for piece in draft:
                yield Event("sentence", piece.text, piece.citations)
        except LLMError as error:
            if not draft.answered:
                raise
            notes.append(f"{error}; the answer may lack its end")
        finally:
            spent.append(reply.usage)
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
            passages=tuple(passages),
            confidence=draft.confidence,
            answerer=f"llm:{self.llm.name}",
            seconds=0.0,
            notes=tuple(notes),
            dropped=draft.dropped,
        )


def _whole(reply: Reply) -> Iterator[str]:
    """A reply's texts; LLMError at the end of one that was cut off, so that half a sentence is never taken for one."""
    yield from reply
    if reply.cut_off:
        raise LLMError("the LLM's reply became too long: raise RAG_LLM_MAX_TOKENS")

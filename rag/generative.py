"""Answers written by an LLM from the passages, each sentence checked before it is shown."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from rag import drafting, prompting, prompts
from rag.errors import LLMError
from rag.followup import History
from rag.llm import LLM
from rag.types import Answer, Event, Passage
from rag.verification import Verifier

PROMPTED = 10
"""Passages that an LLM is given at most."""


@dataclass(frozen=True)
class Generative:
    """The LLM as answerer; ``tokens`` bounds the passages of a prompt. Safe to use from several threads."""

    llm: LLM
    verifier: Verifier
    tokens: int

    def standalone(self, question: str, history: History) -> str:
        """A follow-up as a question that stands alone. Raises LLMError."""
        if not history:
            return question
        return prompting.condensed(self.llm.complete(prompting.condense_messages(question, history)), question)

    def stream(self, question: str, passages: Sequence[Passage]) -> Generator[Event, None, Answer]:
        """The answer's sentences as they are checked; returns the whole. LLMError if the service fails before any."""
        fitting = prompting.fit(passages[:PROMPTED], self.llm.count_tokens, self.tokens)
        reply = self.llm.stream(prompting.messages(question, fitting))
        draft = drafting.Draft(reply, self.verifier, question, fitting)
        notes = []
        try:
            for piece in draft:
                yield Event("sentence", piece.text, piece.citations)
        except LLMError as error:
            if not draft.answered:
                raise
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
            passages=tuple(passages),
            confidence=draft.confidence,
            answerer=f"llm:{self.llm.name}",
            seconds=0.0,
            notes=tuple(notes),
            dropped=draft.dropped,
            usage=reply.usage,
        )

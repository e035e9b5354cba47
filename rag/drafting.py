"""An LLM's reply, as it arrives -> checked sentences, each with its proof: the pieces of an Answer.

How it is called::

    passages = prompting.fit(passages, llm.count_tokens, settings.llm_context_tokens)
    reply = llm.stream(prompting.messages(question, passages))
    draft = Draft(reply, verifier, question, passages)
    for piece in draft:                      # LLMError: what was yielded before it stays true
        yield Event("sentence", piece.text, piece.citations)
    draft.text, draft.citations              # the pieces' texts joined; the citations in order of their numbers
    draft.answered, draft.reason             # False and why: the LLM refused, or nothing it said could be proved
    draft.dropped, draft.confidence          # sentences dropped; the mean probability of those shown
    reply.usage                              # tokens and cost

``question`` stands alone (``prompting.condensed``). Each sentence is checked against the passages it cites. One that
fails is tried against the likeliest of the others, and cited anew where one supports it; a number that is the only
thing wrong is put right where the passage leaves no doubt; else the sentence is dropped. What is *not* done: a sentence
is never reworded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag import facts, replies
from rag.replies import Sentence
from rag.types import Citation, Passage
from rag.verification import Verdict, Verifier

MOST_TRIED = 3
"""Passages that a sentence is checked against besides those it cites."""


@dataclass(frozen=True)
class Piece:
    """A checked sentence: ``text`` continues the text before it (a space or new line included) and ends in its markers.

    ``citations`` are those of its markers, each with the exact quote that proves it.
    """

    text: str
    citations: tuple[Citation, ...]
    probability: float


class Draft:
    """The answer that an LLM's reply makes; iterate once to get its checked pieces.

    ``passages`` are those of the prompt, in the order of their numbers there.
    """

    def __init__(self, reply: Iterable[str], verifier: Verifier, question: str, passages: Sequence[Passage]) -> None:
        self._reply = reply
        self._verifier = verifier
        self._question = question
        self._passages = passages
        self.pieces: list[Piece] = []
        self.citations: list[Citation] = []
        self.dropped = 0
        self.refused = False
        self._said: set[str] = set()

    @property
    def text(self) -> str:
        """The answer so far, each sentence with its markers."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def answered(self) -> bool:
        """Whether anything could be shown."""
        return bool(self.pieces)

    @property
    def reason(self) -> str | None:
        """Why there is no answer; None if there is one."""
        if self.answered:
            return None
        if self.refused:
            return "the LLM found no answer in the passages"
        return "no passage supports what the LLM wrote"

    @property
    def confidence(self) -> float:
        """The mean probability that a shown sentence is supported; 0 if none is shown."""
        return sum(piece.probability for piece in self.pieces) / len(self.pieces) if self.pieces else 0.0

    def __iter__(self) -> Iterator[Piece]:
        for sentence in replies.sentences(replies.without_thinking(self._reply)):
            if not self.pieces and replies.is_refusal(sentence.text):
                self.refused = True
                return
            piece = self._piece(sentence)
            if piece is not None:
                self.pieces.append(piece)
                yield piece

    def _piece(self, sentence: Sentence) -> Piece | None:
        """The sentence with its proof; None if it has none, or says nothing or nothing new."""
        if sentence.text in self._said or replies.is_empty(sentence) or replies.is_refusal(sentence.text):
            return None
        self._said.add(sentence.text)
        found = self._ground(sentence)
        if found is None:
            self.dropped += 1
            return None
        text, passages, probability = found
        cited = sorted({c.number: c for passage in passages for c in self._cite(text, passage)}.items())
        markers = "".join(f"[{number}]" for number, _ in cited)
        gap = sentence.gap if self.pieces else sentence.gap.lstrip()
        return Piece(f"{gap}{text} {markers}", tuple(citation for _, citation in cited), probability)

    def _ground(self, sentence: Sentence) -> tuple[str, list[Passage], float] | None:
        """The text, the passages that support it, and how surely."""
        cited = [self._passages[number - 1] for number in sentence.cited if 0 < number <= len(self._passages)]
        checked = [(self._check(sentence.text, [passage]), passage) for passage in cited]
        good = [passage for verdict, passage in checked if verdict.supported]
        if good:
            return sentence.text, good, max(verdict.probability for verdict, _ in checked if verdict.supported)
        if len(cited) > 1 and (together := self._check(sentence.text, cited)).supported:
            return sentence.text, cited, together.probability
        others = self._likeliest(sentence.text, [passage for passage in self._passages if passage not in cited])
        rechecked = [(self._check(sentence.text, [passage]), passage) for passage in others]
        verdict, best = max(rechecked, key=lambda pair: (pair[0].supported, pair[0].probability), default=(None, None))
        if verdict is not None and best is not None and verdict.supported:
            return sentence.text, [best], verdict.probability
        return self._corrected(sentence, cited)

    def _likeliest(self, text: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        """The passages that share most words with a sentence: someone waits while each is checked."""
        keys = facts.content(text)
        return sorted(passages, key=lambda p: -facts.share(keys, set(facts.content(p.text))))[:MOST_TRIED]

    def _corrected(self, sentence: Sentence, cited: Sequence[Passage]) -> tuple[str, list[Passage], float] | None:
        for passage in cited:
            text = self._verifier.correct(sentence.text, passage.text, passage.heading)
            if text is not None:
                return text, [passage], self._check(text, [passage]).probability
        return None

    def _check(self, text: str, passages: Sequence[Passage]) -> Verdict:
        # A bare "750." says nothing by itself: it is the question's answer that has to be supported.
        claim = text if len(text.split()) > 3 else f"{self._question} {text}"
        return self._verifier.check(
            claim, "\n".join(passage.text for passage in passages), "\n".join(passage.heading for passage in passages)
        )

    def _cite(self, text: str, passage: Passage) -> list[Citation]:
        """Citations whose quotes are the passage's sentences that hold the text's content, new ones numbered on."""
        spans = list(passage.sentences) or [(0, len(passage.text))]
        chosen = self._verifier.evidence(text, [passage.text[start:end] for start, end in spans])
        return [self._numbered(passage, *span) for span in _joined([spans[index] for index in chosen], passage.text)]

    def _numbered(self, passage: Passage, start: int, end: int) -> Citation:
        place = passage.source, passage.start + start, passage.start + end
        for citation in self.citations:
            if (citation.source, citation.start, citation.end) == place:
                return citation
        citation = Citation(
            number=len(self.citations) + 1,
            source=passage.source,
            title=passage.title,
            authors=passage.authors,
            publisher=passage.publisher,
            date=passage.date,
            quote=passage.text[start:end],
            start=place[1],
            end=place[2],
        )
        self.citations.append(citation)
        return citation


def _joined(spans: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Spans in order, those with nothing but white space between them made one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined

"""A question and its passages -> the messages an LLM gets; a follow-up -> a question that stands alone.

Article text is data. What in it would pass for the prompt's own marks is changed, so that no article can forge a
passage; what an article tells the LLM to do is answered by the prompt's rules, and by the check of every sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag import prompts
from rag.types import Passage

MOST_TURNS = 3
"""Earlier turns of a conversation that a follow-up is read with."""

Count = Callable[[str], int]
"""A text's tokens."""

_LIKE_A_MARKER = re.compile(r"[\[【]([^\[\]【】\n]{0,20})[\]】]")
_MARKER = re.compile(r"\s*\[\d+\]")


def messages(question: str, passages: Sequence[Passage]) -> list[tuple[str, str]]:
    """The prompt: the rules, then the passages, numbered from 1, and the question."""
    numbered = "\n\n".join(format_passage(number, passage) for number, passage in enumerate(passages, 1))
    return [("system", prompts.ANSWER), ("user", prompts.QUESTION.format(passages=numbered, question=question))]


def format_passage(number: int, passage: Passage) -> str:
    """A passage as the prompt shows it; text that would pass for a marker or a tag of the prompt is changed."""
    fields = {
        "title": passage.title or passage.source,
        "author": ", ".join(passage.authors) or "unknown",
        "publisher": passage.publisher or "unknown",
        "date": passage.date or "unknown",
    }
    plain = {name: " ".join(neutral(value).replace('"', "'").split()) for name, value in fields.items()}
    return prompts.PASSAGE.format(number=number, text=neutral(passage.text), **plain)


def neutral(text: str) -> str:
    """Article text that can't be taken for the prompt's own: "[3]" becomes "(3)", "<" and ">" become "‹" and "›"."""
    return _LIKE_A_MARKER.sub(r"(\1)", text).replace("<", "‹").replace(">", "›")


def fit(passages: Sequence[Passage], count: Count, tokens: int) -> tuple[Passage, ...]:
    """As many of the passages, best first, as ``tokens`` hold, and the first in any case."""
    fitting: list[Passage] = []
    for passage in passages:
        tokens -= count(format_passage(len(fitting) + 1, passage))
        if tokens < 0 and fitting:
            break
        fitting.append(passage)
    return tuple(fitting)


def condense_messages(question: str, history: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The messages that ask for a follow-up as a question that stands alone; ``history`` is oldest first."""
    turns = "\n".join(
        prompts.TURN.format(question=asked, answer=_MARKER.sub("", answer)[:1000])
        for asked, answer in history[-MOST_TURNS:]
    )
    asked = prompts.CONVERSATION.format(turns=turns, question=question)
    return [("system", prompts.CONDENSE), ("user", asked)]


def condensed(reply: str, question: str) -> str:
    """The question in an LLM's reply to ``condense_messages``; ``question`` itself where the reply can't be one."""
    text = reply.rpartition("</think>")[2].strip().strip('"“”')
    return text if text and "\n" not in text and len(text) <= len(question) + 300 else question

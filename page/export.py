"""A conversation as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from page.turn import Turn, byline, clipped, sentence_case


def markdown(turns: Sequence[Turn]) -> str:
    """The conversation as Markdown, each answer with its citations."""
    return "\n\n".join(f"## {_quiet(turn.question)}\n\n{_markdown_reply(turn)}" for turn in turns) + "\n"


def _markdown_reply(turn: Turn) -> str:
    answer = turn.answer
    if answer is None:
        return f"*No answer: {_quiet(turn.error)}*"
    if not answer.answered:
        return f"**The articles don't say.** {_quiet(sentence_case(answer.reason))}"
    cited = [
        f"{citation.number}. **{_quiet(citation.title or citation.source)}** · {_quiet(byline(citation))}"
        f" · {_quiet(citation.source)}:{citation.start}-{citation.end}\n   > {_quiet(clipped(citation.quote))}"
        for citation in answer.citations
    ]
    return "\n\n".join([_quiet(answer.text), "\n".join(cited)])


def _quiet(text: str) -> str:
    """Text whose Markdown and HTML signs mean themselves; brackets stay, for the markers."""
    return re.sub(r"([\\`*_<>#|~])", r"\\\1", text)

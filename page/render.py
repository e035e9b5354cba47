"""The conversation as HTML.

Whatever comes from an article, a file name, a question or an LLM passes through ``escape``; the only markup is what
stands here, in page/reading.py and in page/panels.py. Buttons carry what they do in ``data-`` attributes, which
page/script.js turns into Gradio events: ``data-on`` names the event, the others are its data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from page.export import markdown
from page.turn import MARKER, Turn, byline, clipped, duration, sentence_case
from rag import Answer, Citation, Passage

NEAREST = 3
"""Passages offered with a declined answer."""

_CERTAINTY = ((0.9, "Very likely right"), (0.75, "Likely right"), (0.5, "Possibly right"), (0.0, "Uncertain"))
_STAGES = {"retrieve": "searched", "read": "read", "write": "written", "verify": "checked"}


def button(label: str, *, on: str = "", kind: str = "plain", title: str = "", **data: object) -> str:
    """A button that fires the Gradio event ``on``, with ``data`` as the event's data."""
    attributes = "".join(
        f' data-{name}="{escape(str(value))}"' for name, value in ({"on": on} | data).items() if value != ""
    )
    spoken = f' aria-label="{escape(title)}" title="{escape(title)}"' if title else ""
    return f'<button type="button" class="{kind}"{attributes}{spoken}>{escape(label)}</button>'


def masthead(articles: int) -> str:
    """The top of the page."""
    counted = f"{articles} article{'s' * (articles != 1)}" if articles else "no articles yet"
    return (
        '<header class="masthead"><h1>Ask the articles</h1>'
        f"<p>{counted} · every sentence cited and checked</p></header>"
    )


def invitation(examples: Sequence[str]) -> str:
    """What stands where no question has been asked yet, with example questions."""
    asks = "".join(f"<li>{button(example, on='submit', kind='example', question=example)}</li>" for example in examples)
    listed = f'<p class="hint">For instance</p><ul class="examples">{asks}</ul>' if asks else ""
    return (
        '<div class="invitation"><h2>What would you like to know?</h2>'
        "<p>Answers come from the articles alone. Every sentence names the passage it rests on: "
        f"select its number to read that passage in its article.</p>{listed}</div>"
    )


def conversation(turns: Sequence[Turn]) -> str:
    """The whole conversation."""
    last = len(turns) - 1
    sections = "".join(_turn(turn, number, last=number == last) for number, turn in enumerate(turns))
    finished = turns and (turns[-1].answer or turns[-1].error)
    return sections + (_tools(turns) if finished else "")


def _tools(turns: Sequence[Turn]) -> str:
    text = markdown(turns)
    tools = [
        button("Copy all", copy=text),
        button("Export as Markdown", copy=text, save="conversation.md"),
        button("New conversation", on="input", act="clear"),
    ]
    return f'<div class="tools" role="toolbar" aria-label="Conversation">{"".join(tools)}</div>'


def _turn(turn: Turn, number: int, *, last: bool) -> str:
    return (
        f'<section class="turn" aria-label="Question {number + 1}">'
        f'<h2 class="question">{escape(turn.question)}</h2>{_reply(turn, number, last=last)}</section>'
    )


def _reply(turn: Turn, number: int, *, last: bool) -> str:
    if turn.error:
        retry = button("Ask again", on="submit", act="retry") if last else ""
        return f'<div class="reply failed"><p><strong>No answer.</strong> {escape(turn.error)}</p>{retry}</div>'
    if turn.answer is None:
        text = _sentences(turn.text, turn.citations, number)
        return f'<div class="reply">{text}<p class="working">{escape(turn.status)}</p></div>'
    body = _answered(turn.answer, number) if turn.answer.answered else _declined(turn.answer, number)
    return body + _facts(turn.answer) + _actions(turn, number, last=last)


def _answered(answer: Answer, number: int) -> str:
    short = f'<p class="short">{escape(answer.short)}</p>' if answer.short else ""
    cited = "".join(f"<li>{_citation(citation, number)}</li>" for citation in answer.citations)
    return (
        f'<div class="reply">{short}{_sentences(answer.text, answer.citations, number)}'
        f'<ol class="citations" aria-label="Cited passages">{cited}</ol></div>'
    )


def _declined(answer: Answer, number: int) -> str:
    near = "".join(f"<li>{_near(passage, number, at)}</li>" for at, passage in enumerate(answer.passages[:NEAREST]))
    offered = f'<p class="hint">The nearest passages</p><ol class="citations">{near}</ol>' if near else ""
    reason = f"<p>{escape(sentence_case(answer.reason))}</p>" if answer.reason else ""
    said = f"<p>{escape(answer.text)}</p>" if not reason and answer.text else ""
    return f'<div class="reply declined"><p class="verdict">The articles don’t say</p>{reason}{said}{offered}</div>'


def _sentences(text: str, citations: Sequence[Citation], number: int) -> str:
    """The text's paragraphs, each marker that names a citation as a button."""
    known = {citation.number: citation for citation in citations}
    literal = _literal_brackets(text, citations)
    html, last = "", 0
    for match in MARKER.finditer(text):
        citation = known.get(int(match[1]))
        if citation and match.start() not in literal:
            # The marker stays on the line of the word in front of it.
            before, space, word = text[last : match.start()].rstrip(" ").rpartition(" ")
            held = f'<span class="held">{escape(word)}\u202f{_marker(citation, number)}</span>'
            html += f"{escape(before)}{space}{held}"
            last = match.end()
    html += escape(text[last:])
    return "".join(f"<p>{paragraph}</p>" for paragraph in html.split("\n\n") if paragraph)


def _literal_brackets(text: str, citations: Iterable[Citation]) -> set[int]:
    """Where ``[n]`` in an answer is an article's own text and no marker: where it follows the same words in a quote."""
    found: set[int] = set()
    for citation in citations:
        quote = " ".join(citation.quote.split())
        for match in MARKER.finditer(quote):
            words = quote[max(0, match.start() - 24) : match.end()]
            found |= {at.end() - len(match[0]) for at in re.finditer(re.escape(words), text)}
    return found


def _marker(citation: Citation, number: int) -> str:
    title = f"Citation {citation.number}: {_label(citation)}"
    return button(f"{citation.number}", on="select", kind="marker", title=title, turn=number, cite=citation.number)


def _citation(citation: Citation, number: int) -> str:
    return (
        f'<button type="button" class="citation" data-on="select" data-turn="{number}" data-cite="{citation.number}">'
        f'<span class="number">{citation.number}</span><span><b>{escape(citation.title or citation.source)}</b>'
        f'<span class="byline">{escape(byline(citation))}</span>'
        f"<q>{escape(clipped(citation.quote))}</q></span></button>"
    )


def _near(passage: Passage, number: int, at: int) -> str:
    return (
        f'<button type="button" class="citation" data-on="select" data-turn="{number}" data-near="{at}">'
        f"<span><b>{escape(passage.title or passage.source)}</b>"
        f'<span class="byline">{escape(byline(passage))}</span>'
        f"<q>{escape(clipped(passage.text, 180))}</q></span></button>"
    )


def _facts(answer: Answer) -> str:
    """How sure the answer is, who wrote it, what it took."""
    by = "bundled reader" if answer.answerer == "reader" else answer.answerer.removeprefix("llm:")
    facts = [f"{len(answer.passages)} passages", *_timings(answer.timings, answer.seconds), by]
    if answer.dropped:
        facts.append(f"{answer.dropped} unsupported sentence{'s' * (answer.dropped > 1)} dropped")
    if answer.usage and answer.usage.cost is not None:
        facts.append(f"cost {answer.usage.cost:.4f}")
    sure = f'<span class="sure">{_certainty(answer)}</span>' if answer.answered else ""
    listed = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    notes = "".join(f'<p class="note"><strong>Note:</strong> {escape(note)}</p>' for note in answer.notes)
    return f'{notes}<div class="facts">{sure}<ul aria-label="How this answer was made">{listed}</ul></div>'


def _certainty(answer: Answer) -> str:
    words = next(words for least, words in _CERTAINTY if answer.confidence >= least)
    percent = f"{100 * answer.confidence:.0f}"
    return f'<meter min="0" max="100" value="{percent}" aria-hidden="true"></meter>{words} · {percent} %'


def _timings(timings: Mapping[str, float], seconds: float) -> list[str]:
    stages = [f"{_STAGES.get(stage, stage)} in {duration(spent)}" for stage, spent in timings.items()]
    return stages or [f"answered in {duration(seconds)}"]


def _actions(turn: Turn, number: int, *, last: bool) -> str:
    assert turn.answer is not None
    actions = [button("Copy", copy=str(turn.answer))]
    if last:
        actions += [
            button("Ask again", on="submit", act="retry"),
            button("Edit question", on="input", act="edit"),
            button("Undo", on="input", act="undo"),
        ]
    rates = [
        button(
            label,
            on="input",
            kind="plain rated" if turn.rating == rating else "plain",
            act="rate",
            turn=number,
            rating=rating,
        )
        for rating, label in (("up", "Helpful"), ("down", "Not helpful"))
    ]
    rated = _comment(turn, number) if turn.rating else ""
    return f'<div class="actions">{"".join(actions)}<span class="rates">{"".join(rates)}</span></div>{rated}'


def _comment(turn: Turn, number: int) -> str:
    if turn.noted:
        return f'<p class="noted" role="status">{escape(turn.noted)}</p>'
    label = "What was good about it?" if turn.rating == "up" else "What is wrong with it?"
    draft = button("Make it a draft gold question", on="input", act="draft", turn=number)
    return (
        f'<form class="comment" data-on="input" data-act="comment" data-turn="{number}">'
        f'<label>{label} <input name="comment" maxlength="2000" autocomplete="off"></label>'
        f'<button type="submit" class="plain">Save comment</button>{draft}</form>'
    )


def spoken(turn: Turn) -> str:
    """What a screen reader says of a turn as it stands."""
    if turn.answer:
        text = turn.answer.text if turn.answer.answered else f"The articles don't say: {turn.answer.reason or ''}"
        return escape(MARKER.sub("", text))
    return escape(turn.error or turn.status)


def _label(citation: Citation) -> str:
    return f"{citation.title or citation.source}, {byline(citation)}"

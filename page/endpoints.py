"""The endpoints for programs: gradio_client, HTTP, and MCP clients, who read these docstrings."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import html
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

import rag

if TYPE_CHECKING:
    from page.events import Page


class Endpoints:
    """What programs can ask of a page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def query(self, question: str, history: list[list[str]] | None = None) -> dict[str, Any]:
        """Answers a question from the articles alone. Every sentence of the answer ends in a marker [n] that names a
        citation: an exact quote with its article, author, publisher and date. "answered" is false where the articles
        don't say; "reason" then tells why.

        Args:
            question: The question, in plain words.
            history: Earlier turns of the conversation as [question, answer] pairs, for a follow-up question.
        """
        with told():
            turns = [(asked, answered) for asked, answered in history or []]
            *_, last = self._page.stream(question, turns)
            assert last.answer is not None
            return dataclasses.asdict(last.answer)

    def retrieve(self, question: str, k: int = 10) -> list[dict[str, Any]]:
        """Finds the passages of the articles that fit a question best, best first, each with its article's title,
        authors, publisher and date. Use it to read what the articles say without having an answer written.

        Args:
            question: The question, in plain words.
            k: How many passages, from 1 to 50.
        """
        with told():
            return [
                dataclasses.asdict(passage) for passage in self._page.assistant.retrieve(question, min(max(k, 1), 50))
            ]

    def sync(self) -> dict[str, Any]:
        """Brings the index up to date with the folder of articles. Returns what was added, changed, removed and
        skipped, and why."""
        self._page.syncing.start()
        *_, last = self._page.syncing.watch()
        with told():
            if last.report is None:
                raise rag.RagError(last.error)
            return dataclasses.asdict(last.report)


def as_text(endpoint: Callable[..., Any]) -> Callable[..., str]:
    """An endpoint as a tool for an LLM, told in JSON (gradio would tell it in Python's spelling), without the passages
    that an answer doesn't cite."""

    @functools.wraps(endpoint)
    def tool(*values: Any, **named: Any) -> str:
        result = endpoint(*values, **named)
        if isinstance(result, dict):
            result = {name: value for name, value in result.items() if name != "passages"}
        return json.dumps(result, ensure_ascii=False)

    tool.__annotations__ = {**endpoint.__annotations__, "return": "str"}
    return tool


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Errors that a person can do something about, as a message on the page; its HTML is escaped, as everywhere."""
    try:
        yield
    except (rag.RagError, OSError) as error:
        raise gr.Error(html.escape(str(error), quote=False), print_exception=False) from error

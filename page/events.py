"""What happens on the page: a method for every event.

What belongs to one visitor comes in and goes out as ``gr.State``; ``Page`` holds only what all visitors share.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

import rag
from page import corpus, examples, panels, quality, reading, render
from page.endpoints import told
from page.turn import Turn
from rag.errors import StoreBusyError
from rag.types import Metadata

ASK, STOP = "Ask", "Stop"
EXAMPLES = 4

Turns = list[Turn]
Overview = tuple[str, str, str]
"""The sync, the list of articles and the masthead, as HTML."""


class Page:
    """The page's events over one assistant; one sync and one run of the evals at a time, for all visitors."""

    def __init__(self, assistant: rag.Assistant) -> None:
        self.assistant = assistant
        self.folder = Path(assistant.settings.corpus)
        self.store = Path(assistant.settings.store)
        self.syncing = corpus.Sync(self._sync)
        self.evals = quality.EvalRun(quality.eval_command(self.folder, self.store))
        self.examples: list[str] = []
        self.prepared = threading.Event()

    def _sync(self, progress: Any, *, rebuild: bool = False) -> rag.SyncReport:
        report = self.assistant.sync(progress, rebuild=rebuild)
        threading.Thread(target=self._prepare, name="examples", daemon=True).start()
        return report

    def _prepare(self) -> None:
        """Loads the models before the first visitor asks, and finds examples that have an answer."""
        try:
            self.assistant.warm_up()
            articles = [self.assistant.article(source) for source in list(self.assistant.articles())[:50]]
            tried = filter(self._has_answer, examples.candidates(articles)[: 2 * EXAMPLES])
            self.examples = list(itertools.islice(tried, EXAMPLES))
        except rag.RagError:
            pass  # the page can do without examples; who asks will be told what is wrong
        finally:
            self.prepared.set()

    def _has_answer(self, question: str) -> bool:
        # An LLM's answers cost money and time: where one answers, the examples go untried.
        return self.assistant.settings.uses_llm or self.assistant.query(question).answered

    def invite(self) -> str:
        """What stands where nothing has been asked yet, once there are examples."""
        self.prepared.wait(timeout=60)
        return render.invitation(self.examples)

    # Asking

    def ask(self, question: str, turns: Turns) -> Iterator[tuple[Any, ...]]:
        """Streams the answer to a new question into the conversation."""
        turn = Turn(uuid.uuid4().hex, question.strip(), status="Looking through the articles")
        yield _shown(turns, turn, busy=True, value="")
        try:
            for event in self.stream(question, _history(turns)):
                turn = _advanced(turn, event)
                if event.answer is None:
                    yield _shown(turns, turn, busy=True)
        except rag.RagError as error:
            turn = dataclasses.replace(turn, error=str(error))
        except Exception:
            turn = dataclasses.replace(turn, error="Something went wrong; the server's log says what.")
            yield _shown(turns, turn, busy=False)
            raise
        yield _shown(turns, turn, busy=False)

    def stream(self, question: str, history: list[tuple[str, str]]) -> Iterator[rag.Event]:
        """The answer's events; as long as nothing has ever been synced, first how far the sync is."""
        try:
            yield from self.assistant.stream(question, history)
        except StoreBusyError:
            for state in self.syncing.watch():
                yield rag.Event("status", f"Reading the articles for the first time: {state.done} of {state.total}")
            yield from self.assistant.stream(question, history)

    def ask_again(self, turns: Turns, event: gr.EventData) -> Iterator[tuple[Any, ...]]:
        """Asks an example, or the last question once more."""
        if event._data.get("act") == "retry":
            yield from self.ask(turns[-1].question, turns[:-1])
        else:
            yield from self.ask(event._data["question"], turns)

    def stop(self, turns: Turns) -> tuple[Any, ...]:
        """After a stop: the unfinished question goes back to where it can be changed."""
        if turns and turns[-1].answer is None and not turns[-1].error:
            return turns[:-1], render.conversation(turns[:-1]), composer(busy=False, value=turns[-1].question)
        return turns, render.conversation(turns), composer(busy=False)

    def change(self, turns: Turns, event: gr.EventData) -> tuple[Any, ...]:
        """Everything else that a button in the conversation can do."""
        data = event._data
        match data["act"]:
            case "clear":
                turns, question = [], gr.skip()
            case "undo":
                turns, question = turns[:-1], gr.skip()
            case "edit":
                turns, question = turns[:-1], gr.Textbox(value=turns[-1].question, autofocus=True)
            case _:
                number = int(data["turn"])
                rated = self._rated(turns[number], _history(turns[:number]), data)
                turns, question = [*turns[:number], rated, *turns[number + 1 :]], gr.skip()
        return turns, render.conversation(turns), question

    def _rated(self, turn: Turn, history: list[tuple[str, str]], data: dict[str, Any]) -> Turn:
        match data["act"]:
            case "rate":
                turn = dataclasses.replace(turn, rating="up" if data["rating"] == "up" else "down", noted="")
                quality.keep_feedback(self.store, turn)
            case "comment":
                quality.keep_feedback(self.store, turn, str(data.get("comment", ""))[:2000])
                turn = dataclasses.replace(turn, noted="Thank you, your comment is kept.")
            case "draft":
                turn = dataclasses.replace(turn, noted=quality.keep_draft(self.store, turn, history))
        return turn

    # Reading

    def open_citation(self, turns: Turns, event: gr.EventData) -> str:
        """The article of a citation, or of a passage near a declined question, with its passages marked."""
        data = event._data
        turn = turns[int(data["turn"])]
        if "near" in data and turn.answer:
            current = reading.nearest(turn.answer.passages[int(data["near"])])
            return self._article([current], current)
        current = next(citation for citation in turn.citations if citation.number == int(data["cite"]))
        return self._article(turn.citations, current)

    def open_article(self, event: gr.EventData) -> str:
        """An article of the list, with nothing marked."""
        source = event._data["source"]
        known = self._articles().get(source)
        if known is None:
            raise gr.Error("This article is not indexed: sync first", print_exception=False)
        start = rag.Citation(0, source, known.title, known.authors, known.publisher, known.date, "", 0, 0)
        return self._article([], start)

    def _article(self, shown: Sequence[rag.Citation], current: rag.Citation) -> str:
        try:
            found = self.assistant.article(current.source)
        except rag.RagError:
            found = None  # it was removed since; the panel says so and keeps the quote
        return reading.article(found, shown, current)

    # The corpus

    def follow_sync(self, uploads: Sequence[corpus.Upload] = ()) -> Iterator[Overview]:
        """The sync as it goes on, and when it is over the list of articles that it leaves."""
        lists = self._lists()
        for state in self.syncing.watch():
            if not state.running:
                lists = self._lists()
            yield panels.sync(state, uploads), *lists

    def _lists(self) -> tuple[str, str]:
        known = self._articles()
        sizes = {source: _size(self.folder / source) for source in known}
        return panels.articles(known, sizes), render.masthead(len(known))

    def _articles(self) -> dict[str, Metadata]:
        try:
            return self.assistant.articles()
        except rag.RagError:
            return {}  # nothing is synced yet; if that is for a reason, the sync tells it

    def upload(self, paths: list[str] | None, overwrite: bool) -> Iterator[tuple[Any, ...]]:
        """Saves uploaded files as articles and syncs."""
        uploads = corpus.save_uploads(self.folder, [Path(path) for path in paths or []], overwrite=overwrite)
        self.syncing.start()
        for shown in self.follow_sync(uploads):
            yield *shown, None

    def start_sync(self) -> Iterator[Overview]:
        self.syncing.start()
        yield from self.follow_sync()

    def rebuild(self) -> Iterator[Overview]:
        self.syncing.start(rebuild=True)
        yield from self.follow_sync()

    def remove_article(self, event: gr.EventData) -> Iterator[Overview]:
        """Takes an article out of the corpus and syncs."""
        with told():
            corpus.remove(self.folder, self.store / "removed", event._data["source"])
        yield from self.start_sync()

    def save_metadata(self, event: gr.EventData) -> Iterator[Overview]:
        """Writes an article's metadata into metadata.toml and syncs."""
        source = event._data["source"]
        with told():
            corpus.inside(self.folder, source)
            corpus.save_metadata(self.folder, source, corpus.metadata_values(event._data))
        yield from self.start_sync()

    # Quality

    def follow_evals(self) -> Iterator[str]:
        for state in self.evals.watch():
            with told():
                runs = [] if state.running else quality.last_runs(self.store)
            yield panels.evals(state, runs)

    def start_evals(self) -> Iterator[str]:
        self.evals.start()
        yield from self.follow_evals()

    def feedback(self) -> str:
        return panels.feedback(quality.feedback(self.store), quality.drafts(self.store))


def _history(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer.text) for turn in turns if turn.answer]


def _advanced(turn: Turn, event: rag.Event) -> Turn:
    """The turn after one more piece of its answer."""
    if event.answer:
        return dataclasses.replace(turn, status="", answer=event.answer, citations=event.answer.citations)
    if event.kind == "status":
        return dataclasses.replace(turn, status=event.text)
    # A piece that doesn't bring the space in front of it along is a paragraph of its own.
    gap = "" if not turn.text or event.text[:1].isspace() else "\n\n"
    text = f"{turn.text}{gap}{event.text}"
    return dataclasses.replace(turn, text=text, citations=(*turn.citations, *event.citations))


def _shown(turns: Turns, turn: Turn, *, busy: bool, **box: Any) -> tuple[Any, ...]:
    """The conversation with its newest turn: as state, as HTML, as words for a screen reader, and the question box."""
    turns = [*turns, turn]
    return turns, render.conversation(turns), render.spoken(turn), composer(busy=busy, **box)


def composer(*, busy: bool, **changes: Any) -> Any:
    """The question box: while an answer is being made its button stops it."""
    return gr.Textbox(submit_btn=not busy and ASK, stop_btn=busy and STOP, **changes)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

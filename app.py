"""The chat page: ``python app.py`` or ``rag chat``. It shows Answers and knows nothing of how they are made.

The HTML is made in page/render.py and page/panels.py and styled by page/style.css; page/script.js turns clicks into
events.
What belongs to one visitor is in ``gr.State``; ``Page`` holds only what all visitors share.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import html
import importlib.util
import ipaddress
import itertools
import os
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported; without it gradio calls two hosts
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr

import rag
from page import corpus, examples, panels, quality, render
from page.render import Turn
from rag.errors import StoreBusyError
from rag.types import Metadata

HERE = Path(__file__).parent
SCRIPT = (HERE / "page/script.js").read_text(encoding="utf-8")
STYLE = (HERE / "page/style.css").read_text(encoding="utf-8")
ASK, STOP = "Ask", "Stop"
AT_ONCE = 16
"""Questions answered at the same time."""

EXAMPLES = 4
Turns = list[Turn]


class Page:
    """The handlers behind the page, and what all visitors share: the assistant, the running sync and evals."""

    def __init__(self, assistant: rag.Assistant) -> None:
        self.assistant = assistant
        self.folder = Path(assistant.settings.corpus)
        self.store = Path(assistant.settings.store)
        self.sync = corpus.Sync(self._sync)
        self.evals = quality.EvalRun(self.folder, self.store)
        self.examples: list[str] = []
        self.prepared = threading.Event()

    def _sync(self, progress: Any, *, rebuild: bool = False) -> rag.SyncReport:
        report = self.assistant.sync(progress, rebuild=rebuild)
        threading.Thread(target=self._prepare, name="examples", daemon=True).start()
        return report

    def _prepare(self) -> None:
        """Finds examples that have an answer; trying them loads the models before the first visitor asks."""
        try:
            articles = [self.assistant.article(source) for source in list(self.assistant.articles())[:50]]
            tried = filter(self._has_answer, examples.candidates(articles)[: 3 * EXAMPLES])
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
            for event in self._stream(question, _history(turns)):
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

    def _stream(self, question: str, history: list[tuple[str, str]]) -> Iterator[rag.Event]:
        """The answer's events; as long as nothing has ever been synced, first how far the sync is."""
        try:
            yield from self.assistant.stream(question, history)
        except StoreBusyError:
            for state in self.sync.watch():
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
            return turns[:-1], render.conversation(turns[:-1]), _composer(busy=False, value=turns[-1].question)
        return turns, render.conversation(turns), _composer(busy=False)

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
            current = render.nearest(turn.answer.passages[int(data["near"])])
            return self._article([current], current)
        current = next(citation for citation in turn.citations if citation.number == int(data["cite"]))
        return self._article(turn.citations, current)

    def open_article(self, event: gr.EventData) -> str:
        """An article of the list, with nothing marked."""
        source = event._data["source"]
        known = self._articles().get(source)
        if known is None:
            raise gr.Error(f"{source} is not indexed: sync first")
        start = rag.Citation(0, source, known.title, known.authors, known.publisher, known.date, "", 0, 0)
        return self._article([], start)

    def _article(self, shown: Sequence[rag.Citation], current: rag.Citation) -> str:
        try:
            found = self.assistant.article(current.source)
        except rag.RagError:
            found = None  # it was removed since; the panel says so and keeps the quote
        return render.article(found, shown, current)

    # The corpus

    def follow_sync(self, uploads: Sequence[corpus.Upload] = ()) -> Iterator[tuple[str, str, str]]:
        """The sync as it goes on, and when it is over the list of articles that it leaves."""
        for state in self.sync.watch():
            yield panels.sync(state, uploads), *self._overview()

    def _overview(self) -> tuple[str, str]:
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
        self.sync.start()
        for shown in self.follow_sync(uploads):
            yield *shown, None

    def start_sync(self) -> Iterator[tuple[str, str, str]]:
        self.sync.start()
        yield from self.follow_sync()

    def rebuild(self) -> Iterator[tuple[str, str, str]]:
        self.sync.start(rebuild=True)
        yield from self.follow_sync()

    def remove_article(self, event: gr.EventData) -> Iterator[tuple[str, str, str]]:
        """Takes an article out of the corpus and syncs."""
        with _told():
            corpus.remove(self.folder, self.store / "removed", event._data["source"])
        yield from self.start_sync()

    def save_metadata(self, event: gr.EventData) -> Iterator[tuple[str, str, str]]:
        """Writes an article's metadata into metadata.toml and syncs."""
        with _told():
            corpus.save_metadata(self.folder, event._data["source"], corpus.metadata_values(event._data))
        yield from self.start_sync()

    # Quality

    def follow_evals(self) -> Iterator[str]:
        for state in self.evals.watch():
            yield panels.evals(state, [] if state.running else quality.last_runs(self.store))

    def start_evals(self) -> Iterator[str]:
        self.evals.start()
        yield from self.follow_evals()

    def feedback(self) -> str:
        return panels.feedback(quality.feedback(self.store), quality.drafts(self.store))

    # The endpoints, for programs: gradio_client, HTTP, and MCP clients, who read these docstrings

    def query(self, question: str, history: list[list[str]] | None = None) -> dict[str, Any]:
        """Answers a question from the articles alone. Every sentence of the answer ends in a marker [n] that names a
        citation: an exact quote with its article, author, publisher and date. "answered" is false where the articles
        don't say; "reason" then tells why.

        Args:
            question: The question, in plain words.
            history: Earlier turns of the conversation as [question, answer] pairs, for a follow-up question.
        """
        with _told():
            turns = [(asked, answered) for asked, answered in history or []]
            *_, last = self._stream(question, turns)
            assert last.answer is not None
            return dataclasses.asdict(last.answer)

    def retrieve(self, question: str, k: int = 10) -> list[dict[str, Any]]:
        """Finds the passages of the articles that fit a question best, best first, each with its article's title,
        authors, publisher and date. Use it to read what the articles say without having an answer written.

        Args:
            question: The question, in plain words.
            k: How many passages, from 1 to 50.
        """
        with _told():
            return [dataclasses.asdict(passage) for passage in self.assistant.retrieve(question, min(max(k, 1), 50))]

    def sync_now(self) -> dict[str, Any]:
        """Brings the index up to date with the folder of articles. Returns what was added, changed, removed and
        skipped, and why."""
        with _told():
            return dataclasses.asdict(self.assistant.sync())


def _history(turns: Sequence[Turn]) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer.text) for turn in turns if turn.answer]


def _advanced(turn: Turn, event: rag.Event) -> Turn:
    """The turn after one more piece of its answer."""
    if event.answer:
        return dataclasses.replace(turn, status="", answer=event.answer, citations=event.answer.citations)
    if event.kind == "status":
        return dataclasses.replace(turn, status=event.text)
    text = f"{turn.text}\n\n{event.text}".strip()
    return dataclasses.replace(turn, text=text, citations=(*turn.citations, *event.citations))


def _shown(turns: Turns, turn: Turn, *, busy: bool, **box: Any) -> tuple[Any, ...]:
    """The conversation with its newest turn: as state, as HTML, as words for a screen reader, and the question box."""
    turns = [*turns, turn]
    return turns, render.conversation(turns), render.spoken(turn), _composer(busy=busy, **box)


def _composer(*, busy: bool, **changes: Any) -> Any:
    """The question box: while an answer is being made its button stops it."""
    return gr.Textbox(submit_btn=not busy and ASK, stop_btn=busy and STOP, **changes)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Errors that a person can do something about, as a message on the page; its HTML is escaped, as everywhere."""
    try:
        yield
    except (rag.RagError, OSError) as error:
        raise gr.Error(html.escape(str(error), quote=False), print_exception=False) from error


def build(page: Page) -> gr.Blocks:
    """The page's layout, and which handler answers which event."""
    with gr.Blocks(title="Ask the articles", analytics_enabled=False, delete_cache=(3600, 3600)) as blocks:
        turns = gr.State([])
        with gr.Row(elem_id="page"):
            with gr.Column(elem_id="main"):
                masthead = _html(render.masthead(0))
                with gr.Tab("Ask"):
                    invitation = _html(render.invitation([]), elem_id="invitation")
                    conversation = _html(elem_id="conversation")
                    spoken = gr.HTML(elem_id="spoken", elem_classes="spoken", html_template=SPOKEN)
                    question = _question_box()
                with gr.Tab("Articles") as articles_tab:
                    files, folder, overwrite, sync_button = _corpus_tools()
                    sync, listing = _html(elem_id="sync"), _html(elem_id="articles")
                with gr.Tab("Quality") as quality_tab:
                    run = gr.Button("Run the evals", size="sm", elem_classes="action")
                    evals, feedback = _html(elem_id="evals"), _html(elem_id="feedback")
            with gr.Column(elem_id="side"):
                source = _html(elem_id="source")

        asked = [turns, conversation, spoken, question]
        corpus_views = [sync, listing, masthead]
        asking: list[Any] = [
            question.submit(page.ask, [question, turns], asked, **QUIET),
            conversation.submit(page.ask_again, turns, asked, **QUIET),
            invitation.submit(page.ask_again, turns, asked, **QUIET),
        ]
        question.stop(page.stop, turns, [turns, conversation, question], cancels=asking, **QUIET)
        conversation.input(page.change, turns, [turns, conversation, question], **QUIET)
        conversation.select(page.open_citation, turns, source, **QUIET)

        blocks.load(page.follow_sync, None, corpus_views, **QUIET)
        blocks.load(page.invite, None, invitation, **QUIET)
        articles_tab.select(page.follow_sync, None, corpus_views, **QUIET)
        sync_button.click(page.start_sync, None, corpus_views, **QUIET)
        sync.input(page.rebuild, None, corpus_views, **QUIET)
        for upload in (files, folder):
            upload.upload(page.upload, [upload, overwrite], [*corpus_views, upload], **QUIET)
        listing.select(page.open_article, None, source, **QUIET)
        listing.input(page.remove_article, None, corpus_views, **QUIET)
        listing.submit(page.save_metadata, None, corpus_views, **QUIET)

        quality_tab.select(page.follow_evals, None, evals, **QUIET)
        quality_tab.select(page.feedback, None, feedback, **QUIET)
        run.click(page.start_evals, None, evals, **QUIET)

        gr.api(page.query, api_name="query", concurrency_limit=AT_ONCE)
        gr.api(page.retrieve, api_name="retrieve", concurrency_limit=AT_ONCE)
        gr.api(page.sync_now, api_name="sync")
    return blocks


SPOKEN = '<p role="status" aria-live="polite">${value}</p>'
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": AT_ONCE}
"""For the page's own events: no endpoint, no spinner over the text, no waiting in line."""


def _html(value: str = "", **options: Any) -> gr.HTML:
    return gr.HTML(value, js_on_load=SCRIPT, apply_default_css=False, **options)


def _question_box() -> gr.Textbox:
    return gr.Textbox(
        label="Your question",
        placeholder="Ask about the articles",
        show_label=False,
        lines=1,
        max_lines=6,
        max_length=2000,
        submit_btn=ASK,
        autofocus=True,
        elem_id="question",
    )


def _corpus_tools() -> tuple[gr.File, gr.UploadButton, gr.Checkbox, gr.Button]:
    kinds = list(corpus.SUFFIXES)
    files = gr.File(
        label=f"Add articles ({', '.join(kinds)})",
        file_count="multiple",
        file_types=kinds,
        height=130,
        elem_id="upload",
    )
    with gr.Row(elem_id="corpus-tools"):
        folder = gr.UploadButton("Add a folder", file_count="directory", size="sm")
        sync_button = gr.Button("Sync", size="sm")
        overwrite = gr.Checkbox(label="Replace articles of the same name", container=False)
    return files, folder, overwrite, sync_button


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the page until interrupted; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        _serve(options)
    except (rag.RagError, OSError) as error:
        print(f"app: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app", description="The chat page.")
    parser.add_argument("--corpus", type=Path, help="folder of articles (default: seeds, or RAG_CORPUS)")
    parser.add_argument("--store", type=Path, help="folder of the index (default: .rag, or RAG_STORE)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to serve on; others than 127.0.0.1 need --password"
    )
    parser.add_argument("--port", type=int, help="default: the first free one from 7860 on")
    parser.add_argument("--password", metavar="USER:PASSWORD", help="ask visitors for this name and password")
    parser.add_argument("--mcp", action="store_true", help="offer the endpoints as MCP tools too")
    return parser


def _serve(options: argparse.Namespace) -> None:
    given = {name: value for name in ("corpus", "store") if (value := getattr(options, name)) is not None}
    settings = rag.Settings(**given)
    _check(options, settings)
    page = Page(rag.Assistant(settings))
    page.sync.start()
    blocks = build(page)
    _, url, _ = blocks.launch(
        server_name=options.host,
        server_port=options.port,
        auth=tuple(options.password.split(":", 1)) if options.password else None,
        mcp_server=options.mcp,
        max_file_size=corpus.MAX_BYTES,
        prevent_thread_lock=True,
        share=False,
        quiet=True,
        ssr_mode=False,
        pwa=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        theme=_theme(),
        css=STYLE,
    )
    print(f"The page is at {url}", flush=True)
    blocks.block_thread()


def _check(options: argparse.Namespace, settings: rag.Settings) -> None:
    if not Path(settings.corpus).is_dir():
        raise rag.RagError(f"there is no folder {settings.corpus}: make it, or name another with --corpus")
    if options.password and not all(options.password.partition(":")):
        raise rag.RagError("--password takes USER:PASSWORD")
    if not _is_loopback(options.host) and not options.password:
        raise rag.RagError(
            f"serving on {options.host} lets others in: give a --password USER:PASSWORD, or leave --host out"
        )
    if options.mcp and importlib.util.find_spec("mcp") is None:
        raise rag.RagError("--mcp needs one more package: pip install 'rag[mcp]'")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _theme() -> gr.themes.Base:
    # The default theme's fonts come from another host; page/style.css names the system's own.
    return gr.themes.Base(font=["sans-serif"], font_mono=["monospace"], primary_hue="teal", neutral_hue="stone")


if __name__ == "__main__":
    sys.exit(main())

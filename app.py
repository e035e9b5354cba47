"""The chat page: ``python app.py`` or ``rag chat``. It shows Answers and knows nothing of how they are made.

Here are its layout and its command line. What happens on an event stands in page/events.py; the HTML is made in
page/render.py and page/panels.py and styled by page/style.css; page/script.js turns clicks into events.
"""

from __future__ import annotations

import argparse
import importlib.util
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported; without it gradio calls two hosts
os.environ["HF_HUB_OFFLINE"] = "1"

import gradio as gr

import rag
from page import corpus, render
from page.events import ASK, Page

HERE = Path(__file__).parent
SCRIPT = (HERE / "page/script.js").read_text(encoding="utf-8")
STYLE = (HERE / "page/style.css").read_text(encoding="utf-8")
AT_ONCE = 16
"""Questions answered at the same time."""


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
        gr.api(page.sync, api_name="sync")
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
    kinds = list(corpus.KINDS)
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
    page.syncing.start()
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
    if options.mcp and options.password:
        raise rag.RagError("--mcp can't be had with --password: gradio's MCP endpoint asks for none")
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

"""The page's layout, and which method of ``Page`` answers which of its events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from page import corpus, render
from page.endpoints import Endpoints, as_text
from page.events import ASK, Page

HERE = Path(__file__).parent
SCRIPT = (HERE / "script.js").read_text(encoding="utf-8")
STYLE = (HERE / "style.css").read_text(encoding="utf-8")
AT_ONCE = 16
"""Questions answered at the same time."""


def build(page: Page, *, mcp: bool = False) -> gr.Blocks:
    """The whole page, and the endpoints; with ``mcp`` they are offered to MCP clients too."""
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

        endpoints = Endpoints(page)
        for endpoint in (endpoints.query, endpoints.retrieve, endpoints.sync):
            _offer(endpoint, mcp=mcp)
    return blocks


def _offer(endpoint: Callable[..., Any], *, mcp: bool) -> None:
    """An endpoint for programs; with ``mcp`` also a tool of that name, since gradio makes one of all it documents."""
    name = endpoint.__name__
    visibility: Any = "undocumented" if mcp else "public"
    gr.api(endpoint, api_name=name, api_visibility=visibility, concurrency_limit=AT_ONCE)
    if mcp:
        gr.api(as_text(endpoint), api_name=f"{name}_tool", concurrency_limit=AT_ONCE)


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
        height=160,
        elem_id="upload",
    )
    with gr.Row(elem_id="corpus-tools"):
        folder = gr.UploadButton("Add a folder", file_count="directory", size="sm")
        sync_button = gr.Button("Sync", size="sm")
        overwrite = gr.Checkbox(label="Replace articles of the same name", container=False)
    return files, folder, overwrite, sync_button


def theme() -> gr.themes.Base:
    """Colours and fonts that page/style.css builds on."""
    # The default theme's fonts come from another host; page/style.css names the system's own.
    return gr.themes.Base(font=["sans-serif"], font_mono=["monospace"], primary_hue="teal", neutral_hue="stone")

"""The chat page: ``python app.py`` or ``rag chat``. It shows Answers and knows nothing of how they are made.

Here is its command line. Its layout stands in page/layout.py, what happens on an event in page/events.py; the HTML is
made in page/render.py and page/panels.py and styled by page/style.css; page/script.js turns clicks into events.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rag
from page.corpus import MAX_BYTES


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
    _import_gradio()
    from page import layout
    from page.events import Page

    page = Page(rag.Assistant(settings))
    blocks = layout.build(page, mcp=options.mcp)
    _, url, _ = blocks.launch(
        server_name=options.host,
        server_port=options.port,
        auth=tuple(options.password.split(":", 1)) if options.password else None,
        mcp_server=options.mcp,
        max_file_size=MAX_BYTES,
        prevent_thread_lock=True,
        share=False,
        quiet=True,
        ssr_mode=False,
        pwa=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        theme=layout.theme(),
        css=layout.STYLE,
    )
    print(f"The page is at {url}", flush=True)
    page.syncing.start()
    blocks.block_thread()


def _import_gradio() -> None:
    """Imports gradio without its calls to two hosts, and in about half the time.

    As it is imported, gradio parses its own source to write type stubs for editors, a class at a time, unless it can't
    find a class's file.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    find = inspect.getfile

    def getfile(thing: Any) -> str:
        if str(getattr(thing, "__module__", "")).startswith("gradio."):
            raise OSError("not looked for")
        return find(thing)

    try:
        inspect.getfile = getfile  # type: ignore[assignment]
        import gradio  # noqa: F401
    finally:
        inspect.getfile = find


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


if __name__ == "__main__":
    sys.exit(main())

"""The command line: parses and prints, nothing else. Answers go to stdout, progress to stderr.

Exit codes: 0 fine, 1 an eval gate fell, 2 an error (one line).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import runpy
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rag.errors import RagError, StoreBusyError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["eval"]:
        return _module("evals.run", arguments[1:])
    if arguments[:1] == ["chat"]:
        return _module("app", arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except RagError as error:
        print(f"rag: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("rag: interrupted; the store is as it was", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rag", description=sys.modules["rag"].__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--corpus", type=Path, help="folder of articles (default: seeds, or RAG_CORPUS)")
    common.add_argument("--store", type=Path, help="folder of the index (default: .rag, or RAG_STORE)")

    sync = commands.add_parser("sync", parents=[common], help="bring the index up to date with the articles")
    sync.add_argument("--rebuild", action="store_true", help="start from nothing")
    sync.add_argument("--json", action="store_true", help="print the report as JSON")
    sync.set_defaults(run=_sync)

    query = commands.add_parser("query", parents=[common], help="answer a question")
    query.add_argument("question")
    query.add_argument("--json", action="store_true", help="print the answer as JSON")
    query.set_defaults(run=_query)

    commands.add_parser("chat", help="open the chat page (rag chat --help)", add_help=False)
    commands.add_parser("eval", help="score the gold questions (rag eval --help)", add_help=False)

    text = commands.add_parser("text", parents=[common], help="print the text that a file's citations count in")
    text.add_argument("file", type=Path)
    text.set_defaults(run=_text)
    return parser


def _assistant(options: argparse.Namespace) -> Any:
    from rag.assistant import Assistant
    from rag.settings import Settings

    given = {name: value for name in ("corpus", "store") if (value := getattr(options, name)) is not None}
    return Assistant(Settings(**given))


def _sync(options: argparse.Namespace) -> int:
    report = _assistant(options).sync(_show_progress, rebuild=options.rebuild)
    print(_as_json(report) if options.json else report)
    return 0


def _query(options: argparse.Namespace) -> int:
    assistant = _assistant(options)
    with ThreadPoolExecutor(1) as loading:
        loading.submit(assistant.warm_up)  # takes as long as the sync; if it fails, the query tells why
        try:
            assistant.sync(_show_progress)
        except StoreBusyError as error:
            print(f"{error}; answering from the last finished sync", file=sys.stderr)
    answer = assistant.query(options.question)
    print(_as_json(answer) if options.json else answer)
    return 0


def _text(options: argparse.Namespace) -> int:
    from rag.articles import file_text

    sys.stdout.reconfigure(newline="")  # type: ignore[union-attr]  # newlines untouched, as citations count them
    sys.stdout.write(file_text(options.file))
    return 0


def _module(name: str, arguments: list[str]) -> int:
    """Hand over to a module that this package may not import: the page and the evals stand on it, not it on them."""
    sys.argv = [name, *arguments]
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _as_json(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value), ensure_ascii=False, indent=2)


def _show_progress(done: int, total: int, what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{what}: {done}/{total}\033[K", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done in (0, total):
        print(f"{what}: {done}/{total}", file=sys.stderr, flush=True)

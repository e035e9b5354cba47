"""Many at once: 32 clients of one Assistant, and of the page. ``RAG_LOAD_SECONDS=60`` for the full run."""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rag
from tests.app_server import Server

CLIENTS = 32
SECONDS = float(os.environ.get("RAG_LOAD_SECONDS", "3"))
QUESTIONS = [
    "How many people work at BYD's bus plant in Lancaster?",
    "How much did Fuyao Glass commit to Ohio?",
    "Who wrote the article about business cooperation and US-China ties?",
    "What is the population of the moon?",
]


def crowd(who: str, ask: Callable[[str], object], capsys: pytest.CaptureFixture[str]) -> None:
    """Each of the clients asks one question after the other, and must get what it gets when it asks alone."""
    expected = {question: ask(question) for question in QUESTIONS}
    assert len({json.dumps(answer, default=str) for answer in expected.values()}) == len(QUESTIONS)
    problems: list[object] = []
    seconds: list[float] = []
    end = time.monotonic() + SECONDS

    def client(number: int) -> None:
        while not problems:
            question = QUESTIONS[number % len(QUESTIONS)]
            number += 1
            began = time.perf_counter()
            try:
                answer = ask(question)
            except (rag.RagError, OSError, AssertionError) as error:
                problems.append(error)
                return
            seconds.append(time.perf_counter() - began)
            if answer != expected[question]:
                problems.append((question, answer, expected[question]))
            if time.monotonic() > end:
                return

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(seconds) >= CLIENTS
    p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{who}: {len(seconds)} answers to {CLIENTS} clients in {SECONDS:g} s: p50 {p50:.2f} s, p95 {p95:.2f} s\n"
        )


@pytest.mark.timeout(SECONDS + 240)
def test_32_clients_at_once_each_get_the_answer_to_their_own_question(
    assistant: rag.Assistant, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(question: str) -> object:
        answer = assistant.query(question)
        places = [(passage.source, passage.start) for passage in answer.passages]
        return answer.text, answer.answered, answer.citations, places

    crowd("assistant", ask, capsys)


@pytest.mark.timeout(SECONDS + 360)
def test_the_page_serves_32_clients_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path)
    try:
        server.wait()
        crowd("page", lambda question: ask_page(server.url, question), capsys)
    finally:
        log = server.stop()
    assert "Traceback" not in log


def ask_page(url: str, question: str) -> Any:
    """The answer to one question over HTTP: the question is posted, the answer read from the stream of its event."""
    body = json.dumps({"data": [question, []]}).encode()
    endpoint = f"{url}/gradio_api/call/query"
    request = urllib.request.Request(endpoint, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{endpoint}/{event}", timeout=120) as stream:
        kind, data = stream.read().decode().strip().split("\n")[-2:]
    assert kind == "event: complete", data
    answer = json.loads(data.removeprefix("data: "))[0]
    return answer["text"], answer["confidence"], answer["citations"]


def test_queries_go_on_while_the_corpus_is_synced(tmp_path: Path) -> None:
    corpus = tmp_path / "articles"
    corpus.mkdir()

    def publish(edition: int) -> None:
        (corpus / "a.txt").write_text(f"The Lancaster plant employs {edition} workers, the company said on Monday.\n")

    publish(100)
    assistant = rag.Assistant(rag.Settings(corpus=corpus, store=tmp_path / "store"))
    assistant.sync()
    problems: list[object] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            passages = assistant.retrieve("How many workers does the Lancaster plant employ?")
            if len(passages) != 1:
                problems.append(passages)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for edition in range(101, 106):
        publish(edition)
        assistant.sync()
    done.set()
    for thread in threads:
        thread.join()

    assert problems == []
    assert "105 workers" in assistant.retrieve("How many workers?")[0].text

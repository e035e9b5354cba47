"""Many at once: 32 clients of one Assistant. ``RAG_LOAD_SECONDS=60`` for the full run; a short one otherwise."""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from pathlib import Path

import pytest

import rag

CLIENTS = 32
SECONDS = float(os.environ.get("RAG_LOAD_SECONDS", "3"))
QUESTIONS = [
    "How many people work at BYD's bus plant in Lancaster?",
    "How much did Fuyao Glass commit to Ohio?",
    "Who wrote the article about business cooperation and US-China ties?",
    "What is the population of the moon?",
]


def signature(answer: rag.Answer) -> tuple[object, ...]:
    places = tuple((passage.source, passage.start) for passage in answer.passages)
    return answer.text, answer.answered, answer.citations, places


@pytest.mark.timeout(SECONDS + 240)
def test_32_clients_at_once_each_get_the_answer_to_their_own_question(
    assistant: rag.Assistant, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {question: signature(assistant.query(question)) for question in QUESTIONS}
    assert len(set(expected.values())) == len(QUESTIONS)  # else a mix-up couldn't be told
    problems: list[object] = []
    seconds: list[float] = []
    end = time.monotonic() + SECONDS

    def ask(client: int) -> None:
        number = client
        while time.monotonic() < end and not problems:
            question = QUESTIONS[number % len(QUESTIONS)]
            number += 1
            started = time.perf_counter()
            try:
                answer = assistant.query(question)
            except rag.RagError as error:
                problems.append(error)
                return
            seconds.append(time.perf_counter() - started)
            if signature(answer) != expected[question]:
                problems.append((question, answer.text, expected[question][0]))

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(seconds) >= CLIENTS
    p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(seconds)} answers to {CLIENTS} clients in {SECONDS:g} s: p50 {p50:.2f} s, p95 {p95:.2f} s\n"
        )


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

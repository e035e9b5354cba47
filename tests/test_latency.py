"""The benchmark of the time to an LLM's first sentence, on a few questions."""

from __future__ import annotations

import re

import pytest

from evals import gold, latency


def test_it_tells_how_long_people_wait_apart_from_the_llm(capsys: pytest.CaptureFixture[str]) -> None:
    latency.main(["--questions", "3", "--delay", "0.1"])
    first, *rows = capsys.readouterr().out.splitlines()
    assert first == "first sentences  3 shown, 0 dropped"
    assert [re.sub(r"-?\d+ ms", "N ms", row) for row in rows] == [
        "before the LLM is asked  p50 N ms, p95 N ms",
        "after it has answered  p50 N ms, p95 N ms",
        "together  p50 N ms, p95 N ms",
        "CPU  p50 N ms, p95 N ms",
    ]


def test_the_questions_are_such_as_an_llm_is_asked_once() -> None:
    questions = latency.chosen(gold.load(latency.HERE / "gold.jsonl"), 30)
    assert len(questions) == 30
    assert all(question.answerable and not question.history for question in questions)

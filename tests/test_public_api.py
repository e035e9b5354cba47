"""The public contract: names, fields, and what a person sees."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

import rag
from tests.conftest import SEEDS


def fields(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def test_the_names() -> None:
    assert set(rag.__all__) == {
        "Answer", "Assistant", "Citation", "Event", "Passage", "RagError", "Settings", "SyncReport", "query",
    }  # fmt: skip
    for name in rag.__all__:
        assert getattr(rag, name).__doc__


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            rag.Answer,
            {"text", "short", "answered", "reason", "citations", "passages", "confidence", "answerer", "seconds"},
        ),
        (
            rag.Citation,
            {"number", "source", "title", "authors", "publisher", "date", "quote", "start", "end"},
        ),
        (rag.Passage, {"source", "start", "end", "text", "score", "title", "authors", "publisher", "date"}),
        (rag.SyncReport, {"added", "changed", "removed", "unchanged", "skipped", "chunks", "seconds"}),
    ],
)
def test_the_fields(kind: type, expected: set[str]) -> None:
    assert expected <= fields(kind)


@pytest.mark.parametrize("name", ["corpus", "store", "chroma_url", "answerer", "llm_model"])
def test_each_setting_is_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"RAG_{name.upper()}", "reader" if name == "answerer" else "some/where")
    assert str(getattr(rag.Settings(), name)) in ("some/where", "reader")


def test_a_wrong_setting_is_one_clear_line() -> None:
    with pytest.raises(rag.RagError, match=r"setting answerer: .*RAG_ANSWERER") as caught:
        rag.Settings(answerer="oracle")  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "uses_llm"),
    [
        ({}, False),
        ({"OPENAI_API_KEY": "sk-test"}, True),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, True),
        ({"OPENAI_API_KEY": "sk-test", "RAG_ANSWERER": "reader"}, False),
        ({"RAG_ANSWERER": "llm"}, True),
    ],
)
def test_auto_is_the_llm_where_one_is_configured(
    environment: dict[str, str], uses_llm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert rag.Settings().uses_llm is uses_llm


def test_the_key_is_never_shown() -> None:
    assert "sk-secret" not in repr(rag.Settings(openai_api_key="sk-secret"))  # type: ignore[arg-type]


def test_the_one_line_answer(assistant: rag.Assistant) -> None:
    answer = assistant.query("How many people work at BYD's bus plant in Lancaster?")
    assert answer.answered
    assert "more than 750 workers" in answer.text
    assert "750" in (answer.short or "")
    first = answer.citations[0]
    assert (first.source, first.authors, first.publisher, first.date) == (
        "000_863140e473464f69.txt",
        ("Wang Huiyao",),
        "SCMP",
        "2025-01-18",
    )
    assert (SEEDS / first.source).read_bytes().decode()[first.start : first.end] == first.quote
    assert "[1]" in answer.text
    assert "SCMP" in str(answer) and "Wang Huiyao" in str(answer)


def test_stream_ends_in_the_answer_that_query_gives(assistant: rag.Assistant) -> None:
    events = list(assistant.stream("Who is CATL's founder?"))
    assert [event.kind for event in events][-1] == "answer"
    pieces = [event.text for event in events if event.kind == "sentence"]
    answer = events[-1].answer
    assert answer is not None
    assert "\n\n".join(pieces) == answer.text == assistant.query("Who is CATL's founder?").text


def test_retrieve_gives_passages_best_first(assistant: rag.Assistant) -> None:
    passages = assistant.retrieve("battery licensing between Ford and CATL", k=4)
    assert len(passages) == 4
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
    assert "CATL" in passages[0].text


def test_declining_is_an_answer(assistant: rag.Assistant) -> None:
    answer = assistant.query("What is the boiling point of tungsten?")
    assert not answer.answered
    assert answer.reason and answer.reason in str(answer)
    assert answer.citations == ()
    assert answer.passages


def test_history_makes_a_follow_up(assistant: rag.Assistant) -> None:
    history = [("Where is BYD's plant?", "In Lancaster [1].")]
    assert "750" in assistant.query("And how many workers does it employ?", history=history).text


@pytest.mark.parametrize("question", ["", "   \n", "?!... —"])
def test_a_question_without_a_word_is_an_error(assistant: rag.Assistant, question: str) -> None:
    with pytest.raises(rag.RagError, match="question is empty"):
        assistant.query(question)


@pytest.mark.parametrize(
    "question",
    ["x" * 50_000, "why " * 12_500, "比亚迪在兰开斯特有多少工人？", 'title:(AND OR "', "\x00\ud800 plant?"],
)
def test_an_odd_question_is_answered_or_declined(assistant: rag.Assistant, question: str) -> None:
    assert assistant.query(question).text


def test_rag_query_syncs_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("RAG_CORPUS", str(tmp_path / "corpus"))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "lake.txt").write_text("The lake is 40 metres deep. It freezes in winter.")
    assert "40 metres" in rag.query("How deep is the lake?").text
    (tmp_path / "corpus" / "lake.txt").write_text("The lake is 55 metres deep. It freezes in winter.")
    assert "55 metres" in rag.query("How deep is the lake?").text


def test_signatures() -> None:
    assert list(inspect.signature(rag.query).parameters)[:2] == ["question", "history"]
    assert {"llm", "embedding"} <= set(inspect.signature(rag.Assistant).parameters)

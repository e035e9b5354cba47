"""Slips of the finger in a question."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.assistant import MODELS
from rag.reader import Reader
from rag.settings import Settings
from rag.spelling import mended
from rag.types import Passage

TEXT = "Starbucks added 290 stores in Kentucky. Tariffs hit the Glasserman works; Shanxi exports semiconductors."
PASSAGES = [Passage(source="a.txt", start=0, end=len(TEXT), text=TEXT, score=1.0, title="A winter in Ontario")]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(MODELS)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how many starbuks in kentuky", "how many Starbucks in Kentucky"),
        ("What did the tarrifs hit?", "What did the Tariffs hit?"),
        ("Who lives in Ontairo?", "Who lives in Ontario?"),
    ],
)
def test_a_slip_is_mended_by_what_the_passages_say(typed: str, meant: str, reader: Reader) -> None:
    assert mended(typed, PASSAGES, reader.knows) == meant


@pytest.mark.parametrize(
    "question",
    [
        "How many shops does Starbucks have?",  # words that are right, in the passages or not
        "What does a semiconductor cost?",  # another ending
        "Who exported wood from Canada in 1985?",  # common words
        "What is made in Xhanxi?",  # begins with another letter
        "Which Starling flew in 2023?",  # like nothing there
        "",
    ],
)
def test_what_is_no_slip_stays(question: str, reader: Reader) -> None:
    assert mended(question, PASSAGES, reader.knows) == question


def test_without_passages_nothing_is_changed(reader: Reader) -> None:
    assert mended("how many starbuks", [], reader.knows) == "how many starbuks"


def test_the_answer_says_how_the_question_was_read(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Vandermolen\n\nThe Vandermolen bridge carries 4,200 lorries a day.")
    assistant = rag.Assistant(Settings(corpus=tmp_path / "corpus", store=tmp_path / "store"))
    assistant.sync()
    answer = assistant.query("How many lorries does the Vandermoln bridge carry a day?")
    assert answer.short == "4,200"
    assert "read as: How many lorries does the Vandermolen bridge carry a day?" in answer.notes

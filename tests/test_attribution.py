"""Questions for what an article or its author says."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from rag.attribution import as_said
from rag.questions import spoken_of
from rag.settings import Settings
from rag.types import Passage

AUTHORS, PUBLISHER = ("Jane Doe", "Li Wei"), "The Daily Post"


def passage(source: str, authors: tuple[str, ...] = (), publisher: str = "") -> Passage:
    return Passage(source, 0, 4, "Text", 0.5, authors=authors, publisher=publisher)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What does Jane Doe say about steel?", "What does the author say about steel?"),
        ("what does doe think of tariffs", None),  # too short to tell from a word
        ("What do Jane Doe and Li Wei propose?", "What do the authors propose?"),
        ("Why does the Daily Post article reject tariffs?", "Why does the article reject tariffs?"),
        ("Why do the Daily Post's authors reject tariffs?", "Why do the authors reject tariffs?"),
        ("What does the Daily Post report on steel?", "What does the article report on steel?"),
        ("According to Jane Doe, who makes steel?", "who makes steel?"),
        ("Who makes steel, according to the Daily Post?", "Who makes steel?"),
        ("In the view of Li Wei, who makes steel?", "In the view of the author, who makes steel?"),
        ("Who is Jane Doe?", None),
        ("Where does Jane Doe work?", None),
        ("What does Jane Doe's institute say?", None),
        ("What does John Roe say about steel?", None),
        ("What do the Daily Posts say?", None),
    ],
)
def test_who_is_asked_by_name_is_asked_as_the_author(question: str, said: str | None) -> None:
    theirs = passage("a.txt", AUTHORS, PUBLISHER)
    others = [passage("b.txt", ("John Smith",), "The Times"), passage("c.txt")]
    found = as_said(question, [others[0], theirs, others[1]])
    assert found == ((said, [theirs]) if said else None)


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What does Jane Doe say about the Orvik mine?", "the Orvik mine?"),
        ("What did they think of steel?", "steel?"),
        ("Who says that Orvik is closed?", ""),
        ("What is the article about?", ""),
    ],
)
def test_what_somebody_is_to_have_spoken_of(question: str, topic: str) -> None:
    assert spoken_of(question) == topic


def test_nobody_is_quoted_on_what_their_article_never_names(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text(
        "A hard winter for steel\n\nMara Lindqvist, who runs the Tornby works, said that talks with the union will be "
        "very difficult. She warned that orders from abroad have fallen by a third."
    )
    (corpus / "b.txt").write_text("Mines\n\nThe Orvik mine was closed in March. Its owner said that it won't reopen.")
    assistant = rag.Assistant(Settings(corpus=corpus, store=tmp_path / "store"))
    assistant.sync()
    assert "difficult" in assistant.query("What does Mara Lindqvist say about the union?").text
    declined = assistant.query("What does Mara Lindqvist say about the Orvik union?")
    assert not declined.answered
    assert declined.reason == "nothing that fits the question mentions Orvik"

"""Questions for what an article or its author says."""

from __future__ import annotations

import pytest

from rag.attribution import as_said
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

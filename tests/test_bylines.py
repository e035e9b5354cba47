"""Questions about an article itself."""

from __future__ import annotations

import pytest

from rag.bylines import Byline, asked_field, look_up
from rag.types import Passage

LINE = "By Ann Lee and Bo Chen | The Daily\nUpdated: 3 March 2021"


def article(source: str, **about: object) -> Passage:
    return Passage(source=source, start=0, end=5, text="Trade.", score=0.5, **about)  # type: ignore[arg-type]


TRADE = article("a.txt", title="Trade winds", authors=("Ann Lee", "Bo Chen"), publisher="The Daily", date="2021-03-03")
OTHER = article("b.txt", title="Chips and ships", authors=("Cy Young",), publisher="Post")


def shown(found: Byline) -> list[str]:
    return [line.text[slice(*span)] for line, span in found.lines]


def lines(source: str) -> list[Passage]:
    if source != "a.txt":
        return []
    return [Passage("a.txt", 40, 40 + len(LINE), LINE, 0.0, sentences=((0, 34), (35, len(LINE))), kind="byline")]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ("Who wrote the China Daily piece about tech ties?", "authors"),
        ("Who is the author of the SCMP article?", "authors"),
        ("who wrote about decoupling", "authors"),
        ("When was Wang Huiyao's article published?", "date"),
        ("What date did the Reuters story come out?", "date"),
        ("Which newspaper ran the article by Liu Dongmei?", "publisher"),
        ("Which news agency is the report on the harvest from?", "agency"),
        ("Which news agency did the minister call, according to the report?", None),
        ("What is the title of Wang Huiyao's article?", "title"),
        ('Who is the author of "The Road to a New Deal"?', "authors"),
        ("When was “The Road to a New Deal” published?", "date"),
        ("Who wrote that the deal is a “mistake for both sides”?", None),
        ("Who founded CATL?", None),
        ("When was the trade agreement signed?", None),
        ("When did Toyota decide to build a factory?", None),
        ("Who wrote the law?", None),
    ],
)
def test_which_field_a_question_asks_for(question: str, field: str | None) -> None:
    assert asked_field(question) == field


def test_the_article_meant_is_found_and_its_line_shown() -> None:
    found = look_up("Who wrote the Daily's piece on trade?", "authors", [OTHER, TRADE], lines)
    assert found is not None
    assert found.value == "Ann Lee and Bo Chen"
    assert shown(found) == ["By Ann Lee and Bo Chen | The Daily"]


@pytest.mark.parametrize(
    ("authors", "publisher", "value"),
    [(("Reuters",), "The Daily", "Reuters"), (("Ann Lee",), "AFP", "AFP"), (("Ann Lee",), "The Daily", "")],
)
def test_an_agency_is_the_author_or_the_publisher(authors: tuple[str, ...], publisher: str, value: str) -> None:
    credited = article("a.txt", title="Trade winds", authors=authors, publisher=publisher)
    found = look_up("Which news agency is behind the report on trade winds?", "agency", [credited], lines)
    assert found is not None
    assert found.value == value


def test_a_date_is_found_however_it_is_written() -> None:
    found = look_up("When was the Daily piece on trade published?", "date", [TRADE], lines)
    assert found is not None
    assert shown(found) == ["Updated: 3 March 2021"]


def test_what_the_text_does_not_show_has_no_line() -> None:
    found = look_up("Who wrote the Post article about chips?", "authors", [OTHER, TRADE], lines)
    assert found is not None
    assert (found.value, found.lines) == ("Cy Young", ())


def test_authors_named_in_two_lines_are_cited_to_both() -> None:
    text = "Ann Lee is a fellow.\nBo Chen is a professor."
    bios = Passage("a.txt", 90, 90 + len(text), text, 0.0, sentences=((0, 20), (21, len(text))), kind="byline")
    found = look_up("Who wrote the Daily's piece on trade?", "authors", [TRADE], lambda source: [bios])
    assert found is not None
    assert shown(found) == ["Ann Lee is a fellow.", "Bo Chen is a professor."]

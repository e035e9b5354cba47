"""Readings become answers: sentences, markers, citations."""

from __future__ import annotations

import pytest

from rag.answering import find
from rag.questions import wants_sentences
from rag.quoting import answered, cite, declined, joined, piece, who_says
from rag.types import Passage, Reading

TEXT = "Fuyao came first. It built a plant in Ohio. The plant has 2,000 workers."
SENTENCES = ((0, 17), (18, 43), (44, 72))


def passage(source: str = "a.txt", text: str = TEXT, at: int = 100, **about: object) -> Passage:
    sentences = SENTENCES if text == TEXT else ((0, len(text)),)
    return Passage(source, at, at + len(text), text, 0.5, sentences=sentences, **about)  # type: ignore[arg-type]


def reading(
    where: Passage,
    *,
    answerable: float = 3.0,
    span: tuple[int, int] | None = None,
    relevance: tuple[float, ...] | None = None,
) -> Reading:
    score = 5.0 if span else -5.0
    return Reading(where, answerable, span, score, relevance or tuple(0.1 for _ in where.sentences))


@pytest.mark.parametrize(
    ("question", "long"),
    [
        ("How many people work at the plant?", False),
        ("Who founded CATL?", False),
        ("When did Toyota decide to build in Kentucky?", False),
        ("Why did Japan invest in the US?", True),
        ("According to the article, why did Japan invest?", True),
        ("According to Reuters, when did Japan invest?", False),
        ("What principle highlights the significance of primes?", False),
        ("Which firm's analysts wrote that a ban is unlikely?", False),
        ("How accurate was the calendar?", False),
        ("Which languages used the script?", True),
        ("What measures would make up the plan?", True),
        ("And how did the two respond?", True),
        ("How could the two sides cooperate?", True),
        ("What does Wendy Cutler say about talks?", True),
        ("What are the obstacles to a deal?", True),
        ("Which American companies profit from China?", True),
        ("Compare the two authors' views of decoupling", True),
    ],
)
def test_which_questions_want_sentences(question: str, long: bool) -> None:
    assert wants_sentences(question) is long


def test_a_fact_gets_its_sentence_and_the_span() -> None:
    finding = find("How many workers has the plant?", [reading(passage(), span=(58, 63))])
    assert finding is not None
    assert finding.short == "2,000"
    assert [piece.text for piece in finding.pieces] == ["The plant has 2,000 workers."]


@pytest.mark.parametrize(
    ("text", "span", "short"),
    [
        ("It employs more than 750 workers.", "750", "more than 750"),
        ("Investments exceed US$1.2 trillion in all.", "1.2", "US$1.2 trillion"),
        ("It was about 33 per cent of sales.", "33", "about 33 per cent"),
        ("It came in 1985 to Kentucky.", "1985", "1985"),
        ("Robin Zeng leads it.", "Robin Zeng", "Robin Zeng"),
    ],
)
def test_a_number_keeps_its_qualifier_and_unit(text: str, span: str, short: str) -> None:
    start = text.index(span)
    finding = find("How many?", [reading(passage(text=text), span=(start, start + len(span)))])
    assert finding is not None and finding.short == short


def test_the_sentence_before_comes_along_where_it_names_what_was_asked_about() -> None:
    finding = find("How many workers has Ohio's plant?", [reading(passage(), span=(58, 63))])
    assert finding is not None
    assert [piece.text for piece in finding.pieces][-2:] == [
        "It built a plant in Ohio.",
        "The plant has 2,000 workers.",
    ]


@pytest.mark.parametrize("opening", ["It built a plant in Ohio.", "In 2014, it built a plant in Ohio."])
def test_a_sentence_that_leans_back_brings_the_one_before_it(opening: str) -> None:
    text = f"Fuyao came first. {opening}"
    where = Passage("a.txt", 0, len(text), text, 0.5, sentences=((0, 17), (18, len(text))))
    start = text.index("Ohio")
    finding = find("Where is the plant?", [reading(where, span=(start, start + 4))])
    assert finding is not None
    assert [piece.text for piece in finding.pieces] == ["Fuyao came first.", opening]


def test_neighbouring_sentences_share_a_citation_whose_quote_is_exact() -> None:
    finding = find("Where was a plant built?", [reading(passage(), span=(38, 42))])
    assert finding is not None
    text, citations = cite(finding.pieces)
    assert text == "Fuyao came first. [1] It built a plant in Ohio. [1]"
    assert [(c.start, c.end, c.quote) for c in citations] == [(100, 143, TEXT[:43])]


def test_two_articles_that_differ_stand_side_by_side_under_their_names() -> None:
    one = passage("a.txt", authors=("Ann Lee",), publisher="The Daily", date="2021-03-03")
    other = passage("b.txt", "The plant employs 900 people.", publisher="Post")
    readings = [reading(one, span=(58, 63)), reading(other, answerable=2.8, span=(18, 21))]
    finding = find("How many workers has the plant?", readings)
    assert finding is not None
    text, citations = cite(finding.pieces)
    assert text == (
        "Ann Lee (The Daily, 2021-03-03): The plant has 2,000 workers. [1]\n\nPost: The plant employs 900 people. [2]"
    )
    assert [citation.source for citation in citations] == ["a.txt", "b.txt"]


def test_two_articles_that_agree_need_one_citation() -> None:
    other = passage("b.txt", "Some 2,000 people work there.")
    readings = [reading(passage(), span=(58, 63)), reading(other, answerable=2.9, span=(5, 10))]
    finding = find("How many workers has the plant?", readings)
    assert finding is not None
    assert len(cite(finding.pieces)[1]) == 1


def test_a_long_answer_takes_the_relevant_sentences_once() -> None:
    twin = passage("b.txt", "Fuyao came first.")
    readings = [
        reading(passage(), relevance=(0.9, 0.05, 0.6)),
        reading(twin, answerable=2.0, relevance=(0.8,)),
    ]
    finding = find("Why is Fuyao an example?", readings)
    assert finding is not None
    assert [piece.text for piece in finding.pieces] == ["Fuyao came first.", "The plant has 2,000 workers."]


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("Tesla buys its batteries from CATL.", True),  # the same topic, in another article
        ("Tesla opened a showroom.", False),
        ("The views in this article are its authors'.", False),  # words of the question, but not of its topic
    ],
)
def test_another_article_that_speaks_of_the_topic_has_its_say(said: str, taken: bool) -> None:
    first = reading(passage("a.txt", "CATL makes the batteries of Ford."), relevance=(0.9,))
    second = reading(passage("b.txt", said), relevance=(0.05,))
    finding = find("What do the articles say about CATL's batteries?", [first, second])
    assert finding is not None
    assert [piece.text for piece in finding.pieces] == [first.passage.text, *([said] if taken else [])]


def test_a_sentence_that_has_the_rest_of_the_question_completes_the_answer() -> None:
    text = "It imposed 10% tariffs. Rain fell. Consumers bear the cost."
    where = Passage("a.txt", 0, len(text), text, 0.5, sentences=((0, 23), (24, 34), (35, 59)))
    finding = find("Describe the tariffs and who must bear the cost", [reading(where, relevance=(0.9, 0.1, 0.1))])
    assert finding is not None
    assert [piece.text for piece in finding.pieces] == ["It imposed 10% tariffs.", "Consumers bear the cost."]


@pytest.mark.parametrize("asked", ["What would this look like?", "“What would this look like?”"])
def test_a_question_in_the_article_answers_none_while_a_statement_is_there(asked: str) -> None:
    text = f"{asked} Firms license batteries."
    end = len(asked)
    where = Passage("a.txt", 0, len(text), text, 0.5, sentences=((0, end), (end + 1, len(text))))
    finding = find("How do firms cooperate?", [reading(where, relevance=(0.9, 0.6))])
    assert finding is not None
    assert finding.pieces[0].text == "Firms license batteries."


def test_who_says_names_the_author_where_the_sentence_does_not() -> None:
    where = passage(text="Tariffs harm both sides.", authors=("Ann Lee", "Bo Chen"))
    finding = find("Who argues that tariffs harm both sides?", [reading(where, relevance=(0.9,))])
    assert finding is not None
    assert finding.short == "Ann Lee and Bo Chen"
    assert cite(finding.pieces)[0] == "Ann Lee and Bo Chen: Tariffs harm both sides. [1]"


def test_nothing_to_read_is_no_finding() -> None:
    assert find("Why?", []) is None


def test_who_says_falls_back_to_the_file() -> None:
    assert who_says(passage()) == "a.txt"


def test_answers_to_two_parts_become_one_with_citations_numbered_through() -> None:
    one, other = (
        answered(*cite([piece(where, (0, 17))])[:1], "x", cite([piece(where, (0, 17))])[1], [where], sure)
        for where, sure in ((passage(), 0.9), (passage("b.txt"), 0.7))
    )
    both = joined([one, declined("unknown", 0.1, []), other])
    assert both.text == "Fuyao came first. [1]\n\nFuyao came first. [2]"
    assert [(citation.number, citation.source) for citation in both.citations] == [(1, "a.txt"), (2, "b.txt")]
    assert (both.confidence, both.short) == (0.7, "x")


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("Why did Fuyao come to Ohio?", "Ohio"),
        ("Which states got plants?", None),
        ("How did Fuyao come to Ohio?", None),
    ],
)
def test_a_reason_has_a_few_words_where_the_reader_is_sure_a_list_only_a_list_a_way_none(
    question: str, short: str | None
) -> None:
    found = find(question, [reading(passage(), span=(38, 42), relevance=(0.1, 0.9, 0.1))])
    assert found is not None
    assert found.short == short


def test_a_sentence_that_answers_both_parts_is_told_once() -> None:
    text, citations = cite([piece(passage(), (44, 72))])
    parts = [answered(text, short, citations, [passage()], 0.9) for short in ("2,000", "the plant")]
    both = joined(parts)
    assert (both.text, both.short, len(both.citations)) == (text, "2,000; the plant", 1)


def test_parts_that_are_all_declined_are_a_decline() -> None:
    assert joined([declined("unknown", 0.1, []), declined("too", 0.2, [])]).reason == "unknown"

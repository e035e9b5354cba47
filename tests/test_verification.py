"""Facts of a sentence against its passage, and what the model's view adds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from rag import facts
from rag.embedding import BundledEmbedding
from rag.reader import Reader
from rag.verification import Verifier

MODELS = Path(facts.__file__).parent / "models"
EMBED = BundledEmbedding(MODELS).embed
PASSAGE = (
    "BYD opened a bus plant in Lancaster, California, in 2013. It employs 750 people and cost $10 million. "
    "Fuyao took over a closed GM plant in Moraine, Ohio, in 2014, and hired 2,300 workers there. "
    "The United States imposed tariffs of 10 per cent on Chinese goods on February 1. "
    "Some analysts don't expect Tesla to leave Shanghai."
)
ABOUT = "Business cooperation could reset ties Wang Huiyao SCMP 2025-01-18"


def trusting(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """A model that believes everything, so that only the facts decide."""
    return [0.99] * len(pairs)


def doubting(pairs: Sequence[tuple[str, str]]) -> list[float]:
    return [0.01] * len(pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("US$1.2 trillion", {(Decimal(1_200_000_000_000), "")}),
        ("$1.2tn, or 1,200 billion", {(Decimal(1_200_000_000_000), "")}),
        ("63.8 per cent", {(Decimal("63.8"), "%")}),
        ("63.8% and 63.8 percent", {(Decimal("63.8"), "%")}),
        ("25 percentage points", {(Decimal(25), "%")}),
        ("the 2023 percentage", {(Decimal(2023), "")}),
        ("three plants", {(Decimal(3), "")}),
        ("twenty-five thousand", {(Decimal(25_000), "")}),
        ("two hundred and fifty", {(Decimal(250), "")}),
        ("a million cars", {(Decimal(1_000_000), "")}),
        ("2017–2020", {(Decimal(2017), ""), (Decimal(2020), "")}),
        ("the 1980s", {(Decimal(1980), "")}),
        ("one of them", set()),
        ("the G7", set()),
    ],
)
def test_numbers_are_the_same_however_they_are_written(text: str, expected: set[tuple[Decimal, str]]) -> None:
    assert set(facts.numbers(text)) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "BYD's plant in Lancaster employs 750 people.",
        "Tariffs of 10% were imposed by the US on goods from China on Feb. 1.",
        "Fuyao hired nearly 2,400 workers in Moraine.",
        "President Wang Huiyao of the SCMP says the plant cost $10 million.",
        "The plant opened in 2013, and an article of January 2025 tells of it.",
        "American tariffs on Chinese goods are 10 percent.",
    ],
)
def test_facts_that_stand_in_the_passage_or_about_its_article_are_no_problem(sentence: str) -> None:
    assert Verifier(trusting, EMBED).check(sentence, PASSAGE, ABOUT).problems == ()


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("BYD's plant employs 950 people.", "950"),
        ("BYD's plant employs 750 thousand people.", "750 thousand"),
        ("Tariffs were 10 dollars.", "10"),
        ("The plant opened in 2018.", "2018"),
        ("Tariffs came on March 1.", "March"),
        ("BYD has a plant in Texas.", "Texas"),
        ("Elon Musk expects tariffs.", "Elon Musk"),
        ("Japanese goods face tariffs.", "Japanese"),
        ("The plant employs seven hundred people.", "seven hundred"),
        ("Fuyao hired nearly 3,000 workers.", "3,000"),
    ],
)
def test_made_up_facts_are_named(sentence: str, wrong: str) -> None:
    verdict = Verifier(trusting, EMBED).check(sentence, PASSAGE, ABOUT)
    assert not verdict.supported
    assert verdict.problems[0] == f"{wrong} isn't in the passage"


@pytest.mark.parametrize(
    "sentence",
    [
        "BYD took over a closed GM plant in Moraine, Ohio, in 2014.",
        "China imposed tariffs of 10 per cent on American goods on February 1.",
        "Fuyao opened a bus plant in Lancaster, California, in 2013.",
    ],
)
def test_exchanged_names_are_caught(sentence: str) -> None:
    verdict = Verifier(trusting, EMBED).check(sentence, PASSAGE)
    assert not verdict.supported
    assert " for " in verdict.problems[0]


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("Qualcomm sold 657,000 cars last year.", "Intel and Qualcomm did well. Tesla sold 657,000 cars last year."),
        ("Honda chose to build a plant.", "Against all advice, Toyota’s choice to build a plant was right."),
        ("John Doe, an economist, works at the bank.", "Jane Roe, an economist, is at the bank. John Doe isn't."),
        ("John Doe is to be ambassador to Peru.", "He has Jane Roe as ambassador to Peru; John Doe joins the bank."),
    ],
)
def test_a_name_that_takes_the_place_of_another_is_caught(sentence: str, passage: str) -> None:
    (problem,) = Verifier(trusting, EMBED).check(sentence, f"{passage} Honda’s was another matter.").problems
    assert " for " in problem


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("BYD employs 750 people.", "BYD has a plant. With money from Warren Buffett it employs 750 people."),
        ("BYD employs 750 people.", "BYD has a plant. The American branch employs 750 people."),
        ("Tesla sold 657,000 cars.", "Tesla’s year was good: last year it sold 657,000 cars. Intel’s was bad."),
        ("Fuyao hired 2,300 workers there.", "Fuyao has a plant. Its boss hired 2,300 workers. Cao Dewang is proud."),
        ("Doe expects rates to fall soon.", "Doe sat with Roe. Rates will, as he expects, fall soon, and Roe agrees."),
    ],
)
def test_a_subject_named_in_the_sentence_before_is_no_exchange(sentence: str, passage: str) -> None:
    assert Verifier(trusting, EMBED).check(sentence, passage).problems == ()


TRADE = "While exports grew by 9 per cent in 2023, imports from China grew by 12 per cent."


@pytest.mark.parametrize(
    ("sentence", "right"),
    [
        ("Exports grew by 12 per cent.", False),
        ("Exports grew by 9 per cent.", True),
        ("Imports from China grew by 12 per cent in 2023.", True),
        ("In 2023 imports were 12 per cent higher.", True),
        ("Exports grew by 9 per cent and imports by 12 per cent.", True),
    ],
)
def test_a_number_of_another_clause_is_caught(sentence: str, right: bool) -> None:
    problems = Verifier(trusting, EMBED).check(sentence, TRADE).problems
    assert problems == (() if right else ("12 per cent for 9 per cent in the passage",))


def test_whose_article_it_is_may_begin_any_sentence() -> None:
    sentence = "Wang Huiyao praises the decision to build in Kentucky."
    passage = "Toyota’s decision to build in Kentucky deserves praise."
    assert Verifier(trusting, EMBED).check(sentence, passage, ABOUT).problems == ()


@pytest.mark.parametrize(
    ("sentence", "passage", "right"),
    [
        ("It created hundreds of jobs.", "It created thousands of jobs.", False),
        ("It created hundreds of jobs.", "It created thousands of jobs. Another firm employs 750 people.", False),
        ("It created thousands of jobs.", "It created thousands of jobs.", True),
        ("It created thousands of jobs.", "It created 2,300 jobs.", True),
        ("It created thousands of jobs.", "It created 230 jobs.", False),
        ("It cost millions.", "It cost $10 million.", True),
        ("It cost billions.", "It cost $10 million.", False),
    ],
)
def test_hundreds_are_not_thousands(sentence: str, passage: str, right: bool) -> None:
    assert (Verifier(trusting, EMBED).check(sentence, passage).problems == ()) is right


def test_names_in_another_order_that_mean_the_same_are_no_exchange() -> None:
    passage = "Tariffs hurt the US and China alike."
    assert Verifier(trusting, EMBED).check("Tariffs hurt China and the United States alike.", passage).problems == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "Some analysts expect Tesla to leave Shanghai.",
        "The United States imposed no tariffs of 10 per cent on Chinese goods on February 1.",
        "It never employs 750 people and cost $10 million.",
    ],
)
def test_a_denial_is_caught(sentence: str) -> None:
    verdict = Verifier(trusting, EMBED).check(sentence, PASSAGE)
    assert verdict.problems == ("the passage says the opposite",)


def test_a_first_name_is_fine_unless_the_passage_has_another() -> None:
    verifier = Verifier(trusting, EMBED)
    assert verifier.check("Joe Biden won the vote.", "Then Biden won the vote.").problems == ()
    assert verifier.check("Joe Biden won the vote.", "Then Hunter Biden won the vote.").problems


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("The WTO ruled.", "Then the World Trade Organization ruled."),
        ("FDI grew.", "Then foreign direct investment grew."),
        ("U.S.-China ties cooled.", "Ties between China and the United States cooled."),
        ("Sino-American ties cooled.", "Ties between China and the US cooled."),
    ],
)
def test_short_forms_of_names(sentence: str, passage: str) -> None:
    assert Verifier(trusting, EMBED).check(sentence, passage).problems == ()


def test_the_model_has_a_say() -> None:
    sentence = "Buses are built by a maker from Shenzhen that people like."
    sure = Verifier(trusting, EMBED).check(sentence, PASSAGE).probability
    unsure = Verifier(doubting, EMBED).check(sentence, PASSAGE).probability
    assert sure > unsure + 0.2


def test_the_authors_name_in_front_is_not_held_against_a_sentence() -> None:
    sentence = "BYD opened a bus plant in Lancaster, California, in 2013."
    verifier = Verifier(trusting, EMBED)
    attributed = verifier.check(f"Wang Huiyao writes that {sentence}", PASSAGE, ABOUT)
    assert attributed.probability == verifier.check(sentence, PASSAGE, ABOUT).probability
    assert verifier.check(f"Elon Musk writes that {sentence}", PASSAGE, ABOUT).problems


def test_evidence_is_the_sentences_that_hold_the_content() -> None:
    parts = facts.sentences(PASSAGE)
    verifier = Verifier(trusting, EMBED)
    assert verifier.evidence("Fuyao hired 2,300 workers in Moraine.", parts) == [2]
    assert verifier.evidence("BYD's bus plant in Lancaster employs 750 people and cost $10 million.", parts) == [0, 1]
    assert verifier.evidence("Anything.", []) == []


@pytest.mark.parametrize(
    ("sentence", "corrected"),
    [
        ("Fuyao took over a plant in Moraine and hired 3,200 workers.", "2,300"),
        ("Tariffs of 15 per cent on Chinese goods were imposed on February 1.", "10 per cent"),
        ("BYD opened a bus plant in Lancaster in 2015.", "2013"),
    ],
)
def test_a_wrong_number_is_put_right_where_the_passage_leaves_no_doubt(sentence: str, corrected: str) -> None:
    right = Verifier(trusting, EMBED).correct(sentence, PASSAGE)
    assert right is not None
    assert corrected in right


@pytest.mark.parametrize(
    "sentence",
    [
        "It employs 950 people and cost $20 million.",  # two are wrong
        "BYD opened a bus plant in Texas in 2015.",  # not only the number is wrong
        "Some analysts expect 3 things of Tesla.",  # nothing to put in its place
    ],
)
def test_no_number_is_guessed(sentence: str) -> None:
    assert Verifier(trusting, EMBED).correct(sentence, PASSAGE) is None


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("BYD opened a plant for buses in Lancaster in 2013.", True),
        ("The US imposed tariffs of 10% on goods from China.", True),
        ("Fuyao closed its plant in Lancaster because of American tariffs.", False),
        ("Cooking pasta takes patience.", False),
    ],
)
def test_the_bundled_model_and_the_facts_together(sentence: str, supported: bool) -> None:
    assert Verifier(Reader(MODELS).support, EMBED).check(sentence, PASSAGE).supported is supported

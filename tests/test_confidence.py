"""What an answer's confidence is judged by, on hand-worked examples."""

from __future__ import annotations

import pytest

from rag.confidence import probability, uncovered, wrong_type


@pytest.mark.parametrize(
    ("question", "short", "wrong"),
    [
        ("How many railcars were delivered?", "846", False),
        ("How many railcars were delivered?", "in 2016", True),
        ("How much was paid?", "a lot of steel", True),
        ("When was the plant opened?", "in May", False),
        ("In which years did he work there?", "the White House", True),
        ("Who opened the plant?", "the mayor", False),
        ("How many railcars were delivered?", None, False),
    ],
)
def test_a_number_or_a_time_that_was_asked_for_has_to_be_given(question: str, short: str | None, wrong: bool) -> None:
    assert wrong_type(question, short) is wrong


def test_words_of_the_question_that_the_passage_lacks() -> None:
    assert uncovered("Which factories employ workers?", "The factory employs 750 workers.") == 0
    assert uncovered("Who painted the harbour?", "The harbour is old.") == 0.5
    assert uncovered("Which American firms?", "A firm in the United States.") == 0


def test_confidence_rises_with_what_speaks_for_an_answer_and_falls_with_what_is_missing() -> None:
    sure, bare, doubtful = (
        probability(values) for values in ([5, 8, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [5, 8, 1, 1, 1, 1])
    )
    assert 0 < bare < sure < 1
    assert doubtful < sure

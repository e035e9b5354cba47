"""A follow-up becomes a question that stands alone."""

from __future__ import annotations

import pytest

from rag.followup import parts, standalone

PLANT = [("Where is BYD's plant?", "In Lancaster [1].")]


@pytest.mark.parametrize(
    ("history", "question", "expected"),
    [
        (PLANT, "And how much was invested there?", "how much was invested in Lancaster?"),
        (PLANT, "And how many workers does it employ?", "how many workers does BYD's plant employ?"),
        (
            [("Who wrote the SCMP article?", "By Wang Huiyao [1]")],
            "Who is he?",
            "Who is Wang Huiyao?",
        ),
        (
            [("Where did Toyota build a factory?", "Kentucky [1].")],
            "What about Honda?",
            "Where did Honda build a factory?",
        ),
        (
            [("How many cars did Tesla sell in 2024?", "657,000 [1]")],
            "And in 2023?",
            "How many cars did Tesla sell in 2023?",
        ),
        (
            [("Which company leads in batteries?", "Contemporary Amperex Technology (CATL) leads [1].")],
            "Where does it want to build?",
            "Where does Contemporary Amperex Technology want to build?",
        ),
        (
            [("Does Wang Huiyao favour investment?", "He does [1].")],
            "Why?",
            "Does Wang Huiyao favour investment – Why?",
        ),
    ],
)
def test_a_follow_up_takes_what_it_points_back_to(history: list[tuple[str, str]], question: str, expected: str) -> None:
    assert standalone(question, history) == expected


@pytest.mark.parametrize(
    "question",
    [
        "How many stores did Starbucks add in China?",
        "What did BYD say about its plant?",
        "Is there any risk in a ban of TikTok?",
        "Does Wendy Cutler say that a deal is near?",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert standalone(question, PLANT) == question


def test_a_chain_of_follow_ups_keeps_its_topic() -> None:
    history = [*PLANT, ("How many workers does it employ?", "More than 750 [1].")]
    assert standalone("And who owns it?", history) == "who owns BYD's plant?"


def test_without_history_nothing_changes() -> None:
    assert standalone("And how many workers does it employ?", []) == "And how many workers does it employ?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How many people does BYD employ, and how many jobs might investments create?",
            ["How many people does BYD employ?", "how many jobs might investments create?"],
        ),
        ("Who is Robin Zeng and what does he want?", ["Who is Robin Zeng?", "what does he want?"]),
        ("How and why did Japan invest?", ["How and why did Japan invest?"]),
        ("Which cars and buses does BYD make?", ["Which cars and buses does BYD make?"]),
    ],
)
def test_a_question_that_asks_two_things_has_two_parts(question: str, expected: list[str]) -> None:
    assert parts(question) == expected

"""The text tools that make training examples: offsets stay true, and labels say what the text does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

TRAINING = Path(__file__).parent.parent / "training"
NAMES = ("sources", "swaps", "slots", "text")
BODY = (
    "Acme opened a mill in Ohio in 2014. Bolt bought the mill for $5 million. "
    "Rain fell for days. Carla Diaz, 41, runs it, and Bolt was founded by Ann Lee."
)


@pytest.fixture(scope="module")
def training() -> Iterator[dict[str, ModuleType]]:
    """The modules, which import each other by their bare names."""
    sys.path.insert(0, str(TRAINING))
    try:
        yield {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(TRAINING))
        for name in NAMES:
            sys.modules.pop(name, None)


def words_of(text: str, spans: list[tuple[int, int]]) -> list[str]:
    return [text[slice(*span)] for span in spans]


def test_an_exchange_moves_the_marks_along(training: dict[str, ModuleType]) -> None:
    start = BODY.index("$5 million")
    text, marks = training["text"].exchange(BODY, "Bolt", "Carla Diaz", [(start, start + 10)])
    assert "Carla Diaz bought the mill" in text
    assert "Bolt, 41, runs it" in text
    assert words_of(text, marks) == ["$5 million"]


@given(seed=st.integers(0, 10_000), size=st.integers(1, 40))
def test_a_window_is_whole_sentences_around_what_must_stay(
    training: dict[str, ModuleType], seed: int, size: int
) -> None:
    text = training["text"]
    start = BODY.index("Rain")
    left, right = text.window(BODY, [(start, start + 4)], size, Random(seed))
    assert left <= start < right
    bounds = text.sentences(BODY)
    assert left in {first for first, _ in bounds} and right in {last for _, last in bounds}


def test_a_sentence_left_out_takes_its_marks_with_it(training: dict[str, ModuleType]) -> None:
    rain, price = BODY.index("Rain"), BODY.index("$5")
    rest, marks = training["text"].without(BODY, [(price, price + 2)], [(rain, rain + 4), (price, price + 2)])
    assert "Bolt bought" not in rest
    assert words_of(rest, marks) == ["Rain"]


@pytest.mark.parametrize(
    ("passage", "told"),
    [
        ("Bolt bought the old mill for $5 million.", True),
        ("Bolt bought the old mill from Acme.", False),
        ("Acme opened a big mill in Ohio.", True),
        ("Carla Diaz, 41, runs the mill of Acme.", True),
    ],
)
def test_a_question_has_an_answer_only_where_the_passage_tells_it(
    training: dict[str, ModuleType], passage: str, told: bool
) -> None:
    slots, rng = training["slots"], Random(1)
    made = [found for _ in range(200) for make in (slots.of_deed, slots.of_name) if (found := make(passage, rng))]
    answers = {passage[slice(*spans[0])] for _, _, spans in made if spans}
    assert bool(answers) == told
    assert answers <= {"$5 million", "Ohio", "41"}
    assert all(asked.endswith("?") and kept == passage for asked, kept, _ in made)


def test_what_is_exchanged_is_of_a_kind(training: dict[str, ModuleType]) -> None:
    question = "Which 3 men sold Bolt the mill of Acme in 2011?"
    pairs = training["swaps"].candidates(question, [BODY], Random(2))
    assert any(word == "Acme" for word, _ in pairs)
    assert all(other in BODY and other[0].isupper() for word, other in pairs if word == "Acme")
    assert all(other.isdigit() and len(other) == 4 for word, other in pairs if word == "2011")

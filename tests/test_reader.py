"""The reader with its bundled weights: what it finds, what it keeps to, how it fails."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import ModelError
from rag.reader import MAX_SPAN, Reader, _best_span
from rag.types import Passage

MODELS = Path(__file__).parent.parent / "rag/models"
PLANT = "BYD opened its bus plant in Lancaster in 2013. It employs more than 750 workers. The mayor was pleased."
WEATHER = "It rained for most of the week in the north. Farmers hope that the harvest can still be saved."
QUESTION = "How many workers does BYD's bus plant in Lancaster employ?"


def passage(text: str, **fields: object) -> Passage:
    """A passage whose sentences end at each full stop."""
    ends = [i + 1 for i, character in enumerate(text) if character == "."]
    starts = [0, *(end + 1 for end in ends)]
    return replace(
        Passage("a.txt", 0, len(text), text, 0.0, sentences=tuple(zip(starts, ends, strict=False))), **fields
    )


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(MODELS)


def test_the_span_is_the_answer(reader: Reader) -> None:
    (reading,) = reader.read(QUESTION, [passage(PLANT)])
    assert reading.span is not None
    assert "750" in PLANT[slice(*reading.span)]


def test_a_passage_that_answers_scores_above_one_that_does_not(reader: Reader) -> None:
    answers, silent = reader.read(QUESTION, [passage(PLANT), passage(WEATHER)])
    assert answers.answerable > 0 > silent.answerable
    assert answers.span_score > silent.span_score


def test_the_sentence_that_answers_is_the_most_relevant(reader: Reader) -> None:
    (reading,) = reader.read(QUESTION, [passage(PLANT)])
    assert int(np.argmax(reading.relevance)) == 1


def test_readings_come_in_the_order_of_the_passages(reader: Reader) -> None:
    passages = [passage(WEATHER * n) for n in (3, 1, 2)] + [passage(PLANT)]
    assert [reading.passage for reading in reader.read(QUESTION, passages)] == passages


def test_no_passages_give_no_readings(reader: Reader) -> None:
    assert reader.read(QUESTION, []) == []
    assert reader.support([]) == []


def test_an_empty_passage_has_no_span(reader: Reader) -> None:
    (reading,) = reader.read(QUESTION, [passage("")])
    assert reading.span is None
    assert reading.relevance == ()


def test_the_span_never_lies_in_the_heading(reader: Reader) -> None:
    (reading,) = reader.read("Who wrote it?", [passage("He did.", title="Jane Doe", authors=("Jane Doe",))])
    assert reading.span is not None
    assert 0 <= reading.span[0] < reading.span[1] <= len("He did.")


def test_a_sentence_beyond_what_is_read_has_no_relevance(reader: Reader) -> None:
    (reading,) = reader.read(QUESTION, [passage(PLANT + " " + WEATHER * 20)])
    assert len(reading.relevance) == len(reading.passage.sentences)
    assert reading.relevance[-1] == 0.0


@given(question=st.text(max_size=600), text=st.text(max_size=1200), title=st.text(max_size=300))
@settings(max_examples=30, deadline=None)
def test_offsets_stay_inside_whatever_the_text(reader: Reader, question: str, text: str, title: str) -> None:
    (reading,) = reader.read(question, [passage(text, title=title)])
    assert np.isfinite(reading.answerable)
    assert all(0 <= value <= 1 for value in reading.relevance)
    if reading.span:
        assert 0 <= reading.span[0] < reading.span[1] <= len(text)


def test_a_reading_does_not_depend_on_its_neighbours(reader: Reader) -> None:
    alone = reader.read(QUESTION, [passage(PLANT)])[0]
    among = reader.read(QUESTION, [passage(WEATHER * 4), passage(PLANT), passage(WEATHER)])[1]
    assert among == alone


def test_threads_get_what_one_caller_gets(reader: Reader) -> None:
    passages = [passage(PLANT), passage(WEATHER)]
    expected = reader.read(QUESTION, passages)
    with ThreadPoolExecutor(4) as pool:
        for readings in pool.map(lambda _: reader.read(QUESTION, passages), range(8)):
            assert [reading.span for reading in readings] == [reading.span for reading in expected]


def test_a_sentence_supports_itself_and_not_another_number(reader: Reader) -> None:
    same, other, foreign = reader.support(
        [
            ("It employs more than 750 workers.", PLANT),
            ("It employs more than 120 workers.", PLANT),
            ("It employs more than 750 workers.", WEATHER),
        ]
    )
    assert same > 1.5 * other
    assert same > 3 * foreign


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ""),
        ({"title": "Buses"}, "Buses"),
        ({"title": "Buses", "authors": ("A. B", "C. D"), "date": "2025-01-18"}, "Buses — A. B, C. D, 2025-01-18"),
        ({"publisher": "SCMP"}, "SCMP"),
    ],
)
def test_heading(fields: dict[str, object], expected: str) -> None:
    assert passage("x", **fields).heading == expected


OFFSETS = np.array([[-1, -1], [-1, -1], [0, 3], [4, 7], [8, 9]])


def test_best_span_is_the_best_pair_in_the_passage_against_position_0() -> None:
    start, end = np.array([1.0, 9.0, 0.0, 5.0, 0.0]), np.array([2.0, 9.0, 4.0, 0.0, 3.0])
    # 5 + 3 for tokens 3 to 4; the pair (3, 2) would give 9 but runs backwards; token 1 isn't in the passage
    assert _best_span(start, end, OFFSETS) == ((4, 9), 5.0)


def test_best_span_is_short() -> None:
    count = MAX_SPAN + 10
    offsets = np.array([[2 * i, 2 * i + 1] for i in range(count)])
    start, end = np.zeros(count), np.zeros(count)
    start[0] = end[-1] = 5.0
    span, _ = _best_span(start, end, offsets)
    assert span is not None
    assert span[1] - span[0] < 2 * MAX_SPAN


def test_missing_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be loaded"):
        Reader(tmp_path).read(QUESTION, [passage(PLANT)])


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    copyfile(MODELS / "tokenizer.json", tmp_path / "tokenizer.json")
    copyfile(MODELS / "sha256.json", tmp_path / "sha256.json")
    (tmp_path / "reader.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="damaged"):
        Reader(tmp_path).read(QUESTION, [passage(PLANT)])


def test_every_bundled_file_has_its_hash() -> None:
    names = {path.name for path in MODELS.iterdir() if path.suffix == ".onnx" or path.name == "tokenizer.json"}
    assert set(json.loads((MODELS / "sha256.json").read_text())) == names

"""The text tools that make training examples: offsets stay true, and labels say what the text does."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

TRAINING = Path(__file__).parent.parent / "training"
NAMES = ("sources", "swaps", "slots", "text", "made", "written", "pairs")
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


@pytest.fixture
def data(training: dict[str, ModuleType], tmp_path: Path) -> Path:
    """Data sets of one news article and of nothing else."""
    empty = [name for names in training["sources"].SQUAD_FILES.values() for name in names]
    for name in [*empty, *training["made"].FILES]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"data": []}) if name in empty else "")
    article = {"id": "mill", "title": "The mill", "text": BODY + " The end." * 40}
    (tmp_path / training["made"].FILES[0]).write_text(json.dumps(article))
    return tmp_path


def test_written_items_stand_where_their_lines_say(training: dict[str, ModuleType], data: Path) -> None:
    lines = ("S\t2\t$5 million\tWhat did it cost?", "L\t1,3\t\tWhat happened?", "U\t4\t\tHow old is Bolt?")
    claims = ("T\t1\t\tA mill opened.", "F\t1,2\t\tBolt opened a mill.")
    file = data / "written.tsv"
    file.write_text("".join(f"mill\t{line}\n" for line in (*lines, *claims)) + "gone\tT\t1\t\tNo such text.\n")
    read = training["written"].read
    items = [*read(data, held_out=False, path=file), *read(data, held_out=True, path=file)]
    assert [item.kind for item in items] == list("SLUTF")  # each on one side
    short, long, unanswerable = training["written"].questions(items)
    assert words_of(BODY, short.answers) == ["$5 million"]
    assert words_of(BODY, long.answers) == ["Acme opened a mill in Ohio in 2014.", "Rain fell for days."]
    assert not unanswerable.answers and words_of(BODY, unanswerable.near)[0].startswith("Carla Diaz")
    true, false = training["written"].claims(items)
    assert true.entailed and true.premise == "Acme opened a mill in Ohio in 2014."
    assert not false.entailed and false.premise.endswith("for $5 million.")


def test_every_written_line_has_the_form_that_is_read(training: dict[str, ModuleType]) -> None:
    rows = [line.split("\t") for line in training["written"].FILE.read_text(encoding="utf-8").splitlines()]
    assert {len(row) for row in rows} == {5}
    assert {row[1] for row in rows} == set("SLUTF")
    assert all((row[1] == "S") == bool(row[3]) for row in rows)


def test_the_lines_on_our_own_articles_stand_where_they_say(training: dict[str, ModuleType]) -> None:
    written = training["written"]
    texts = {key: text for key, _, text in written.own_articles()}
    rows = [row.split("\t") for row in written.FILE.read_text(encoding="utf-8").splitlines()]
    ours = [row for row in rows if row[0] in texts]
    assert {row[0] for row in ours} == set(texts)
    for key, _, numbers, answer, _ in ours:
        spans = training["text"].sentences(texts[key])
        assert max(map(int, numbers.split(","))) <= len(spans)
        assert answer in texts[key][slice(*spans[int(numbers.split(",")[0]) - 1])]


def test_articles_of_a_pair_are_about_one_matter(training: dict[str, ModuleType]) -> None:
    matter = training["written"].matter
    assert matter("a011") == matter("a012") != matter("a021")
    assert matter("bbc_tech_011") != matter("bbc_tech_012")


def test_a_batch_names_the_passages_that_answer_each_question(training: dict[str, ModuleType]) -> None:
    pairs = training["pairs"]
    text = "One mill closed in May. " * 40 + "Bolt owns Acme. " + "Rain fell for days. " * 40
    answer = text.index("Bolt owns Acme.")
    texts = [pairs.Text("Mills", text, [("Who owns Acme?", ((answer, answer + 4),))])]
    batch = next(pairs.batches([texts], [texts], Random(0)))
    assert len(batch.passages) >= pairs.PASSAGES
    for question, numbers in zip(batch.questions, batch.answers, strict=True):
        assert question == "Who owns Acme?"
        assert ["Bolt owns Acme." in batch.passages[number] for number in numbers] == [True]


def test_passages_are_whole_sentences_and_all_of_the_text(training: dict[str, ModuleType]) -> None:
    found = words_of(BODY, training["pairs"].passages(BODY, 10))
    assert " ".join(found) == BODY
    assert all(passage.endswith(".") for passage in found)


def test_articles_on_one_matter_are_in_a_batch_together(training: dict[str, ModuleType], data: Path) -> None:
    written, pairs = training["written"], training["pairs"]
    groups = pairs.written_texts(data)
    titles = {title.replace(" — ", " | "): written.matter(key) for key, title, _ in written.own_articles()}
    assert any(len(group) == 2 for group in groups)
    for group in groups:
        assert len({titles[text.title] for text in group}) == 1

"""Gold files: what is read, and what is wrong with them, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals import gold
from rag.errors import GoldError

TEXTS = {"a.txt": "BYD employs more than 750 workers. It spent US$250 million. By Wang Huiyao."}


def line(**fields: Any) -> str:
    values: dict[str, Any] = {
        "id": "workers",
        "kind": "number",
        "question": "How many work there?",
        "history": [],
        "answers": ["more than 750", "750"],
        "must": [],
        "evidence": [{"source": "a.txt", "quote": "BYD employs more than 750 workers."}],
        "answerable": True,
    }
    values |= fields
    return json.dumps({name: value for name, value in values.items() if value != "LEAVE OUT"}, ensure_ascii=False)


def unanswerable(**fields: Any) -> str:
    return line(**({"id": "no", "question": "Why?", "answers": [], "evidence": [], "answerable": False} | fields))


def written(folder: Path, *lines: str) -> Path:
    path = folder / "gold.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def problems(folder: Path, *lines: str) -> list[str]:
    path = written(folder, *lines)
    return [problem.removeprefix(f"{path}:") for problem in gold.check(path, TEXTS)]


def test_a_good_file_is_read_as_written(tmp_path: Path) -> None:
    parts = line(id="b", question="And then?", history=[["Where?", "Here [1]."]], answers=[], must=["750|many", "BYD"])
    path = written(tmp_path, line(), "", parts, unanswerable())
    assert gold.check(path, TEXTS) == []
    first, second, third = gold.load(path)
    assert first.evidence == (gold.Evidence("a.txt", "BYD employs more than 750 workers."),)
    assert (second.must, second.history) == ((("750", "many"), ("BYD",)), (("Where?", "Here [1]."),))
    assert (third.answerable, third.line) == (False, 4)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"id": "x",', "1: broken JSON: Expecting property name enclosed in double quotes at column 12"),
        ("[]", "1: not a JSON object"),
        (line(answer="750"), "1: unknown field 'answer'"),
        (line(kind="LEAVE OUT"), "1: missing field 'kind'"),
        (line(answerable="yes"), "1: 'answerable' must be true or false"),
        (line(answers="750"), "1: 'answers' must be a list"),
        (line(answers=[750]), "1: 'answers' must be a list of texts"),
        (line(history=[["only a question"]]), "1: 'history' must be a list of [question, answer] pairs"),
        (line(evidence=[{"source": "a.txt"}]), '1: \'evidence\' must be a list of {"source", "quote"} objects'),
        (line(id=" "), "1: 'id' is empty"),
        (line(answers=["750", "the"]), "1: an answer or a part of 'must' is empty"),
        (line(must=["750|"]), "1: an answer or a part of 'must' is empty"),
        (line(answers=[]), "1: an answerable question needs 'answers' or 'must'"),
        (line(evidence=[]), "1: an answerable question needs 'evidence'"),
        (unanswerable(answers=["750"]), "1: an unanswerable question can't have 'answers' or 'must'"),
        (line(evidence=[{"source": "b.txt", "quote": "BYD"}]), "1: no article 'b.txt' in the corpus"),
        (line(evidence=[{"source": "a.txt", "quote": "750 people"}]), "1: a.txt doesn't hold the quote '750 people'"),
        (line(evidence=[{"source": "a.txt", "quote": ""}]), "1: a.txt doesn't hold the quote ''"),
        (line(answers=["BYD and CATL"]), "1: the answer 'BYD and CATL' isn't in the evidence"),
        (line(must=["BYD", "CATL|Ford"]), "1: the answer 'CATL | Ford' isn't in the evidence"),
        (line(answers=["750", "over 705"]), "1: the number 705 of the answers isn't in the evidence"),
    ],
)
def test_each_problem_is_told_with_its_line(tmp_path: Path, broken: str, reason: str) -> None:
    assert problems(tmp_path, broken) == [reason]


def test_another_way_to_say_the_same_need_not_stand_in_the_evidence(tmp_path: Path) -> None:
    money = [{"source": "a.txt", "quote": "It spent US$250 million."}]
    assert (
        problems(tmp_path, line(answers=["$250m", "US$250 million", "a cool 250 million dollars"], evidence=money))
        == []
    )


def test_what_is_known_of_an_article_counts_as_its_evidence(tmp_path: Path) -> None:
    path = written(tmp_path, line(answers=["Jane Doe and Li Wei"]))
    assert gold.check(path, TEXTS) != []
    assert gold.check(path, TEXTS, {"a.txt": "Title\nJane Doe and Li Wei\nSCMP"}) == []
    assert gold.check(path, TEXTS, {"b.txt": "Jane Doe and Li Wei"}) != []


def test_repeated_ids_and_questions_are_told(tmp_path: Path) -> None:
    assert problems(tmp_path, line(), line(question="How many are employed?"), line(id="other")) == [
        "2: duplicate id 'workers', first on line 1",
        "3: the same question as on line 1",
    ]


def test_all_problems_are_told_in_the_order_of_their_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, line(evidence=[{"source": "b.txt", "quote": "x"}]), "{", line(id="c"))
    assert [problem.split(":")[0] for problem in found] == ["1", "2", "3"]


def test_an_empty_file_has_no_questions(tmp_path: Path) -> None:
    assert problems(tmp_path, "", "") == ["1: no questions"]


def test_drafts_are_checked_but_do_not_count(tmp_path: Path) -> None:
    path = written(tmp_path, line(), unanswerable(draft=True))
    assert gold.check(path, TEXTS) == []
    assert [question.id for question in gold.load(path)] == ["workers"]
    assert problems(tmp_path, unanswerable(draft=True, kind="")) == ["1: 'kind' is empty"]
    with pytest.raises(GoldError, match="drafts only"):
        gold.load(written(tmp_path, unanswerable(draft=True)))


def test_loading_a_broken_file_names_the_first_problem_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, line(), "{", "{")
    with pytest.raises(GoldError) as caught:
        gold.load(path)
    assert str(caught.value).startswith(f"{path}:2: broken JSON: ")
    assert str(caught.value).endswith("(and 1 more; rag eval --check lists them)")


@pytest.mark.parametrize("content", [None, b"\xff\xfe{"])
def test_a_file_that_cannot_be_read_is_a_gold_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "gold.jsonl"
    if content:
        path.write_bytes(content)
    with pytest.raises(GoldError, match="can't read the gold file"):
        gold.load(path)


def test_counts_are_by_kind(tmp_path: Path) -> None:
    questions, _ = gold.read(written(tmp_path, line(), unanswerable(draft=True)))
    assert [row.split() for row in gold.counts(questions).splitlines()] == [
        ["number", "2"],
        ["all", "2", "(1", "unanswerable,", "1", "drafts)"],
    ]

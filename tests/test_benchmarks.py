"""The benchmarks' own arithmetic on hand-worked examples, and each run from end to end on a few questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals import clapnq, squad

PARAGRAPHS = (
    "The lighthouse at Skerry Point was built in 1887 by the engineer Ada Thorne. It is 42 metres tall.",
    "The harbour of Lunn exports salted herring. Its market is held on Thursdays.",
)
ASKED = (
    ("Who built the lighthouse at Skerry Point?", "Ada Thorne", 0),
    ("What does Lunn export?", "salted herring", 1),
)


@pytest.fixture
def squad_file(tmp_path: Path) -> Path:
    answered = [
        [
            {"question": question, "answers": [{"text": answer, "answer_start": PARAGRAPHS[at].index(answer)}]}
            for question, answer, at in ASKED
            if at == number
        ]
        for number in range(len(PARAGRAPHS))
    ]
    answered[1].append({"question": "Who painted the harbour of Lunn?", "answers": [], "is_impossible": True})  # type: ignore[dict-item]
    paragraphs = [{"context": text, "qas": asked} for text, asked in zip(PARAGRAPHS, answered, strict=True)]
    path = tmp_path / "small.json"
    path.write_text(json.dumps({"data": [{"title": "Ports", "paragraphs": paragraphs}]}))
    return path


def test_f1_counts_shared_words_without_articles_and_punctuation() -> None:
    assert squad.f1("the salted herring.", ["salted herring"]) == 1
    assert squad.f1("fresh herring", ["salted herring", "mackerel"]) == 0.5
    assert squad.exact("A herring", ["herring"]) == 1


def test_auc_is_the_chance_that_a_positive_is_above_a_negative_ties_counting_half() -> None:
    assert squad.auc([3, 1], [2, 1]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)


def test_the_best_threshold_declines_what_scores_low() -> None:
    def result(score: float, answers: tuple[str, ...], said: str) -> squad.Result:
        return squad.Result(squad.Question("?", answers, 0), said, score, 0.0)

    results = [result(2.0, ("x",), "x"), result(1.0, (), "y"), result(0.5, ("z",), "y")]
    assert squad.best_over_all(results, squad.f1) == (pytest.approx(2 / 3), 2.0)


@pytest.mark.parametrize("mode", [[], ["--open"]])
def test_squad_runs_from_end_to_end(squad_file: Path, mode: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert squad.main(["--data", str(squad_file), *mode]) == 0
    printed = capsys.readouterr().out
    assert "3 questions, 2 with an answer, 1 without" in printed
    assert "has answer   EM 100.0%   F1 100.0%" in printed


def test_clapnq_runs_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind, question in (("answerable", ASKED[0][0]), ("unanswerable", "What colour are the moons of Jupiter?")):
        row = {"input": question, "passages": [{"title": "Ports", "text": PARAGRAPHS[0]}]}
        (tmp_path / f"clapnq_dev_{kind}.jsonl").write_text(json.dumps(row))
    assert clapnq.main(["--data", str(tmp_path)]) == 0
    assert "AUC  1.000" in capsys.readouterr().out

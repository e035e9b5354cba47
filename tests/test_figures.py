"""The README's figures come from what benchmarks recorded; retrieval measures on hand-worked values."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path

import pytest

from evals import figures, retrieval
from evals.judge import agreement, judge, verdict
from rag.errors import SettingsError
from rag.settings import Settings


def test_the_table_is_rewritten_between_its_marks(tmp_path: Path) -> None:
    readme, kept = tmp_path / "README.md", tmp_path / "figures.json"
    readme.write_text("Before\n<!-- figures -->\nold\n<!-- /figures -->\nAfter\n")
    figures.record("B", "python -m b", {"F1": 74.123456}, kept)
    figures.record("A", "python -m a", {"hit@1": "78 %", "MRR": 1}, kept)
    figures.record("B", "python -m b", {"F1": 75.0}, kept)
    figures.write_table(readme, kept)
    before, *rows, after = readme.read_text().splitlines()
    assert (before, after) == ("Before", "After")
    assert [row.split(" | ")[:3] for row in rows[3:-1]] == [
        ["| A", "hit@1 78 %<br>MRR 1", "`python -m a`"],
        ["| B", "F1 75", "`python -m b`"],
    ]
    assert json.loads(kept.read_text())[0]["date"] in rows[3]
    figures.write_table(readme, kept)
    assert readme.read_text().count("| what |") == 1


def test_a_readme_without_marks_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Nothing")
    with pytest.raises(SystemExit, match="lacks the lines"):
        figures.write_table(tmp_path / "README.md", tmp_path / "figures.json")


def test_the_command_holds_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["x", "--data", "/home/me/data/dev.json", "--open", "--record"])
    assert figures.this_command().endswith(" --data dev.json --open")


def test_retrieval_measures_by_hand() -> None:
    found = retrieval.measures(["x", "a", "y", "b"], frozenset("abc"))
    assert (found["hit@1"], found["hit@5"], found["MRR@10"]) == (0.0, 1.0, 0.5)
    assert found["recall@10"] == pytest.approx(2 / 3)
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert found["nDCG@10"] == pytest.approx((1 / log2(3) + 1 / log2(5)) / ideal)
    assert set(retrieval.measures(["x"] * 10 + ["a"], frozenset("a")).values()) == {0.0}


def test_retrieval_runs_through_the_assistant() -> None:
    documents = {"byd": ("BYD", "BYD builds buses in Lancaster."), "glass": ("Fuyao", "Fuyao makes glass in Ohio.")}
    questions = [("Who makes glass?", frozenset(["glass"])), ("Where are buses built?", frozenset(["byd"]))]
    values = retrieval.run(retrieval.Benchmark(documents, questions), sample=500)
    assert (values["hit@1"], values["recall@10"], values["questions"]) == (100.0, 100.0, 2)
    assert retrieval.run(retrieval.Benchmark(documents, questions), sample=1)["questions"] == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [("right", True), ("Wrong.", False), ("**Right**", True), ("right or wrong", None), ("hm", None), ("", None)],
)
def test_a_judge_says_right_or_wrong_or_nothing(reply: str, said: bool | None) -> None:
    assert verdict(reply) is said


def test_agreement_of_judge_and_score_by_hand() -> None:
    pairs = [(True, True), (True, True), (True, False), (False, False), (None, True), (True, None)]
    found = agreement([{"judged": judged, "passed": passed} for judged, passed in pairs])
    # 3 of 4 agree; the judge says right 3/4 of the time, the score 1/2: by chance 3/8 + 1/8 = 1/2 would agree
    assert found == {"judged": 4, "right": 0.75, "agreement": 0.75, "kappa": 0.5}
    assert agreement([{"passed": True}]) is None


def test_judging_needs_an_llm() -> None:
    with pytest.raises(SettingsError, match="needs an LLM"):
        judge(Settings())

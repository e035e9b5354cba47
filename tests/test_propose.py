"""Drafts of gold questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals import gold, propose, run
from rag.types import Article, Metadata, SyncReport
from tests.test_evals import Scripted, World


def article(*sentences: str, metadata: Metadata | None = None, byline: str = "") -> Article:
    text = f"{byline}\n" + " ".join(sentences)
    bylines = ((0, len(byline)),) if byline else ()
    return Article("new.txt", text, metadata or Metadata(), ((len(byline) + 1, len(text)),), bylines)


def asked(*sentences: str) -> dict[str, str]:
    """Question -> answer of the drafts for these sentences."""
    return {draft["question"]: draft["answers"][0] for draft in propose.drafts(article(*sentences))}


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "CRRC invested US$100 million in a factory, creating hundreds of jobs.",
            "How much did CRRC invest in a factory?",
            "US$100 million",
        ),
        ("Starbucks added 290 new stores in China.", "How many new stores did Starbucks add in China?", "290"),
        (
            "In 2023, China accounted for 63.8 per cent of Qualcomm’s sales.",
            "What percentage of Qualcomm’s sales did China account for?",
            "63.8 per cent",
        ),
        (
            "In 2023, China accounted for most of Qualcomm’s sales.",
            "When did China account for most of Qualcomm’s sales?",
            "2023",
        ),
        ("Toyota built a factory in Kentucky in 1985.", "When did Toyota build a factory in Kentucky?", "1985"),
        (
            "Toyota has opened more than 20 plants in Asia.",
            "How many plants has Toyota opened in Asia?",
            "more than 20",
        ),
        ("Robin Zeng, the founder of CATL, praised the new plants.", "Who praised the new plants?", "Robin Zeng"),
        ("Wendy Cutler warned that talks will be hard.", "Who warned that talks will be hard?", "Wendy Cutler"),
        (
            "“Tech companies in China might be relieved,” said Fang Xingdong, a director.",
            "Who said “Tech companies in China might be relieved”?",
            "Fang Xingdong",
        ),
    ],
)
def test_a_sentence_of_a_known_form_becomes_a_question(sentence: str, question: str, answer: str) -> None:
    assert asked(sentence)[question] == answer


@pytest.mark.parametrize(
    "sentence",
    [
        "He showed that he was open to cooperation.",
        "This perceived shortfall has fueled the desire for a deal.",
        "Although growth slowed in 2020, trade went on.",
        "China’s openness surprised everyone in 2020.",
        "Beijing was surprised.",
        "Why wait?",
    ],
)
def test_what_has_no_clear_form_is_left_alone(sentence: str) -> None:
    assert asked(sentence) == {}


@pytest.mark.parametrize(
    ("past", "base"),
    [
        ("invested", "invest"),
        ("noted", "note"),
        ("planned", "plan"),
        ("carried", "carry"),
        ("agreed", "agree"),
        ("called", "call"),
        ("added", "add"),
        ("rose", "rise"),
        ("cutted", "cut"),
        ("need", None),
        ("plants", None),
    ],
)
def test_base_forms(past: str, base: str | None) -> None:
    assert propose._base_form(past) == base


def test_bylines_are_asked_for_where_they_show_what_is_known() -> None:
    known = Metadata("A title", ("Jane Doe", "Li Wei"), "SCMP", "2025-01-18")
    found = propose.drafts(article("Nothing.", metadata=known, byline="By Jane Doe and Li Wei, January 18, 2025"))
    assert [(draft["question"], draft["answers"] or draft["must"]) for draft in found] == [
        ("Who wrote “A title”?", ["Jane Doe", "Li Wei"]),
        ("When was “A title” published?", ["2025-01-18"]),
    ]
    assert propose.drafts(article("Nothing.", metadata=known, byline="Share this")) == []


class ScriptedWriter:
    """Stands in for an LLM."""

    def complete(self, messages: list[tuple[str, str]]) -> str:
        quote = "Starbucks added 290 new stores."
        good = {"kind": "number", "question": "How many stores were added?", "answer": "290", "quote": quote}
        lines = [
            good,
            good | {"quote": "Made up."},
            good | {"answer": "400"},
            {"kind": "number"},
            good | {"answer": 290},
        ]
        return "\n".join(["```", *(json.dumps(line) for line in lines), "```"])


def test_of_what_an_llm_writes_only_what_the_article_holds_is_kept() -> None:
    found = propose.drafts(article("Starbucks added 290 new stores."), ScriptedWriter())
    assert [(draft["question"], draft["answers"]) for draft in found] == [("How many stores were added?", ["290"])]


class WithArticles(Scripted):
    """Knows its articles too."""

    llm = None

    def sync(self, progress: object) -> SyncReport:
        return SyncReport((), (), (), (), (), 0, 0.0)

    def articles(self) -> dict[str, Metadata]:
        return dict.fromkeys(self._texts(), Metadata())

    def article(self, source: str) -> Article:
        text = self._texts()[source]
        return Article(source, text, Metadata(), ((0, len(text)),))


def test_drafts_are_for_new_articles_and_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "Assistant", WithArticles)
    world = World(tmp_path)
    (world.corpus / "new.txt").write_text("Starbucks added 290 new stores in China.")
    drafts = tmp_path / "drafts.jsonl"
    assert world.eval("--propose", str(drafts)) == 0
    assert capsys.readouterr().out == f"2 drafts for 1 articles in {drafts}\n"
    questions, problems = gold.read(drafts)
    assert problems == []
    assert {question.evidence[0].source for question in questions} == {"new.txt"}
    assert all(question.draft for question in questions)
    assert world.eval("--propose", str(drafts)) == 2  # what a person may have worked on isn't overwritten
    world.gold.write_text(world.gold.read_text() + "\n" + drafts.read_text())
    assert len(gold.load(world.gold)) == 4

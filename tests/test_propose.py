"""Drafts of gold questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rag
from evals import forms, gold, propose
from rag.types import Article, Metadata
from tests.llm_server import LLMServer
from tests.test_evals import World


def article(*sentences: str, metadata: Metadata | None = None, byline: str = "") -> Article:
    text = f"{byline}\n" + " ".join(sentences)
    bylines = ((0, len(byline)),) if byline else ()
    return Article("new.txt", text, metadata or Metadata(), ((len(byline) + 1, len(text)),), bylines)


def asked(*sentences: str) -> dict[str, str]:
    """Question -> answer of what the form of these sentences lets one ask."""
    return {draft["question"]: draft["answers"][0] for draft in propose.by_form(article(*sentences))}


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
        "He added that there may be more talks.",
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
    assert forms.base_form(past) == base


def test_bylines_are_asked_for_where_they_show_what_is_known(assistant: rag.Assistant) -> None:
    known = Metadata("A title", ("Jane Doe", "Li Wei"), "SCMP", "2025-01-18")
    found = propose.drafts(article(metadata=known, byline="By Jane Doe and Li Wei, January 18, 2025"), assistant)
    assert [(draft["question"], draft["answers"] or draft["must"]) for draft in found] == [
        ("Who wrote “A title”?", ["Jane Doe", "Li Wei"]),
        ("When was “A title” published?", ["2025-01-18"]),
    ]
    assert propose.drafts(article(metadata=known, byline="Share this"), assistant) == []


FERRY = (
    "ferry.txt",
    "The Corvane ferry line. Corvane ordered 34 ferries in Gdansk in 2019. Ana Molina praised the ships.",
)


def of(folder: Path, source: str, text: str) -> rag.Assistant:
    """An assistant over one article."""
    (folder / "corpus").mkdir()
    (folder / "corpus" / source).write_text(text)
    assistant = rag.Assistant(rag.Settings(corpus=folder / "corpus", store=folder / "store"))
    assistant.sync()
    return assistant


@pytest.mark.parametrize(
    ("question", "answer", "kept"),
    [
        ("How many ferries did Corvane order in Gdansk?", "34", ["34"]),
        ("How many ferries did Corvane order in Gdansk?", "2019", None),
        ("When did Corvane order 34 ferries?", "2019", ["2019"]),
        ("Where did Corvane order 34 ferries?", "Corvane", None),
        ("What did Corvane order in Gdansk?", "ferries", ["34 ferries", "ferries"]),
    ],
)
def test_the_reader_decides_which_drafts_are_kept(
    tmp_path: Path, question: str, answer: str, kept: list[str] | None
) -> None:
    assistant = of(tmp_path, *FERRY)
    quote = "Corvane ordered 34 ferries in Gdansk in 2019."
    draft = {"question": question, "answers": [answer], "evidence": [{"source": FERRY[0], "quote": quote}]}
    found = list(propose.found_again(iter([draft]), assistant.article(FERRY[0]), assistant))
    assert [each["answers"] for each in found] == ([kept] if kept else [])


def test_an_answer_in_another_sentence_is_not_found_again(tmp_path: Path) -> None:
    assistant = of(tmp_path, *FERRY)
    elsewhere = [{"source": FERRY[0], "quote": "The Corvane ferry line."}]
    draft = {"question": "When did Corvane order 34 ferries?", "answers": ["2019"], "evidence": elsewhere}
    assert list(propose.found_again(iter([draft]), assistant.article(FERRY[0]), assistant)) == []


def test_of_what_an_llm_writes_only_what_the_article_holds_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    quote = "Starbucks added 290 new stores."
    good = {"kind": "number", "question": "How many stores were added?", "answer": "290", "quote": quote}
    lines = [good, good | {"quote": "Made up."}, good | {"answer": "400"}, {"kind": "number"}, good | {"answer": 290}]
    with LLMServer() as server:
        server.reply("\n".join(["```", *(json.dumps(line) for line in lines), "```"]))
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        found = propose.drafts(article(quote), rag.Assistant())
    assert [(draft["question"], draft["answers"]) for draft in found] == [("How many stores were added?", ["290"])]


def test_drafts_are_for_new_articles_and_do_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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

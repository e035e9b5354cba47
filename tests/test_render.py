"""The page's HTML: markers, marks, and that nothing from outside is ever markup."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from page import examples, export, panels, quality, reading, render
from page.corpus import SyncState, Upload
from page.quality import EvalState
from page.turn import Turn
from rag.types import Answer, Article, Citation, Metadata, Passage, SyncReport

TEXT = "Menu\nAda Lovelace wrote notes. She published them in 1843.\nShare this"
HOSTILE = [
    "<script>hacked()</script>",
    '"><img src=x onerror=hacked()>',
    "<svg onload=hacked()>",
    "[click](javascript:hacked())",
    "' onmouseover='hacked()",
    "</button></details><iframe src=//evil>",
    "${hacked()} {{hacked}}",
]
SAFE_TAGS = set(
    "article aside b button dd details div dl dt form h1 h2 h3 header input label li mark meter ol p progress q "
    "section span strong summary table tbody td th thead tr ul".split()
)


def citation(number: int = 1, quote: str = "She published them in 1843.", **changes: Any) -> Citation:
    start = TEXT.find(quote)
    known = Citation(number, "a.txt", "Notes", ("Ada Lovelace",), "Taylor", "1843", quote, start, start + len(quote))
    return replace(known, **changes)


def answer(text: str = "She published them in 1843. [1]", *citations: Citation, **changes: Any) -> Answer:
    passage = Passage("a.txt", 5, 30, TEXT[5:30], 1.0, title="Notes")
    known = Answer(text, "1843", True, None, citations or (citation(),), (passage,), 0.93, "reader", 0.05)
    return replace(known, **changes)


def turn(given: Answer | None = None, **changes: Any) -> Turn:
    given = given or answer()
    return replace(Turn("t1", "When?", answer=given, citations=given.citations), **changes)


def decline(**changes: Any) -> Answer:
    return answer("The articles don't say.", answered=False, short=None, reason="nothing mentions it", **changes)


class Tags(HTMLParser):
    """Every tag with its attributes, as a browser's parser would see them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def everything(evil: str) -> str:
    """All the HTML of the page with one hostile text in every place that comes from outside."""
    cited = citation(title=evil, authors=(evil,), publisher=evil, date=evil, source=evil, quote=evil, start=0)
    cited = replace(cited, end=len(evil))
    given = answer(f"{evil} [1]", cited, short=evil, notes=(evil,), answerer=f"llm:{evil}", timings={evil: 0.1})
    declined = decline(passages=(Passage(evil, 0, len(evil), evil, 1.0, title=evil),))
    turns = [
        turn(given, question=evil, rating="up", noted=evil),
        turn(replace(declined, reason=evil)),
        Turn("t", evil, error=evil),
        Turn("t", evil, status=evil, text=f"{evil} [1]", citations=(cited,)),
    ]
    article = Article(evil, evil, Metadata(), ((0, 3),))
    known = Metadata(evil, (evil,), evil, evil)
    report = SyncReport((evil,), (), (), (), ((evil, evil),), 1, 0.1)
    question = {"question": evil, "problems": [evil], "answer": evil, "answers": [evil], "passed": False, "id": evil}
    question |= {"evidence": [{"source": evil, "quote": evil}], "stale": False}
    kinds = {evil: {"share": 0.5, "passed": 1, "scored": 2}}
    run = {"when": evil, "corpus": {"articles": 1}, "answerer": evil, "metrics": {}, "kinds": kinds}
    runs = [run | {"questions": [question]}, run | {"questions": []}]
    rated = {"question": evil, "rating": "up", "comment": evil, "answer": evil}
    return "".join(
        [
            render.conversation(turns),
            render.conversation(turns[:1]),
            render.invitation([evil]),
            reading.article(article, [cited], cited),
            reading.article(None, [cited], cited),
            render.spoken(turns[0]),
            panels.articles({evil: known}, {evil: 3}),
            panels.sync(SyncState(report=report), [Upload(evil, evil)]),
            panels.sync(SyncState(running=True, what=evil)),
            panels.sync(SyncState(error=evil)),
            panels.evals(EvalState(problem=evil), runs),
            panels.feedback([rated], []),
        ]
    )


@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_from_outside_becomes_markup(evil: str) -> None:
    for tag, attributes in Tags(everything(evil)).found:
        assert tag in SAFE_TAGS
        assert not [name for name in attributes if name.startswith("on") or name in ("href", "src", "style")]


def test_a_marker_becomes_a_button_that_names_its_citation() -> None:
    buttons = [data for tag, data in Tags(render.conversation([turn()])).found if data.get("class") == "marker"]
    assert [(data["data-turn"], data["data-cite"]) for data in buttons] == [("0", "1")]
    assert buttons[0]["aria-label"] == "Citation 1: Notes, Ada Lovelace · Taylor · 1843"


@pytest.mark.parametrize(
    ("text", "quote", "markers"),
    [
        ("She published them in 1843. [1]", "She published them in 1843.", 1),
        ("A claim [7] of it. [1]", "A claim [7] of it.", 1),  # 7 names no citation
        ("A claim [1] of it. [1]", "A claim [1] of it.", 1),  # the first [1] is the article's own text
        ("One. [1] Two. [1]", "One. Two.", 2),
    ],
)
def test_brackets_of_an_article_are_no_markers(text: str, quote: str, markers: int) -> None:
    html = render.conversation([turn(answer(text, citation(quote=quote)))])
    assert html.count('class="marker"') == markers


def marks(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<mark class="[a-z]+" tabindex="-1" data-numbers="([\d ]*)">(.*?)</mark>', html, re.DOTALL)


def test_every_cited_passage_of_the_answer_is_marked_and_the_chosen_one_is_current() -> None:
    first, second = citation(1, "Ada Lovelace wrote notes."), citation(2)
    html = reading.article(Article("a.txt", TEXT, Metadata(), ((5, 58),)), [first, second], second)
    assert marks(html) == [("1", "Ada Lovelace wrote notes."), ("2", "She published them in 1843.")]
    assert '<b>2</b><mark class="current"' in html
    assert '<b>1</b><mark class="other"' in html


def test_overlapping_citations_share_the_marked_text_between_them() -> None:
    first, second = citation(1, "Ada Lovelace wrote notes. She"), citation(2, "notes. She published")
    html = reading.article(Article("a.txt", TEXT, Metadata(), ((0, len(TEXT)),)), [first, second], first)
    assert marks(html) == [("1", "Ada Lovelace wrote "), ("1 2", "notes. She"), ("2", " published")]


def test_text_outside_the_prose_is_set_aside() -> None:
    html = reading.article(Article("a.txt", TEXT, Metadata(), ((5, 58),)), [citation()], citation())
    assert re.findall(r'<span class="aside">(.*?)</span>', html, re.DOTALL) == ["Menu\n", "\nShare this"]


def test_citations_of_other_articles_are_not_marked() -> None:
    other = citation(2, "Ada Lovelace wrote notes.", source="b.txt")
    html = reading.article(Article("a.txt", TEXT, Metadata(), ((0, len(TEXT)),)), [citation(), other], citation())
    assert [numbers for numbers, _ in marks(html)] == ["1"]


@pytest.mark.parametrize(
    ("found", "said"),
    [(None, "no longer in the corpus"), (Article("a.txt", "New text", Metadata(), ()), "has changed")],
)
def test_a_quote_that_no_longer_stands_there_is_shown_but_not_marked(found: Article | None, said: str) -> None:
    html = reading.article(found, [citation()], citation())
    assert said in html
    assert "She published them in 1843." in html
    assert marks(html) == []


def test_a_decline_says_so_and_why_and_offers_the_nearest_passages() -> None:
    html = render.conversation([turn(decline())])
    assert "The articles don’t say" in html
    assert "Nothing mentions it." in html
    assert 'data-near="0"' in html
    assert "Very likely right" not in html


def test_facts_tell_confidence_answerer_stages_and_dropped_sentences() -> None:
    given = answer(dropped=2, answerer="llm:gpt", timings={"retrieve": 0.012, "write": 1.25}, notes=("slow",))
    html = render.conversation([turn(given)])
    for said in (
        "Very likely right · 93 %",
        ">gpt<",
        "searched in 12 ms",
        "written in 1.2 s",
        "2 unsupported sentences",
    ):
        assert said in html
    assert "slow" in html


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.9, "Very likely"), (0.89, "Likely"), (0.75, "Likely"), (0.5, "Possibly"), (0.49, "Uncertain")],
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert f"{words}" in render.conversation([turn(answer(confidence=confidence))])


def test_only_the_last_turn_can_be_asked_again_or_undone() -> None:
    html = render.conversation([turn(), turn()])
    assert html.count('data-act="retry"') == html.count('data-act="undo"') == html.count('data-act="edit"') == 1
    assert html.rindex('aria-label="Question 2"') < html.index('data-act="retry"')


def test_the_exported_conversation_keeps_citations_and_disarms_markdown() -> None:
    exported = export.markdown([turn(question="*When* <b>?"), turn(decline()), Turn("t", "Why?", error="no words")])
    assert exported == (
        "## \\*When\\* \\<b\\>?\n\n"
        "She published them in 1843. [1]\n\n"
        "1. **Notes** · Ada Lovelace · Taylor · 1843 · a.txt:31-58\n   > She published them in 1843.\n\n"
        "## When?\n\n**The articles don't say.** Nothing mentions it.\n\n"
        "## Why?\n\n*No answer: no words*\n"
    )


def test_the_last_word_on_an_answer_counts(tmp_path: Any) -> None:
    quality.keep_feedback(tmp_path, turn(rating="up"))
    quality.keep_feedback(tmp_path, turn(rating="down"), "wrong year")
    quality.keep_feedback(tmp_path, turn(id="t2", rating="up"))
    kept = {record["id"]: (record["rating"], record["comment"]) for record in quality.feedback(tmp_path)}
    assert kept == {"t1": ("down", "wrong year"), "t2": ("up", "")}


@pytest.mark.parametrize(
    ("given", "rating", "answers", "answerable"),
    [
        (answer(), "up", ["1843"], True),
        (answer(short=None), "up", ["She published them in 1843."], True),
        (answer(), "down", [], True),
        (decline(), "up", [], False),  # rightly declined
        (decline(), "down", [], True),
    ],
)
def test_a_draft_holds_what_a_rated_answer_shows(
    given: Answer, rating: str, answers: list[str], answerable: bool
) -> None:
    draft = quality.draft_question(turn(given, rating=rating), [("Who?", "Ada [1]")])
    assert (draft["answers"], draft["answerable"], draft["draft"]) == (answers, answerable, True)
    assert draft["history"] == [["Who?", "Ada [1]"]]
    evidence = [{"source": "a.txt", "quote": "She published them in 1843."}]
    assert draft["evidence"] == (evidence if answers else [])


def test_a_question_is_drafted_once(tmp_path: Any) -> None:
    first = quality.keep_draft(tmp_path, turn(rating="up"), [])
    second = quality.keep_draft(tmp_path, turn(rating="up"), [])
    assert first.startswith("Kept")
    assert second.startswith("This question is already")
    assert len(quality.drafts(tmp_path)) == 1


def test_a_finished_draft_is_a_gold_question(tmp_path: Any) -> None:
    from evals import gold

    quality.keep_draft(tmp_path, turn(rating="up"), [])
    questions, problems = gold.read(tmp_path / quality.DRAFTS)
    assert (problems, questions[0].draft, questions[0].answers) == ([], True, ("1843",))


def test_the_two_newest_runs_are_shown(tmp_path: Any) -> None:
    (tmp_path / "evals").mkdir()
    run = {"corpus": {"fingerprint": "f"}, "answerer": "reader", "metrics": {}, "questions": []}
    for name in ("2026-01-01", "2026-01-03", "2026-01-02"):
        (tmp_path / "evals" / f"{name}.json").write_text(json.dumps(run | {"when": name}), encoding="utf-8")
    assert [run["when"] for run in quality.last_runs(tmp_path)] == ["2026-01-03", "2026-01-02"]


@pytest.mark.parametrize(
    ("code", "problem"),
    [(0, ""), (1, ""), (2, "rag eval: no gold file")],  # 1: the gate fell, which is a result too
)
def test_a_run_of_the_evals_is_followed_to_its_end(code: int, problem: str) -> None:
    lines = ["reading: 1/2", "asking: 7/9", *([problem] if problem else [])]
    program = f"import sys; print(*{lines!r}, sep='\\n', file=sys.stderr); sys.exit({code})"
    run = quality.EvalRun([sys.executable, "-c", program])
    run.start()
    last = list(run.watch(every=0.01))[-1]
    assert last == EvalState(running=False, done=7, total=9, what="Asking", problem=problem)


def test_examples_are_patterns_over_the_prose() -> None:
    prose = "Big Heading Words\nLast year Acme Tools added 290 new shops in Peru. It hired 12 people in May.\n"
    prose += "Some praise the mayor Ada Lang Ruiz. Rob Hill, a critic of Ada Lang Ruiz, warned of debts.\n"
    known = Metadata(title="Tools", authors=("Jo Reed",))
    found = examples.candidates([Article("a.txt", f"Menu 5 {prose}", known, ((7, 7 + len(prose)),))])
    assert found == [
        "How many new shops has Acme Tools added?",
        "Who wrote “Tools”?",
        "What does Rob Hill say?",
        "What does Jo Reed say about Ada Lang Ruiz?",
    ]


def test_a_question_that_could_not_be_scored_is_not_counted_as_failing() -> None:
    asked = [
        {
            "id": f"{number}",
            "question": f"{passed}?",
            "passed": passed,
            "problems": ["why"],
            "answer": "",
            "stale": False,
        }
        for number, passed in enumerate((True, False, None, None))
    ]
    run = {"corpus": {"articles": 1}, "answerer": "reader", "metrics": {}, "kinds": {}, "questions": asked}
    html = panels.evals(EvalState(), [run])
    assert re.findall(r"<h2>(\d+ \w+ \w+)</h2>", html) == ["1 failing question", "2 unscored questions"]
    good = panels.evals(EvalState(), [run | {"questions": asked[:1]}])
    assert "No question failed" in good
    assert "unscored" not in good

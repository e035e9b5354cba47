"""The HTML page: self-contained, escaped, and showing what the run holds."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals import charts, run
from evals.markup import Html, element, join
from tests.test_evals import GOLD, Scripted, World, change_the_corpus, gold_line

HOSTILE = "<script>alert(1)</script> & \"quotes\" 'too' makes a <em>plant</em>."


class Elements(HTMLParser):
    """Collects start tags with their attributes, and checks that every element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(run, "Assistant", Scripted)
    return World(tmp_path)


def page(world: World, *arguments: str) -> str:
    world.eval("--html", str(world.folder / "report.html"), *arguments)
    return (world.folder / "report.html").read_text()


def test_text_becomes_text_and_only_markup_markup() -> None:
    assert element("p", "<b>", Html("<i>"), class_='a"b', hidden=None) == '<p class="a&quot;b">&lt;b&gt;<i></p>'
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert join(["<", Html("<")], " & ") == "&lt; & <"


def test_tokens_and_cost_are_told_of_the_run_and_of_each_question(world: World) -> None:
    shown = page(world)
    assert "; 30 prompt and 15 completion tokens, cost 1.5000</p>" in shown
    assert shown.count(" · 10 prompt and 5 completion tokens, cost 0.5000</p>") == 3


def test_hostile_articles_questions_and_answers_are_escaped(world: World) -> None:
    (world.corpus / "byd.txt").write_text(HOSTILE)
    world.write_gold([gold_line("x<img>", f"{HOSTILE} Which plant?", "plant", "byd.txt", HOSTILE), *GOLD[2:]])
    found = Elements(page(world)).found
    assert {"script", "em", "img"}.isdisjoint(tag for tag, _ in found)
    assert any(attributes.get("id") == "x<img>" for _, attributes in found)


def test_the_page_asks_for_nothing_else(world: World) -> None:
    html = page(world)
    for tag, attributes in Elements(html).found:
        assert {"src", "srcset", "data", "action"}.isdisjoint(attributes), tag
        assert tag not in ("script", "link", "iframe", "object")
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in html
    assert "default-src &#x27;none&#x27;" in html


def test_each_question_shows_its_answer_beside_the_marked_evidence(world: World) -> None:
    html = page(world)
    item = re.search(r'<details id="workers".*?</details>', html, re.S)
    assert item is not None
    assert item[0].count("<mark>It employs 750 workers at the plant.</mark>") == 2
    assert "evidence in passage 1" in item[0]


def test_stale_evidence_is_shown_with_what_became_of_it(world: World) -> None:
    world.eval("--update-baseline")
    change_the_corpus(world)
    html = page(world)
    assert "<del>750</del> <ins>800</ins>" in html
    assert '<div class="verdict fallen">' in html
    assert '<a href="#workers">workers</a>' in html
    assert len(re.findall(r'<details id="\w+" class="\w+ changed"', html)) == 3


def test_the_trend_is_drawn_from_the_kept_runs(world: World) -> None:
    assert 'class="spark"' not in page(world)
    assert 'class="spark"' in page(world)
    assert "The gate stands." in page(world)


def test_a_run_without_confidence_or_seconds_has_no_plots(world: World) -> None:
    world.write_gold([gold_line("llm", "Did it fail?", "Ohio", "fuyao.txt", "Fuyao makes glass in Ohio.")])
    assert 'class="plot"' not in page(world)


def test_charts_place_what_they_are_given() -> None:
    spark = charts.sparkline([0.0, 1.0, 0.5], "three")
    assert 'points="0.0,22.0 50.0,2.0 100.0,12.0"' in spark
    bar = charts.interval_bar(0.5, (0.25, 0.75), "half")
    assert 'class="fill" width="50.0"' in bar
    assert 'x="25.0" y="3" width="50.0"' in bar
    plot = charts.latency([0.0, 1.0, 1.0], 1.0, 1.0)
    assert re.findall(r"<title>(\d) answers", plot) == ["1", "2"]
    dots = charts.reliability([{"count": 4, "confidence": 1.0, "right": 1.0}])
    assert 'class="dot" cx="408.0" cy="16.0" r="12.0"' in dots


def test_the_report_reads_plain_json(world: World) -> None:
    from evals import report

    written = world.json()
    assert written == json.loads(json.dumps(written))
    assert "The gate stands." in report.render(written, [], None, None, [written])

"""The speed benchmark's table by hand, and its corpora: the measuring itself is not a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals import texts
from evals.speed_table import ratios, shown, values, write_table

FIGURES = {
    "stock": {
        "ours chunks": 400.0,
        "ours seconds": 10.0,
        "ours CPU seconds": 8.0,
        "stock chunks": 200.0,
        "stock seconds": 20.0,
        "stock CPU seconds": 36.0,
    },
    "sync 1000": {
        "articles": 350.0,
        "chunks": 1010.0,
        "seconds": 20.2,
        "CPU seconds": 18.0,
        "peak MB": 433.0,
        "disk MB": 5.1,
    },
    "queries 1000": {"answer p50 ms": 98.7, "peak MB": 300.0},
    "start 10000": {"seconds": 0.95, "CPU seconds": 1.2},
}


def test_ratios_by_hand() -> None:
    assert ratios(FIGURES["stock"]) == (4.0, 9.0)  # 40 against 10 chunks a second, 50 against 5.56 a CPU second


def test_the_table_has_a_column_for_each_size_and_the_goals() -> None:
    rows = [line.split() for line in shown(FIGURES).splitlines() if line]
    assert rows[0] == ["chunks", "1,010", "10,000", "must", "goal"]
    assert ["sync", "chunks/s", "50"] in rows
    assert ["sync", "peak", "MB", "433", "1500", "600"] in rows
    assert ["start", "to", "answer", "s", "0.95"] in rows
    assert ["times", "stock's", "chunks", "a", "second", "4", "2", "4"] in rows


def test_the_readmes_row_tells_the_same() -> None:
    told = values(FIGURES)
    assert told["sync against stock LlamaIndex and Chroma:"] == "4.0 times the chunks a second, 9.0 times a CPU second"
    assert "answer p50 ms 98.7" in told["1,010 chunks:"]
    assert told["10,000 chunks:"] == "start to answer s 0.95, start to answer CPU s 1.2"


def test_the_table_is_rewritten_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "scaling.md"
    page.write_text("Before\n<!-- speed -->\nold\n<!-- /speed -->\nAfter\n")
    write_table(page, FIGURES)
    write_table(page, FIGURES)
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("Before", "After")
    assert "old" not in lines
    assert sum(line.startswith("sync peak MB") for line in lines) == 1
    page.write_text("Nothing")
    with pytest.raises(SystemExit, match="lacks the lines"):
        write_table(page, FIGURES)


def test_a_corpus_has_each_text_once_and_as_many_as_asked_for(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "bbc_news").mkdir(parents=True)
    (data / "squad").mkdir()
    rows = [{"title": f"Title {n}", "text": f"{n % 30} ".ljust(400, "x")} for n in range(60)]
    (data / "bbc_news/news.jsonl").write_text("\n".join(map(json.dumps, rows)))
    paragraph = {"context": "y" * 400, "qas": [{"question": "Why?"}, {"question": "How?"}]}
    article = {"title": "Of_metals", "paragraphs": [paragraph, {"context": "short", "qas": []}]}
    (data / "squad/dev-v2.0.json").write_text(json.dumps({"data": [article]}))

    found = texts.texts(data)
    texts.write_corpus(data, tmp_path / "corpus", 12)

    assert len(found) == 31
    assert ("Of metals", "y" * 400) in found
    assert len(list((tmp_path / "corpus").iterdir())) == 12
    assert texts.questions(data, 1) == ["Why?"]
    with pytest.raises(SystemExit, match="too little text"):
        texts.write_corpus(data, tmp_path / "more", 32)

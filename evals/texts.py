"""Public data sets -> a corpus of any size, to measure growth on: news, abstracts, encyclopedia; each text once.

The data sets aren't part of this repository; those that are absent are left out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Text = tuple[str, str]
"""A title, which may be empty, and what it stands above."""

LINES = ("bbc_news", "reuters21578", "scifact", "hotpot_pooled500")
"""Folders of JSON lines with ``title`` and ``text``."""

SQUAD = ("squad", "squadshifts", "covid_qa", "policyqa")
"""Folders of files in the format of SQuAD; a paragraph is an article."""

PAGES = ("timeqa",)
"""Folders of files with whole pages: ``paras``, the first of which is the title."""

SHORTEST = 100
CHARACTERS_A_CHUNK = 400
"""On the average of these texts, bylines counted."""


def texts(data: Path) -> list[Text]:
    """All texts, in an order that is always the same and mixes the data sets."""
    found: dict[str, str] = {}
    for folders, read in ((LINES, _lines), (SQUAD, _squad), (PAGES, _pages)):
        for path in sorted(path for name in folders for path in (data / name).rglob("*.json*")):
            for title, text in read(path.read_text(encoding="utf-8")):
                if len(text) >= SHORTEST:
                    found.setdefault(text, title)
    mixed = [(title, text) for text, title in found.items()]
    random.Random(0).shuffle(mixed)
    return mixed


def write_corpus(data: Path, corpus: Path, chunks: int) -> None:
    """Write so many texts, each a file, that they give about that many chunks; SystemExit if there aren't enough."""
    room = chunks * CHARACTERS_A_CHUNK
    corpus.mkdir(parents=True)
    for number, (title, text) in enumerate(texts(data)):
        if room <= 0:
            return
        room -= len(text)
        (corpus / f"{number:06}.txt").write_text(f"{title}\n\n{text}\n".lstrip(), encoding="utf-8")
    if room > 0:
        raise SystemExit(f"{data} holds too little text for {chunks:,} chunks")


def questions(data: Path, count: int) -> list[str]:
    """Questions spread over SQuAD 2.0 dev, with an answer in its paragraphs and without."""
    read = json.loads((data / "squad/dev-v2.0.json").read_text(encoding="utf-8"))
    asked = [qa["question"] for _, paragraph in _paragraphs(read) for qa in paragraph["qas"]]
    return asked[:: len(asked) // count][:count]


def _lines(content: str) -> Iterator[Text]:
    for line in content.splitlines():
        row = json.loads(line)
        if row.get("text") and row.get("title"):
            yield row["title"], row["text"]


def _squad(content: str) -> Iterator[Text]:
    for title, paragraph in _paragraphs(json.loads(content)):
        yield title, paragraph["context"]


def _paragraphs(read: Any) -> Iterator[tuple[str, Any]]:
    for article in read["data"]:
        for paragraph in article["paragraphs"]:
            yield (article.get("title") or "").replace("_", " "), paragraph


def _pages(content: str) -> Iterator[Text]:
    for page in json.loads(content):
        title, *paragraphs = page["paras"]
        yield title, "\n\n".join(paragraphs)

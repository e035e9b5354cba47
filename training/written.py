"""Questions and claims written for this project by a language model, on texts of the data sets and on articles that it
wrote as well: `written.tsv`, `articles.tsv`.

A line: the text's id, the kind, the numbers of its sentences, the short answer if there is one, the question or claim.

    S  a short answer stands word for word in the sentence
    L  the sentences answer
    U  the text doesn't answer; the sentence is the one that tempts most
    T  the sentences support the claim
    F  they don't, though they come near

A text is the beginning of a news article (by the data set's id), a paragraph of Wikipedia (by its hash) or an article
of `articles.tsv` (id, title, author, publisher, date, text). These are invented, and come in pairs on the same matter,
told apart by the last letter of their ids.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from made import articles
from sources import Claim, Question, squad_family
from text import Span, sentences

FILE = Path(__file__).with_name("written.tsv")
ARTICLES = Path(__file__).with_name("articles.tsv")
MOST_WORDS = 430
HELD_OUT = 8  # one text in so many is kept for measuring
WIKIPEDIA = ("squad", "new_wiki")
SOURCES = ("written", "explained")  # questions for short answers and unanswerable ones; questions for sentences


@dataclass(frozen=True)
class Item:
    """One line of the file, with its text; `spans` are its sentences, or the short answer in the first of them."""

    kind: str
    article: str
    title: str
    text: str
    said: str
    spans: tuple[Span, ...]


def read(data: Path, *, held_out: bool, path: Path = FILE) -> Iterator[Item]:
    """The items on the texts that are held out, or those on the others; texts that `data` lacks are passed over."""
    texts = {key: (title, beginning(text)) for key, title, text in _texts(data)}
    texts |= {key: (title, text) for key, title, text in own_articles()}
    for key, kind, numbers, answer, said in _rows(path):
        title, text = texts.get(key, ("", ""))
        if text and is_held_out(text) is held_out:
            spans = tuple(sentences(text)[int(number) - 1] for number in numbers.split(","))
            if kind == "S":
                start = text.index(answer, *spans[0])
                spans = ((start, start + len(answer)),)
            yield Item(kind, key, title, text, said, spans)


def own_articles() -> Iterator[tuple[str, str, str]]:
    """Id, heading (title — author, publisher, date) and text."""
    for key, title, *byline, text in _rows(ARTICLES):
        yield key, " — ".join(filter(None, (title, ", ".join(filter(None, byline))))), text


def matter(article: str) -> str:
    """What an article is about: one for both of a pair, since what one of them leaves out the other may tell."""
    return article[:-1] if re.fullmatch(r"[a-z]\d{3}", article) else article


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def questions(items: list[Item]) -> Iterator[Question]:
    """S and U as of the first of `SOURCES`, L as of the second."""
    for item in items:
        about = (item.article, item.title, item.text, item.said)
        if item.kind in "SL":
            yield Question(SOURCES[item.kind == "L"], *about, item.spans)
        elif item.kind == "U":
            yield Question(SOURCES[0], *about, (), near=item.spans)


def claims(items: list[Item]) -> Iterator[Claim]:
    """T and F, with the sentences from the first to the last that they are made of."""
    for item in items:
        if item.kind in "TF":
            premise = item.text[item.spans[0][0] : item.spans[-1][1]]
            yield Claim("written", " ".join(premise.split()), item.said, item.kind == "T")


def beginning(text: str) -> str:
    """The sentences of the first `MOST_WORDS` words."""
    end = words = 0
    for start, stop in sentences(text):
        words += len(text[start:stop].split())
        if words > MOST_WORDS and end:
            break
        end = stop
    return text[:end]


def _texts(data: Path) -> Iterator[tuple[str, str, str]]:
    """Id, title and text."""
    yield from articles(data)
    for question in squad_family(data):
        if question.source in WIKIPEDIA:
            yield f"w_{hashlib.sha256(question.text.encode()).hexdigest()[:10]}", question.title, question.text


def is_held_out(text: str) -> bool:
    """Whether a text is kept for measuring; by its words, as some stand in a data set twice."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % HELD_OUT == 0

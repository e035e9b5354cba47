"""Questions on news that nobody asked: facts by the form of a sentence, and topics of some of its sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

from sources import Question
from text import sentences, strip

from evals import forms

FILES = ("bbc_news/bbc_2225.jsonl", "reuters21578/reuters21578.jsonl")
MOST = 4  # questions on one article
TOPIC = re.compile(
    r"(?<=[a-z,] )(?:[A-Z][\w-]+(?: [A-Z][\w-]+)*(?:'s|’s) [a-z][\w-]{3,}(?: [a-z][\w-]{3,})?|"
    r"(?:[A-Z][\w-]+ )*[A-Z][\w-]+ [a-z][\w-]{4,}s?|[A-Z][\w-]+(?: [A-Z][\w-]+)+)(?=[ ,.;:](?!and [A-Z]))"
)
ABOUT = (
    "What do the articles say about {}?",
    "What does the article say about {}?",
    "What is said about {}?",
    "What is reported about {}?",
    "What do the articles report on {}?",
    "What does the author think about {}?",
    "How do the articles describe {}?",
    "Tell me about {}",
    "What about {}?",
)


def news(data: Path, rng: Random) -> Iterator[Question]:
    for article, title, text in articles(data):
        found = [
            Question("news", article, title, text, question, ((start, start + len(answer)),))
            for left, right in sentences(text)
            for _, question, answer in forms.questions(text[left:right], text)
            if (start := text.find(answer, left, right)) >= 0 and len(question.split()) <= 30
        ]
        yield from rng.sample(found, min(len(found), MOST))


def topics(data: Path, rng: Random) -> Iterator[Question]:
    """The sentences that have every word of the topic are the answer."""
    for article, title, text in articles(data):
        spans = [strip(text, span) for span in sentences(text)]
        named = sorted({match.group() for match in TOPIC.finditer(text)})
        for topic in rng.sample(named, min(len(named), 1)):
            words = [word.lower() for word in re.findall(r"\w{3,}", topic)]
            about = tuple(span for span in spans if all(word in text[slice(*span)].lower() for word in words))
            if words and 0 < len(about) <= 4:
                yield Question("topic", article, title, text, rng.choice(ABOUT).format(topic), about)


def articles(data: Path) -> Iterator[tuple[str, str, str]]:
    """Id, title and text of each article, its paragraphs on one line each."""
    for name in FILES:
        for line in (data / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            paragraphs = re.split(r"\n\s*\n|\n {2,}", row["text"])
            text = "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())
            if len(text.split()) >= 80:
                yield row["id"], row["title"].capitalize() if row["title"].isupper() else row["title"], text

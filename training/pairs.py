"""Batches of questions and passages for the embedder: which of the passages answer which question.

The questions are those of `written.tsv`, half of them in other words than the text's, and of SQuAD's training part and
other Wikipedia. A text is cut into passages of another size each time, and comes with the others of its article, or of
the article on the same matter: these are the ones that are hard to tell from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import written
from sources import squad_family
from text import Span, overlapping, sentences

PASSAGES = 40  # a batch, and the rest of the last article
PARAGRAPHS = 8  # of a Wikipedia article at a time
QUESTIONS = 16  # on a text at a time
WORDS = (50, 150)  # of a passage
UNTITLED = 0.25  # the share of texts that are shown without their heading
WIKIPEDIA = 0.25  # the share of articles that are Wikipedia's


@dataclass
class Text:
    """A text with the questions on it and the spans that answer each."""

    title: str
    text: str
    asked: list[tuple[str, tuple[Span, ...]]] = field(default_factory=list)


def written_texts(data: Path) -> list[list[Text]]:
    """The texts of `written.tsv`, those on the same matter together."""
    texts: dict[str, Text] = {}
    groups: dict[str, list[Text]] = defaultdict(list)
    for item in written.read(data, held_out=False):
        if item.kind not in "SL":
            continue
        if item.article not in texts:
            texts[item.article] = Text(item.title.replace(" — ", " | "), item.text)
            groups[written.matter(item.article)].append(texts[item.article])
        texts[item.article].asked.append((item.said, item.spans))
    return list(groups.values())


def wikipedia(data: Path) -> list[list[Text]]:
    """The paragraphs of Wikipedia's articles, those of an article together."""
    paragraphs: dict[str, dict[str, Text]] = defaultdict(dict)
    for question in squad_family(data):
        if question.source in written.WIKIPEDIA and question.answers:
            texts = paragraphs[question.article]
            text = texts.setdefault(question.text, Text(question.title, question.text))
            text.asked.append((question.question, question.answers[:1]))
    return [list(texts.values()) for texts in paragraphs.values()]


def passages(text: str, words: int) -> list[Span]:
    """Runs of whole sentences of about `words` words."""
    spans: list[Span] = []
    start, size = None, 0
    for left, right in sentences(text):
        start, size = left if start is None else start, size + len(text[left:right].split())
        if size >= words:
            spans.append((start, right))
            start, size = None, 0
    if start is not None:
        spans.append((start, right))
    return spans


@dataclass
class Batch:
    """Questions, passages, and for each question the numbers of the passages that answer it."""

    questions: list[str]
    passages: list[str]
    answers: list[list[int]]


def batches(own: Sequence[list[Text]], wiki: Sequence[list[Text]], rng: Random) -> Iterator[Batch]:
    """For ever: articles at random, cut into passages of random sizes."""
    while True:
        batch = Batch([], [], [])
        while len(batch.passages) < PASSAGES:
            group = rng.choice(wiki if rng.random() < WIKIPEDIA else own)
            for text in rng.sample(group, min(PARAGRAPHS, len(group))):
                add(text, batch, rng)
        yield batch


def add(text: Text, batch: Batch, rng: Random) -> None:
    """Cut a text into passages, and put these and some of its questions into the batch."""
    spans, before = passages(text.text, rng.randint(*WORDS)), len(batch.passages)
    for question, answers in rng.sample(text.asked, min(QUESTIONS, len(text.asked))):
        batch.questions.append(question)
        batch.answers.append([before + spans.index(span) for span in overlapping(spans, answers)])
    head = f"{text.title}\n" if text.title and rng.random() >= UNTITLED else ""
    batch.passages += [head + text.text[slice(*span)] for span in spans]

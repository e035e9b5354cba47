"""Example questions made from the corpus itself: a number, a name, a byline. Patterns over the text, no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from rag.types import Article

_NAME = r"[A-Z][\w&’'-]*(?: [A-Z][\w&’'-]*){0,3}"
_COUNTED = re.compile(
    rf"(?P<who>{_NAME}) (?P<did>[a-z]+ed) (?:more than |over |about |around |nearly |some )?"
    r"(?:(?P<money>(?:US)?[$€£]\d)|\d[\d,.]* (?P<what>[a-z][a-z ]*?) (?:in|to|at|for|from|by|on|of)\b)"
)
_FULL_NAME = re.compile(r"(?<=[a-z,’'] )[A-Z][a-z]+(?: [A-Z][a-z]+){1,3}\b(?! (?:of|for|and) [A-Z])")
_NO_NAMES = {"A", "An", "And", "But", "He", "I", "In", "It", "Its", "She", "That", "The", "These", "They", "This", "We"}


def candidates(articles: list[Article]) -> list[str]:
    """Questions that the articles may well answer, taking turns between the articles."""
    texts = [_prose(article) for article in articles]
    spread = Counter(name for text in texts for name in set(_FULL_NAME.findall(text)))
    rows = zip_longest(*(list(_of_one(*pair, spread)) for pair in zip(articles, texts, strict=True)))
    return list(dict.fromkeys(question for row in rows for question in row if question))


def _prose(article: Article) -> str:
    return " ".join(" ".join(article.text[start:end] for start, end in article.body).split())


def _of_one(article: Article, prose: str, spread: Counter[str]) -> Iterator[str]:
    yield from list(_counts(prose))[:1]
    yield from list(_names(article, prose, spread))[:1]
    if article.metadata.title and article.metadata.authors:
        yield f"Who wrote “{article.metadata.title}”?"


def _counts(prose: str) -> Iterator[str]:
    for match in _COUNTED.finditer(prose):
        if match["who"].split()[0] in _NO_NAMES:
            continue
        if match["money"]:
            yield f"How much has {match['who']} {match['did']}?"
        else:
            yield f"How many {match['what']} has {match['who']} {match['did']}?"


def _names(article: Article, prose: str, spread: Counter[str]) -> Iterator[str]:
    """What its author, or else anyone, says about the names that it has and others don't, most frequent first."""
    known = article.metadata
    says = f"What does {known.authors[0]} say" if len(known.authors) == 1 else "What is said"
    for name, _ in Counter(_FULL_NAME.findall(prose)).most_common():
        if spread[name] == 1 and name not in (*known.authors, known.publisher):
            yield f"{says} about {name}?"

"""Example questions made from the corpus itself: a number, a speaker, a name, a byline. Patterns, no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from rag.types import Article, Metadata

_NAME = r"[A-Z][\w&’'-]*(?: [A-Z][\w&’'-]*){0,3}"
_COUNTED = re.compile(
    rf"(?P<who>{_NAME}) (?P<did>[a-z]+ed) (?:more than |over |about |around |nearly |some )?"
    r"(?:(?P<money>(?:US)?[$€£]\d)|\d[\d,.]* (?P<what>[a-z][a-z ]*?) (?:in|to|at|for|from|by|on|of)\b)"
)
_FULL_NAME = re.compile(r"(?<=[a-z,’'] )[A-Z][a-z]+(?: [A-Z][a-z]+){1,3}\b(?! (?:of|for|and) [A-Z])")
_WORDS = r"[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*"
_SPEAKER = re.compile(
    rf"(?P<first>{_WORDS})(?:, [^,;]{{3,90}},)? (?:has |had )?"
    r"(?:said|says|noted|notes|warned|warns|told|argued|argues|explained|explains)\b"
    rf"|\b(?:said|says) (?P<last>{_WORDS})"
)
_SENTENCES = re.compile(r".*[.!?][”\"’')]*\s*$", re.MULTILINE)
_NO_NAMES = {"A", "An", "And", "But", "He", "I", "In", "It", "Its", "She", "That", "The", "These", "They", "This", "We"}


def candidates(articles: list[Article]) -> list[str]:
    """Questions that the articles may well answer, taking turns between the articles; one of them about a byline."""
    texts = [_prose(article) for article in articles]
    spread = Counter(name for text in texts for name in set(_FULL_NAME.findall(text)))
    rows = zip_longest(*(list(_of_one(*pair, spread)) for pair in zip(articles, texts, strict=True)))
    found = list(dict.fromkeys(question for row in rows for question in row if question))
    signed = [article.metadata.title for article in articles if _is_worth_asking(article.metadata)]
    return [*found[:1], *(f"Who wrote “{title}”?" for title in signed[:1]), *found[1:]]


def _is_worth_asking(known: Metadata) -> bool:
    """Whether there is a title and an author, and the title doesn't give the author away."""
    return bool(known.title and known.authors) and not any(author in known.title for author in known.authors)


def _prose(article: Article) -> str:
    """The article's lines that end like sentences: in headings every word looks like a name."""
    text = "\n".join(article.text[start:end] for start, end in article.body)
    return " ".join(" ".join(_SENTENCES.findall(text)).split())


def _of_one(article: Article, prose: str, spread: Counter[str]) -> Iterator[str]:
    yield from list(_counts(prose))[:2]
    yield from list(_speakers(prose))[:2]
    yield from list(_names(article, prose, spread))[:1]


def _counts(prose: str) -> Iterator[str]:
    for match in _COUNTED.finditer(prose):
        if match["who"].split()[0] in _NO_NAMES:
            continue
        if match["money"]:
            yield f"How much has {match['who']} {match['did']}?"
        else:
            yield f"How many {match['what']} has {match['who']} {match['did']}?"


def _speakers(prose: str) -> Iterator[str]:
    for match in _SPEAKER.finditer(prose):
        who = match["first"] or match["last"]
        # Two words are a person's name; more are an institution's as a rule.
        if len(who.split()) == 2 and who.split()[0] not in _NO_NAMES:
            yield f"What does {who} say?"


def _names(article: Article, prose: str, spread: Counter[str]) -> Iterator[str]:
    """What its author says about a name that the article has several times and others don't have."""
    authors = article.metadata.authors
    for name, times in Counter(_FULL_NAME.findall(prose)).most_common():
        if len(authors) == 1 and times > 1 and spread[name] == 1 and name not in authors:
            yield f"What does {authors[0]} say about {name}?"

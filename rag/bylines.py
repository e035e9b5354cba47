"""Questions about an article itself: who wrote it, when it appeared, where, under which title, from which agency.

They are answered from the metadata and cited to the line of the article that shows it. Where the metadata says
something that the article's text doesn't show, there is nothing to cite, and the answer is a decline that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.names import is_agency
from rag.types import Passage

FITS = 0.6
"""Share of a question's words that an article has to hold for the question to be about it."""

_ARTICLE = (
    r"(?:articles?|pieces?|story|stories|essays?|op-?eds?|columns?|reports?|commentar(?:y|ies)|texts?|analys[ie]s|"
    r"opinions?|editorials?|posts?|write-?up|interview)"
)
_WORK = rf"(?:\b{_ARTICLE}\b|[\"“][^\"”]{{8,}}[\"”])"
"""An article, by the word or by its title in quotes."""

_ASKS = {
    "authors": re.compile(
        rf"\bwho (?:wrote|authored|penned|co-?wrote|is writing)\b(?! that\b)(?=.*(?:{_WORK}|\babout\b))|"
        rf"\b(?:author|authors|writer|writers|byline)\b(?=.*{_WORK})|\b{_ARTICLE}\b.*\bwritten by whom?\b|"
        rf"\bby whom\b.*\b{_ARTICLE}\b.*\bwritten\b",
        re.IGNORECASE,
    ),
    "date": re.compile(
        rf"\b(?:when|what (?:date|day|month|year)|which (?:date|day|month|year)|on what date)\b(?=.*\b(?:publish\w*|"
        rf"written|wrote|write|posted|released|appear\w*|updated|dated|printed|out|from|come|came)\b)(?=.*{_WORK})|"
        rf"\bdate of\b.*\b{_ARTICLE}\b|\bhow (?:old|recent) is\b.*\b{_ARTICLE}\b|\bpublication date\b",
        re.IGNORECASE,
    ),
    "agency": re.compile(
        rf"\b(?:what|which) (?:news agency|newswire|wire service|wire)\b(?=.*\b(?:credited|behind|from|is|was|wrote|"
        rf"written|publish\w*|filed|suppl\w*|provided|carried|ran)\b)(?=.*{_WORK})",
        re.IGNORECASE,
    ),
    "publisher": re.compile(
        rf"\b(?:what|which) (?:\w+ )?(?:newspaper|paper|outlet|publisher|publication|site|website|magazine|journal|"
        rf"agency|media|organi[sz]ation)\b(?=.*\b(?:publish\w*|ran|run|carried|printed|appear\w*|from|is)"
        rf"\b)(?=.*{_WORK})|\bwhere (?:was|were|did)\b(?=.*\b(?:publish\w*|appear\w*)\b)(?=.*{_WORK})|"
        rf"\bwho published\b(?=.*{_WORK})",
        re.IGNORECASE,
    ),
    "title": re.compile(
        rf"\b(?:title|headline)\b(?=.*{_WORK})|\b{_ARTICLE}\b.*\b(?:called|titled|entitled)\b\W*$", re.IGNORECASE
    ),
}
_PLUMBING = frozenset(
    "who wrote author authors authored penned writer writers written by whom when what which date day month year was "
    "were is are did does do the a an of in on at to for from about with this that it its publish published publisher "
    "publication posted released appear appeared updated dated printed come came out run ran carried newspaper paper "
    "outlet site website magazine journal agency newswire wire service credited behind media "
    "where title headline called titled entitled byline how old "
    "recent article articles piece pieces story stories essay op-ed column report reports commentary text analysis "
    "opinion editorial post and or organization organisation name".split()
)
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_MONTHS = "january february march april may june july august september october november december".split()


@dataclass(frozen=True)
class Byline:
    """What the metadata says on a question about an article, and the lines of its text that show it."""

    field: str
    value: str
    article: Passage
    lines: tuple[tuple[Passage, tuple[int, int]], ...]
    """Passages, and the spans in them, that show it together; empty where the text doesn't."""
    match: float
    """How well the question fits the article, 0 to 1."""


def asked_field(question: str) -> str | None:
    """``authors``, ``date``, ``agency``, ``publisher`` or ``title``, whichever is asked of an article; else None."""
    return next((field for field, pattern in _ASKS.items() if pattern.search(question)), None)


def look_up(
    question: str, field: str, passages: Sequence[Passage], lines: Callable[[str], Sequence[Passage]]
) -> Byline | None:
    """The article that the question means, among those of ``passages``, and what its byline says.

    ``lines`` gives the byline passages of a source. None where no article fits the question.
    """
    by_source: dict[str, list[Passage]] = {}
    for passage in passages:
        by_source.setdefault(passage.source, []).append(passage)
    if not by_source:
        return None
    fits = {source: _fit(question, found) for source, found in by_source.items()}
    source = max(fits, key=lambda name: fits[name])
    article = by_source[source][0]
    value = _value(article, field)
    shown = _evidence(field, value, article, lines(source)) if value else ()
    return Byline(field, value, article, shown, min(1.0, fits[source]))


def _fit(question: str, passages: Sequence[Passage]) -> float:
    """Share of the question's own words that the article's metadata (weight 1) or passages (weight 0.6) hold."""
    article = passages[0]
    about = _stems(" ".join((article.title, *article.authors, article.publisher, _spoken_date(article.date))))
    body = _stems(" ".join(passage.text for passage in passages))
    wanted = {word for word in _stems(question) if word not in _PLUMBING and len(word) > 1}
    if not wanted:
        return 0.0
    near = sum(1.0 if word in about else 0.6 if word in body else 0.0 for word in wanted) / len(wanted)
    return near + 0.05 * max(passage.score for passage in passages)


def _stems(text: str) -> set[str]:
    words = {word.lower() for word in _WORD.findall(text)}
    return {word if word in _PLUMBING or len(word) < 4 else word.removesuffix("s") for word in words}


def _spoken_date(date: str) -> str:
    parts = date.split("-")
    return f"{date} {parts[0]} {_MONTHS[int(parts[1]) - 1]}" if len(parts) > 1 else date


def _value(article: Passage, field: str) -> str:
    if field == "authors":
        return " and ".join(filter(None, [", ".join(article.authors[:-1]), *article.authors[-1:]]))
    if field == "agency":
        return next(filter(is_agency, (*article.authors, article.publisher)), "")
    return str(getattr(article, field))


def _evidence(
    field: str, value: str, article: Passage, lines: Sequence[Passage]
) -> tuple[tuple[Passage, tuple[int, int]], ...]:
    """The shortest line that shows each value of the field; authors may stand in one line or in several."""
    chosen: list[tuple[Passage, tuple[int, int]]] = []
    for told in article.authors if field == "authors" else (value,):
        shows = _shows_date if field == "date" else _shows
        found = [(line, span) for line in lines for span in line.sentences if shows(told, line.text[slice(*span)])]
        if not found:
            return ()
        if not any(line in found for line in chosen):
            chosen.append(min(found, key=lambda item: (-_names_shown(article, *item), item[1][1] - item[1][0])))
    return tuple(chosen)


def _names_shown(article: Passage, line: Passage, span: tuple[int, int]) -> int:
    return sum(_shows(name, line.text[slice(*span)]) for name in article.authors)


def _shows(value: str, text: str) -> bool:
    return " ".join(value.casefold().split()) in " ".join(text.casefold().split())


def _shows_date(date: str, text: str) -> bool:
    text = text.casefold()
    year, *rest = date.split("-")
    if not re.search(rf"(?<!\d){year}(?!\d)", text):
        return False
    if not rest:
        return True
    month = int(rest[0])
    name = _MONTHS[month - 1]
    if not re.search(rf"\b{name[:3]}(?:{name[3:]}|\b|\.)|(?<!\d)0?{month}(?!\d)", text):
        return False
    return len(rest) < 2 or bool(re.search(rf"(?<!\d)0?{int(rest[1])}(?!\d)", text))

"""Questions for what an article or its author says: the question without their name, and the passages it is about.

A passage speaks in its author's voice and seldom names him, so "What does Jane Doe say about X?" is read as "What does
the author say about X?" on the passages that are hers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Passage

_TEXT = (
    r"(?:articles?|pieces?|report|story|op-ed|commentary|analysis|column|essay|editorial|authors?|writers?|columnists?)"
)
_SAYS = (
    r"(?=\s+(?:say|think|argue|claim|believe|see|view|describe|suggest|propose|recommend|want|expect|warn|write|report|"
    r"mention|name|list|give|call|explain|cite|quote|note|consider|reject|oppose|support|favou?r|criticise|criticize|"
    r"predict|conclude|compare|make of|judge|regard|treat|present|use|hope|fear|doubt)\b)"
)
_VIEW = r"\bin the (?:view|opinion|eyes) of\s+"


def as_said(question: str, passages: Sequence[Passage]) -> tuple[str, list[Passage]] | None:
    """The question as its article is asked it, and those of the passages that are of such articles; None where it names
    no author or publisher as the one who says something."""
    asked = [(_unnamed(question, passage.authors, passage.publisher), passage) for passage in passages]
    theirs = [(said, passage) for said, passage in asked if said != question]
    return (theirs[0][0], [passage for _, passage in theirs]) if theirs else None


def _unnamed(question: str, authors: Sequence[str], publisher: str) -> str:
    """The question with "the author" or "the article" for their names; what is "according to" them isn't said so."""
    if publisher:
        name = rf"\b(?:the )?{re.escape(publisher)}"
        question = _put("the article", name, question)
        question = re.sub(rf"{name}(?:[’']s)? ({_TEXT})\b", r"the \1", question, flags=re.IGNORECASE)
    if authors:
        one = "|".join(re.escape(form) for author in authors for form in _forms(author))
        question = _put("the authors", rf"(?:{one})(?:(?:, | and | & )(?:{one}))+", question)
        question = _put("the author", rf"(?:{one})", question)
    return question


def _put(words: str, name: str, question: str) -> str:
    """The question with the words in the place of the name where it is the one who says something."""
    bare = re.sub(rf",? ?\baccording to {name}(?: {_TEXT})?(?![\w’']),? ?", "", question, flags=re.IGNORECASE)
    asks = rf"(\b(?:does|do|did)\s+){name}{_SAYS}|({_VIEW}){name}(?![\w’'])"
    return re.sub(asks, lambda match: f"{match[1] or match[2]}{words}", bare, flags=re.IGNORECASE)


def _forms(author: str) -> list[str]:
    """A name in full, and its longer parts, since a family name may stand first or last."""
    return [author, *(part for part in author.split() if len(part) >= 4)]

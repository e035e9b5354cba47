"""What the form of a sentence lets one ask: a subject that is a name, its verb, and a number, date or statement.

Patterns, no model. Few sentences have such a form; what doesn't is left alone, since a clumsy question costs its reader
more than a missing one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import rag

_NAME = r"(?:The )?[A-Z][\w.&’'-]*(?: (?:of |and |the |for |& )?[A-Z][\w.&-]*)*"
_SUBJECT = re.compile(rf"(?P<subject>{_NAME})(?:, [^,;:]{{3,80}},)? (?P<verb>[a-z]+) (?P<rest>.+)", re.S)
_LEAD = re.compile(r"(?P<date>(?:In|On|By|Since) [^,]{3,25}), ", re.S)
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan\.?|Feb\.?|Mar\.?|Apr\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)"
)
_DATE = re.compile(rf"\b(?:in|on|since) ({_MONTH}(?: \d{{1,2}})?(?:,? \d{{4}})?|(?:19|20)\d\d)\b", re.I)
_AROUND = r"(?:(?:more than|less than|fewer than|at least|up to|about|around|nearly|almost|over|some|only) )?"
_FIGURE = r"\d[\d,]*(?:\.\d+)?(?: (?:hundred|thousand|million|billion|trillion))?"
_MONEY = re.compile(
    rf"\b{_AROUND}(?:[A-Z]{{0,3}}[$€£¥]{_FIGURE}(?:bn|m|k)?|{_FIGURE} (?:dollars|euros|pounds|yuan))(?!\w)"
)
_PERCENT = re.compile(rf"\b{_AROUND}\d[\d.]*(?:%| per ?cent)(?P<of> of (?:[\w’'-]+ ?){{1,6}}(?=[.,;]|$))?")
_COUNT = re.compile(rf"\b(?P<number>{_AROUND}{_FIGURE}) (?P<noun>(?:[a-z][\w-]* ){{0,2}}?[a-z][\w-]*s)\b(?!-)")
_SAYING = "says said argues argued warns warned believes believed notes noted adds added expects expected".split(" ")
_STATED = re.compile(rf"(?P<name>{_NAME})(?:, [^,;:]{{3,80}},)? (?P<verb>{'|'.join(_SAYING)}) that (?P<what>.+)", re.S)
_QUOTED = re.compile(rf"[“\"](?P<what>[^”\"]{{30,}}?),?[”\"] (?:said|says) (?P<name>{_NAME})")

_AUXILIARIES = set("is are was were has have had will would can could may might should must did does".split(" "))
_IRREGULAR = dict(
    pair.split(":")
    for pair in (
        "added:add became:become began:begin bought:buy brought:bring built:build came:come chose:choose fell:fall"
        " found:find gave:give got:get grew:grow held:hold kept:keep knew:know led:lead left:leave lost:lose"
        " made:make met:meet paid:pay put:put rose:rise ran:run saw:see sent:send set:set sold:sell spent:spend"
        " stood:stand struck:strike took:take told:tell used:use won:win went:go wrote:write"
    ).split(" ")
)
_STARTERS = set(
    "a all although an and another as at because both but each every for he her here his how however i if in it its"
    " many most my no not of on one or other our she since so some such that their there these they this those though"
    " to today two we what when where which while who why with yet you".split(" ")
)


def questions(sentence: str, text: str) -> Iterator[tuple[str, str, str]]:
    """(kind, question, answer) of what the form of a sentence of ``text`` lets one ask."""
    flat = " ".join(sentence.split()).rstrip(".")
    if quoted := _QUOTED.search(flat):
        yield "who-says", f"Who said “{quoted['what']}”?", quoted["name"]
    elif (stated := _STATED.match(flat)) and is_name(stated["name"], text):
        yield "who-says", f"Who {stated['verb']} that {stated['what']}?", stated["name"]
    else:
        yield from _about_subject(flat, text)


def _about_subject(flat: str, text: str) -> Iterator[tuple[str, str, str]]:
    lead = _LEAD.match(flat)
    parsed = _SUBJECT.match(flat, lead.end() if lead else 0)
    if not parsed or not is_name(parsed["subject"], text):
        return
    subject, verb, rest = parsed["subject"], parsed["verb"], _first_clause(parsed["rest"])
    if verb in _AUXILIARIES:
        auxiliary, action = verb, rest
    elif base := base_form(verb):
        auxiliary, action = "did", f"{base} {rest}"
    else:
        return
    if rest.startswith(("by ", "that ")) or len(rest.split()) < 3:
        return
    if verb not in ("are", "were", "have"):
        yield "name", f"Who {verb} {rest}?", subject
    for asked, figure, without in _figures(action):
        yield "number", _tidy(f"{asked} {auxiliary} {subject} {without}?"), figure
    dated = _DATE.search(action)
    if dated:
        without = f"{action[: dated.start()]}{action[dated.end() :]}"
        yield "date", _tidy(f"When {auxiliary} {subject} {without}?"), dated[1]
    elif lead and _DATE.fullmatch(lead["date"]):
        yield "date", f"When {auxiliary} {subject} {action}?", lead["date"].split(" ", 1)[1]


def is_name(subject: str, text: str) -> bool:
    """Whether what a sentence starts with is a name, rather than a word with the sentence's capital."""
    if subject.endswith(("’s", "'s", "’", "'")) or subject.split()[0].lower() in _STARTERS:
        return False
    return " " in subject or re.search(rf"\b{re.escape(subject.lower())}\b", text) is None


def _first_clause(rest: str) -> str:
    """What follows the verb up to the first comma or dash, unless that is the comma of a list."""
    clause, *more = re.split(r"[;:]? [–—-] |[;:] |, (?!\d{4})", rest)
    return rest if any(part.startswith(("and ", "or ")) for part in more) else clause


def _figures(action: str) -> Iterator[tuple[str, str, str]]:
    """(question words, figure, what is left of the action) for the first figure that follows the verb."""
    if share := _PERCENT.search(action):
        asked, figure = f"What percentage{(share['of'] or '').rstrip()}", share[0].removesuffix(share["of"] or "")
    elif share := _MONEY.search(action):
        asked, figure = "How much", share[0]
    elif share := _COUNT.search(action):
        asked, figure = f"How many {share['noun']}", share["number"]
    else:
        return
    before = action[: share.start()].strip()
    after = action[share.end() :]
    if len(before.split()) <= 2 and not re.search(r"\d[\d.,]* ", after):  # else it may belong to another noun
        yield asked, figure, f"{before} {after}"


def base_form(past: str) -> str | None:
    """The base form of a past tense; None for any other word."""
    if past in _IRREGULAR:
        return _IRREGULAR[past]
    if not past.endswith("ed") or len(past) < 5:
        return None
    stem, words = past[:-2], _vocabulary()
    with_e, undoubled = f"{stem}e", stem[:-1]
    if re.search(r"[^aeiou][aeiou][^aeiouwxy]$", stem) and with_e in words:  # noted: note, though "not" is a word too
        return with_e
    if stem.endswith("i"):
        return f"{undoubled}y"
    candidates = [stem, with_e, undoubled] if stem[-1:] == stem[-2:-1] else [stem, with_e]
    return min((word for word in candidates if word in words), key=words.__getitem__, default=None)


@cache
def _vocabulary() -> dict[str, int]:
    """Common English words and their rank by frequency: the vocabulary of the bundled models."""
    path = Path(rag.__file__).parent / "models" / "tokenizer.json"
    words: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    return words


def _tidy(text: str) -> str:
    return re.sub(r" +(?=[ ?,])", "", text)

"""Gold questions: reading them and checking them, against themselves and against the corpus.

A gold file has one JSON object a line; docs/evals.md says how to write one. Problems are collected as
``FILE:LINE: reason``, all of them at once, so that a broken file is mended in one go.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.matching import contains, numbers, tokens
from rag.errors import GoldError

_REQUIRED: dict[str, type] = {
    "id": str,
    "kind": str,
    "question": str,
    "history": list,
    "answers": list,
    "must": list,
    "evidence": list,
    "answerable": bool,
}
_OPTIONAL: dict[str, type] = {"draft": bool}
_JSON_NAMES = {str: "text", list: "a list", bool: "true or false"}


@dataclass(frozen=True)
class Evidence:
    """Words of an article, exactly as they stand in it."""

    source: str
    quote: str


@dataclass(frozen=True)
class Question:
    """One line of a gold file. ``must`` lists the parts of a long answer, each with its alternatives."""

    id: str
    kind: str
    question: str
    history: tuple[tuple[str, str], ...]
    answers: tuple[str, ...]
    must: tuple[tuple[str, ...], ...]
    evidence: tuple[Evidence, ...]
    answerable: bool
    draft: bool = False
    line: int = 0


def read(path: Path) -> tuple[list[Question], list[str]]:
    """The well-formed questions of a gold file, drafts included, and the problems of the other lines.

    Raises GoldError if the file can't be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
        raise GoldError(f"can't read the gold file {path}: {reason}") from error
    questions: list[Question] = []
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        question, reasons = _parse(line, number)
        problems += [f"{path}:{number}: {reason}" for reason in reasons]
        if question:
            questions.append(question)
    if not questions and not problems:
        problems.append(f"{path}:1: no questions")
    return questions, problems + [f"{path}:{reason}" for reason in _repeated(questions)]


def load(path: Path) -> list[Question]:
    """The questions that count: every line but the drafts. Raises GoldError at the first problem."""
    questions, problems = read(path)
    if problems:
        more = f" (and {len(problems) - 1} more; rag eval --check lists them)" if problems[1:] else ""
        raise GoldError(problems[0] + more)
    accepted = [question for question in questions if not question.draft]
    if not accepted:
        raise GoldError(f"{path} holds drafts only: remove the draft mark of those that you accept")
    return accepted


def check(path: Path, texts: Mapping[str, str], about: Mapping[str, str] | None = None) -> list[str]:
    """Every problem of a gold file, with the articles ``source -> text`` that it asks about.

    ``about`` tells title, authors, publisher and date of each article: they count as its evidence too, since who says
    something is often said by the byline alone.
    """
    questions, problems = read(path)
    for question in questions:
        problems += [f"{path}:{question.line}: {reason}" for reason in _against_corpus(question, texts, about or {})]
    return sorted(problems, key=lambda problem: int(problem.removeprefix(f"{path}:").split(":")[0]))


def draft_problems(fields: dict[str, Any], texts: Mapping[str, str]) -> list[str]:
    """Every problem of a question that isn't in a file yet."""
    question, reasons = _parse(json.dumps(fields | {"draft": False}), 0)
    return reasons if question is None else _against_corpus(question, texts, {})


def counts(questions: Sequence[Question]) -> str:
    """How many questions there are of each kind, as a small table."""
    kinds = Counter(question.kind for question in questions)
    unanswerable = sum(not question.answerable for question in questions)
    drafts = sum(question.draft for question in questions)
    lines = [f"{kind:24}{number:5}" for kind, number in sorted(kinds.items())]
    return "\n".join([*lines, f"{'all':24}{len(questions):5}  ({unanswerable} unanswerable, {drafts} drafts)"])


def _parse(line: str, number: int) -> tuple[Question | None, list[str]]:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        return None, [f"broken JSON: {error.msg} at column {error.colno}"]
    if not isinstance(fields, dict):
        return None, ["not a JSON object"]
    reasons = _field_problems(fields)
    if reasons:
        return None, reasons
    question = Question(
        id=fields["id"],
        kind=fields["kind"],
        question=fields["question"],
        history=tuple((asked, answered) for asked, answered in fields["history"]),
        answers=tuple(fields["answers"]),
        must=tuple(tuple(part.split("|")) for part in fields["must"]),
        evidence=tuple(Evidence(**evidence) for evidence in fields["evidence"]),
        answerable=fields["answerable"],
        draft=fields.get("draft", False),
        line=number,
    )
    reasons = _meaning_problems(question)
    return (None if reasons else question), reasons


def _field_problems(fields: dict[str, Any]) -> list[str]:
    known = _REQUIRED | _OPTIONAL
    reasons = [f"unknown field {name!r}" for name in fields if name not in known]
    reasons += [f"missing field {name!r}" for name in _REQUIRED if name not in fields]
    wrong = [name for name in fields if name in known and not isinstance(fields[name], known[name])]
    reasons += [f"{name!r} must be {_JSON_NAMES[known[name]]}" for name in wrong]
    shapes = (
        ("history", _is_turn, "a list of [question, answer] pairs"),
        ("answers", _is_text, "a list of texts"),
        ("must", _is_text, "a list of texts"),
        ("evidence", _is_evidence, 'a list of {"source", "quote"} objects'),
    )
    for name, fits, shape in shapes:
        if name in fields and name not in wrong and not all(fits(item) for item in fields[name]):
            reasons.append(f"{name!r} must be {shape}")
    return reasons


def _is_text(item: Any) -> bool:
    return isinstance(item, str)


def _is_turn(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(map(_is_text, item))


def _is_evidence(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == {"source", "quote"} and all(map(_is_text, item.values()))


def _meaning_problems(question: Question) -> list[str]:
    reasons = [f"{name!r} is empty" for name in ("id", "kind", "question") if not getattr(question, name).strip()]
    if question.draft:  # a person may still complete it
        return reasons
    expected = [*question.answers, *(choice for part in question.must for choice in part)]
    if not all(map(tokens, expected)):
        reasons.append("an answer or a part of 'must' is empty")
    if question.answerable and not expected:
        reasons.append("an answerable question needs 'answers' or 'must'")
    if question.answerable and not question.evidence:
        reasons.append("an answerable question needs 'evidence'")
    if not question.answerable and expected:
        reasons.append("an unanswerable question can't have 'answers' or 'must'")
    return reasons


def _repeated(questions: Sequence[Question]) -> list[str]:
    reasons = []
    ids: dict[str, int] = {}
    asked: dict[tuple[Any, ...], int] = {}
    for question in questions:
        first = ids.setdefault(question.id, question.line)
        if first != question.line:
            reasons.append(f"{question.line}: duplicate id {question.id!r}, first on line {first}")
        first = asked.setdefault((question.question.casefold(), question.history), question.line)
        if first != question.line:
            reasons.append(f"{question.line}: the same question as on line {first}")
    return reasons


def _against_corpus(question: Question, texts: Mapping[str, str], about: Mapping[str, str]) -> list[str]:
    reasons = []
    for evidence in question.evidence:
        if evidence.source not in texts:
            reasons.append(f"no article {evidence.source!r} in the corpus")
        elif not evidence.quote.strip() or evidence.quote not in texts[evidence.source]:
            reasons.append(f"{evidence.source} doesn't hold the quote {shorten(evidence.quote)!r}")
    told = [about.get(source, "") for source in sorted({evidence.source for evidence in question.evidence})]
    return reasons or _against_evidence(question, [evidence.quote for evidence in question.evidence] + told)


def _against_evidence(question: Question, evidence: Sequence[str]) -> list[str]:
    """One acceptable answer and one alternative of each part must stand in the evidence as it is written; the others
    are ways to say the same ("Donald Trump" for "Trump"), in which only the numbers have to be the evidence's."""
    quoted = [token for text in evidence for token in tokens(text)]
    reasons = []
    for choices in (question.answers, *question.must):
        spellings = [tokens(choice) for choice in choices]
        if choices and not any(contains(quoted, spelling) for spelling in spellings):
            reasons.append(f"the answer {' | '.join(choices)!r} isn't in the evidence")
            continue
        strange = {token for spelling in spellings for token in numbers(spelling)} - numbers(quoted)
        reasons += [f"the number {number} of the answers isn't in the evidence" for number in sorted(strange)]
    return reasons


def shorten(text: str) -> str:
    """The text on one line, cut to 60 characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else flat[:59] + "…"

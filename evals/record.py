"""Answers and scores -> the plain JSON of a run, which the report, the comparison and the page's Quality tab read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.compare import Run, changed_words, nearest
from evals.gold import Question, shorten
from evals.judge import agreement
from evals.metrics import RANKS, Score, calibration, interval, locate, mean, percentile, score
from rag.errors import ArticleError
from rag.types import Answer

Record = dict[str, Any]


def read_texts(corpus: Path) -> dict[str, str]:
    """Source -> text of every article that can be read; offsets of citations count in these texts."""
    from rag.articles import file_text, list_files

    texts = {}
    for source in list_files(corpus):
        try:
            texts[source] = file_text(corpus / source)
        except ArticleError:
            continue  # the sync has reported it as skipped
    return texts


def read_about(corpus: Path) -> dict[str, str]:
    """Source -> what is known of every article: title, authors, publisher, date."""
    from rag.articles import list_files, read_article, read_metadata

    known, about = read_metadata(corpus), {}
    for source in list_files(corpus):
        try:
            article = read_article(corpus, source, known.get(source)).metadata
        except ArticleError:
            continue
        about[source] = "\n".join((article.title, " and ".join(article.authors), article.publisher, article.date))
    return about


def fingerprint(corpus: Path, texts: Mapping[str, str]) -> str:
    """Twelve hex digits that change with any article, its name, or metadata.toml."""
    digest = hashlib.sha256()
    for source, text in sorted(texts.items()):
        digest.update(f"{source}\0{text}\0".encode())
    metadata = corpus / "metadata.toml"
    if metadata.is_file():
        digest.update(metadata.read_bytes())
    return digest.hexdigest()[:12]


def question_record(question: Question, answer: Answer | str, texts: Mapping[str, str]) -> Record:
    """One question of a run. ``answer`` is the reason where none could be had: then the question is unscored."""
    evidence = [_evidence_record(quote.source, quote.quote, texts) for quote in question.evidence]
    stale = any(not quote["spans"] for quote in evidence)
    if isinstance(answer, str):
        scored = Score(None, (f"unscored: {answer}",))
    elif stale:
        scored = Score(None, tuple(_stale_problems(evidence, texts)))
    else:
        scored = score(question, answer, texts)
    return {
        "id": question.id,
        "kind": question.kind,
        "question": question.question,
        "history": [list(turn) for turn in question.history],
        "answerable": question.answerable,
        "answers": list(question.answers),
        "must": ["|".join(part) for part in question.must],
        "evidence": evidence,
        "stale": stale,
        **asdict(scored),
        **(_no_answer() if isinstance(answer, str) else _answer_record(answer)),
    }


def run_record(corpus: Mapping[str, Any], answerer: str, records: Sequence[Record]) -> Run:
    """A whole run, as ``rag eval --json`` writes it."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "corpus": dict(corpus),
        "answerer": answerer,
        **summarise(records),
        "judge": agreement(records),
        "questions": list(records),
    }


def summarise(records: Sequence[Record]) -> dict[str, Any]:
    """Metrics, their intervals and counts, the same by kind, the reliability table, and what it all cost."""
    scored = [record for record in records if record["passed"] is not None]
    answerable = [record for record in scored if record["answerable"]]
    values: dict[str, list[float | None]] = {
        "accuracy": [record["passed"] for record in answerable],
        "short_accuracy": [record["short_passed"] for record in answerable],
        "f1": [record["f1"] for record in answerable],
        "citation_precision": [record["citation_precision"] for record in answerable],
        "citation_recall": [record["citation_recall"] for record in answerable],
        **{f"hit@{k}": [(record["rank"] or RANKS + 1) <= k for record in answerable] for k in (1, 5, 10)},
        "mrr@10": [1 / record["rank"] if record["rank"] else 0.0 for record in answerable],
        "declined_unanswerable": [not record["answered"] for record in scored if not record["answerable"]],
        "declined_answerable": [not record["answered"] for record in answerable],
    }
    answered = [record for record in scored if record["answered"]]
    calibrated = calibration([(record["confidence"], record["passed"]) for record in answered])
    seconds = [record["seconds"] for record in records if record["seconds"] is not None]
    metrics = {name: mean(column) for name, column in values.items()} | {
        "inexact_citations": sum(record["inexact_citations"] for record in records),
        "brier": calibrated.brier if calibrated else None,
        "ece": calibrated.ece if calibrated else None,
        "answer_words_p50": percentile([len(record["answer"].split()) for record in answered], 50),
        "p50_seconds": percentile(seconds, 50),
        "p95_seconds": percentile(seconds, 95),
    }
    return {
        "metrics": metrics,
        "intervals": {name: interval(column) for name, column in values.items()},
        "counts": {name: sum(value is not None for value in column) for name, column in values.items()},
        "kinds": _by_kind(records),
        "reliability": [asdict(row) for row in calibrated.bins] if calibrated else [],
        "usage": _usage(records),
    }


def _by_kind(records: Sequence[Record]) -> dict[str, Any]:
    kinds = {}
    for kind in sorted({record["kind"] for record in records}):
        outcomes = [record["passed"] for record in records if record["kind"] == kind]
        known = [outcome for outcome in outcomes if outcome is not None]
        kinds[kind] = {
            "asked": len(outcomes),
            "scored": len(known),
            "passed": sum(known),
            "share": mean(known),
            "interval": interval(known),
        }
    return kinds


def _usage(records: Sequence[Record]) -> dict[str, Any] | None:
    usages = [record["usage"] for record in records if record["usage"]]
    if not usages:
        return None
    costs = [usage["cost"] for usage in usages if usage["cost"] is not None]
    return {
        "prompt_tokens": sum(usage["prompt_tokens"] for usage in usages),
        "completion_tokens": sum(usage["completion_tokens"] for usage in usages),
        "cost": sum(costs) if costs else None,
    }


def _evidence_record(source: str, quote: str, texts: Mapping[str, str]) -> Record:
    spans = [[start, end] for _, start, end in locate(source, quote, texts)]
    now = None if spans else nearest(source, quote, texts)
    return {"source": source, "quote": quote, "spans": spans, "nearest": asdict(now) if now else None}


def _stale_problems(evidence: Sequence[Record], texts: Mapping[str, str]) -> list[str]:
    problems = []
    for quote in evidence:
        if quote["spans"]:
            continue
        source, now = quote["source"], quote["nearest"]
        if now is not None:
            moved = "" if now["source"] == source else f" (now in {now['source']})"
            problems.append(f"{source}: {changed_words(quote['quote'], now['text'])}{moved}")
        elif source in texts:
            problems.append(f"{source}: “{shorten(quote['quote'])}” is gone, and nothing like it is left")
        else:
            problems.append(f"{source} is no longer in the corpus, and nothing like its evidence is left")
    return list(dict.fromkeys(problems))


def _answer_record(answer: Answer) -> Record:
    return {
        "answer": answer.text,
        "short": answer.short,
        "answered": answer.answered,
        "reason": answer.reason,
        "confidence": answer.confidence,
        "answerer": answer.answerer,
        "seconds": answer.seconds,
        "citations": [asdict(citation) for citation in answer.citations],
        "passages": [
            {"source": passage.source, "start": passage.start, "end": passage.end, "score": passage.score}
            for passage in answer.passages[:RANKS]
        ],
        "notes": list(answer.notes),
        "dropped": answer.dropped,
        "usage": asdict(answer.usage) if answer.usage else None,
    }


def _no_answer() -> Record:
    empty: Record = dict.fromkeys(("short", "answered", "reason", "confidence", "answerer", "seconds", "usage"))
    return empty | {"answer": "", "citations": [], "passages": [], "notes": [], "dropped": 0}

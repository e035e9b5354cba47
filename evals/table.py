"""A run as text for the terminal. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evals.compare import Comparison, Run

RATES = {
    "accuracy": "answerable: right",
    "short_accuracy": "answerable: right in a few words",
    "f1": "answerable: token F1",
    "declined_unanswerable": "unanswerable: declined",
    "declined_answerable": "answerable: declined (less is better)",
    "citation_precision": "citations on the evidence",
    "citation_recall": "evidence cited",
    "hit@1": "evidence in passage 1",
    "hit@5": "evidence in passages 1 to 5",
    "hit@10": "evidence in passages 1 to 10",
    "mrr@10": "mean reciprocal rank",
}


def summary(run: Run) -> str:
    """Metrics with their intervals, then the same by kind, then speed, calibration and cost."""
    corpus, metrics = run["corpus"], run["metrics"]
    lines = [
        f"{corpus['articles']} articles, {corpus['chunks']} chunks, corpus {corpus['fingerprint']};"
        f" {len(run['questions'])} questions, answered by {run['answerer']}",
        "",
        f"{'':40}{'n':>5}{'%':>8}   95 % interval",
    ]
    lines += [_row(label, run["counts"][name], metrics[name], run["intervals"][name]) for name, label in RATES.items()]
    lines += ["", f"{'right or rightly declined, by kind':40}{'n':>5}{'%':>8}   95 % interval"]
    lines += [_row(kind, row["scored"], row["share"], row["interval"]) for kind, row in run["kinds"].items()]
    unscored = sum(record["passed"] is None for record in run["questions"])
    lines += ["", f"{_seconds(metrics)}; {metrics['inexact_citations']} inexact citations; {unscored} unscored"]
    if metrics["brier"] is not None:
        lines.append(f"confidence: Brier score {metrics['brier']:.3f}, calibration error {metrics['ece']:.3f}")
    if run["usage"]:
        lines.append(f"LLM: {tokens(run['usage'])}")
    if judge := run["judge"]:
        kappa = "" if judge["kappa"] is None else f" (kappa {judge['kappa']:.2f})"
        lines.append(f"judge: {judge['right']:.1%} of {judge['judged']} answers right; agrees with the score on")
        lines[-1] += f" {judge['agreement']:.1%}{kappa}"
    return "\n".join(lines)


def tokens(usage: Mapping[str, Any]) -> str:
    """What an LLM took: its tokens and, where the prices are set, their cost."""
    cost = "" if usage["cost"] is None else f", cost {usage['cost']:.4f}"
    return f"{usage['prompt_tokens']} prompt and {usage['completion_tokens']} completion tokens{cost}"


def figures(run: Run) -> dict[str, str | float]:
    """What the README tells of a run: shares in per cent with their intervals, seconds."""
    told: dict[str, str | float] = {"questions": len(run["questions"])}
    for name in ("accuracy", "declined_unanswerable", "declined_answerable", "citation_precision", "hit@5"):
        low, high = run["intervals"][name] or (0.0, 0.0)
        told[RATES[name]] = f"{100 * (run['metrics'][name] or 0):.1f} % ({100 * low:.0f} to {100 * high:.0f})"
    return told | {name.replace("_", " "): run["metrics"][name] for name in ("brier", "p50_seconds", "p95_seconds")}


def failures(run: Run) -> str:
    """Every question that failed or couldn't be asked, with its first problem."""
    records = [record for record in run["questions"] if not record["passed"] and not record["stale"]]
    return "\n".join(f"{record['id']}: {record['problems'][0]}" for record in records)


def stale(run: Run) -> str:
    """What became of evidence that no longer stands in the corpus, each with the questions that rested on it."""
    ids: dict[str, list[str]] = {}
    for record in run["questions"]:
        for problem in record["problems"] if record["stale"] else ():
            ids.setdefault(problem, []).append(record["id"])
    return "\n".join(f"{problem}\n    {', '.join(names)}" for problem, names in ids.items())


def changes(comparison: Comparison, before: Run, after: Run, name: str) -> str:
    """What became of the questions since the run ``name``."""
    same = before["corpus"]["fingerprint"] == after["corpus"]["fingerprint"]
    lines = [f"against {name}: {'the same corpus' if same else 'another corpus, ' + before['corpus']['fingerprint']}"]
    if before["answerer"] != after["answerer"]:
        lines[0] += f", answered by {before['answerer']}"
    for label in ("better", "worse", "stale", "new", "gone"):
        ids = getattr(comparison, label)
        lines.append(f"{len(ids):4} {label}{': ' if ids else ''}{', '.join(ids)}")
    if comparison.better or comparison.worse:
        lines.append(f"     chance alone makes as many worse with p = {comparison.chance:.3f}")
    return "\n".join(lines)


def _row(label: str, count: int, share: float | None, interval: Sequence[float] | None) -> str:
    if share is None or interval is None:
        return f"{label:40}{count:5}{'-':>8}"
    return f"{label:40}{count:5}{100 * share:8.1f}   {100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def _seconds(metrics: Mapping[str, Any]) -> str:
    if metrics["p50_seconds"] is None:
        return "no answers"
    return f"seconds an answer: p50 {metrics['p50_seconds']:.3f}, p95 {metrics['p95_seconds']:.3f}"

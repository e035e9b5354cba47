"""Two runs, question by question: what a change of the corpus made better, worse or stale, and whether the gate falls.

A run is the plain JSON that ``rag eval --json`` writes. Pure functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import comb
from typing import Any

from rag.splitting import split_sentences

Run = dict[str, Any]

NOISE = 0.05
"""A loss is beyond noise if chance alone brings one as large less often than this."""

_ALIKE = 0.4
"""Below this share of common words, a sentence isn't what became of a quote."""

COUNTED_DOWN = {"declined_answerable", "inexact_citations", "brier", "ece", "p50_seconds", "p95_seconds"}
"""Metrics that are better when smaller: what the floors give for them is a ceiling."""


@dataclass(frozen=True)
class Comparison:
    """Ids of the questions, by what became of them from one run to the other."""

    better: tuple[str, ...]
    worse: tuple[str, ...]
    stale: tuple[str, ...]
    """Their evidence no longer stands in the corpus."""
    new: tuple[str, ...]
    gone: tuple[str, ...]
    chance: float
    """How often chance alone makes at least as many of the changed outcomes worse (1 where none changed)."""


def compare(before: Run, after: Run) -> Comparison:
    """What changed between two runs. A question that was reworded under its old id counts as new."""
    old = {_key(record): record for record in before["questions"]}
    ids: dict[str, list[str]] = {name: [] for name in ("better", "worse", "stale", "new")}
    for record in after["questions"]:
        earlier = old.pop(_key(record), None)
        if record["stale"]:
            ids["stale"].append(record["id"])
        elif earlier is None:
            ids["new"].append(record["id"])
        elif earlier["passed"] is False and record["passed"]:
            ids["better"].append(record["id"])
        elif earlier["passed"] and record["passed"] is False:
            ids["worse"].append(record["id"])
    return Comparison(
        **{name: tuple(found) for name, found in ids.items()},
        gone=tuple(record["id"] for record in old.values()),
        chance=loss_by_chance(len(ids["better"]), len(ids["worse"])),
    )


def loss_by_chance(better: int, worse: int) -> float:
    """The probability that of ``better + worse`` changed outcomes at least ``worse`` are for the worse if both were
    equally likely: McNemar's exact test (1947), one-sided."""
    changed = better + worse
    return sum(comb(changed, count) for count in range(worse, changed + 1)) / 2**changed


def gate(run: Run, comparison: Comparison | None, floors: Mapping[str, float]) -> list[str]:
    """Why the gate falls, a line each; empty where it stands."""
    stale = [record["id"] for record in run["questions"] if record["stale"]]
    reasons = [f"{len(stale)} stale: {_listed(stale)}"] if stale else []
    if comparison and comparison.worse and comparison.chance < NOISE:
        reasons.append(
            f"{len(comparison.worse)} worse against {len(comparison.better)} better, beyond noise"
            f" (p = {comparison.chance:.3f}): {_listed(comparison.worse)}"
        )
    if run["metrics"]["inexact_citations"]:
        reasons.append(f"{run['metrics']['inexact_citations']} citations are not what their article says")
    reasons += [f"there is no metric {name} for its floor" for name in floors if name not in run["metrics"]]
    for name, floor in floors.items():
        value = run["metrics"].get(name)
        if value is not None and (value > floor if name in COUNTED_DOWN else value < floor):
            side = "above its ceiling" if name in COUNTED_DOWN else "under its floor"
            reasons.append(f"{name} {value:.3f} is {side} {floor}")
    return reasons


@dataclass(frozen=True)
class Nearest:
    """The text of the corpus that is most like a quote that vanished."""

    source: str
    start: int
    end: int
    text: str


def nearest(source: str, quote: str, texts: Mapping[str, str]) -> Nearest | None:
    """What now stands nearest to a vanished quote: as many sentences, in its own article first, else in any other.

    None where nothing shares enough words with it.
    """
    own = {source: texts[source]} if source in texts else {}
    return _most_alike(quote, own) or _most_alike(quote, texts)


def changed_words(old: str, new: str) -> str:
    """What changed between two texts, each change with a word on either side: "than 750 workers" -> ..."""
    before, after = old.split(), new.split()
    changes = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            was, now = (" ".join(words[max(0, a - 1) : b + 1]) for words, a, b in ((before, i, j), (after, k, m)))
            changes.append(f"“{was}” became “{now}”")
    return ", ".join(changes)


def _most_alike(quote: str, texts: Mapping[str, str]) -> Nearest | None:
    wanted, length = _words(quote), max(1, len(split_sentences(quote)))
    best, best_alike = None, _ALIKE
    for source, text in texts.items():
        sentences = split_sentences(text)
        for (start, _), (_, end) in zip(sentences, sentences[length - 1 :], strict=False):
            alike = _alikeness(wanted, _words(text[start:end]))
            if alike > best_alike:
                best, best_alike = Nearest(source, start, end, text[start:end]), alike
    return best


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def _alikeness(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def _key(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["id"], record["question"]


def _listed(ids: Iterable[str], most: int = 8) -> str:
    ids = list(ids)
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")

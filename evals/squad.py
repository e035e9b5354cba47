"""The embedded answerer on any file in SQuAD's format, with the official EM and F1.

    python -m evals.squad --data dev-v2.0.json                  the paragraph is given, the reader answers
    python -m evals.squad --data dev-v2.0.json --open           all paragraphs are the corpus, the product answers

EM and F1 follow the SQuAD paper (Rajpurkar et al. 2016): lower case, no articles, no punctuation; for a question
without an answer both are 1 for declining, else 0. Without --open, "has answer" scores the best span whether or not the
reader would decline; "all" declines below the threshold that suits this very file best, as the official script's
best_f1 does, which flatters a little. With --open nothing is tuned on the file: the product declines as it always does.
"""

from __future__ import annotations

import argparse
import json
import re
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from rag import answering, retrieval
from rag.reader import Reader
from rag.settings import Settings
from rag.types import Passage

if TYPE_CHECKING:
    from rag.assistant import Assistant

MODELS = Path(answering.__file__).parent / "models"

WORDS = 170
"""A longer paragraph is read in overlapping pieces of so many words, as chunks of an article would be."""

DEPTH = 20
"""How deep the ranking is looked at with --open."""


@dataclass(frozen=True)
class Question:
    text: str
    answers: tuple[str, ...]
    """Each acceptable; empty where the paragraph doesn't say."""
    paragraph: int


@dataclass(frozen=True)
class Result:
    """One question answered. ``score`` says how sure the reader is that there is an answer."""

    question: Question
    answer: str
    score: float
    seconds: float
    ranks: tuple[int | None, int | None] = (None, None)
    """Rank of the right paragraph before and after reranking, from 1."""


@dataclass(frozen=True)
class Paragraph:
    title: str
    text: str


def load(path: Path) -> tuple[list[Paragraph], list[Question]]:
    """The paragraphs of a SQuAD file, and its questions."""
    paragraphs: list[Paragraph] = []
    questions: list[Question] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for item in article["paragraphs"]:
            for asked in item["qas"]:
                answers = () if asked.get("is_impossible") else tuple(answer["text"] for answer in asked["answers"])
                questions.append(Question(asked["question"], answers, len(paragraphs)))
            paragraphs.append(Paragraph(article.get("title", "").replace("_", " "), item["context"]))
    return paragraphs, questions


def normal(text: str) -> list[str]:
    """The words that count: lower case, without punctuation and articles."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(?:a|an|the)\b", " ", bare).split()


def exact(answer: str, golds: Iterable[str]) -> float:
    return float(any(normal(answer) == normal(gold) for gold in golds))


def f1(answer: str, golds: Iterable[str]) -> float:
    """Token F1 with the nearest gold answer."""
    return max((_f1(normal(answer), normal(gold)) for gold in golds), default=0.0)


def _f1(words: Sequence[str], gold: Sequence[str]) -> float:
    if not words or not gold:
        return float(list(words) == list(gold))
    shared = (Counter(words) & Counter(gold)).total()
    return 2 * shared / (len(words) + len(gold))


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive scores above a negative, ties counting half (Mann and Whitney 1947)."""
    ordered = np.sort(np.asarray(negative))
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(ordered)))


def best_over_all(results: Sequence[Result], measure: Callable[[str, Iterable[str]], float]) -> tuple[float, float]:
    """The best mean of ``measure`` over all questions that a threshold on the score gives, and that threshold."""
    ranked = sorted(results, key=lambda result: -result.score)
    gains = [measure(r.answer, r.question.answers) if r.question.answers else -1.0 for r in ranked]
    declined = sum(not result.question.answers for result in results)
    totals = declined + np.cumsum([0.0, *gains])
    best = int(totals.argmax())
    return float(totals[best] / len(results)), ranked[best - 1].score if best else float("inf")


def in_paragraph(paragraphs: Sequence[Paragraph], questions: Sequence[Question]) -> list[Result]:
    """Each question read in its own paragraph."""
    reader = Reader(MODELS)
    results = []
    for number, question in enumerate(questions):
        passages = list(pieces(paragraphs[question.paragraph]))
        began = time.perf_counter()
        readings = reader.read(question.text, passages)
        seconds = time.perf_counter() - began
        best = max(readings, key=answering.score)
        answer = best.passage.text[slice(*best.span)] if best.span else ""
        results.append(Result(question, answer, answering.score(best), seconds))
        _progress(number + 1, len(questions))
    return results


def pieces(paragraph: Paragraph) -> Iterable[Passage]:
    """The paragraph as passages of a length that the reader sees whole."""
    starts = [match.start() for match in re.finditer(r"\S+", paragraph.text)]
    for first in range(0, max(1, len(starts) - WORDS // 3), WORDS * 2 // 3):
        start = starts[first]
        end = starts[first + WORDS] if first + WORDS < len(starts) else len(paragraph.text)
        yield Passage("", start, end, paragraph.text[start:end], 0.0, title=paragraph.title)


def in_the_open(paragraphs: Sequence[Paragraph], questions: Sequence[Question]) -> list[Result]:
    """Each question asked of the whole product, all paragraphs being its corpus."""
    from rag.assistant import Assistant

    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        _write_corpus(corpus, paragraphs)
        assistant = Assistant(Settings(corpus=corpus, store=Path(folder) / "store", answerer="reader"))
        print(assistant.sync(), file=sys.stderr)
        results = []
        for number, question in enumerate(questions):
            results.append(_ask(assistant, question))
            _progress(number + 1, len(questions))
        return results


def _write_corpus(corpus: Path, paragraphs: Sequence[Paragraph]) -> None:
    lines = []
    for number, paragraph in enumerate(paragraphs):
        (corpus / _name(number)).write_text(paragraph.text, encoding="utf-8")
        lines.append(f'["{_name(number)}"]\ntitle = {json.dumps(paragraph.title)}\n')
    (corpus / "metadata.toml").write_text("\n".join(lines), encoding="utf-8")


def _name(number: int) -> str:
    return f"{number:05}.txt"


def _ask(assistant: Assistant, question: Question) -> Result:
    began = time.perf_counter()
    answer = assistant.query(question.text)
    seconds = time.perf_counter() - began
    text = (answer.short or answer.text) if answer.answered else ""
    source, current = _name(question.paragraph), assistant.store.current()
    assert current is not None  # the corpus was synced before the first question
    fused = retrieval.retrieve([question.text], current, assistant.embedding, DEPTH)
    reranked = assistant.retrieve(question.text, DEPTH)
    return Result(question, text, answer.confidence, seconds, (_rank(fused, source), _rank(reranked, source)))


def _rank(passages: Sequence[Passage], source: str) -> int | None:
    sources = list(dict.fromkeys(passage.source for passage in passages))
    return sources.index(source) + 1 if source in sources else None


def report(results: Sequence[Result], *, open_corpus: bool) -> str:
    """The figures, a line each."""
    having = [result for result in results if result.question.answers]
    lacking = [result for result in results if not result.question.answers]
    lines = [f"{len(results)} questions, {len(having)} with an answer, {len(lacking)} without"]
    lines.append(_line("has answer", _mean(exact, having), _mean(f1, having)))
    if open_corpus:
        declined = _share(not result.answer for result in lacking)
        lines.append(_line("no answer", declined, declined))
        wrongly = _share(not result.answer for result in having)
        lines.append(f"declined: {declined:.1%} of those without an answer, {wrongly:.1%} of those with one")
        lines.append(_line("all", *(_mean(measure, results) for measure in (exact, f1))))
    elif lacking:
        (em, _), (best, threshold) = (best_over_all(results, measure) for measure in (exact, f1))
        lines.append(_line("all", em, best) + f"   at the best threshold, {threshold:.2f}")
    if having and lacking:
        lines.append(f"AUC {auc([r.score for r in having], [r.score for r in lacking]):.3f}")
    if open_corpus:
        lines += [_ranking(name, [r.ranks[i] for r in having]) for i, name in enumerate(("fused", "reranked"))]
    seconds = sorted(result.seconds for result in results)
    middle, high = (seconds[int(len(seconds) * share)] * 1000 for share in (0.5, 0.95))
    lines.append(f"ms per question: p50 {middle:.0f}, p95 {high:.0f}")
    return "\n".join(lines)


def _mean(measure: Callable[[str, Iterable[str]], float], results: Sequence[Result]) -> float:
    """The mean over the questions; where there is no answer, declining is right."""
    values = [measure(r.answer, r.question.answers) if r.question.answers else not r.answer for r in results]
    return float(np.mean(values)) if values else 0.0


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return sum(listed) / len(listed) if listed else 0.0


def _line(name: str, em: float, f1_score: float) -> str:
    return f"{name:<12} EM {em:6.1%}   F1 {f1_score:6.1%}"


def _ranking(name: str, ranks: Sequence[int | None]) -> str:
    hits = "   ".join(f"hit@{k} {_share(bool(rank and rank <= k) for rank in ranks):.1%}" for k in (1, 5, DEPTH))
    reciprocal = sum(1 / rank for rank in ranks if rank and rank <= 10) / max(1, len(ranks))
    return f"{name:<12} {hits}   MRR@10 {reciprocal:.1%}"


def _progress(done: int, total: int) -> None:
    if done % 500 == 0:
        print(f"{done} of {total}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a file in SQuAD's format")
    parser.add_argument("--open", action="store_true", help="all paragraphs are the corpus; the whole product answers")
    parser.add_argument("--limit", type=int, help="only so many questions, drawn with a fixed seed")
    options = parser.parse_args(argv)
    paragraphs, questions = load(options.data)
    if options.limit and options.limit < len(questions):
        questions = Random(0).sample(questions, options.limit)
    results = (in_the_open if options.open else in_paragraph)(paragraphs, questions)
    print(report(results, open_corpus=options.open))
    return 0


if __name__ == "__main__":
    sys.exit(main())

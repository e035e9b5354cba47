"""Fit the weights of ``rag/confidence.py``: features of an answer -> the probability that it is right.

Three worlds give the examples: gold questions on their corpus; CLAP NQ (600 questions, half of them without an answer,
all their passages in one corpus); and questions of written.tsv on texts that nothing was trained on. Printed are
the weights for the file, and how well they do on questions left out of the fit (five folds).

    python training/fit_confidence.py --gold evals/gold.jsonl --corpus seeds --data DATA
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import written
from regression import Examples, fit, left_out, shares

from evals import gold, matching, metrics
from rag import followup, quoting
from rag.assistant import Assistant
from rag.extractive import THRESHOLD
from rag.settings import Settings
from rag.types import Answer

Example = tuple[str, list[float], bool]
"""World, features, right."""

SHARES = {"gold": 0.4, "clapnq": 0.3, "written": 0.3}
"""What each world counts for."""

MOST_WRITTEN = 2000
FOLDER = 24
"""Texts that make one corpus."""

STRENGTH = 1.0
"""Inverse of the L2 penalty, on standardised features."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    options = parser.parse_args(argv)
    found = [
        *from_gold(options.gold, options.corpus),
        *from_clapnq(options.data / "clapnq"),
        *from_written(options.data),
    ]
    worlds = np.array([world for world, _, _ in found])
    examples = Examples(
        features=np.array([values for _, values, _ in found]),
        labels=np.array([right for _, _, right in found]),
        weights=shares(worlds, SHARES),
        groups=np.random.default_rng(0).permutation(len(found)),
    )
    weights, bias = fit(examples, STRENGTH)
    print(f"WEIGHTS = {tuple(round(float(weight), 3) for weight in weights)}")
    print(f"BIAS = {bias:.3f}")
    chance = 1 / (1 + np.exp(-left_out(examples, STRENGTH)))
    for world in SHARES:
        mine = worlds == world
        print(f"{world}: {mine.sum()} questions, {report(chance[mine], examples.labels[mine])}")
    return 0


def answer_features(
    assistant: Assistant, question: str, history: followup.History
) -> tuple[list[float], Answer] | None:
    """The features of the answer that the reader finds, and that answer, given without a threshold."""
    generation = assistant.store.current()
    assert generation is not None
    asked, context = followup.standalone(question, history), followup.context(question, history)
    passages = assistant.extractive.retrieve([asked, *context], generation)
    found = assistant.extractive.find(asked, passages)
    if found.finding is None:
        return None
    text, citations = quoting.cite(found.finding.pieces)
    return found.features, quoting.answered(text, found.finding.short, citations, passages, 0.0)


def from_gold(path: Path, corpus: Path) -> Iterator[Example]:
    """The gold questions that the reader answers (those on an article itself are answered from its byline)."""
    with tempfile.TemporaryDirectory() as store:
        assistant = Assistant(Settings(corpus=corpus, store=Path(store)))
        assistant.sync()
        texts = {source: assistant.article(source).text for source in assistant.articles()}
        for question in gold.load(path):
            if question.kind == "metadata":
                continue
            found = answer_features(assistant, question.question, question.history)
            if found:
                passed = metrics.score(question, found[1], texts).passed if question.answerable else False
                yield "gold", found[0], bool(passed)


def from_clapnq(folder: Path) -> Iterator[Example]:
    """CLAP NQ with all passages in one corpus; right is an answer most of whose sentences were selected by hand."""
    rows = [
        (json.loads(line), answerable)
        for name, answerable in (("answerable", True), ("unanswerable", False))
        for line in (folder / f"clapnq_dev_{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    texts = {
        str(number): (row["passages"][0]["title"], row["passages"][0]["text"]) for number, (row, _) in enumerate(rows)
    }
    with over(texts) as assistant:
        for row, answerable in rows:
            found = answer_features(assistant, row["input"], ())
            if found:
                yield "clapnq", found[0], answerable and _selected(found[1], row)


def from_written(data: Path) -> Iterator[Example]:
    """Questions of written.tsv that are held out, on a folder of some of their texts at a time; right is an answer that
    cites what the writer meant."""
    rng = Random(0)
    items = [item for item in written.read(data, held_out=True) if item.kind in "SLU"]
    asked = rng.sample(items, MOST_WRITTEN)
    articles = list({item.article: (item.title, item.text) for item in items}.items())
    rng.shuffle(articles)
    for start in range(0, len(articles), FOLDER):
        folder = dict(articles[start : start + FOLDER])
        with over(folder) as assistant:
            for item in asked:
                if item.article in folder and (found := answer_features(assistant, item.said, ())):
                    yield "written", found[0], item.kind != "U" and _cites(found[1], item)


@contextmanager
def over(texts: Mapping[str, tuple[str, str]]) -> Iterator[Assistant]:
    """An assistant over texts: file name -> title and text."""
    with tempfile.TemporaryDirectory() as work:
        corpus = Path(work, "corpus")
        corpus.mkdir()
        for name, (title, text) in texts.items():
            (corpus / f"{name}.txt").write_text(f"{title}\n\n{text}\n", encoding="utf-8")
        assistant = Assistant(Settings(corpus=corpus, store=Path(work, "store")))
        assistant.sync()
        yield assistant


def _cites(answer: Answer, item: written.Item) -> bool:
    """Whether a citation covers the beginning of the short answer, or of one of the sentences that answer."""
    quotes = [citation.quote for citation in answer.citations if citation.source == f"{item.article}.txt"]
    found = [(at, at + len(quote)) for quote in quotes if (at := item.text.find(quote)) >= 0]
    return any(left <= start < right for start, _ in item.spans for left, right in found)


def _selected(answer: Answer, row: dict) -> bool:  # type: ignore[type-arg]
    """Whether half of the words cited were selected as evidence, by any annotator."""
    selected = [matching.tokens(s) for output in row["output"] for s in output["selected_sentences"]]
    cited = [matching.tokens(citation.quote) for citation in answer.citations]
    known = {word for sentence in selected for word in sentence}
    words = [word for quote in cited for word in quote]
    best = max((matching.token_f1(quote, sentence) for quote in cited for sentence in selected), default=0.0)
    return bool(words) and best > 0.6 and sum(word in known for word in words) >= 0.5 * len(words)


def report(chance: np.ndarray, right: np.ndarray) -> str:
    """AUC, Brier score, and what the threshold does."""
    above = (chance[right][:, None] > chance[~right][None, :]).mean()
    shown = chance >= THRESHOLD
    return (
        f"AUC {above:.3f}, Brier {((chance - right) ** 2).mean():.3f}, shown and right "
        f"{(shown & right).sum()} of {right.sum()}, shown and wrong {(shown & ~right).sum()}"
    )


if __name__ == "__main__":
    raise SystemExit(main())

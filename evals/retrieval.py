"""Whether the right article is found, on public retrieval benchmarks: everything goes through ``Assistant.retrieve``.

    python -m evals.retrieval --data DATA

scifact   BEIR SciFact (Wadden et al. 2020; Thakur et al. 2021): 300 claims on 5,183 abstracts, all test queries
hotpot    HotpotQA (Yang et al. 2018): questions that need two articles, on the pooled paragraphs of all of them
squad     SQuAD 2.0 dev: answerable questions on its 1,204 paragraphs

Each document becomes an article; passages count for their article, the best one only. Training or tuning on these
sets is not done anywhere in this repository.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from random import Random
from typing import Any

from evals.figures import record, this_command
from evals.metrics import percentile
from rag.assistant import Assistant
from rag.settings import Settings

DEPTH = 10
PASSAGES = 40
"""Passages retrieved for a question, several of which may be of one article."""


@dataclass(frozen=True)
class Benchmark:
    """``documents`` maps ids to (title, text); ``questions`` pairs each question with the ids of its documents."""

    documents: Mapping[str, tuple[str, str]]
    questions: Sequence[tuple[str, frozenset[str]]]


def scifact(data: Path) -> Benchmark:
    """The test queries of SciFact in BEIR's layout."""
    folder = data / "scifact" / "scifact"
    documents = {row["_id"]: (row["title"], row["text"]) for row in _lines(folder / "corpus.jsonl")}
    texts = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    relevant: dict[str, set[str]] = {}
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if int(row["score"]) > 0:
                relevant.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return Benchmark(documents, [(texts[query], frozenset(ids)) for query, ids in relevant.items()])


def hotpot(data: Path) -> Benchmark:
    """HotpotQA validation questions on the paragraphs of all of them, pooled."""
    folder = data / "hotpot_pooled500"
    rows = _lines(folder / "pooled_corpus_validation_500_title_text.jsonl")
    documents = {row["title"]: (row["title"], row["text"]) for row in rows}
    questions = [(row["question"], frozenset(row["gold_titles"])) for row in _lines(folder / "queries.jsonl")]
    return Benchmark(documents, [(text, ids) for text, ids in questions if ids <= documents.keys()])


def squad(data: Path) -> Benchmark:
    """The answerable questions of SQuAD 2.0 dev on its paragraphs."""
    articles = json.loads((data / "squad" / "dev-v2.0.json").read_text(encoding="utf-8"))["data"]
    documents, questions = {}, []
    for article in articles:
        for number, paragraph in enumerate(article["paragraphs"]):
            id = f"{article['title']} {number}"
            documents[id] = (article["title"].replace("_", " "), paragraph["context"])
            answerable = [item["question"] for item in paragraph["qas"] if not item["is_impossible"]]
            questions += [(question, frozenset([id])) for question in answerable]
    return Benchmark(documents, questions)


BENCHMARKS: dict[str, Callable[[Path], Benchmark]] = {"scifact": scifact, "hotpot": hotpot, "squad": squad}


def measures(ranked: Sequence[str], relevant: frozenset[str]) -> dict[str, float]:
    """hit@k, the share of the relevant documents in the first ten, reciprocal rank and nDCG@10 of one ranking."""
    ranks = [rank for rank, id in enumerate(ranked[:DEPTH], 1) if id in relevant]
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(relevant), DEPTH) + 1))
    return {
        **{f"hit@{k}": float(any(rank <= k for rank in ranks)) for k in (1, 5, 10)},
        "recall@10": len(ranks) / len(relevant),
        "MRR@10": 1 / ranks[0] if ranks else 0.0,
        "nDCG@10": sum(1 / log2(rank + 1) for rank in ranks) / ideal,
    }


def run(benchmark: Benchmark, sample: int) -> dict[str, float]:
    """The mean measures in per cent, and milliseconds a question, over at most ``sample`` of the questions."""
    questions = list(benchmark.questions)
    if len(questions) > sample:
        questions = Random(0).sample(questions, sample)
    found, seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        assistant, ids = _synced(benchmark, Path(folder))
        for number, (question, relevant) in enumerate(questions, 1):
            began = time.perf_counter()
            passages = assistant.retrieve(question, k=PASSAGES)
            seconds.append(time.perf_counter() - began)
            found.append(measures(list(dict.fromkeys(ids[passage.source] for passage in passages)), relevant))
            if sys.stderr.isatty():
                print(f"\r{number}/{len(questions)}", end="", file=sys.stderr, flush=True)
    means = {name: round(100 * sum(row[name] for row in found) / len(found), 1) for name in found[0]}
    return means | {"questions": len(questions), "p50 ms": round(1000 * (percentile(seconds, 50) or 0), 1)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks and print a line for each."""
    parser = argparse.ArgumentParser(prog="evals.retrieval", description="Retrieval on public benchmarks.")
    parser.add_argument("--data", type=Path, required=True, help="folder with scifact/, hotpot_pooled500/ and squad/")
    parser.add_argument("--only", choices=BENCHMARKS, nargs="+", default=list(BENCHMARKS))
    parser.add_argument("--sample", type=int, default=500, help="questions of each, drawn with a fixed seed")
    parser.add_argument("--record", action="store_true", help="keep the figures for the README")
    options = parser.parse_args(argv)
    for name in options.only:
        values = run(BENCHMARKS[name](options.data), options.sample)
        print(f"{name:10}" + "  ".join(f"{label} {value:g}" for label, value in values.items()), flush=True)
        if options.record:
            record(f"Retrieval, {name}", this_command(), values)
    return 0


def _synced(benchmark: Benchmark, folder: Path) -> tuple[Assistant, dict[str, str]]:
    """An assistant over the documents as articles, and source -> document id."""
    corpus, ids = folder / "corpus", {}
    corpus.mkdir()
    for number, (id, (title, text)) in enumerate(benchmark.documents.items()):
        source = f"{number:06}.txt"
        (corpus / source).write_text(f"{title}\n\n{text}\n", encoding="utf-8")
        ids[source] = id
    assistant = Assistant(Settings(corpus=corpus, store=folder / "store", answerer="reader"))
    assistant.sync()
    return assistant, ids


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


if __name__ == "__main__":
    sys.exit(main())

"""Fit the verifier's weights and threshold (BIAS, WEIGHTS and THRESHOLD in rag/verification.py).

    python training/fit_verification.py --data DATA

Fits on the half of attributionbench and summedits_news that evals/verification.py doesn't measure on, on claims made
from CLAP NQ's passages by exchanging names and the like (statements.py), which attributionbench has few of, and on the
claims of written.tsv about texts that nothing was trained on. Both labels weigh the same; SHARES says what each set
counts for. Before the weights it prints figures of a cross-validation over all of it, in which no question or document
is in two folds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import written
from paraphrase import Synonyms
from regression import Examples, fit, left_out, shares
from sources import Question
from statements import SOURCES, quoted_examples
from text import sentences, window

from evals.squad import auc
from evals.verification import MODELS, Claim, balanced_accuracy, read
from rag.embedding import BundledEmbedding
from rag.reader import Reader
from rag.verification import Comparison, Verifier

STRENGTH = 0.3  # inverse of the L2 penalty, on standardised features
SHARES = {"attributionbench": 0.7, "summedits_news": 0.1, "made": 0.1, "written": 0.1}
OURS = ("made", "written")  # what evals/verification.py doesn't measure on at all
MADE = 1000
PASSAGE = 130  # words of a passage around what a written claim is about


def made(data: Path, wordnet: Path) -> Iterator[Claim]:
    """Claims about CLAP NQ's passages, true and false."""
    lines = [
        line
        for name in ("answerable", "unanswerable")
        for line in (data / f"clapnq/clapnq_dev_{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    passages = {row["passages"][0]["text"]: row["passages"][0]["title"] for row in map(json.loads, lines)}
    questions = [Question(SOURCES[0], t, t, text, "", (sentences(text)[0],)) for text, t in passages.items()]
    for example in quoted_examples(questions, Synonyms(wordnet, MODELS), Random(0), MADE):
        yield Claim(
            "made", example["question"], example["passage"], bool(example["support"]), group(example["passage"])
        )


def held_out(data: Path) -> Iterator[Claim]:
    """The claims of written.tsv that are held out, each with a passage of its text."""
    rng = Random(0)
    for item in written.read(data, held_out=True):
        if item.kind in "TF":
            passage = item.text[slice(*window(item.text, item.spans, PASSAGE, rng))]
            yield Claim("written", item.said, passage, item.kind == "T", group(item.text))


def group(text: str) -> int:
    """A number that claims on the same text share."""
    return int(hashlib.sha1(text[:40].encode()).hexdigest()[:8], 16)


def to_fit(claims: Sequence[Claim], features: np.ndarray) -> Examples:
    """Both labels of a data set count for half of its share."""
    kinds = np.array([f"{claim.data} {claim.supported}" for claim in claims])
    wanted = {f"{name} {label}": share / 2 for name, share in SHARES.items() for label in (True, False)}
    return Examples(
        features=features,
        labels=np.array([claim.supported for claim in claims]),
        weights=shares(kinds, wanted),
        groups=np.array([claim.group for claim in claims]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with attributionbench/, summedits/, clapnq/")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="WordNet's database files")
    args = parser.parse_args()
    claims = [*read(args.data), *made(args.data, args.wordnet), *held_out(args.data)]
    verifier = Verifier(Reader(MODELS).support, BundledEmbedding(MODELS).embed)
    rows = [[*vars(verifier.compare(claim.text, claim.passage)).values()] for claim in claims]
    features = np.array(rows, dtype=float)
    examples = to_fit(claims, features)
    data, labels, logits = np.array([claim.data for claim in claims]), examples.labels, left_out(examples, STRENGTH)
    for name in SHARES:
        mine = data == name
        accuracy = balanced_accuracy(list(logits[mine]), list(labels[mine]), 0.0)
        area = auc(list(logits[mine & labels]), list(logits[mine & ~labels]))
        print(f"{name}: balanced accuracy {100 * accuracy:.1f}, AUC {100 * area:.1f}, left out of the fit")

    ours = [index for index, claim in enumerate(claims) if claim.data in OURS or not claim.held_out]
    weights, bias = fit(to_fit([claims[index] for index in ours], features[ours]), STRENGTH)
    print(f"BIAS = {bias:.3f}")
    names = Comparison.__dataclass_fields__
    print("WEIGHTS = Comparison(" + ", ".join(f"{n}={w:.3f}" for n, w in zip(names, weights, strict=True)) + ")")
    clean = np.array([not verifier.check(claims[index].text, claims[index].passage).problems for index in ours])
    chance = 1 / (1 + np.exp(-bias - features[ours] @ weights))
    print(f"THRESHOLD = {best_threshold(data[ours], labels[ours], clean, chance):.2f}")


def best_threshold(data: np.ndarray, labels: np.ndarray, clean: np.ndarray, chance: np.ndarray) -> float:
    """Where the verdict on facts [N] and sense [N] together is best balanced, each data set by its share."""

    def balanced(threshold: float) -> float:
        shown = clean & (chance >= threshold)
        return sum(share * (right(shown, name, True) + right(~shown, name, False)) for name, share in SHARES.items())

    def right(told: np.ndarray, name: str, label: bool) -> float:
        return float(told[(data == name) & (labels == label)].mean())

    return max(np.arange(0.3, 0.7, 0.02), key=balanced)


if __name__ == "__main__":
    main()

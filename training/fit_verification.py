"""Fit the verifier's weights (BIAS and WEIGHTS in rag/verification.py) by logistic regression.

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
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import written
from fit_confidence import on_raw_features
from paraphrase import Synonyms
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sources import Question
from statements import SOURCES, quoted_examples
from text import sentences, window

from evals.squad import auc
from evals.verification import MODELS, Claim, balanced_accuracy, read
from rag.reader import Reader
from rag.verification import Comparison, Verifier

STRENGTH = 0.3  # inverse of the L2 penalty, on standardised features
FOLDS = 5
SHARES = {"attributionbench": 0.6, "summedits_news": 0.1, "made": 0.1, "written": 0.2}
OURS = ("made", "written")  # what evals/verification.py doesn't measure on at all
MADE = 1000
PASSAGE = 130  # words of a passage around what a written claim is about


def fit(features: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Features [N, F] and a weight for each claim -> weights [F] and the bias."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH))
    return on_raw_features(fitted.fit(features, labels, logisticregression__sample_weight=weights))


def weigh(data: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A weight per claim, so that data sets and labels count as they should; the weights sum to the claims."""
    weights = np.zeros(len(labels))
    for name, share in SHARES.items():
        for label in (True, False):
            chosen = (data == name) & (labels == label)
            weights[chosen] = len(labels) * share / 2 / chosen.sum()
    return weights


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with attributionbench/, summedits/, clapnq/")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"), help="WordNet's database files")
    args = parser.parse_args()
    claims = [*read(args.data), *made(args.data, args.wordnet), *held_out(args.data)]
    verifier = Verifier(Reader(MODELS).support)
    rows = [[*vars(verifier.compare(claim.text, claim.passage)).values()] for claim in claims]
    features, labels = np.array(rows, dtype=float), np.array([claim.supported for claim in claims])
    data, folds = np.array([claim.data for claim in claims]), np.array([claim.group % FOLDS for claim in claims])

    scores = np.zeros(len(claims))
    for fold in range(FOLDS):
        rest, here = folds != fold, folds == fold
        slopes, bias = fit(features[rest], labels[rest], weigh(data[rest], labels[rest]))
        scores[here] = bias + features[here] @ slopes
    for name in np.unique(data):
        mine = data == name
        accuracy = balanced_accuracy(list(scores[mine]), list(labels[mine]), 0.0)
        area = auc(list(scores[mine & labels]), list(scores[mine & ~labels]))
        print(f"{name}: balanced accuracy {100 * accuracy:.1f}, AUC {100 * area:.1f}, {FOLDS} folds")

    ours = np.array([claim.data in OURS or not claim.held_out for claim in claims])
    slopes, bias = fit(features[ours], labels[ours], weigh(data[ours], labels[ours]))
    print(f"BIAS = {bias:.3f}")
    names = Comparison.__dataclass_fields__
    print("WEIGHTS = Comparison(" + ", ".join(f"{n}={w:.3f}" for n, w in zip(names, slopes, strict=True)) + ")")


if __name__ == "__main__":
    main()

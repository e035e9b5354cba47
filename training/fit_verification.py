"""Fit the verifier's weights (BIAS and WEIGHTS in rag/verification.py) by logistic regression.

    python training/fit_verification.py --data DATA

Fits on the half of attributionbench and summedits_news that evals/verification.py doesn't measure on, each data set and
label weighing the same; prints the weights, and, for that half alone, figures of a cross-validation by question.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from evals.squad import auc
from evals.verification import MODELS, balanced_accuracy, read
from rag.reader import Reader
from rag.verification import Comparison, Verifier

RIDGE = 3.0  # in units of claims, on standardised features
FOLDS = 5


def fit(features: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Logistic regression with a ridge by Newton's method: features [N, F] -> [1 + F], the bias first."""
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    inputs = np.column_stack([np.ones(len(labels)), (features - mean) / scale])
    penalty = np.diag([0.0] + [RIDGE] * features.shape[1])
    found = np.zeros(inputs.shape[1])
    for _ in range(25):
        predicted = 1 / (1 + np.exp(-inputs @ found))
        gradient = inputs.T @ (weights * (labels - predicted)) - penalty @ found
        curvature = (inputs * (weights * predicted * (1 - predicted))[:, None]).T @ inputs + penalty
        found += np.linalg.solve(curvature, gradient)
    slopes = found[1:] / scale
    return np.concatenate([[found[0] - slopes @ mean], slopes])


def weigh(data: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A weight per claim so that each data set, and in it each label, counts the same; they sum to the claims."""
    keys = np.char.add(data, labels.astype(str))
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return len(keys) / (len(counts) * counts[inverse])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with attributionbench/ and summedits/")
    claims = [claim for claim in read(parser.parse_args().data) if not claim.held_out]
    verifier = Verifier(Reader(MODELS).support)
    rows = [[*vars(verifier.compare(claim.text, claim.passage)).values()] for claim in claims]
    features, labels = np.array(rows, dtype=float), np.array([claim.supported for claim in claims])
    data, folds = np.array([claim.data for claim in claims]), np.array([claim.group // 2 % FOLDS for claim in claims])

    scores = np.zeros(len(claims))
    for fold in range(FOLDS):
        rest, here = folds != fold, folds == fold
        found = fit(features[rest], labels[rest], weigh(data[rest], labels[rest]))
        scores[here] = found[0] + features[here] @ found[1:]
    for name in np.unique(data):
        mine = data == name
        accuracy = balanced_accuracy(list(scores[mine]), list(labels[mine]), 0.0)
        area = auc(list(scores[mine & labels]), list(scores[mine & ~labels]))
        print(f"{name}: balanced accuracy {100 * accuracy:.1f}, AUC {100 * area:.1f}, {FOLDS} folds of the fitted half")

    bias, *slopes = fit(features, labels, weigh(data, labels))
    print(f"BIAS = {bias:.3f}")
    names = Comparison.__dataclass_fields__
    print("WEIGHTS = Comparison(" + ", ".join(f"{n}={w:.3f}" for n, w in zip(names, slopes, strict=True)) + ")")


if __name__ == "__main__":
    main()

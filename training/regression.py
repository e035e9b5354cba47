"""Logistic regression on standardised features: weights for features as they come, and a cross-validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5


@dataclass(frozen=True)
class Examples:
    """Features [N, F], labels [N], how much each example counts [N], and what must stay in one fold [N]."""

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    groups: np.ndarray

    def where(self, chosen: np.ndarray) -> Examples:
        """Those that are chosen."""
        return Examples(*(values[chosen] for values in vars(self).values()))


def fit(examples: Examples, strength: float) -> tuple[np.ndarray, float]:
    """The weights [F] and the bias; `strength` is the inverse of the L2 penalty."""
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
    fitted.fit(examples.features, examples.labels, logisticregression__sample_weight=examples.weights)
    scaler, regression = fitted[0], fitted[-1]
    weights = regression.coef_[0] / scaler.scale_
    return weights, float(regression.intercept_[0] - weights @ scaler.mean_)


def left_out(examples: Examples, strength: float) -> np.ndarray:
    """Each example's logit [N] by a fit on the other folds."""
    logits = np.zeros(len(examples.labels))
    for fold in range(FOLDS):
        here = examples.groups % FOLDS == fold
        weights, bias = fit(examples.where(~here), strength)
        logits[here] = bias + examples.features[here] @ weights
    return logits


def shares(data: np.ndarray, wanted: dict[str, float]) -> np.ndarray:
    """A weight for each example, so that each data set [N] counts as `wanted`; they sum to their number."""
    weights = np.zeros(len(data))
    for name, share in wanted.items():
        weights[data == name] = len(data) * share / (data == name).sum()
    return weights

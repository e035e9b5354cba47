"""How well the verifier tells supported sentences from others, beside two baselines.

    python -m evals.verification --data DATA

reads ``attributionbench/dev_all_subset_balanced.jsonl`` (Li et al. 2024) and ``summedits/summedits_news.json`` (Laban
et al. 2023). Both are cut in two by a hash of the question or document, so that no text is in both: one half gives the
verifier's weights (training/fit_verification.py) and the baselines' thresholds, all figures are of the other.
Besides, ``evals/sentences.jsonl`` has sentences on the seed articles such as an LLM writes, true and false, by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from evals.squad import auc
from rag import facts
from rag.embedding import BundledEmbedding
from rag.reader import Reader
from rag.verification import THRESHOLD, Verifier

HERE = Path(__file__).parent
MODELS = Path(facts.__file__).parent / "models"

CONTEXT = "Wang Huiyao SCMP 2025-01-18"
"""What is known of the article that the hand-written sentences with an author's name are about."""

_MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True)
class Claim:
    """A sentence, the text it cites, and what people said of the two."""

    data: str
    text: str
    passage: str
    supported: bool
    group: int
    """A hash of the question or document; claims of an odd group are held out."""

    @property
    def held_out(self) -> bool:
        return self.group % 2 == 1


def read(data: Path) -> list[Claim]:
    """The claims of both data sets, without citation markers."""
    lines = (data / "attributionbench/dev_all_subset_balanced.jsonl").read_text(encoding="utf-8").splitlines()
    items = json.loads((data / "summedits/summedits_news.json").read_text(encoding="utf-8"))
    claims = []
    for row in map(json.loads, lines):
        passage, supported = "\n\n".join(row["references"]), row["attribution_label"] == "attributable"
        claims.append(_claim("attributionbench", row["claim"], passage, supported, row["question"]))
    for row in items:
        claims.append(_claim("summedits_news", row["summary"], row["doc"], row["label"] in (1, "1"), row["doc"]))
    return claims


def _claim(data: str, text: str, passage: str, supported: bool, group: str) -> Claim:
    number = int(hashlib.sha1(group.encode()).hexdigest()[:8], 16)
    return Claim(data, _MARKER.sub("", text).strip(), _MARKER.sub("", passage), supported, number)


def sentences(path: Path = HERE / "sentences.jsonl", corpus: Path = HERE.parent / "seeds") -> list[tuple[str, Claim]]:
    """The hand-written sentences, each with its kind; the passage is the paragraph that its quote stands in."""
    found = []
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        paragraphs = (corpus / row["source"]).read_text(encoding="utf-8").split("\n")
        passage = next(paragraph for paragraph in paragraphs if row["quote"] in paragraph)
        found.append((row["kind"], _claim("sentences", row["sentence"], passage, row["supported"], row["source"])))
    return found


def word_overlap(claim: Claim) -> float:
    """Share of the claim's content words that stand in the passage."""
    return facts.share(facts.content(claim.text), set(facts.content(claim.passage)))


def cosine(embedding: BundledEmbedding) -> Callable[[Claim], float]:
    """The cosine of the claim and the nearest three sentences in a row."""

    @lru_cache(maxsize=64)
    def vectors(passage: str) -> np.ndarray:
        parts = facts.sentences(passage)
        return embedding.embed([" ".join(parts[i : i + 3]) for i in range(max(1, len(parts) - 2))])

    def score(claim: Claim) -> float:
        return float((vectors(claim.passage) @ embedding.embed_query(claim.text)).max())

    return score


def balanced_accuracy(scores: Sequence[float], labels: Sequence[bool], threshold: float) -> float:
    """The mean of the shares of supported and of unsupported claims that are told right."""
    right = np.equal(np.asarray(scores) >= threshold, labels)
    wanted = np.asarray(labels)
    return float((right[wanted].mean() + right[~wanted].mean()) / 2)


def best_threshold(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """The score at which the balanced accuracy is highest."""
    return max(sorted(set(scores)), key=lambda threshold: balanced_accuracy(scores, labels, threshold))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="evals.verification", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with attributionbench/ and summedits/")
    claims = read(parser.parse_args(argv).data)
    verifier = Verifier(Reader(MODELS).support, BundledEmbedding(MODELS).embed)
    verifier.check("Warm up.", "Warm up.")
    began = time.perf_counter()
    verdicts = [verifier.check(claim.text, claim.passage) for claim in claims if claim.held_out]
    seconds = time.perf_counter() - began

    print(f"{'':34}{'claims':>8}{'balanced accuracy':>20}{'AUC':>8}")
    for data in ("attributionbench", "summedits_news"):
        here = [claim for claim in claims if claim.data == data]
        held = [claim for claim in here if claim.held_out]
        mine = [v for v, c in zip(verdicts, (c for c in claims if c.held_out), strict=True) if c.data == data]
        for name, score in (("word overlap", word_overlap), ("embedding cosine", cosine(BundledEmbedding(MODELS)))):
            fitted = [claim for claim in here if not claim.held_out]
            threshold = best_threshold([score(c) for c in fitted], [c.supported for c in fitted])
            _print(data, name, held, [score(claim) for claim in held], threshold)
        _print(data, "verifier's probability", held, [verdict.probability for verdict in mine], THRESHOLD)
        _print(data, "verifier's verdict", held, [float(verdict.supported) for verdict in mine], 0.5)
    by_kind: dict[str, list[bool]] = {}
    for kind, claim in sentences():
        verdict = verifier.check(claim.text, claim.passage, CONTEXT)
        by_kind.setdefault(kind, []).append(verdict.supported is claim.supported)
    told = ", ".join(f"{kind} {sum(right)} of {len(right)}" for kind, right in by_kind.items())
    print(f"hand-written sentences told right: {told}")
    print(f"{1000 * seconds / len(verdicts):.1f} ms a sentence")
    return 0


def _print(data: str, name: str, claims: Sequence[Claim], scores: Sequence[float], threshold: float) -> None:
    labels = [claim.supported for claim in claims]
    area = auc(*([s for s, y in zip(scores, labels, strict=True) if y is wanted] for wanted in (True, False)))
    accuracy = balanced_accuracy(scores, labels, threshold)
    print(f"{data + ', ' + name:<44}{len(claims):>6}{100 * accuracy:>12.1f}{100 * area:>8.1f}")


if __name__ == "__main__":
    raise SystemExit(main())

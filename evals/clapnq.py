"""How well the reader tells natural questions that their passage answers from ones that it doesn't: CLAP NQ.

    python -m evals.clapnq --data CLAPNQ

CLAPNQ is the folder of clapnq_dev_answerable.jsonl and clapnq_dev_unanswerable.jsonl: questions typed into a search
engine, each with one passage (Rosenthal et al. 2024). The figure is the AUC of the reader's score.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.squad import MODELS, Paragraph, auc, pieces
from rag import answering
from rag.reader import Reader
from rag.types import Passage


def scores(path: Path, reader: Reader) -> list[float]:
    """The reader's score (a logit) of each question of a file, in its own passage."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [max(map(answering.score, reader.read(row["input"], _passages(row)))) for row in rows]


def _passages(row: dict[str, Any]) -> list[Passage]:
    return [piece for item in row["passages"] for piece in pieces(Paragraph(item["title"], item["text"]))]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the two files")
    options = parser.parse_args(argv)
    reader = Reader(MODELS)
    answered, unanswered = (
        scores(options.data / f"clapnq_dev_{kind}.jsonl", reader) for kind in ("answerable", "unanswerable")
    )
    print(f"{len(answered)} questions that their passage answers, {len(unanswered)} that it doesn't")
    print(f"AUC  {auc(answered, unanswered):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

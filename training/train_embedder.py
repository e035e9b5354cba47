"""Train the embedder on questions and the passages that answer them, for a given number of minutes.

    python training/train_embedder.py --base FOLDER --data DATA --run RUNS/embedder --minutes 25

A question's passage has to lie nearer to it than the others of its article, of the article on the same matter and of
the rest of the batch (`pairs.py`). Averaged with the checkpoint afterwards (`average.py`): what the checkpoint
knows of other kinds of text is not to be forgotten for them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from common import encode, load_encoder, load_tokenizer
from model import Embedder
from pairs import batches, wikipedia, written_texts
from torch import Tensor
from train import exact_weights, prepare, rate, update

MAX_TOKENS = 224
SHARPNESS = 20.0  # what cosines are multiplied by


def loss(questions: Tensor, passages: Tensor, answers: Sequence[Sequence[int]]) -> Tensor:
    """How little of each question's probability is on the passages that answer it."""
    nearness = (SHARPNESS * questions.float() @ passages.float().T).log_softmax(dim=1)
    found = [row[numbers].logsumexp(dim=0) for row, numbers in zip(nearness, answers, strict=True)]
    return -torch.stack(found).mean()


def train(args: argparse.Namespace) -> None:
    rng = Random(args.seed)
    model = Embedder(load_encoder(args.base))
    torch.save({"model": model.state_dict()}, args.run / "base.pt")
    optimizer = prepare(model, args.rate)
    tokenizer = load_tokenizer(args.base / "tokenizer.json", max_tokens=MAX_TOKENS)
    tokenizer.enable_padding(pad_to_multiple_of=16)
    source = batches(written_texts(args.data), wikipedia(args.data), rng)
    begun, whole, log = time.monotonic(), args.minutes * 60, []
    while (seconds := time.monotonic() - begun) < whole:
        batch = next(source)
        for group in optimizer.param_groups:
            group["lr"] = rate(seconds / whole, args.rate)
        vectors = [
            model(**{name: torch.from_numpy(ids) for name, ids in encode(tokenizer, texts).items()})
            for texts in (batch.questions, batch.passages)
        ]
        missed = loss(*vectors, batch.answers)
        update(model, optimizer, missed)
        log.append(missed.item())
        if len(log) % 50 == 0:
            print(json.dumps({"step": len(log), "seconds": round(seconds), "loss": sum(log[-50:]) / 50}), flush=True)
    torch.save({"model": exact_weights(model, optimizer)}, args.run / "model.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the official checkpoint")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder for the weights: base.pt, model.pt")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=5e-5, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    args.run.mkdir(parents=True, exist_ok=True)
    train(args)


if __name__ == "__main__":
    main()

"""What a large teacher thinks of a mix's examples: probabilities, beside the labels, for a small reader to learn from.

    python training/teach.py --base FOLDER --weights RUNS/teacher/model.pt --mix mix.jsonl --out taught.jsonl \
        --minutes 25

The teacher is trained by train.py, from all-mpnet-base-v2. Claims, and what it doesn't come to in its minutes, are
written as they are.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from common import load_encoder, load_tokenizer
from model import Reader
from tokenizers import Tokenizer
from torch import Tensor
from train import MAX_TOKENS, POOL, Encoded, encode_pool, fill, tensors

LEAST = 0.005  # probabilities of where a span begins or ends that aren't worth writing down


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the official all-mpnet-base-v2 checkpoint")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--mix", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--tokens", type=int, default=4800, help="tokens a batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    teacher = Reader(load_encoder(args.base))
    teacher.load_state_dict(torch.load(args.weights, map_location="cpu")["model"])
    teacher.to(args.device).eval().to(torch.bfloat16)
    tokenizer = load_tokenizer(args.base / "tokenizer.json", max_tokens=MAX_TOKENS)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
    deadline, counts = time.monotonic() + 60 * args.minutes, Counter()
    items = [json.loads(line) for line in args.mix.open(encoding="utf-8")]
    with args.out.open("w", encoding="utf-8") as out:
        for start in range(0, len(items), POOL):
            pool = items[start : start + POOL]
            if time.monotonic() < deadline:
                pool = list(taught(teacher, tokenizer, pool, args.tokens, args.device))
            counts.update("taught" in item for item in pool)
            out.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in pool)
    print(f"{counts[True]} examples taught, {counts[False]} as they were")


@torch.inference_mode()
def taught(teacher: Reader, tokenizer: Tokenizer, items: Sequence[dict], tokens: int, device: str) -> Iterator[dict]:
    """The items, the questions among them with what the teacher thinks."""
    yield from (item for item in items if item["answerable"] is None)
    asked = [item for item in items if item["answerable"] is not None]
    encoded = encode_pool(asked, tokenizer)
    order = {id(each): index for index, each in enumerate(encoded)}
    for batch in fill(sorted(encoded, key=lambda each: len(each.ids)), tokens):
        inputs = tensors(batch, device)
        outputs = teacher(inputs["input_ids"], inputs["attention_mask"], inputs["token_type_ids"])
        start, end, relevance, answerable, _ = (output.float().cpu() for output in outputs)
        allowed = inputs["allowed"].cpu()
        starts, ends = (logits.masked_fill(~allowed, -1e4).softmax(dim=1) for logits in (start, end))
        for row, each in enumerate(batch):
            item = asked[order[id(each)]]
            yield item | {
                "taught": {
                    "starts": _where(each, starts[row], 0),
                    "ends": _where(each, ends[row], 1),
                    "relevance": _told(each, relevance[row].sigmoid()),
                    "answerable": round(float(answerable[row].sigmoid()), 4),
                }
            }


def _where(each: Encoded, probabilities: Tensor, side: int) -> dict[str, float]:
    """Probability by offset in the passage; "" is for no span."""
    found = {"": round(float(probabilities[0]), 4)}
    for place, value in zip(each.places, probabilities.tolist(), strict=False):
        if place and value > LEAST:
            found[str(place[side])] = round(value, 4)
    return found


def _told(each: Encoded, probabilities: Tensor) -> list[list[float]]:
    """(start, end, probability) of each token of the passage; neighbours that hardly differ are joined."""
    told: list[list[float]] = []
    for place, value in zip(each.places, probabilities.tolist(), strict=False):
        if place is None:
            continue
        if told and abs(told[-1][2] - value) < 0.03:
            told[-1][1] = place[1]
        else:
            told.append([*place, round(value, 3)])
    return told


if __name__ == "__main__":
    main()

"""Train the reader for a given number of minutes; stop and start it as you like.

    python training/train.py --base FOLDER --mix mix1.jsonl --run runs/1 --minutes 45 [--start runs/0/model.pt]

The learning rate follows the clock: a short warm-up, then down to zero at the deadline, so that a run ends usable
however fast the machine is. Started again on the same --run it goes on where the last checkpoint was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from common import load_encoder, load_tokenizer
from model import Reader, prefix
from tokenizers import Tokenizer
from torch import Tensor, nn

MAX_TOKENS = 224
MAX_QUESTION_WORDS = 60
POOL = 4096  # examples sorted by length together
WARMUP = 0.04
UNKNOWN = -1.0
TAUGHT = 0.6  # how far a teacher's probabilities replace the labels, where there are both
CHECKPOINT = 300  # seconds

Places = Sequence[tuple[int, int] | None]
"""Where in the passage each token stands, if it does."""


@dataclass
class Encoded:
    """One example as lists of T numbers. Targets are probabilities: of a label 0 or 1, of a teacher in between."""

    ids: list[int]
    types: list[int]
    places: Places
    allowed: list[bool]  # where a span may begin or end: position 0 and the passage
    start: list[float]  # all 0 where no span is asked for
    end: list[float]
    relevance: list[float]  # UNKNOWN where not asked
    answerable: float
    support: float


def encode_example(item: dict, encoding, shift: int) -> Encoded:
    """The targets on tokens; `shift` is where the passage begins in the second text."""
    places = [
        (s - shift, e - shift) if sequence == 1 and s >= shift else None
        for sequence, (s, e) in zip(encoding.sequence_ids, encoding.offsets, strict=True)
    ]
    starts, ends = _span_targets(places, item["spans"])
    relevance = [UNKNOWN] * len(places)
    answerable = _known(item["answerable"])
    if item["relevant"] is not None:
        relevance = [_inside(place, item["relevant"]) for place in places]
        if answerable == 1 and 1 not in relevance:  # the answer was cut off
            answerable, relevance = UNKNOWN, [UNKNOWN] * len(places)
    if taught := item.get("taught"):
        starts = _blend(starts, _taught_ends(places, taught["starts"], 0), sum(starts) > 0)
        ends = _blend(ends, _taught_ends(places, taught["ends"], 1), sum(ends) > 0)
        said = [_probability_at(place, taught["relevance"]) for place in places]
        relevance = [_blend([ours], [theirs], ours != UNKNOWN)[0] for ours, theirs in zip(relevance, said, strict=True)]
        [answerable] = _blend([answerable], [taught["answerable"]], answerable != UNKNOWN)
    allowed = [position == 0 or place is not None for position, place in enumerate(places)]
    return Encoded(
        encoding.ids, encoding.type_ids, places, allowed, starts, ends, relevance, answerable, _known(item["support"])
    )


def _known(label: int | None) -> float:
    return UNKNOWN if label is None else float(label)


def _inside(place: tuple[int, int] | None, targets: Sequence[Sequence[int]]) -> float:
    if place is None:
        return UNKNOWN
    return float(any(place[0] < stop and start < place[1] for start, stop in targets))


def _span_targets(places: Places, spans: Sequence[Sequence[int]] | None) -> tuple[list[float], list[float]]:
    starts, ends = [0.0] * len(places), [0.0] * len(places)
    if spans == []:
        starts[0] = ends[0] = 1.0
    elif spans:
        inside = [i for i, place in enumerate(places) if _inside(place, spans[:1]) == 1]
        if inside and places[inside[-1]][1] >= spans[0][1]:  # type: ignore[index]  # it is inside
            starts[inside[0]] = ends[inside[-1]] = 1.0
    return starts, ends


def _taught_ends(places: Places, taught: dict[str, float], side: int) -> list[float]:
    """A teacher's probabilities, by the offset at which a span begins (side 0) or ends (1); "" is for no span."""
    found = [taught.get(str(place[side]), 0.0) if place else 0.0 for place in places]
    found[0] = taught.get("", 0.0)
    total = sum(found) or 1.0
    return [value / total for value in found]


def _probability_at(place: tuple[int, int] | None, taught: Sequence[Sequence[float]]) -> float:
    if place is None:
        return UNKNOWN
    return next((value for start, stop, value in taught if place[0] < stop and start < place[1]), 0.0)


def _blend(ours: Sequence[float], theirs: Sequence[float], both: bool) -> list[float]:
    share = TAUGHT if both else 1.0
    return [our + share * (their - our) for our, their in zip(ours, theirs, strict=True)]


def batches(
    path: Path, tokenizer: Tokenizer, seed: int, tokens: int, shares: Mapping[str, float]
) -> Iterator[list[Encoded]]:
    """For ever: examples in a random order, batched with others of their length, about `tokens` tokens a batch.

    Of a source named in `shares` only that share of the examples is used.
    """
    rng = Random(seed)
    with path.open(encoding="utf-8") as file:
        lines = [line for line in file if rng.random() < shares.get(json.loads(line)["source"], 1.0)]
    while True:
        rng.shuffle(lines)
        for start in range(0, len(lines), POOL):
            pool = encode_pool([json.loads(line) for line in lines[start : start + POOL]], tokenizer)
            pool.sort(key=lambda item: len(item.ids) + rng.random())
            made = list(fill(pool, tokens))
            rng.shuffle(made)
            yield from made


def encode_pool(items: Sequence[dict], tokenizer: Tokenizer) -> list[Encoded]:
    pairs = [
        (" ".join(item["question"].split()[:MAX_QUESTION_WORDS]), prefix(item["title"]) + item["passage"])
        for item in items
    ]
    encodings = tokenizer.encode_batch(pairs)
    shifts = [len(prefix(item["title"])) for item in items]
    return [encode_example(*each) for each in zip(items, encodings, shifts, strict=True)]


def fill(pool: Sequence[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    batch: list[Encoded] = []
    for item in pool:
        if batch and padded_length(item) * (len(batch) + 1) > tokens:
            yield batch
            batch = []
        batch.append(item)
    yield batch


def padded_length(item: Encoded) -> int:
    """A multiple of 16: few different shapes, for each of which the CPU's kernels are prepared anew."""
    return -(-len(item.ids) // 16) * 16


def tensors(batch: Sequence[Encoded], device: str) -> dict[str, Tensor]:
    longest = max(padded_length(item) for item in batch)

    def padded(rows: Sequence[Sequence[float]], value: float) -> Tensor:
        return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows], device=device)

    return {
        "input_ids": padded([item.ids for item in batch], 0),
        "attention_mask": padded([[1] * len(item.ids) for item in batch], 0),
        "token_type_ids": padded([item.types for item in batch], 0),
        "allowed": padded([item.allowed for item in batch], False),
        "start": padded([item.start for item in batch], 0.0),
        "end": padded([item.end for item in batch], 0.0),
        "relevance": padded([item.relevance for item in batch], UNKNOWN),
        "answerable": torch.tensor([item.answerable for item in batch], device=device),
        "support": torch.tensor([item.support for item in batch], device=device),
    }


def losses(outputs: Sequence[Tensor], batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each task's loss, summed over the examples that ask for it and divided by the size of the batch."""
    start, end, relevance, answerable, support = (output.float() for output in outputs)
    size = len(start)
    spans = sum(
        -(batch[name] * logits.masked_fill(~batch["allowed"], -1e4).log_softmax(dim=1)).sum()
        for name, logits in (("start", start), ("end", end))
    )
    token = _binary(relevance, batch["relevance"]).sum(dim=1) / (batch["relevance"] >= 0).sum(dim=1).clamp(min=1)
    return {
        "span": spans / (2 * size),
        "relevance": token.sum() / size,
        "answerable": _binary(answerable, batch["answerable"]).sum() / size,
        "support": _binary(support, batch["support"]).sum() / size,
    }


def _binary(logits: Tensor, labels: Tensor) -> Tensor:
    known = labels >= 0
    target = labels.clamp(min=0)
    return nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * known


def rate(progress: float, peak: float) -> float:
    return peak * max(0.0, min(progress / WARMUP, (1 - progress) / (1 - WARMUP)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of the official checkpoint to train")
    parser.add_argument("--mix", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--start", type=Path, help="weights to start from instead of the base")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1.5e-4, help="highest learning rate")
    parser.add_argument("--tokens", type=int, default=4800, help="tokens a batch")
    parser.add_argument("--share", type=_share, nargs="*", default=[], metavar="SOURCE=SHARE", help="use less of it")
    parser.add_argument("--frozen", type=int, default=0, help="the lowest layers that don't learn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    train(args)


def _share(text: str) -> tuple[str, float]:
    source, share = text.split("=")
    return source, float(share)


def train(args: argparse.Namespace) -> None:
    model = Reader(load_encoder(args.base))
    if args.start:
        model.load_state_dict(torch.load(args.start, map_location="cpu")["model"])
    model.to(args.device)
    optimizer = prepare(model, args.rate, frozen=args.frozen)
    done, checkpoint = {"step": 0, "seconds": 0.0}, args.run / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=args.device)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        done = saved["done"]
        with torch.no_grad():
            for (name, _), master in zip(learning(model), masters_of(optimizer), strict=True):
                master.copy_(saved["model"][name])
    tokenizer = load_tokenizer(args.base / "tokenizer.json", max_tokens=MAX_TOKENS)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
    source = batches(args.mix, tokenizer, args.seed + int(done["step"]), args.tokens, dict(args.share))
    loop(model, optimizer, source, done, args)
    torch.save({"model": exact_weights(model, optimizer)}, args.run / "model.pt")


def prepare(model: nn.Module, peak: float, *, frozen: int = 0) -> torch.optim.Optimizer:
    """The optimizer, which holds the weights that learn in fp32; the model's own become bfloat16, as casting at every
    layer of each step costs a third. No dropout: its random numbers take half of the time, and few passes are made."""
    freeze(model.encoder, frozen)
    model.eval()
    masters = [weight.detach().clone().requires_grad_() for _, weight in learning(model)]
    model.to(torch.bfloat16)
    return torch.optim.AdamW(masters, lr=peak, weight_decay=0.01, fused=True)


def freeze(encoder: nn.Module, layers: int) -> None:
    """Keep the word embeddings, and so many of the lowest layers, as they are."""
    encoder.embeddings.word_embeddings.requires_grad_(False)
    for layer in encoder.encoder.layer[:layers]:
        layer.requires_grad_(False)


def learning(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]


def masters_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return optimizer.param_groups[0]["params"]


def exact_weights(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The model's weights in fp32."""
    names = [name for name, _ in learning(model)]
    exact = dict(zip(names, masters_of(optimizer), strict=True))
    return {name: exact.get(name, value).detach().float().cpu() for name, value in model.state_dict().items()}


def loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    source: Iterator[list[Encoded]],
    done: dict[str, float],
    args: argparse.Namespace,
) -> None:
    """Steps until the deadline; a line of mean losses every 100 steps, a checkpoint every five minutes."""
    begun, saved, whole = time.monotonic() - done["seconds"], done["seconds"], args.minutes * 60
    log: list[dict[str, float]] = []
    while done["seconds"] < whole:
        batch = tensors(next(source), args.device)
        for group in optimizer.param_groups:
            group["lr"] = rate(done["seconds"] / whole, args.rate)
        log.append(step(model, optimizer, batch))
        done |= {"step": done["step"] + 1, "seconds": time.monotonic() - begun}
        if len(log) == 100:
            means = {name: round(sum(row[name] for row in log) / 100, 3) for name in log[0]}
            print(json.dumps({"step": done["step"], "seconds": round(done["seconds"]), **means}), flush=True)
            log.clear()
        if done["seconds"] - saved > CHECKPOINT:
            saved = done["seconds"]
            state = {"model": exact_weights(model, optimizer), "optimizer": optimizer.state_dict(), "done": done}
            torch.save(state, args.run / "checkpoint.new")
            (args.run / "checkpoint.new").replace(args.run / "checkpoint.pt")


def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: dict[str, Tensor]) -> dict[str, float]:
    """One update of the weights; the losses, and the size of the batch."""
    parts = losses(model(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]), batch)
    update(model, optimizer, sum(parts.values()))
    return {name: part.item() for name, part in parts.items()} | {"examples": len(batch["start"])}


def update(model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Change the fp32 weights by the loss's gradients, and the model's after them."""
    loss.backward()
    weights, masters = [weight for _, weight in learning(model)], masters_of(optimizer)
    for weight, master in zip(weights, masters, strict=True):
        master.grad, weight.grad = weight.grad.float(), None
    nn.utils.clip_grad_norm_(masters, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    with torch.no_grad():
        for weight, master in zip(weights, masters, strict=True):
            weight.copy_(master)


if __name__ == "__main__":
    main()

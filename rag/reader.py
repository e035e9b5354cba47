"""Question and passages to scored evidence: the bundled cross-encoder, int8, on the CPU.

One model, trained for this (``training/``), reads "[CLS] question [SEP] title. passage [SEP]" and says whether the
passage answers, where, and which of its sentences matter; with a claim in the question's place it says whether the
passage supports it. The span is picked as in Devlin et al. 2018 (BERT, SQuAD 2.0): the best start and end, scored
against position 0, which stands for no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rag.types import Passage, Reading
from rag.weights import load_session, load_tokenizer

MAX_TOKENS = 256  # of question, title and passage together; the passage's end is cut off
MAX_QUESTION = 96  # tokens of the question or claim that are read
MAX_SPAN = 30  # tokens of a short answer
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class _Pair:
    """A question and a passage as tokens: ids and type ids [T], the passage's offsets [T, 2], -1 outside of it."""

    ids: list[int]
    types: list[int]
    offsets: np.ndarray


class Reader:
    """The bundled reader; safe to use from several threads. Loads its weights at the first question."""

    def __init__(self, models: Path, *, threads: int = 2) -> None:
        self._models = models
        self._threads = threads

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """What each passage holds for the question, in the order of ``passages``.

        Raises ModelError where the weights are missing or damaged.
        """
        pairs = [self._pair(question, passage.heading, passage.text) for passage in passages]
        outputs = self._run(pairs, ("start", "end", "relevance", "answerable"))
        return [_reading(*each) for each in zip(passages, pairs, outputs, strict=True)]

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For each (claim, premise) the probability, 0 to 1, that the premise supports the claim."""
        encoded = [self._pair(claim, "", premise) for claim, premise in pairs]
        return [float(_sigmoid(output["support"])) for output in self._run(encoded, ("support",))]

    def knows(self, word: str) -> bool:
        """Whether a word in lower case is in the vocabulary as a whole, as the common ones are."""
        return self._tokenizer.token_to_id(word) is not None

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(self._models)

    @cached_property
    def _session(self) -> Any:
        return load_session(self._models, "reader.onnx")

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="read")

    def _pair(self, question: str, title: str, text: str) -> _Pair:
        front = f"{title}. " if title else ""
        asked = self._tokenizer.encode(question, add_special_tokens=False).ids[:MAX_QUESTION]
        passage = self._tokenizer.encode(front + text, add_special_tokens=False)
        room = MAX_TOKENS - len(asked) - 3
        ids = [*self._mark[0], *asked, *self._mark[1], *passage.ids[:room], *self._mark[1]]
        offsets = np.full((len(ids), 2), -1)
        inside = np.array(passage.offsets[:room]).reshape(-1, 2) - len(front)
        inside[inside[:, 0] < 0] = -1  # the title
        offsets[len(asked) + 2 : len(ids) - 1] = inside
        types = [0] * (len(asked) + 2) + [1] * (len(ids) - len(asked) - 2)
        return _Pair(ids, types, offsets)

    @cached_property
    def _mark(self) -> tuple[list[int], list[int]]:
        """The ids of [CLS] and [SEP]."""
        return [self._tokenizer.token_to_id("[CLS]")], [self._tokenizer.token_to_id("[SEP]")]

    def _run(self, pairs: Sequence[_Pair], names: tuple[str, ...]) -> list[dict[str, np.ndarray]]:
        """The model's outputs for each pair, by name.

        Each pair has a run of its own. The model quantises activations by batch, so that in one with others a reading
        would depend on them; and without padding it is faster, too.
        """
        session = self._session
        runs = self._pool.map(lambda pair: session.run(names, _inputs(pair)), pairs)
        return [{name: value[0] for name, value in zip(names, values, strict=True)} for values in runs]


def _inputs(pair: _Pair) -> dict[str, np.ndarray]:
    """The model's inputs, [1, T] each."""
    arrays = np.array([pair.ids, [1] * len(pair.ids), pair.types], dtype=np.int64)
    return dict(zip(INPUTS, arrays[:, None], strict=True))


def _reading(passage: Passage, pair: _Pair, output: dict[str, np.ndarray]) -> Reading:
    span, score = _best_span(output["start"], output["end"], pair.offsets)
    relevance = _sigmoid(output["relevance"])
    return Reading(
        passage=passage,
        answerable=float(output["answerable"]),
        span=span,
        span_score=score,
        relevance=tuple(_mean_inside(relevance, pair.offsets, sentence) for sentence in passage.sentences),
    )


def _best_span(start: np.ndarray, end: np.ndarray, offsets: np.ndarray) -> tuple[tuple[int, int] | None, float]:
    """The best span of the passage in characters, and its logit against no span; (None, -inf) for an empty passage."""
    inside = np.flatnonzero(offsets[:, 0] >= 0)
    if not len(inside):
        return None, float("-inf")
    scores = start[inside][:, None] + end[inside][None, :]
    lengths = inside[None, :] - inside[:, None]
    scores[(lengths < 0) | (lengths >= MAX_SPAN)] = -np.inf
    first, last = np.unravel_index(int(scores.argmax()), scores.shape)
    span = int(offsets[inside[first], 0]), int(offsets[inside[last], 1])
    return span, float(scores[first, last] - start[0] - end[0])


def _mean_inside(values: np.ndarray, offsets: np.ndarray, sentence: tuple[int, int]) -> float:
    """The mean over the tokens that begin in the sentence; 0 for one that was cut off."""
    inside = (offsets[:, 0] >= sentence[0]) & (offsets[:, 0] < sentence[1])
    return float(values[inside].mean()) if inside.any() else 0.0


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))

"""Question -> Passages: dense and lexical search, fused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from rag.types import Chunk, Passage

POOL = 50
"""How many chunks each of the two searches brings."""

RRF_K = 60
"""The constant of reciprocal rank fusion."""

LEXICAL_WEIGHT = 1.5
"""A lexical rank counts this much more than a dense one: on news, BM25 is the better ranking of the two (see
``evals/retrieval.py``)."""


class Index(Protocol):
    """What retrieval needs of a generation of the store."""

    def search_vectors(self, vector: np.ndarray, k: int) -> Sequence[tuple[str, float]]: ...

    def search_words(self, question: str, k: int) -> Sequence[tuple[str, float]]: ...

    def chunks(self, ids: Sequence[str]) -> Sequence[Chunk]: ...


class QueryEmbedding(Protocol):
    """What retrieval needs of an embedding."""

    def embed_query(self, text: str) -> np.ndarray: ...


def fuse(rankings: Iterable[tuple[float, Iterable[str]]]) -> list[tuple[str, float]]:
    """Weighted reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009) of (weight, ids best first); best first."""
    scores: dict[str, float] = {}
    for weight, ranking in rankings:
        for rank, id in enumerate(ranking, start=1):
            scores[id] = scores.get(id, 0.0) + weight / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def retrieve(questions: Sequence[str], index: Index, embedding: QueryEmbedding, k: int = 10) -> list[Passage]:
    """The ``k`` passages that dense and lexical search together rank highest, best first.

    ``questions`` are the question itself and, for a follow-up, other wordings of it. ``score`` is the fused one,
    scaled so that 1 is the first rank of every ranking.
    """
    pool = max(POOL, k)
    rankings: list[tuple[float, list[str]]] = []
    for question in questions:
        dense = index.search_vectors(embedding.embed_query(question), pool)
        lexical = index.search_words(question, pool)
        rankings += [(1.0, [id for id, _ in dense]), (LEXICAL_WEIGHT, [id for id, _ in lexical])]
    best = sum(weight for weight, _ in rankings) / (RRF_K + 1)
    fused = fuse(rankings)[:k]
    chunks = index.chunks([id for id, _ in fused])
    return [passage(chunk, score / best) for chunk, (_, score) in zip(chunks, fused, strict=True)]


def passage(chunk: Chunk, score: float) -> Passage:
    """A chunk as a retrieved passage."""
    about = chunk.metadata
    return Passage(
        source=chunk.source,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=score,
        title=about.title,
        authors=about.authors,
        publisher=about.publisher,
        date=about.date,
        sentences=chunk.sentences,
        kind=chunk.kind,
    )

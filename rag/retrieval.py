"""Question -> Passages: dense and lexical search, fused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from rag.types import Chunk, Passage

POOL = 50
"""How many chunks each of the two searches brings."""

DENSE_WEIGHT = 0.45
"""What the dense search counts for; the lexical one counts for the rest."""


class Index(Protocol):
    """What retrieval needs of a generation of the store."""

    def search_vectors(self, vector: np.ndarray, k: int) -> Sequence[tuple[str, float]]: ...

    def search_words(self, question: str, k: int) -> Sequence[tuple[str, float]]: ...

    def chunks(self, ids: Sequence[str]) -> Sequence[Chunk]: ...


class QueryEmbedding(Protocol):
    """What retrieval needs of an embedding."""

    def embed_query(self, text: str) -> np.ndarray: ...


def fuse(rankings: Iterable[tuple[float, Sequence[tuple[str, float]]]]) -> list[tuple[str, float]]:
    """The weighted mean of (weight, [(id, score)] best first), each ranking's scores scaled to 0 … 1; best first.

    A convex combination keeps what ranks throw away: by how much one passage is better than the next (Bruch, Gai and
    Ingber, 2023).
    """
    scores: dict[str, float] = {}
    total = 0.0
    for weight, ranking in rankings:
        total += weight
        for id, score in _scaled(ranking):
            scores[id] = scores.get(id, 0.0) + weight * score
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return [(id, score / total) for id, score in ranked]


def _scaled(ranking: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    if not ranking:
        return []
    lowest, span = ranking[-1][1], ranking[0][1] - ranking[-1][1]
    return [(id, (score - lowest) / span if span > 0 else 1.0) for id, score in ranking]


def retrieve(questions: Sequence[str], index: Index, embedding: QueryEmbedding, k: int = 10) -> list[Passage]:
    """The ``k`` passages that dense and lexical search together rank highest, best first.

    ``questions`` are the question itself and, for a follow-up, other wordings of it. ``score`` is the fused one, 0 to
    1; 1 is the first rank of every ranking.
    """
    pool = max(POOL, k)
    rankings: list[tuple[float, Sequence[tuple[str, float]]]] = []
    for question in questions:
        dense = index.search_vectors(embedding.embed_query(question), pool)
        lexical = index.search_words(question, pool)
        rankings += [(DENSE_WEIGHT, dense), (1 - DENSE_WEIGHT, lexical)]
    fused = fuse(rankings)[:k]
    chunks = index.chunks([id for id, _ in fused])
    return [passage(chunk, score) for chunk, (_, score) in zip(chunks, fused, strict=True)]


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

"""Texts to unit vectors: the bundled model by default, any LlamaIndex embedding otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rag.errors import ModelError
from rag.types import Chunk
from rag.weights import load_session, load_tokenizer, published_hash

MAX_TOKENS = 256  # what the model was trained for; the rest of a text is not seen


class Embedding(Protocol):
    """What the rest of the package needs of an embedding."""

    @property
    def name(self) -> str:
        """Identifies model and weights: a store written under one name refuses another."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32, shape ``[len(texts), dimension]``."""

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32, shape ``[dimension]``."""

    def count_tokens(self, text: str) -> int: ...


def contextual(chunk: Chunk) -> str:
    """The text that is embedded for a chunk: its article's title, authors, publisher and date, then its own text.

    A chunk in the middle of an article often names neither its subject nor its author; this gives them back to it.
    """
    about = chunk.metadata
    parts = (about.title, ", ".join(about.authors), about.publisher, about.date)
    context = " | ".join(part for part in parts if part)
    return f"{context}\n{chunk.text}" if context else chunk.text


class BundledEmbedding:
    """all-MiniLM-L6-v2, trained on for articles, int8, on the CPU; safe to use from several threads.

    A text is cut after 256 tokens. Each has a run of its own: the model quantises activations by batch, so that in one
    with others a vector would depend on them (cosine down to 0.98), and what is found on the corpus's history. On a CPU
    a batch is no faster for it.
    """

    dimension = 384

    def __init__(self, models: Path) -> None:
        """Load the model from the folder ``models``; ModelError if a file isn't what its sha256.json says."""
        self._session = load_session(models, "embedder.onnx")
        self._tokenizer = load_tokenizer(models)
        self.name = f"all-MiniLM-L6-v2-tuned-int8-{published_hash(models, 'embedder.onnx')[:8]}"
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="embed")

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32, shape ``[len(texts), 384]``."""
        rows = list(self._threads.map(self.embed_query, texts))
        return np.stack(rows) if rows else np.empty((0, self.dimension), dtype=np.float32)

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32, shape ``[384]``."""
        ids = np.array([_cut(self._tokenizer.encode(text).ids)])
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return self._session.run(["embedding"], inputs)[0][0]

    def count_tokens(self, text: str) -> int:
        """Word pieces in ``text``, without the two marks put around it."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


class LlamaIndexEmbedding:
    """Any LlamaIndex embedding model behind this package's interface. Its errors become ModelError, in one line."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.name = f"{type(model).__name__}:{model.model_name}"

    @cached_property
    def dimension(self) -> int:
        """Found by embedding a word, once: the models don't tell."""
        return len(self.embed_query("word"))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32, shape ``[len(texts), dimension]``."""
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return self._unit(self._ask(self._model.get_text_embedding_batch, list(texts)), len(texts))

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32, shape ``[dimension]``."""
        return self._unit([self._ask(self._model.get_query_embedding, text)], 1)[0]

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as LlamaIndex counts them by default."""
        return len(self._tokenizer(text))

    @cached_property
    def _tokenizer(self) -> Any:
        from llama_index.core.utils import get_tokenizer

        return get_tokenizer()

    def _ask(self, method: Any, argument: Any) -> Any:
        try:
            return method(argument)
        except Exception as error:  # hundreds of services, each with errors of its own
            problem = " ".join(str(error).split())[:300]
            raise ModelError(f"the embedding {self.name} failed: {type(error).__name__}: {problem}") from error

    def _unit(self, rows: Any, count: int) -> np.ndarray:
        try:
            vectors = np.asarray(rows, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ModelError(f"the embedding {self.name} returned something that isn't a table of numbers") from error
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            shape = "x".join(map(str, vectors.shape))
            raise ModelError(f"the embedding {self.name} returned {shape} numbers for {count} texts")
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _cut(ids: list[int]) -> list[int]:
    """At most MAX_TOKENS of them, the closing mark kept."""
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]

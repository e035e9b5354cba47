from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.embeddings import BaseEmbedding, MockEmbedding

from rag.embedding import BundledEmbedding, LlamaIndexEmbedding, contextual
from rag.errors import ModelError
from rag.types import Chunk, Metadata

MODELS = Path(__file__).parent.parent / "rag" / "models"


@pytest.fixture(scope="module")
def embedding() -> BundledEmbedding:
    return BundledEmbedding(MODELS)


def test_vectors_are_unit_rows_of_the_dimension(embedding: BundledEmbedding) -> None:
    vectors = embedding.embed(["Steel exports fell.", "A cat sleeps."])

    assert vectors.shape == (2, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_no_texts_give_no_rows(embedding: BundledEmbedding) -> None:
    assert embedding.embed([]).shape == (0, 384)


def test_what_means_the_same_is_nearer_than_what_doesnt(embedding: BundledEmbedding) -> None:
    question = embedding.embed_query("How many workers does the plant employ?")
    near, far = embedding.embed(["The factory has a staff of 750 people.", "Cherry trees bloom in April."])

    assert question @ near > question @ far + 0.2


def test_a_vector_depends_on_its_text_alone(embedding: BundledEmbedding) -> None:
    texts = [f"{'word ' * (length % 37)}number {length}" for length in range(49)]

    together = embedding.embed(texts)

    alone = np.stack([embedding.embed_query(text) for text in texts])
    assert (together == alone).all()


@pytest.mark.parametrize(
    "text", ["", " \n", "?!…", "中国的电动汽车", "x" * 50_000, "word " * 20_000, "a\x00b", "\U0001f600"]
)
def test_any_text_has_a_unit_vector(embedding: BundledEmbedding, text: str) -> None:
    assert np.linalg.norm(embedding.embed_query(text)) == pytest.approx(1, abs=1e-5)


def test_what_lies_beyond_256_tokens_is_not_seen(embedding: BundledEmbedding) -> None:
    start = "steel " * 300

    assert embedding.embed_query(start + "cats") == pytest.approx(embedding.embed_query(start + "dogs"), abs=1e-6)


def test_tokens_are_counted_beyond_what_is_embedded(embedding: BundledEmbedding) -> None:
    assert embedding.count_tokens("steel " * 1000) == 1000


def test_threads_dont_disturb_each_other(embedding: BundledEmbedding) -> None:
    texts = [f"Sentence number {number} about steel." for number in range(64)]
    expected = np.stack([embedding.embed_query(text) for text in texts])

    with ThreadPoolExecutor(8) as threads:
        found = np.stack(list(threads.map(embedding.embed_query, texts)))

    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["embedder.onnx", "tokenizer.json"])
def test_a_damaged_model_file_is_named(tmp_path: Path, name: str) -> None:
    models = shutil.copytree(MODELS, tmp_path / "models", ignore=shutil.ignore_patterns("reader*"))
    data = bytearray((models / name).read_bytes())
    data[len(data) // 2] ^= 1
    (models / name).write_bytes(data)

    with pytest.raises(ModelError, match=f"{name} is damaged"):
        BundledEmbedding(models)


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"embedder\.onnx"):
        BundledEmbedding(tmp_path)


def test_the_published_hashes_name_every_file_that_is_loaded() -> None:
    assert {"embedder.onnx", "tokenizer.json"} <= set(json.loads((MODELS / "sha256.json").read_text()))


def test_the_article_is_told_in_front_of_the_chunk() -> None:
    about = Metadata("Steel falls", ("A. Writer", "B. Author"), "The Paper", "2024-05-01")
    chunk = Chunk("id", "a.txt", 0, 5, "Text.", ((0, 5),), about)

    assert contextual(chunk) == "Steel falls | A. Writer, B. Author | The Paper | 2024-05-01\nText."


def test_an_article_of_which_nothing_is_known_adds_nothing() -> None:
    assert contextual(Chunk("id", "a.txt", 0, 5, "Text.", ())) == "Text."


class Scripted(BaseEmbedding):
    """A LlamaIndex embedding that returns what it is told, or raises it."""

    reply: Any = None

    def _get_text_embedding(self, text: str) -> list[float]:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    _get_query_embedding = _get_text_embedding

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def test_any_llamaindex_embedding_fits() -> None:
    embedding = LlamaIndexEmbedding(MockEmbedding(embed_dim=4))

    assert embedding.dimension == 4
    assert embedding.embed(["a", "b"]).tolist() == [[0.5] * 4] * 2
    assert embedding.embed_query("a").tolist() == [0.5] * 4
    assert embedding.embed([]).shape == (0, 4)
    assert embedding.count_tokens("three short words") == 3


def test_rows_of_another_embedding_are_made_unit() -> None:
    assert LlamaIndexEmbedding(Scripted(reply=[3.0, 4.0])).embed_query("a").tolist() == pytest.approx([0.6, 0.8])


def test_another_embedding_is_named_by_class_and_model() -> None:
    assert LlamaIndexEmbedding(Scripted(model_name="embed-v4", reply=[1.0])).name == "Scripted:embed-v4"


def test_a_services_error_is_one_line() -> None:
    error = RuntimeError('status_code: 401, body: {\n  "message": "invalid api token"\n}')

    with pytest.raises(ModelError) as caught:
        LlamaIndexEmbedding(Scripted(model_name="embed-v4", reply=error)).embed(["a"])

    assert "invalid api token" in str(caught.value)
    assert "embed-v4" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_services_nonsense_is_refused() -> None:
    with pytest.raises(ModelError, match="returned"):
        LlamaIndexEmbedding(Scripted(reply=[float("nan"), 1.0])).embed(["a"])

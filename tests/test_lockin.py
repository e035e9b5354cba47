"""The index is no cage: stock LlamaIndex opens the vectors, with text and metadata."""

from __future__ import annotations

from pathlib import Path

import chromadb
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

from rag.embedding import BundledEmbedding
from rag.store import Store
from rag.syncing import sync

ROOT = Path(__file__).parent.parent
QUESTION = "How many people work at BYD's bus plant in Lancaster?"


class Same(BaseEmbedding):
    """The vectors that the store was written with."""

    def _get_query_embedding(self, query: str) -> list[float]:
        return BundledEmbedding(ROOT / "rag/models").embed_query(query).tolist()

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def test_stock_llamaindex_finds_text_and_metadata_in_the_collection(tmp_path: Path) -> None:
    embedding = BundledEmbedding(ROOT / "rag/models")
    store = Store(tmp_path / "store", embedding.name, embedding.dimension)
    sync(ROOT / "seeds", store, embedding)
    ours = store.current()
    assert ours is not None
    expected = ours.chunks([id for id, _ in ours.search_vectors(embedding.embed_query(QUESTION), 3)])

    client = chromadb.PersistentClient(str(ours.path / "chroma"), chromadb.Settings(anonymized_telemetry=False))
    vectors = ChromaVectorStore(chroma_collection=client.get_collection("chunks", embedding_function=None))
    index = VectorStoreIndex.from_vector_store(vectors, embed_model=Same())
    found = index.as_retriever(similarity_top_k=3).retrieve(QUESTION)

    assert [node.text for node in found] == [chunk.text for chunk in expected]
    assert [node.node_id for node in found] == [chunk.id for chunk in expected]
    about = expected[0].metadata
    assert found[0].metadata["source"] == expected[0].source
    assert found[0].metadata["title"] == about.title
    assert found[0].metadata["date"] == about.date
    assert found[0].metadata["start"] == expected[0].start

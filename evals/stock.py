"""The peer that sync is timed against: a stock LlamaIndex pipeline with Chroma.

SentenceSplitter, VectorStoreIndex and ChromaVectorStore as they come, and the same MiniLM in fp32 through Chroma's own
ONNX code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chromadb
from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.vector_stores.chroma import ChromaVectorStore


class StockEmbedding(BaseEmbedding):
    """Chroma's MiniLM; it downloads the model unless ``folder/onnx`` holds it."""

    model: Any = None

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self.model = ONNXMiniLM_L6_V2()
        if folder:
            self.model.DOWNLOAD_PATH = folder
        self.model(["warm up"])

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [vector.tolist() for vector in self.model(texts)]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def index(texts: list[str], folder: Path, embedding: StockEmbedding) -> int:
    """Index texts into a Chroma collection in the new ``folder``; how many rows it then holds."""
    client = chromadb.PersistentClient(str(folder), chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection("stock", embedding_function=None)
    VectorStoreIndex.from_documents(
        [Document(text=text) for text in texts],
        storage_context=StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection)),
        embed_model=embedding,
        transformations=[SentenceSplitter()],  # of 1,024 tokens, so that each of our chunks stays one
    )
    return collection.count()

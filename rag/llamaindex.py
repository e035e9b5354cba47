"""The Assistant as a LlamaIndex retriever and query engine, for pipelines that are built on LlamaIndex.

>>> from rag.llamaindex import AssistantQueryEngine, AssistantRetriever
>>> nodes = AssistantRetriever(assistant, k=5).retrieve("Who runs CATL?")
>>> response = AssistantQueryEngine(assistant).query("Who runs CATL?")
>>> response.metadata["answered"], response.source_nodes[0].metadata["source"]
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.assistant import Assistant
from rag.types import Citation, Passage


class AssistantRetriever(BaseRetriever):
    """Passages as LlamaIndex nodes: text, exact offsets, the article's metadata, and the score."""

    def __init__(self, assistant: Assistant, k: int = 10) -> None:
        super().__init__()
        self._assistant = assistant
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_passage_node(passage) for passage in self._assistant.retrieve(query_bundle.query_str, self._k)]


class AssistantQueryEngine(BaseQueryEngine):
    """Answers as LlamaIndex responses: the text with its markers, and a source node for each citation.

    ``response.metadata`` has ``answered``, ``reason``, ``short``, ``confidence`` and ``answerer``.
    """

    def __init__(self, assistant: Assistant) -> None:
        super().__init__(callback_manager=None)
        self._assistant = assistant

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._assistant.query(query_bundle.query_str)
        about = ("answered", "reason", "short", "confidence", "answerer")
        return Response(
            response=answer.text,
            source_nodes=[_citation_node(citation, answer.confidence) for citation in answer.citations],
            metadata={name: getattr(answer, name) for name in about},
        )

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return self._query(query_bundle)

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}


def _passage_node(passage: Passage) -> NodeWithScore:
    about = ("source", "title", "authors", "publisher", "date")
    metadata = {name: getattr(passage, name) for name in about}
    node = TextNode(text=passage.text, metadata=metadata, start_char_idx=passage.start, end_char_idx=passage.end)
    return NodeWithScore(node=node, score=passage.score)


def _citation_node(citation: Citation, score: float) -> NodeWithScore:
    metadata = {name: value for name, value in asdict(citation).items() if name not in ("quote", "start", "end")}
    node = TextNode(text=citation.quote, metadata=metadata, start_char_idx=citation.start, end_char_idx=citation.end)
    return NodeWithScore(node=node, score=score)

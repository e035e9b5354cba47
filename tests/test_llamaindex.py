"""The assistant inside a LlamaIndex pipeline."""

from __future__ import annotations

from typing import Any

import rag
from tests.conftest import SEEDS


def test_the_retriever_gives_nodes_with_exact_offsets(assistant: rag.Assistant) -> None:
    from rag.llamaindex import AssistantRetriever

    nodes: list[Any] = AssistantRetriever(assistant, k=3).retrieve("Who is CATL's founder?")
    assert len(nodes) == 3
    first = nodes[0].node
    text = (SEEDS / first.metadata["source"]).read_bytes().decode()
    assert text[first.start_char_idx : first.end_char_idx] == first.text


def test_the_query_engine_gives_the_answer_and_its_citations(assistant: rag.Assistant) -> None:
    from rag.llamaindex import AssistantQueryEngine

    response: Any = AssistantQueryEngine(assistant).query("How many people work at BYD's bus plant in Lancaster?")
    assert "more than 750 workers" in str(response)
    assert response.metadata["answered"] is True
    assert response.source_nodes[0].metadata["publisher"] == "SCMP"


def test_a_decline_stays_one(assistant: rag.Assistant) -> None:
    from rag.llamaindex import AssistantQueryEngine

    response: Any = AssistantQueryEngine(assistant).query("What is the boiling point of tungsten?")
    assert response.metadata["answered"] is False
    assert response.source_nodes == []

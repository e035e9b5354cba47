"""The page's endpoints as tools for MCP clients, over the protocol itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.app_server import Server

mcp = pytest.importorskip("mcp", reason="pip install 'rag[mcp]' for the MCP server")
from mcp.client.streamable_http import streamable_http_client  # noqa: E402

QUESTION = "How much did CRRC invest into establishing a manufacturing facility?"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("mcp"), "--mcp")
    server.wait()
    yield server
    assert "Traceback" not in server.stop()


def with_session(server: Server, ask: Any) -> Any:
    """What ``ask`` makes of a session with the server."""

    async def connect() -> Any:
        async with (
            streamable_http_client(f"{server.url}/gradio_api/mcp/") as (read, write, _),
            mcp.ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await ask(session)

    return asyncio.run(connect())


def call(server: Server, tool: str, **arguments: Any) -> Any:
    result = with_session(server, lambda session: session.call_tool(tool, arguments))
    assert not result.isError, result.content
    return json.loads(result.content[0].text)


def test_the_tools_say_what_they_do(server: Server) -> None:
    listed = with_session(server, lambda session: session.list_tools()).tools
    tools = {tool.name: tool for tool in listed}
    assert set(tools) == {"query", "retrieve", "sync"}
    assert "Every sentence of the answer ends in a marker [n]" in tools["query"].description
    assert set(tools["query"].inputSchema["properties"]) == {"question", "history"}
    assert tools["query"].inputSchema["properties"]["question"]["description"] == "The question, in plain words."
    assert "best first" in tools["retrieve"].description
    assert "up to date" in tools["sync"].description


def test_a_query_is_answered_with_exact_citations(server: Server) -> None:
    answer = call(server, "query", question=QUESTION)
    [citation] = answer["citations"]
    with (server.corpus / citation["source"]).open(encoding="utf-8", newline="") as file:
        assert file.read()[citation["start"] : citation["end"]] == citation["quote"]
    assert answer["answered"]
    assert "US$100 million" in citation["quote"]
    assert "passages" not in answer


def test_passages_and_a_follow_up(server: Server) -> None:
    assert len(call(server, "retrieve", question=QUESTION, k=2)) == 2
    history = [["Where is BYD's electric bus facility?", "In Lancaster, California. [1]"]]
    answer = call(server, "query", question="And how many workers does it employ?", history=history)
    assert "more than 750 workers" in answer["text"]


def test_the_plain_endpoints_stay_as_they_are(server: Server) -> None:
    import gradio_client

    client = gradio_client.Client(server.url, verbose=False)
    assert client.predict(QUESTION, [], api_name="/query")["answered"] is True


def test_what_is_wrong_is_told(server: Server) -> None:
    result = with_session(server, lambda session: session.call_tool("query", {"question": " "}))
    assert result.isError
    assert "question is empty" in result.content[0].text

"""A scripted OpenAI-compatible server on loopback: what an LLM service says, and every way it fails.

    with LLMServer() as server:
        server.fail(429, retry_after=1)
        server.reply("The plant employs 750 people. [1]")
        settings = Settings(openai_base_url=server.url, openai_api_key="sk-test")

Each call scripts one request, in order; the last one serves every further request. ``server.requests`` holds the
bodies received, ``server.keys`` the Authorization headers.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Act = Callable[["_Handler", dict[str, Any]], None]
Text = str | Callable[[list[dict[str, str]]], str]


class LLMServer:
    """Listens on a free port of 127.0.0.1 while its ``with`` block runs."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._script: list[Act] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.script = self
        self._closing = threading.Event()

    @property
    def url(self) -> str:
        """What belongs in OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> LLMServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def reply(
        self,
        text: Text,
        *,
        wait: float = 0.0,
        pause: float = 0.0,
        usage: tuple[int, int] | None = (100, 20),
        finish: str | None = "stop",
    ) -> None:
        """A whole reply; ``text`` may be a function of the messages. ``wait`` seconds pass before it begins, ``pause``
        between two words; ``usage`` None: the service doesn't tell; ``finish`` None: the stream just ends."""

        def act(handler: _Handler, body: dict[str, Any]) -> None:
            said = text(body["messages"]) if callable(text) else text
            self._closing.wait(wait)
            if not body.get("stream"):
                handler.send_json(200, _completion(said, usage))
                return
            handler.start_stream()
            for piece in _words(said):
                handler.send_event(_chunk(piece))
                self._closing.wait(pause)
            if finish:
                handler.send_event(_chunk("", finish))
            if usage and body.get("stream_options", {}).get("include_usage"):
                handler.send_event({**_chunk(""), "choices": [], "usage": _usage(usage)})
            handler.end_stream()

        self._script.append(act)

    def fail(self, status: int, *, retry_after: float | str | None = None, code: str = "", message: str = "no") -> None:
        """An HTTP error with OpenAI's error body."""

        def act(handler: _Handler, body: dict[str, Any]) -> None:
            headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
            handler.send_json(status, {"error": {"message": message, "code": code, "type": "error"}}, headers)

        self._script.append(act)

    def overflow(self) -> None:
        """The prompt is longer than the model's context."""
        self.fail(400, code="context_length_exceeded", message="This model's maximum context length is 4096 tokens.")

    def cut(self, text: str) -> None:
        """The connection breaks after ``text``."""

        def act(handler: _Handler, body: dict[str, Any]) -> None:
            handler.start_stream()
            for piece in _words(text):
                handler.send_event(_chunk(piece))
            handler.close_connection = True

        self._script.append(act)

    def hang(self, text: str = "", *, seconds: float = 30.0) -> None:
        """After ``text``, nothing more comes, and the connection stays open."""

        def act(handler: _Handler, body: dict[str, Any]) -> None:
            if text:
                handler.start_stream()
                handler.send_event(_chunk(text))
            self._closing.wait(seconds)
            handler.close_connection = True

        self._script.append(act)

    def drop(self) -> None:
        """The connection is closed without an answer."""

        def act(handler: _Handler, body: dict[str, Any]) -> None:
            handler.close_connection = True

        self._script.append(act)

    def garble(self, data: str = '{"choices": [{"del') -> None:
        """A stream whose data is no JSON, or not a chat completion's."""

        def act(handler: _Handler, body: dict[str, Any]) -> None:
            handler.start_stream()
            handler.send_line(f"data: {data}\n\n")
            handler.end_stream()

        self._script.append(act)

    def refuse_stream_options(self) -> None:
        """What servers that don't know ``stream_options`` answer to a request that has them."""
        self.fail(400, message="Unrecognized request argument supplied: stream_options")

    def next_act(self) -> Act | None:
        """The script's next step, kept when it is the last."""
        with self._lock:
            return self._script.pop(0) if len(self._script) > 1 else next(iter(self._script), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    script: LLMServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: clients that go away are part of the script."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        script = self.server.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script.requests.append(body)
        script.keys.append(self.headers.get("Authorization", ""))
        act = script.next_act() if self.path.endswith("/chat/completions") else None
        with suppress(ConnectionError):  # the client has gone
            if act is None:
                self.send_json(404, {"error": {"message": f"nothing scripted for {self.path}"}})
            else:
                act(self, body)

    def do_GET(self) -> None:
        self.send_json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def send_json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_event(self, data: dict[str, Any]) -> None:
        self.send_line(f"data: {json.dumps(data)}\n\n")

    def send_line(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def end_stream(self) -> None:
        self.send_line("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")


def _words(text: str) -> Iterator[str]:
    """Pieces such as a tokenizer makes: words with the space before them."""
    yield from re.findall(r"\s*\S+|\s+", text)


def _chunk(text: str, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {**_head("chat.completion.chunk"), "choices": [choice]}


def _completion(text: str, usage: tuple[int, int] | None) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {**_head("chat.completion"), "choices": [choice], **({"usage": _usage(usage)} if usage else {})}


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": int(time.time()), "model": "scripted"}


def _usage(usage: tuple[int, int]) -> dict[str, int]:
    return {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}

"""What every test shares: no keys in the environment, no connection beyond loopback, the seeds synced once."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    return str(address[0]) in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "")


@pytest.fixture(autouse=True)
def closed_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no RAG_ setting, and no connection beyond this machine."""
    for name in os.environ:
        if name.startswith(("RAG_", "OPENAI_")):
            monkeypatch.delenv(name)
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(original):  # type: ignore[no-untyped-def]
        def call(self: socket.socket, address: object) -> object:
            if not _is_local(address):
                raise AssertionError(f"a connection beyond this machine was tried: {address}")
            return original(self, address)

        return call

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """An Assistant over the seeds, synced."""
    import rag

    assistant = rag.Assistant(rag.Settings(corpus=SEEDS, store=tmp_path_factory.mktemp("store")))
    assistant.sync()
    yield assistant

"""The right to write to a Chroma server, for one client at a time."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from rag.errors import StoreBusyError, StoreError
from rag.vectors import chroma_errors

SECONDS = 60.0
"""How long a lease outlives a client that died."""

PREFIX = "rag-lease-"


class Lease:
    """Held inside ``with``; StoreBusyError if another client holds it.

    Chroma has no locks, but of two clients that create a collection of one name only one succeeds. So a lease is the
    collection ``rag-lease-<n>``; whoever finds the highest one expired takes the next number. Time is the server's.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._done = threading.Event()
        self._renewing = threading.Thread(target=self._renew, daemon=True, name="lease")
        self._owner = f"process {os.getpid()} on {socket.gethostname()}"

    def __enter__(self) -> Self:
        with chroma_errors(StoreError, "the server"):
            leases = self._leases()
            if leases:
                held = self._client.get_collection(f"{PREFIX}{leases[-1]}", embedding_function=None).metadata
                if held["expires"] > self._now():
                    raise StoreBusyError(f"{held['owner']} is syncing to the Chroma server: wait until it ends")
            self._number = leases[-1] + 1 if leases else 1
            self._collection = self._create()
            if self._leases()[-1] != self._number:  # others came and went in between
                raise StoreBusyError("another client has just begun to sync to the Chroma server")
            for number in leases:
                self._client.delete_collection(f"{PREFIX}{number}")
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._renewing.join()
        with suppress(StoreError), chroma_errors(StoreError, "the server"):  # else it expires by itself
            self._collection.modify(metadata=self._until(0.0))

    def require(self) -> None:
        """StoreError if the lease was lost, because this client couldn't renew it in time."""
        with chroma_errors(StoreError, "the server"):
            held = self._client.get_collection(f"{PREFIX}{self._number}", embedding_function=None).metadata
            lost = self._leases()[-1] != self._number or held["expires"] < self._now()
        if lost:
            raise StoreError("this sync lost the right to write to the Chroma server: sync again")

    def _leases(self) -> list[int]:
        names = [collection.name for collection in self._client.list_collections()]
        return sorted(int(name.removeprefix(PREFIX)) for name in names if name.startswith(PREFIX))

    def _create(self) -> Any:
        from chromadb.errors import ChromaError

        try:
            expires = self._until(self._now() + SECONDS)
            return self._client.create_collection(f"{PREFIX}{self._number}", metadata=expires, embedding_function=None)
        except ChromaError as error:
            raise StoreBusyError("another client has just begun to sync to the Chroma server") from error

    def _renew(self) -> None:
        while not self._done.wait(SECONDS / 3):
            with suppress(StoreError), chroma_errors(StoreError, "the server"):  # ``require`` finds out
                self._collection.modify(metadata=self._until(self._now() + SECONDS))

    def _until(self, expires: float) -> dict[str, Any]:
        return {"owner": self._owner, "expires": expires}

    def _now(self) -> float:
        return self._client.heartbeat() / 1e9

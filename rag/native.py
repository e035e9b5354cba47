"""A Chroma collection on disk, read through Chroma's compiled core alone.

``import chromadb`` takes half a second of CPU time, nearly all of it for its server, telemetry and embedding functions;
what reads the files is a compiled module that loads in a hundredth of that. As only the package around it is a public
interface, the core is called directly only in the one release whose calls are known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

KNOWN = "1.5.9"
"""The release of chromadb whose core is called as written here."""

HOME = ("default_tenant", "default_database")


def is_known() -> bool:
    """Whether the installed release of chromadb is that one."""
    return version("chromadb") == KNOWN


class NativeCollection:
    """What is needed of a Chroma collection, and of its client, to read it; errors are Chroma's own."""

    def __init__(self, path: Path, name: str) -> None:
        import chromadb_rust_bindings as core

        self._core: Any = core.Bindings(  # as chromadb.PersistentClient calls it
            allow_reset=False,
            sqlite_db_config=core.SqliteDBConfig(
                hash_type=core.MigrationHash.MD5,
                migration_mode=core.MigrationMode.Apply,
                url=str(path / "chroma.sqlite3"),
            ),
            persist_path=str(path),
            hnsw_cache_size=8,
        )
        self._id = str(self._core.get_collection(name, *HOME).id)

    def close(self) -> None:
        """Let go of files and memory."""
        self._core = None

    def count(self) -> int:
        """How many rows there are."""
        return self._core.count(self._id, *HOME)

    def query(self, query_embeddings: np.ndarray, n_results: int, include: list[str]) -> dict[str, Any]:
        """The nearest rows to each vector of ``[queries, dimension]``, as chromadb's collection returns them."""
        found = self._core.query(self._id, None, query_embeddings.tolist(), n_results, None, None, include, *HOME)
        return {"ids": found.ids, "distances": found.distances}

    def get(self, ids: Sequence[str], include: list[str]) -> dict[str, Any]:
        """The rows with these ids, in any order, as chromadb's collection returns them."""
        rows = self._core.get(self._id, list(ids), None, None, 0, None, include, *HOME)
        vectors = rows.embeddings and np.array(rows.embeddings, dtype=np.float32)
        return {"ids": rows.ids, "documents": rows.documents, "metadatas": rows.metadatas, "embeddings": vectors}

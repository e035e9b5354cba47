"""The index on a real Chroma server, on loopback."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from rag import server_store
from rag.embedding import BundledEmbedding
from rag.errors import EmbeddingMismatchError, StoreBusyError, StoreDamagedError, StoreError
from rag.generation import Draft, Generation
from rag.manifest import Entry, checksum
from rag.server_store import ServerStore
from rag.syncing import sync
from rag.types import Chunk, Metadata

ABOUT = Metadata("Of metals", ("A. Writer",), "The Paper", "2024-05")
DIMENSION = 8
NAMES = count()


class Server:
    """``chroma run`` in a process of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        chroma = str(Path(sys.executable).with_name("chroma"))
        command = [chroma, "run", "--path", str(self.path), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("chroma run didn't start")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def new_database(self) -> str:
        """The URL of an empty database."""
        import chromadb

        name = f"test{next(NAMES)}"
        settings = chromadb.Settings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host="127.0.0.1",
            chroma_server_http_port=self.port,
            anonymized_telemetry=False,
        )
        chromadb.AdminClient(settings).create_database(name)
        return f"{self.url}/default_tenant/{name}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def url(server: Server) -> str:
    return server.new_database()


@pytest.fixture
def store(url: str, tmp_path: Path) -> ServerStore:
    store = client(url, tmp_path / "one")
    put(store, a="steel fell\ncopper rose", b="tin stayed")
    return store


def client(url: str, path: Path) -> ServerStore:
    return ServerStore(url, path, "test", DIMENSION)


def unit(number: int, away: float = 0.0) -> np.ndarray:
    """One of a few directions, or a random one ``away`` from it."""
    vector = np.eye(DIMENSION, dtype=np.float32)[number % DIMENSION]
    vector = vector + away * np.random.default_rng(next(NAMES)).normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


def chunks_of(source: str, text: str) -> list[Chunk]:
    return [
        Chunk(f"{source}-{n}", source, n, n + len(line), line, ((0, len(line)),), ABOUT)
        for n, line in enumerate(text.split("\n"))
    ]


def add(draft: Draft, number: int, source: str, text: str, away: float = 0.0) -> None:
    chunks = chunks_of(source, text)
    entry = Entry("sha", "recipe", (1, 2, 3, 4), {chunk.id: checksum(chunk) for chunk in chunks}, ABOUT)
    draft.add(source, entry, chunks, [unit(number, away) for _ in chunks])


def put(store: ServerStore, **articles: str) -> None:
    with store.write() as draft:
        for number, (source, text) in enumerate(articles.items()):
            add(draft, number, source, text)


def opened(store: ServerStore) -> Generation:
    generation = store.current()
    assert generation is not None
    return generation


def texts(generation: Generation) -> list[str]:
    return sorted(chunk.text for chunk in generation.all_chunks())


def words(generation: Generation, question: str) -> list[str]:
    return [chunk.text for chunk in generation.chunks([id for id, _ in generation.search_words(question, 9)])]


def test_before_the_first_sync_there_is_nothing(url: str, tmp_path: Path) -> None:
    assert client(url, tmp_path).current() is None


def test_what_one_client_syncs_another_finds_by_vector_and_by_word(store: ServerStore, tmp_path: Path) -> None:
    other = opened(client(store.url, tmp_path / "two"))

    [(nearest, cosine)] = other.search_vectors(unit(1), 1)

    assert other.chunks([nearest])[0].text == "tin stayed"
    assert cosine == pytest.approx(1, abs=1e-5)
    assert words(other, "copper") == ["copper rose"]
    assert other.articles() == {"a": ABOUT, "b": ABOUT}


def test_another_client_follows_at_its_next_query(store: ServerStore, tmp_path: Path) -> None:
    other = client(store.url, tmp_path / "two")
    assert texts(opened(other)) == ["copper rose", "steel fell", "tin stayed"]

    put(store, a="zinc rose")

    assert texts(opened(other)) == ["tin stayed", "zinc rose"]
    assert words(opened(other), "steel copper zinc") == ["zinc rose"]


def test_an_unchanged_generation_is_not_opened_again(store: ServerStore) -> None:
    assert store.current() is store.current()


def test_half_a_sync_is_seen_by_nobody(store: ServerStore, tmp_path: Path) -> None:
    other = client(store.url, tmp_path / "two")
    before = opened(other)
    with store.write() as draft:
        add(draft, 0, "a", "zinc rose")
        for number in range(40):  # rows that are nearer than some of what the readers' generation holds
            add(draft, 0, f"n{number}", f"nickel {number}", away=0.1)
        draft._flush()

        assert opened(other) is before
        assert len(before.search_vectors(unit(0), 3)) == 3
        assert texts(opened(client(store.url, tmp_path / "three"))) == ["copper rose", "steel fell", "tin stayed"]

    assert len(texts(opened(other))) == 42


def test_a_failed_sync_changes_nothing_and_the_next_clears_its_rows(store: ServerStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as draft:
        add(draft, 0, "c", "zinc rose")
        draft._flush()
        raise ZeroDivisionError
    assert texts(opened(store)) == ["copper rose", "steel fell", "tin stayed"]
    assert len(store._vectors) == 4

    with store.write():
        pass
    assert len(store._vectors) == 3


def test_a_replaced_generation_can_be_read_until_its_grace_is_over(
    store: ServerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = opened(store)
    put(store, a="zinc rose")
    assert texts(old) == ["copper rose", "steel fell", "tin stayed"]

    monkeypatch.setattr(server_store, "GRACE", 0)
    put(store, a="lead rose")

    assert texts(opened(store)) == ["lead rose", "tin stayed"]
    assert len(store._vectors) == 2


def test_a_write_without_changes_makes_no_generation(store: ServerStore) -> None:
    number = opened(store).number
    with store.write():
        pass

    assert opened(store).number == number


def test_a_second_writer_is_told_who_writes(store: ServerStore, tmp_path: Path) -> None:
    with store.write(), pytest.raises(StoreBusyError, match="is syncing"), client(store.url, tmp_path / "two").write():
        pass
    put(client(store.url, tmp_path / "two"), c="zinc rose")


def test_the_lease_of_a_client_that_died_runs_out(store: ServerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.lease.SECONDS", 3.0)
    monkeypatch.setattr("rag.lease.Lease._renew", lambda lease: None)
    monkeypatch.setattr("rag.lease.Lease.__exit__", lambda *_: None)
    with store.write():
        pass
    with pytest.raises(StoreBusyError), store.write():
        pass
    time.sleep(3.1)

    put(store, c="zinc rose")


def test_a_client_that_lost_its_lease_publishes_nothing(store: ServerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.lease.SECONDS", 0.2)
    monkeypatch.setattr("rag.lease.Lease._renew", lambda lease: None)

    with pytest.raises(StoreError, match="lost the right to write"), store.write() as draft:
        add(draft, 0, "c", "zinc rose")
        time.sleep(0.3)
    assert texts(opened(store)) == ["copper rose", "steel fell", "tin stayed"]


def test_a_lease_is_renewed_while_a_sync_takes_long(
    store: ServerStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.lease.SECONDS", 3.0)
    with store.write() as draft:
        add(draft, 0, "c", "zinc rose")
        time.sleep(4.0)
        with pytest.raises(StoreBusyError), client(store.url, tmp_path / "two").write():
            pass

    assert "zinc rose" in texts(opened(store))


def test_another_embedding_is_refused_with_the_cure(store: ServerStore, tmp_path: Path) -> None:
    with pytest.raises(EmbeddingMismatchError, match="rag sync --rebuild"):
        ServerStore(store.url, tmp_path / "two", "other", DIMENSION).current()


def test_a_rebuild_replaces_everything(store: ServerStore, tmp_path: Path) -> None:
    other = ServerStore(store.url, tmp_path / "two", "other", DIMENSION)
    with other.write(rebuild=True) as draft:
        add(draft, 0, "c", "zinc rose")

    assert texts(opened(other)) == ["zinc rose"]


def test_a_damaged_manifest_on_the_server_is_named_and_rebuilt(store: ServerStore, tmp_path: Path) -> None:
    store._put(["1-0"], ["AAAA"], {"generation": 1})
    other = client(store.url, tmp_path / "two")

    with pytest.raises(StoreDamagedError, match="generation 1 on the server is damaged: run `rag sync --rebuild`"):
        other.current()
    with other.write(rebuild=True) as draft:
        add(draft, 0, "c", "zinc rose")
    assert texts(opened(other)) == ["zinc rose"]


def test_a_text_altered_on_the_server_is_never_served(store: ServerStore) -> None:
    row = store._chunks.get(where={"source": "b"})["ids"][0]
    store._chunks.upsert(
        ids=[row],
        documents=["tin ROSE"],
        embeddings=[unit(1)],
        metadatas=[{"source": "b", "start": 0, "end": 8, "kind": "body"}],
    )

    with pytest.raises(StoreDamagedError, match="rag sync --rebuild"):
        texts(opened(store))


def test_a_damaged_local_index_is_made_anew(store: ServerStore) -> None:
    generation = opened(store)
    [index] = (generation.path / "lexical").glob("*.idx")
    index.unlink()  # and not overwritten: the open generation has it mapped into memory
    index.write_bytes(b"damaged")

    assert words(opened(client(store.url, store.path.parent)), "copper") == ["copper rose"]


def test_a_server_that_is_down_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1") as caught:
        client("http://127.0.0.1:9", tmp_path).current()
    assert "\n" not in str(caught.value)


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.vectors.TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(StoreError, match="timed out"):
        client(f"http://127.0.0.1:{mute.getsockname()[1]}", tmp_path).current()


def test_a_server_that_stalls_later_is_given_up_too(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.vectors.TIMEOUT", 1.0)
    server = Server(tmp_path_factory.mktemp("stalling"))
    store = client(server.url, tmp_path_factory.mktemp("client"))
    put(store, a="steel fell")
    server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreError, match="timed out"):
            store.current()
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert texts(opened(store)) == ["steel fell"]
    server.stop()


def test_a_server_restarted_in_the_middle_of_a_sync_keeps_the_old_state(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.lease.SECONDS", 1.0)
    server = Server(tmp_path_factory.mktemp("restarting"))
    store = client(server.url, tmp_path_factory.mktemp("client"))
    put(store, a="steel fell")

    with pytest.raises(StoreError), store.write() as draft:
        add(draft, 1, "b", "tin stayed")
        draft._flush()
        server.stop()
        add(draft, 2, "c", "zinc rose")
    server.start()

    assert texts(opened(store)) == ["steel fell"]
    time.sleep(1.1)  # until the lease of the failed sync is over
    put(store, b="tin stayed", c="zinc rose")
    assert texts(opened(store)) == ["steel fell", "tin stayed", "zinc rose"]
    server.stop()


def test_readers_see_whole_generations_while_another_client_syncs(store: ServerStore, tmp_path: Path) -> None:
    put(store, a="round 0\nlap 0", b="turn 0")
    reader = client(store.url, tmp_path / "two")
    problems: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen = {text.split()[1] for text in texts(opened(reader))}
            if len(seen) != 1:
                problems.append(seen)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 6):
        put(store, a=f"round {number}\nlap {number}", b=f"turn {number}")
    done.set()
    for thread in threads:
        thread.join()

    assert problems == []
    assert texts(opened(reader)) == ["lap 5", "round 5", "turn 5"]


def ask_until_told(url: str, path: Path, pipe: Connection) -> None:
    """In a child: look by id, word and vector until told to stop; tell how often, or the first mixed state."""
    store = client(url, path)
    pipe.send(texts(opened(store)))
    looks = 0
    while not pipe.poll():
        generation = opened(store)
        near = generation.chunks([id for id, _ in generation.search_vectors(unit(0), 9)])
        seen = [texts(generation), sorted(words(generation, "round lap turn")), sorted(chunk.text for chunk in near)]
        if seen != [seen[0]] * 3 or len({text.split()[1] for text in seen[0]}) != 1:
            pipe.send(seen)
            return
        looks += 1
    pipe.send(looks)


def test_eight_processes_see_whole_generations_while_another_syncs(store: ServerStore, tmp_path: Path) -> None:
    put(store, a="round 0\nlap 0", b="turn 0")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["rag.server_store", "chromadb", "tantivy"])
    children = []
    for number in range(8):  # by twos on one machine, sharing what they keep of the server
        ours, theirs = processes.Pipe()
        arguments = (store.url, tmp_path / f"client{number // 2}", theirs)
        child = processes.Process(target=ask_until_told, args=arguments, daemon=True)
        child.start()
        children.append((child, ours))
    assert all(pipe.recv() == ["lap 0", "round 0", "turn 0"] for _, pipe in children)
    for number in range(1, 6):
        put(store, a=f"round {number}\nlap {number}", b=f"turn {number}")
    for _, pipe in children:
        pipe.send("stop")
    outcomes = [pipe.recv() for _, pipe in children]
    for child, _ in children:
        child.join()

    assert all(isinstance(outcome, int) and outcome > 0 for outcome in outcomes), outcomes


def test_a_folder_of_articles_syncs_to_a_server(url: str, tmp_path: Path) -> None:
    corpus = tmp_path / "articles"
    corpus.mkdir()
    (corpus / "a.txt").write_text("The steel industry grew by a tenth last year, the ministry said.")
    (corpus / "b.txt").write_text("Cherry trees bloomed early in the city's parks this spring.")
    embedding = BundledEmbedding(Path(__file__).parent.parent / "rag/models")
    store = ServerStore(url, tmp_path / "store", embedding.name, embedding.dimension)

    assert sync(corpus, store, embedding).added == ("a.txt", "b.txt")
    assert sync(corpus, store, embedding).unchanged == ("a.txt", "b.txt")
    (corpus / "b.txt").rename(corpus / "c.txt")
    assert sync(corpus, store, embedding).embedded == 0

    generation = opened(store)
    [(id, _)] = generation.search_vectors(embedding.embed_query("How did metal production develop?"), 1)
    assert generation.chunks([id])[0].source == "a.txt"
    assert words(generation, "cherry blossoms") == ["Cherry trees bloomed early in the city's parks this spring."]
    assert generation.articles().keys() == {"a.txt", "c.txt"}

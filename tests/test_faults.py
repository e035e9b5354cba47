"""What can go wrong with a store, done to it for real: kills, full disks, read-only folders, damage, crowds.

``RAG_KILLS=200`` kills that many syncs instead of 12.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from rag.embedding import BundledEmbedding
from rag.errors import RagError, StoreBusyError, StoreDamagedError, StoreError
from rag.store import Store
from rag.syncing import sync

MODELS = Path(__file__).parent.parent / "rag" / "models"
KILLS = int(os.environ.get("RAG_KILLS", "12"))
ARTICLES = 12

# Children are forked off a server that has imported everything and runs no thread: they start in a moment.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["rag.syncing", "rag.store", "rag.embedding", "chromadb", "tantivy", "onnxruntime", "tokenizers"]
)


def write_version(corpus: Path, version: int) -> None:
    """Every article of the corpus tells the version; some come and go with it."""
    corpus.mkdir(exist_ok=True)
    for number in range(ARTICLES):
        path = corpus / f"{number:02}.txt"
        path.write_text(f"Article {number} was written for edition {version}. It tells of metal {number * version}.\n")
        if number % 4 == 3 and version % 2:
            path.unlink()


def versions(store: Store) -> set[str]:
    """The editions that the texts in the store are of."""
    generation = store.current()
    assert generation is not None
    chunks = list(generation.all_chunks())
    found = generation.chunks([id for id, _ in generation.search_words("edition", 100)])
    near = generation.search_vectors(BUNDLED().embed_query("an article about metal"), 100)
    assert len(found) == len(near) == len(chunks) >= ARTICLES * 3 // 4
    return {chunk.text.split(" edition ")[1].split(".")[0] for chunk in [*chunks, *found]}


_BUNDLED: list[BundledEmbedding] = []


def BUNDLED() -> BundledEmbedding:
    """The embedding, loaded once a process."""
    if not _BUNDLED:
        _BUNDLED.append(BundledEmbedding(MODELS))
    return _BUNDLED[0]


def store_in(path: Path) -> Store:
    return Store(path, BUNDLED().name, BUNDLED().dimension)


def sync_now(corpus: Path, path: Path, pipe: Connection) -> None:
    """In a child: get ready, wait for the word, sync, tell what came of it."""
    store = store_in(path)
    BUNDLED().embed_query("warm up")
    pipe.send("ready")
    pipe.recv()
    try:
        pipe.send(str(sync(corpus, store, BUNDLED())))
    except RagError as error:
        pipe.send(error)


def child(target: Any, *arguments: Any) -> tuple[ForkServerProcess, Connection]:
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    return process, ours


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write_version(tmp_path / "articles", 0)
    return tmp_path / "articles"


@pytest.fixture
def store(corpus: Path, tmp_path: Path) -> Store:
    store = store_in(tmp_path / "store")
    sync(corpus, store, BUNDLED())
    return store


@pytest.mark.timeout(KILLS * 20 + 60)
def test_a_sync_killed_at_any_moment_leaves_the_old_state_or_the_new_one(corpus: Path, store: Store) -> None:
    write_version(corpus, 1)
    started = time.perf_counter()
    sync(corpus, store, BUNDLED())
    usual = time.perf_counter() - started
    outcomes = {"old": 0, "new": 0}
    moments = random.Random(7)
    waiting = child(sync_now, corpus, store.path)
    for version in range(2, 2 + KILLS):
        write_version(corpus, version)
        process, pipe = waiting
        assert pipe.recv() == "ready"
        pipe.send("go")
        time.sleep(moments.uniform(0, 1.2 * usual))
        process.kill()
        process.join()
        waiting = child(sync_now, corpus, store.path)

        seen = versions(store_in(store.path))
        assert seen in ({str(version - 1)}, {str(version)})
        outcomes["new" if seen == {str(version)} else "old"] += 1

        sync(corpus, store, BUNDLED())
        assert versions(store) == {str(version)}
        assert len(list((store.path / "generations").iterdir())) == 1
    waiting[0].kill()
    assert outcomes["old"] > 0  # else the kills came too late to mean anything


def limited(corpus: Path, path: Path, limit: int, pipe: Connection) -> None:
    """In a child: sync where no file may grow beyond ``limit`` bytes, which fails as a full disk does."""
    store = store_in(path)
    pipe.send("ready")
    pipe.recv()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        pipe.send(str(sync(corpus, store, BUNDLED())))
    except RagError as error:
        pipe.send(error)


@pytest.mark.parametrize("limit", [0, 10_000, 120_000])
def test_a_full_disk_is_one_clear_line_and_changes_nothing(corpus: Path, store: Store, limit: int) -> None:
    write_version(corpus, 1)
    process, pipe = child(limited, corpus, store.path, limit)
    pipe.recv()
    pipe.send("go")
    error = pipe.recv()
    process.join()

    assert isinstance(error, StoreError), error
    assert not isinstance(error, StoreDamagedError)
    assert "\n" not in str(error)
    assert versions(store_in(store.path)) == {"0"}
    sync(corpus, store, BUNDLED())
    assert versions(store) == {"1"}
    assert len(list((store.path / "generations").iterdir())) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which can be made to run full."""
    path = tmp_path / "disk"
    path.mkdir()
    if (
        not shutil.which("mount")
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", path]).returncode
    ):
        pytest.skip("mounting a small disk takes more rights")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.parametrize("room", [100, 300, 400, 435])  # KB: while Chroma's files or tantivy's are copied, or written
def test_a_disk_that_runs_full_in_mid_sync_is_one_clear_line(corpus: Path, small_disk: Path, room: int) -> None:
    path = small_disk / "store"
    sync(corpus, store_in(path), BUNDLED())
    used = sum(file.stat().st_blocks for file in path.rglob("*")) // 2
    subprocess.run(["mount", "-o", f"remount,size={used + room}k", small_disk], check=True)
    write_version(corpus, 1)

    with pytest.raises(StoreError) as caught:
        sync(corpus, store_in(path), BUNDLED())

    assert "\n" not in str(caught.value)
    assert versions(store_in(path)) == {"0"}
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    sync(corpus, store_in(path), BUNDLED())
    assert versions(store_in(path)) == {"1"}


def as_nobody(corpus: Path, path: Path, scratch: Path, pipe: Connection) -> None:
    """In a child: without the right to write, ask the store and sync to it."""
    sync(corpus, store_in(scratch / "store"), BUNDLED())  # loads every module, which nobody may not be allowed to
    if os.geteuid() == 0:
        os.setgroups([])
        os.setuid(65534)
    pipe.send(versions(store_in(path)))
    write_version(scratch / "articles", 1)
    try:
        sync(scratch / "articles", store_in(path), BUNDLED())
        pipe.send(None)
    except RagError as error:
        pipe.send(error)


def test_a_read_only_store_answers_and_refuses_a_sync(corpus: Path, store: Store, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    scratch.chmod(0o777)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):  # pytest made them for its user alone
        folder.chmod(folder.stat().st_mode | 0o055)
    for path in (store.path, *store.path.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    process, pipe = child(as_nobody, corpus, store.path, scratch)
    seen, error = pipe.recv(), pipe.recv()
    process.join()
    for path in (store.path, *store.path.rglob("*")):
        path.chmod(0o755)

    assert seen == {"0"}
    assert isinstance(error, StoreError)
    assert "can't be written" in str(error)


def test_of_two_syncs_at_once_one_waits_or_is_told(corpus: Path, store: Store) -> None:
    write_version(corpus, 1)
    children = [child(sync_now, corpus, store.path) for _ in range(3)]
    for _, pipe in children:
        pipe.recv()
    for _, pipe in children:
        pipe.send("go")
    outcomes = [pipe.recv() for _, pipe in children]
    for process, _ in children:
        process.join()

    assert any(isinstance(outcome, str) for outcome in outcomes)
    assert all(isinstance(outcome, (str, StoreBusyError)) for outcome in outcomes), outcomes
    assert versions(store_in(store.path)) == {"1"}


def query_on(path: Path, pipe: Connection) -> None:
    """In a child: ask until told to stop; tell how often, and the first state that wasn't whole."""
    store = store_in(path)
    pipe.send(versions(store))
    count = 0
    while not pipe.poll():
        seen = versions(store)
        count += 1
        if len(seen) != 1:
            pipe.send(seen)
            return
    pipe.send(count)


def test_eight_processes_see_whole_states_while_a_sync_goes_on(corpus: Path, store: Store) -> None:
    children = [child(query_on, store.path) for _ in range(8)]
    assert all(pipe.recv() == {"0"} for _, pipe in children)
    for version in range(1, 4):
        write_version(corpus, version)
        sync(corpus, store, BUNDLED())
    for _, pipe in children:
        pipe.send("stop")
    outcomes = [pipe.recv() for _, pipe in children]
    for process, _ in children:
        process.join()

    assert all(isinstance(outcome, int) and outcome > 0 for outcome in outcomes), outcomes
    assert versions(store) == {"3"}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A corpus and its store, to be copied."""
    folder = tmp_path_factory.mktemp("pristine")
    write_version(folder / "articles", 0)
    sync(folder / "articles", store_in(folder / "store"), BUNDLED())
    yield folder / "articles", folder / "store"


def damage(path: Path, seed: int) -> None:
    """Overwrite a run of bytes somewhere in the file."""
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    start = chance.randrange(max(1, len(data) - 64))
    data[start : start + 64] = chance.randbytes(min(64, len(data)))
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["chroma.sqlite3", "*.bin", "lexical/*", "manifest"])
def test_a_damaged_store_never_answers_wrongly_and_a_rebuild_cures_it(
    pristine: tuple[Path, Path], tmp_path: Path, kind: str, seed: int
) -> None:
    corpus, whole = pristine
    path = shutil.copytree(whole, tmp_path / "store")
    victims = sorted(file for file in path.rglob("*") if file.match(kind) and file.stat().st_size)
    damage(victims[seed % len(victims)], seed)

    try:
        assert versions(store_in(path)) == {"0"}
        assert kind == "chroma.sqlite3"  # the damage hit a part of it that isn't used
    except StoreDamagedError as error:
        assert "rag sync --rebuild" in str(error)
        assert "\n" not in str(error)

    sync(corpus, store_in(path), BUNDLED(), rebuild=True)
    assert versions(store_in(path)) == {"0"}

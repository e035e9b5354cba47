from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.errors import EmbeddingMismatchError, StoreBusyError, StoreDamagedError, StoreError
from rag.generation import Generation
from rag.manifest import FORMAT, Entry, Manifest, checksum
from rag.native import NativeCollection
from rag.store import Store
from rag.types import Chunk, Metadata
from rag.vectors import Vectors

ABOUT = Metadata("Of metals", ("A. Writer", "B; Author"), "The Paper", "2024-05")
DIMENSION = 8


def store_in(path: Path) -> Store:
    return Store(path, "test", DIMENSION)


def chunks_of(source: str, *texts: str) -> list[Chunk]:
    return [
        Chunk(f"{source}-{n}-{abs(hash(text))}", source, n, n + len(text), text, ((0, len(text)),), ABOUT)
        for n, text in enumerate(texts)
    ]


def unit(number: int) -> np.ndarray:
    return np.eye(DIMENSION, dtype=np.float32)[number % DIMENSION]


def put(store: Store, **articles: str) -> None:
    """Sync by hand: each article is one chunk a line; the vector of the n-th article is the n-th unit vector."""
    with store.write() as draft:
        for number, (source, text) in enumerate(articles.items()):
            chunks = chunks_of(source, *text.split("\n"))
            entry = Entry("sha", "recipe", (1, 2, 3, 4), {chunk.id: checksum(chunk) for chunk in chunks}, ABOUT)
            draft.add(source, entry, chunks, [unit(number)] * len(chunks))


def opened(store: Store) -> Generation:
    generation = store.current()
    assert generation is not None
    return generation


def texts(generation: Generation) -> list[str]:
    return sorted(chunk.text for chunk in generation.all_chunks())


def generations(path: Path) -> list[str]:
    return sorted(folder.name for folder in (path / "generations").iterdir())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = store_in(tmp_path / "store")
    put(store, a="steel fell\ncopper rose", b="tin stayed")
    yield store


def test_before_the_first_sync_there_is_nothing(tmp_path: Path) -> None:
    assert store_in(tmp_path / "store").current() is None
    assert not (tmp_path / "store").exists()


def test_what_was_added_is_found_by_vector_and_by_word(store: Store) -> None:
    generation = opened(store)

    (nearest, cosine), *_ = generation.search_vectors(unit(1), 1)
    (wordy, _), *_ = generation.search_words("copper", 5)

    assert [chunk.text for chunk in generation.chunks([nearest, wordy])] == ["tin stayed", "copper rose"]
    assert cosine == pytest.approx(1, abs=1e-5)


def test_a_chunk_comes_back_as_it_went_in(tmp_path: Path) -> None:
    store = store_in(tmp_path / "store")
    text = "é, 中\n\U0001f600 x"
    bare = Chunk("bare", "z.txt", 0, 2, "ab", ())
    full = Chunk("full", "sub/ü.txt", 7, 15, text, ((0, 4), (4, 8)), ABOUT, "byline")
    entry = Entry("sha", "recipe", None, {chunk.id: checksum(chunk) for chunk in (bare, full)}, ABOUT)
    with store.write() as draft:
        draft.add("z.txt", entry, [bare, full], [unit(0), unit(1)])

    assert opened(store_in(store.path)).chunks(["full", "bare", "full"]) == [full, bare, full]


def test_vectors_come_back_for_reuse(store: Store) -> None:
    generation = opened(store)
    ids = list(generation.manifest.entries["b"].chunks)

    [(chunk, vector)] = generation.vectors(ids)

    assert chunk.text == "tin stayed"
    assert vector.tolist() == pytest.approx(unit(1).tolist())


def test_read_only_tells_what_chromas_own_client_tells(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.path / "generations/1/chroma"
    ids = [chunk.id for chunk in opened(store).all_chunks()]
    near = unit(0) + 0.2 * unit(3)
    native = Vectors.open(path, read_only=True)
    read, found, rows = len(native), native.search(near, 9), native.vectors(ids)
    assert isinstance(native._client, NativeCollection)
    native.close()

    monkeypatch.setattr("rag.native.KNOWN", "another release")
    client = Vectors.open(path, read_only=True)
    assert not isinstance(client._client, NativeCollection)

    assert read == len(client) == 3
    assert found == client.search(near, 9)
    for (chunk, vector), (expected, expected_vector) in zip(rows, client.vectors(ids), strict=True):
        assert chunk == expected
        assert vector.tolist() == expected_vector.tolist()
    client.close()


def test_asking_for_more_than_there_is_gives_all(store: Store) -> None:
    assert len(opened(store).search_vectors(unit(0), 100)) == 3
    assert opened(store).search_vectors(unit(0), 0) == []


def test_an_article_put_again_replaces_what_it_held(store: Store) -> None:
    put(store, a="zinc rose")

    assert texts(opened(store)) == ["tin stayed", "zinc rose"]
    assert opened(store).search_words("copper steel", 5) == []


def test_a_removed_article_leaves_nothing(store: Store) -> None:
    with store.write() as draft:
        draft.remove("a")

    assert texts(opened(store)) == ["tin stayed"]
    assert opened(store).search_words("copper steel", 5) == []
    assert len(opened(store).search_vectors(unit(0), 5)) == 1


def test_a_store_may_become_empty_and_fill_again(store: Store) -> None:
    with store.write() as draft:
        draft.remove("a")
        draft.remove("b")
    assert opened(store).search_vectors(unit(0), 5) == []
    assert opened(store).search_words("steel", 5) == []

    put(store, c="steel fell")
    assert texts(opened(store)) == ["steel fell"]


def test_metadata_is_listed_by_source(store: Store) -> None:
    assert opened(store).articles() == {"a": ABOUT, "b": ABOUT}


def test_a_write_without_changes_writes_nothing(store: Store) -> None:
    before = opened(store)

    with store.write():
        pass

    assert opened(store).number == before.number
    assert generations(store.path) == ["1"]


def test_a_refreshed_stat_is_kept_without_a_new_generation(store: Store) -> None:
    with store.write() as draft:
        draft.refresh("a", (5, 6, 7, 8))

    reopened = opened(store_in(store.path))
    assert reopened.manifest.entries["a"].stat == (5, 6, 7, 8)
    assert reopened.number == 1


def test_a_failed_write_leaves_the_old_generation_and_no_trace(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.write() as draft:
        draft.remove("a")
        raise ZeroDivisionError

    assert texts(opened(store)) == ["copper rose", "steel fell", "tin stayed"]
    assert generations(store.path) == ["1"]


def test_a_reader_goes_on_with_its_generation_while_another_becomes_current(store: Store) -> None:
    old = opened(store)
    for number in range(4):
        put(store, a=f"version {number}")

    assert texts(old) == ["copper rose", "steel fell", "tin stayed"]
    assert texts(opened(store)) == ["tin stayed", "version 3"]


def test_a_generation_nobody_reads_is_deleted(store: Store) -> None:
    old = opened(store)
    put(store, a="one")
    assert generations(store.path) == ["1", "2"]

    del old
    put(store, a="two")
    assert generations(store.path) == ["3"]


def test_another_store_on_the_folder_sees_the_new_generation_at_its_next_query(store: Store) -> None:
    reader = store_in(store.path)
    assert "zinc" not in " ".join(texts(opened(reader)))

    put(store, c="zinc rose")

    assert "zinc rose" in texts(opened(reader))


def test_an_unchanged_generation_is_not_opened_again(store: Store) -> None:
    assert store.current() is store.current()


def test_two_threads_open_a_generation_once(store: Store) -> None:
    reader = store_in(store.path)
    found: list[Generation] = []
    threads = [threading.Thread(target=lambda: found.append(opened(reader))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_a_second_writer_is_told_who_writes(store: Store) -> None:
    writer = rf"process {os.getpid()} on .* is syncing"

    with store.write(), pytest.raises(StoreBusyError, match=writer), store_in(store.path).write():
        pass


def test_after_the_first_writer_the_second_may_write(store: Store) -> None:
    with store.write():
        pass
    put(store_in(store.path), c="zinc rose")

    assert "zinc rose" in texts(opened(store))


def test_many_syncs_leak_neither_files_nor_threads(store: Store) -> None:
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    if not Path("/proc/self/fd").exists():
        pytest.skip("counts open files by /proc")
    put(store, a="warm up")
    opened(store).search_vectors(unit(0), 1)
    files, threads = held()
    for number in range(12):
        put(store, a=f"version {number}")
        opened(store).search_vectors(unit(0), 1)

    patience = time.monotonic() + 10  # Chroma lets go of a few a moment late
    while held()[0] > files + 5 and time.monotonic() < patience:
        time.sleep(0.1)
    assert held()[0] <= files + 5
    assert held()[1] <= threads


def test_rows_deleted_long_ago_take_no_room(store: Store) -> None:
    for number in range(12):
        put(store, a=f"steel {number}\ncopper {number}")

    assert opened(store).manifest.deleted <= 2 * opened(store).manifest.chunks
    assert texts(opened(store)) == ["copper 11", "steel 11", "tin stayed"]
    assert len(opened(store).search_vectors(unit(0), 9)) == 3


def test_another_embedding_is_refused_with_the_cure(store: Store) -> None:
    with pytest.raises(EmbeddingMismatchError, match=r"embedding test .*not other.*rag sync --rebuild"):
        Store(store.path, "other", DIMENSION).current()


def test_another_dimension_is_refused_too(store: Store) -> None:
    with pytest.raises(EmbeddingMismatchError):
        Store(store.path, "test", DIMENSION + 1).current()


def test_a_rebuild_takes_another_embedding(store: Store) -> None:
    other = Store(store.path, "other", DIMENSION)
    with other.write(rebuild=True):
        pass
    assert opened(store).number == 1  # nothing was written

    with other.write(rebuild=True) as draft:
        chunks = chunks_of("c", "zinc")
        entry = Entry("sha", "recipe", None, {chunks[0].id: checksum(chunks[0])}, ABOUT)
        draft.add("c", entry, chunks, [unit(0)])
    assert texts(opened(other)) == ["zinc"]


def rewrite_manifest(store: Store, old: str, new: str) -> None:
    path = store.path / "generations/1/manifest"
    path.write_text(path.read_text().replace(old, new))


def test_another_format_is_refused_with_the_cure(store: Store) -> None:
    rewrite_manifest(store, f'"format": {FORMAT}', '"format": 0')

    with pytest.raises(StoreError, match=f"format 0, this version reads {FORMAT}: run `rag sync --rebuild`"):
        store_in(store.path).current()


@pytest.mark.parametrize("content", [b"", b"7", b"x", b"\xff", b"-1", "²".encode()])
def test_a_damaged_pointer_is_named(store: Store, content: bytes) -> None:
    (store.path / "current").write_bytes(content)

    with pytest.raises(StoreDamagedError, match=r"current is damaged.*rag sync --rebuild"):
        store_in(store.path).current()


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink], ids=["flipped", "truncated", "deleted"])
@pytest.mark.parametrize(
    "pattern", ["manifest", "chroma/*/data_level0.bin", "chroma/*/*.pickle", "lexical/*.idx", "lexical/meta.json"]
)
def test_a_damaged_file_is_found_when_the_store_is_opened(store: Store, pattern: str, damage) -> None:  # type: ignore[no-untyped-def]
    [victim] = (store.path / "generations/1").glob(pattern)
    damage(victim)

    with pytest.raises(StoreDamagedError, match="rag sync --rebuild"):
        store_in(store.path).current()


def test_a_missing_database_is_found_when_the_store_is_opened(store: Store) -> None:
    (store.path / "generations/1/chroma/chroma.sqlite3").unlink()

    with pytest.raises(StoreDamagedError, match=r"chroma.*rag sync --rebuild"):
        store_in(store.path).current()


def test_a_text_altered_in_the_database_is_never_served(store: Store) -> None:
    with sqlite3.connect(store.path / "generations/1/chroma/chroma.sqlite3") as database:
        database.execute("update embedding_metadata set string_value='steel ROSE' where string_value='steel fell'")
    generation = opened(store_in(store.path))
    [(id, _)] = generation.search_words("steel", 5)

    with pytest.raises(StoreDamagedError, match="what it holds of a has changed: run `rag sync --rebuild`"):
        generation.chunks([id])


def test_a_row_lost_from_the_database_is_found_when_the_store_is_opened(store: Store) -> None:
    with sqlite3.connect(store.path / "generations/1/chroma/chroma.sqlite3") as database:
        database.execute("delete from embeddings where id = (select max(id) from embeddings)")

    with pytest.raises(StoreDamagedError, match="rag sync --rebuild"):
        texts(opened(store_in(store.path)))


def test_a_rebuild_cures_any_damage(store: Store) -> None:
    shutil.rmtree(store.path / "generations/1/lexical")
    (store.path / "current").write_text("x")
    damaged = store_in(store.path)
    with damaged.write(rebuild=True) as draft:
        chunks = chunks_of("c", "zinc")
        draft.add("c", Entry("sha", "recipe", None, {chunks[0].id: checksum(chunks[0])}, ABOUT), chunks, [unit(0)])

    assert texts(opened(damaged)) == ["zinc"]
    assert len(generations(store.path)) == 1


def test_what_a_killed_write_left_is_cleared_away(store: Store) -> None:
    left = store.path / "generations/2/chroma"
    left.mkdir(parents=True)
    (left / "chroma.sqlite3").write_bytes(b"half")

    put(store, c="zinc")

    assert "zinc" in texts(opened(store))
    assert generations(store.path) == ["2"]


def test_a_path_that_cant_be_a_store_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(StoreError, match="can't be written") as caught, store_in(tmp_path / "file").write():
        pass
    assert "\n" not in str(caught.value)


def test_readers_in_other_processes_keep_their_generation_from_being_deleted(store: Store) -> None:
    code = f"""
import sys
from pathlib import Path
from rag.store import Store
generation = Store(Path({str(store.path)!r}), "test", {DIMENSION}).current()
print(generation.number, flush=True)
sys.stdin.readline()
print(sorted(chunk.text for chunk in generation.all_chunks()))
"""
    reader = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert reader.stdout and reader.stdout.readline() == "1\n"
    put(store, a="one")
    put(store, a="two")

    answer, _ = reader.communicate("go\n")

    assert answer == "['copper rose', 'steel fell', 'tin stayed']\n"
    assert generations(store.path) == ["1", "3"]
    put(store, a="three")
    assert generations(store.path) == ["4"]


@pytest.mark.parametrize("text", ["", "{}", "[]\n", '{"format": 1}\n', '{"format": 1, "sha256": ""}\n{}\n', "\0", "é"])
def test_a_manifest_that_isnt_one_is_damage(text: str) -> None:
    with pytest.raises(StoreDamagedError):
        Manifest.loads(text.encode("latin-1"), "here")


def test_a_manifest_comes_back_as_it_went_in() -> None:
    entry = Entry("sha", "recipe", (1, 2, 3, 4), {"id": 5}, ABOUT)
    manifest = Manifest("name", 3, {"ü.txt": entry, "b": Entry("", "", None, {}, Metadata())}, {"f": (6, 7)}, 8)

    assert Manifest.loads(manifest.dumps(), "here") == manifest


def test_the_fingerprint_names_the_content_and_not_the_stat_or_the_order() -> None:
    one, two = Entry("1", "r", (1, 2, 3, 4), {}, ABOUT), Entry("2", "r", None, {}, ABOUT)
    fingerprint = Manifest("e", 1, {"a": one, "b": two}).fingerprint

    assert Manifest("e", 1, {"b": two, "a": Entry("1", "r", None, {}, ABOUT)}).fingerprint == fingerprint
    assert Manifest("e", 1, {"a": one, "b": one}).fingerprint != fingerprint

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag import articles
from rag.embedding import BundledEmbedding, contextual
from rag.errors import CorpusError, EmbeddingMismatchError, ModelError
from rag.generation import Generation
from rag.store import Store
from rag.syncing import sync
from rag.types import SyncReport

SENTENCE = "The {} industry grew by a tenth in the last year, as the ministry said on Monday."
METALS = ["steel", "copper", "zinc", "tin", "lead", "nickel"]


class Counting:
    """An embedding that is quick, tells texts apart, and counts what it was asked."""

    name = "counting"
    dimension = 16

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.embedded += texts
        return np.stack([self.embed_query(text) for text in texts]) if texts else np.empty((0, 16), np.float32)

    def embed_query(self, text: str) -> np.ndarray:
        vector = np.random.default_rng(sum(text.encode())).normal(size=16).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


class World:
    """A corpus, a store and an embedding."""

    def __init__(self, path: Path) -> None:
        self.corpus = path / "articles"
        self.corpus.mkdir()
        self.path = path / "store"
        self.embedding = Counting()

    def write(self, source: str, *metals: str) -> Path:
        path = self.corpus / source
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("\n\n".join(SENTENCE.format(metal) for metal in metals))
        return path

    def sync(self, *, rebuild: bool = False) -> SyncReport:
        self.embedding.embedded.clear()
        return sync(self.corpus, Store(self.path, "counting", 16), self.embedding, rebuild=rebuild)

    @property
    def generation(self) -> Generation:
        generation = Store(self.path, "counting", 16).current()
        assert generation is not None
        return generation

    def texts(self) -> dict[str, str]:
        """What the store holds of each source."""
        held: dict[str, str] = {}
        for chunk in self.generation.all_chunks():
            held[chunk.source] = f"{held.get(chunk.source, '')} {chunk.text}".strip()
        return held

    def find(self, word: str) -> set[str]:
        generation = self.generation
        return {chunk.source for chunk in generation.chunks([id for id, _ in generation.search_words(word, 50)])}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.write("a.txt", "steel")
    world.write("sub/b.txt", "silver")
    return world


def settle(path: Path) -> None:
    """Make a file look as if it had been there for a while; ctime can't be set, so its stat is only trusted later."""
    os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are trusted by their stat at once."""
    monkeypatch.setattr("rag.syncing.SETTLED", -1)


def test_the_first_sync_adds_every_article(world: World) -> None:
    report = world.sync()

    assert report.added == ("a.txt", "sub/b.txt")
    assert (report.changed, report.removed, report.unchanged, report.skipped) == ((), (), (), ())
    assert report.chunks == report.embedded == len(world.embedding.embedded) == 2
    assert world.find("silver") == {"sub/b.txt"}


def test_the_seconds_told_hold_the_switch_to_the_new_generation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.store.write_atomically", lambda *_: time.sleep(0.3))

    assert world.sync().seconds >= 0.3


def test_a_second_sync_embeds_nothing_and_writes_no_generation(world: World) -> None:
    world.sync()
    report = world.sync()

    assert report.unchanged == ("a.txt", "sub/b.txt")
    assert world.embedding.embedded == []
    assert world.generation.number == 1


def test_unchanged_articles_are_not_even_read(world: World, aged: None, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sync()
    reads: list[Path] = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path), original(path))[1])

    world.sync()

    assert [path for path in reads if path.suffix == ".txt"] == []


def test_a_touched_article_is_hashed_and_left_alone(world: World, aged: None) -> None:
    world.sync()
    settle(world.corpus / "a.txt")

    report = world.sync()

    assert report.unchanged == ("a.txt", "sub/b.txt")
    assert world.generation.number == 1
    assert world.generation.manifest.entries["a.txt"].stat[1] == 1_000_000_000 * 10**9  # type: ignore[index]


def test_an_edited_article_leaves_nothing_of_the_old(world: World) -> None:
    world.sync()
    world.write("a.txt", "zinc")

    report = world.sync()

    assert (report.changed, report.unchanged) == (("a.txt",), ("sub/b.txt",))
    assert world.find("steel") == set()
    assert world.find("zinc") == {"a.txt"}


def test_an_edit_that_keeps_size_and_mtime_is_seen(world: World) -> None:
    path = world.write("a.txt", "steel")
    settle(path)
    world.sync()
    world.write("a.txt", "brass")
    settle(path)

    assert world.sync().changed == ("a.txt",)
    assert world.find("brass") == {"a.txt"}


def test_an_edit_right_after_the_sync_is_seen(world: World) -> None:
    for metal in METALS:
        world.write("a.txt", metal)
        world.sync()
        assert world.find(metal) == {"a.txt"}


def test_an_edited_article_embeds_only_the_chunks_that_changed(world: World) -> None:
    long = [f"{metal} number {number}" for number in range(40) for metal in METALS]
    world.write("a.txt", *long)
    first = world.sync()
    world.write("a.txt", *long, "wholly new")

    report = world.sync()

    assert first.chunks > 10
    assert 1 <= report.embedded <= 2
    assert "wholly new" in world.texts()["a.txt"]


def test_a_renamed_article_moves_without_being_embedded(world: World) -> None:
    world.sync()
    (world.corpus / "a.txt").rename(world.corpus / "c.txt")

    report = world.sync()

    assert (report.added, report.removed) == (("c.txt",), ("a.txt",))
    assert world.embedding.embedded == []
    assert world.find("steel") == {"c.txt"}


def test_a_deleted_article_leaves_nothing(world: World) -> None:
    world.sync()
    (world.corpus / "a.txt").unlink()

    assert world.sync().removed == ("a.txt",)
    assert world.texts().keys() == {"sub/b.txt"}
    assert world.find("steel") == set()


def test_the_same_text_in_two_files_is_kept_twice(world: World) -> None:
    shutil.copy(world.corpus / "a.txt", world.corpus / "copy.txt")
    world.sync()

    assert world.find("steel") == {"a.txt", "copy.txt"}


def test_a_file_that_cant_be_read_is_skipped_with_the_reason(world: World) -> None:
    (world.corpus / "binary.txt").write_bytes(bytes(range(256)) * 20)

    report = world.sync()

    assert [source for source, _ in report.skipped] == ["binary.txt"]
    assert report.skipped[0][1]
    assert report.added == ("a.txt", "sub/b.txt")


def test_an_article_that_became_unreadable_leaves_nothing(world: World) -> None:
    world.sync()
    (world.corpus / "a.txt").write_bytes(bytes(range(256)) * 20)

    report = world.sync()

    assert [source for source, _ in report.skipped] == ["a.txt"]
    assert report.removed == report.changed == ()
    assert world.find("steel") == set()
    assert report.chunks == 1


def test_a_skipped_article_comes_back_when_it_is_mended(world: World) -> None:
    (world.corpus / "a.txt").write_bytes(bytes(range(256)) * 20)
    world.sync()
    world.write("a.txt", "steel")

    assert world.sync().added == ("a.txt",)
    assert world.find("steel") == {"a.txt"}


def test_an_article_that_vanishes_during_the_sync_is_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = articles.read_article

    def vanishing(corpus: Path, source: str, known: object = None) -> object:
        if source == "a.txt":
            (corpus / source).unlink()
        return read(corpus, source, known)  # type: ignore[arg-type]

    monkeypatch.setattr(articles, "read_article", vanishing)

    assert [source for source, _ in world.sync().skipped] == ["a.txt"]
    assert world.texts().keys() == {"sub/b.txt"}


def test_a_changed_metadata_entry_changes_its_article_alone(world: World) -> None:
    world.sync()
    (world.corpus / "metadata.toml").write_text('["a.txt"]\ntitle = "Of metals"\n')

    report = world.sync()

    assert (report.changed, report.unchanged) == (("a.txt",), ("sub/b.txt",))
    assert world.generation.articles()["a.txt"].title == "Of metals"
    assert world.find("metals") == {"a.txt"}


def test_another_version_of_the_chunker_chunks_everything_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sync()
    monkeypatch.setattr("rag.chunking.VERSION", 999)

    report = world.sync()

    assert report.changed == ("a.txt", "sub/b.txt")
    assert world.embedding.embedded == []  # the chunks came out the same


@pytest.mark.parametrize("folder", ["empty", "absent"])
def test_a_corpus_without_articles_is_an_error_and_the_store_stays(world: World, tmp_path: Path, folder: str) -> None:
    world.sync()
    (tmp_path / "empty").mkdir()
    world.corpus = tmp_path / folder

    with pytest.raises(CorpusError):
        world.sync()
    assert world.find("steel") == {"a.txt"}


def test_a_failing_embedding_leaves_the_store_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sync()
    world.write("c.txt", "tin")

    def refuse(texts: Sequence[str]) -> np.ndarray:
        raise ModelError("the service is down")

    monkeypatch.setattr(world.embedding, "embed", refuse)

    with pytest.raises(ModelError):
        world.sync()
    assert world.texts().keys() == {"a.txt", "sub/b.txt"}
    monkeypatch.undo()
    assert world.sync().added == ("c.txt",)


def test_another_embedding_needs_a_rebuild(world: World) -> None:
    world.sync()
    other = Store(world.path, "other", 16)

    with pytest.raises(EmbeddingMismatchError):
        sync(world.corpus, other, world.embedding)
    report = sync(world.corpus, other, world.embedding, rebuild=True)

    assert report.added == ("a.txt", "sub/b.txt")
    assert report.embedded == 2


def test_progress_ends_with_everything_done(world: World) -> None:
    seen: list[tuple[int, int, str]] = []
    sync(world.corpus, Store(world.path, "counting", 16), world.embedding, lambda *step: seen.append(step))

    assert seen[-1][:2] == (2, 2)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_a_corpus_larger_than_a_window_arrives_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.syncing.WINDOW", 3)
    monkeypatch.setattr("rag.generation.FLUSH", 5)
    for number in range(40):
        world.write(f"{number:02}.txt", f"metal{number}", f"alloy{number}")

    report = world.sync()

    assert len(report.added) == 42
    assert all(world.find(f"metal{number}") == {f"{number:02}.txt"} for number in (0, 17, 39))


def test_the_bundled_embedding_finds_what_was_synced(world: World) -> None:
    embedding = BundledEmbedding(Path(__file__).parent.parent / "rag/models")
    store = Store(world.path, embedding.name, embedding.dimension)
    sync(world.corpus, store, embedding)
    generation = store.current()
    assert generation is not None

    question = embedding.embed_query("How did the steel business develop?")
    [(id, cosine)] = generation.search_vectors(question, 1)

    [chunk] = generation.chunks([id])
    assert chunk.source == "a.txt"
    assert cosine == pytest.approx(float(question @ embedding.embed_query(contextual(chunk))), abs=1e-3)


edits = st.dictionaries(
    st.sampled_from(["a.txt", "b.txt", "c.md"]), st.lists(st.sampled_from(METALS), min_size=1, max_size=3)
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states=st.lists(edits.filter(bool), min_size=1, max_size=4))
def test_however_the_corpus_came_about_the_store_holds_what_a_fresh_one_would(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, list[str]]]
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    for state in states:
        for path in world.corpus.iterdir():
            if path.name not in state:
                path.unlink()
        for source, metals in state.items():
            world.write(source, *metals)
        world.sync()

    again = world.sync()
    assert (again.added, again.changed, again.removed) == ((), (), ())
    assert world.texts() == {source: "\n\n".join(map(SENTENCE.format, metals)) for source, metals in states[-1].items()}


def test_twenty_unchanged_articles_take_no_noticeable_time(world: World, aged: None) -> None:
    for number in range(20):
        world.write(f"{number}.txt", f"metal{number}")
    world.sync()
    started = time.perf_counter()
    world.sync()

    assert time.perf_counter() - started < 1


def test_what_is_found_depends_on_the_corpus_and_not_on_its_past(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number, metal in enumerate(METALS):
        world.write(f"{number}.txt", metal, "ore", metal)
    world.sync()
    question = "steel, zinc or lead industry"
    before = world.generation.search_words(question, 20)
    world.write("1.txt", "brass", "steel", "steel")
    world.write("9.txt", "zinc", "zinc")
    (world.corpus / "2.txt").unlink()
    world.sync()
    assert world.generation.search_words(question, 20) != before
    world.write("1.txt", METALS[1], "ore", METALS[1])
    world.write("2.txt", METALS[2], "ore", METALS[2])
    (world.corpus / "9.txt").unlink()
    world.sync()
    assert world.generation.search_words(question, 20) == before
